"""Every state of a deal, walked through by the facts that its table lets be written."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace

import pytest
from tests.finance.domain.deals.histories import history
from tests.finance.domain.deals.test_deal import (
    CONDITIONS,
    DECIDED,
    IN_CUSTODY,
    OPENED,
    RESERVED,
    met,
    settled,
)
from tests.state_exploration import (
    Walk,
    rows_not_taken,
    steps_without_row,
    walk,
    with_row,
    without_guards,
)

from zhidao.core.errors import Refused
from zhidao.core.events import Fact
from zhidao.core.transitions import Machine, Transition
from zhidao.finance.domain.deals import deal as deals
from zhidao.finance.domain.deals.deal import (
    ABORT,
    DEAL,
    GIVE_BACK,
    MEET_TITLE,
    NEEDS,
    NEW,
    PAY,
    RELEASE,
    TITLE,
    Deal,
    act_of,
    fold,
    permit,
)
from zhidao.finance.events import AccountOpened, ConditionLapsed, DealOpened, ObstacleNoted

WITH_TITLE = DealOpened(
    **{
        **{name: getattr(OPENED, name) for name in OPENED.__struct_fields__},
        "conditions": type(CONDITIONS)(
            **{
                **{name: getattr(CONDITIONS, name) for name in CONDITIONS.__struct_fields__},
                "needs": sorted(NEEDS),
            }
        ),
    }
)
ABORTED = type(DECIDED)(**{**DECIDED.payload(), "outcome": ABORT})
NAMES = (*sorted(NEEDS), "arrival")
OBSTACLE = ObstacleNoted(
    **{name: "D-1" if name == "deal" else "x" for name in ObstacleNoted.__struct_fields__}
)
FACTS: tuple[Fact, ...] = (
    *(RESERVED, IN_CUSTODY, DECIDED, ABORTED, OBSTACLE),
    *(settled(paid=True), settled(paid=False)),
    *(met(name) for name in NAMES),
    *(ConditionLapsed(deal="D-1", name=name, because="x") for name in NAMES),
)
World = tuple[Fact, ...]


def deal_after(facts: World) -> Deal:
    deal = fold(history("deal/D-1", *facts))
    assert deal is not None
    return deal


def key(facts: World) -> Hashable:
    deal = deal_after(facts)
    decided = deal.decided.outcome if deal.decided else ""
    held = (deal.reserved is not None, deal.title_reserved is not None)
    return (deal.state, *held, frozenset(deal.met), decided, deal.settled and deal.settled.paid)


def moves(facts: World) -> Iterator[tuple[str, World]]:
    deal = deal_after(facts)
    for fact in FACTS:
        try:
            permit(deal, [fact])
        except Refused:
            continue
        yield act_of(fact), (*facts, fact)


def explored() -> Walk[World]:
    return walk([(WITH_TITLE,)], moves, key)


def violation(found: Walk[World]) -> str:
    for before, act, after in found.steps:
        deal, then = deal_after(before), deal_after(after)
        if act == RELEASE and (deal.reserved is None or deal.missing):
            return "paid without its money or a condition"
        if act in (RELEASE, ABORT) and deal.decided is not None:
            return "decided twice"
        if act in (PAY, GIVE_BACK) and (deal.decided is None or deal.settled is not None):
            return "settled without a decision, or twice"
        if then.settled and then.decided and then.settled.paid != (then.decided.outcome == RELEASE):
            return "settled otherwise than decided"
    return ""


def test_no_order_of_facts_pays_without_money_conditions_or_decision() -> None:
    found = explored()
    assert violation(found) == ""
    assert len(found.worlds) > 100
    assert {deal_after(world).state for world in found.worlds.values()} == set(DEAL.states) - {NEW}


def test_every_row_can_happen_and_nothing_happens_beside_the_rows() -> None:
    found = explored()
    taken = [(deal_after(a).state, act, deal_after(b).state) for a, act, b in found.steps]
    assert rows_not_taken(DEAL, [(NEW, "open", "opened"), *taken]) == []
    assert steps_without_row(DEAL, taken) == []


def test_from_every_state_a_deal_can_still_end_and_nothing_follows_an_end() -> None:
    found = explored()
    assert found.can_reach(lambda world: deal_after(world).state in DEAL.ends) == set(found.worlds)
    for world in found.worlds.values():
        if deal_after(world).state in DEAL.ends:
            assert list(moves(world)) == []


@pytest.mark.parametrize(
    "faulty",
    [
        without_guards(DEAL, RELEASE),
        without_guards(DEAL, PAY),
        without_guards(DEAL, GIVE_BACK),
        with_row(DEAL, Transition("opened", RELEASE, "node", "decided")),
        with_row(DEAL, Transition("decided", ABORT, "node", "decided")),
        with_row(DEAL, Transition("opened", GIVE_BACK, "node", "refused")),
    ],
)
def test_the_walk_finds_each_planted_fault(
    faulty: Machine[Deal], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deals, "DEAL", faulty)
    assert violation(explored())


def test_a_refusal_names_the_deal_and_what_is_needed() -> None:
    with pytest.raises(Refused, match="deal D-1: release needs that every condition holds"):
        permit(deal_after((WITH_TITLE, RESERVED)), [DECIDED])
    with pytest.raises(Refused, match="deal D-1 is decided") as refused:
        permit(deal_after((WITH_TITLE, ABORTED)), [IN_CUSTODY])
    assert refused.value.code == "deal_is_decided"


@pytest.mark.parametrize("is_reserved", [False, True])
@pytest.mark.parametrize("is_noted", [False, True])
def test_a_title_is_noted_once_and_only_where_it_is_reserved(is_reserved, is_noted) -> None:
    facts = (WITH_TITLE, *([IN_CUSTODY] if is_reserved else []))
    deal = replace(deal_after(facts), met={TITLE: "evidence"} if is_noted else {})
    assert deal.may(MEET_TITLE) is (is_reserved and not is_noted)


def test_a_fact_of_something_else_is_no_act_of_a_deal() -> None:
    assert act_of(AccountOpened(**dict.fromkeys(AccountOpened.__struct_fields__, "x"))) == ""
