"""Every state of a conditional payment, by every fact at every moment that its table lets pass."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cache
from typing import NamedTuple

import pytest
from tests.finance.domain.deals.histories import at, history
from tests.finance.domain.deals.test_escrow import (
    DISPUTED,
    HELD,
    OPENED,
    SETTLED,
    decided,
    noted,
    signed,
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
from zhidao.finance.domain.deals import escrow as escrows
from zhidao.finance.domain.deals.condition import Standing
from zhidao.finance.domain.deals.escrow import (
    AGREE,
    DECISIONS,
    DISPUTES_MAX,
    ESCROW,
    NEW,
    REFUND_LATE,
    REFUND_LOST,
    RELEASE,
    SETTLING,
    WITHOUT,
    Escrow,
    EscrowNow,
    act_of,
    fold,
    joint_share,
    permit,
)
from zhidao.finance.events.banks import EscrowDecided

MOMENTS = (at(10).unix_ns, at(60).unix_ns, at(90).unix_ns)
"""In time; after the condition's moment; after the money may go back."""
DECIDED_AS = (
    *(("release", "condition_met"), ("refund", "condition_lost"), ("refund", "time_over")),
    *(("refund", "no_funds"), ("share", "jointly"), ("release", "jointly")),
)


def decision(outcome: str, reason: str) -> EscrowDecided:
    return EscrowDecided(**{**decided(outcome).payload(), "reason": reason})


Told = tuple[str, Fact]
FACTS: tuple[Told, ...] = (
    *(("node", HELD), ("node", SETTLED)),
    *(("inspector", noted(holds=holds)) for holds in (True, False)),
    *(("importer", signed(share)) for share in (40,)),
    *(("exporter", signed(share)) for share in (40, 0)),
    ("importer", DISPUTED),
    *(("node", decision(outcome, reason)) for outcome, reason in DECIDED_AS),
)


@cache
def after(told: tuple[int, ...]) -> Escrow:
    escrow = fold(history("escrow/bank/E-1", OPENED, *(FACTS[place] for place in told)))
    assert escrow is not None
    return escrow


class World(NamedTuple):
    """What was written, and which of the moments it is."""

    told: tuple[int, ...] = ()
    moment: int = 0

    @property
    def now(self) -> EscrowNow:
        return EscrowNow(after(self.told), MOMENTS[self.moment])

    @property
    def escrow(self) -> Escrow:
        return after(self.told)


def key(world: World) -> Hashable:
    escrow = world.escrow
    if escrow.decided is not None:
        # Nothing that came before a decision says what comes after it.
        return (world.moment, escrow.state, escrow.decided.outcome)
    signed_by = frozenset((who, each.to_payee_minor) for who, each in escrow.resolutions.items())
    return (world.moment, escrow.state, escrow.held is not None, frozenset(escrow.met), signed_by)


def moves(world: World) -> Iterator[tuple[str, World]]:
    if world.moment + 1 < len(MOMENTS):
        yield "", world._replace(moment=world.moment + 1)
    now = world.now
    for place, (_, fact) in enumerate(FACTS):
        try:
            permit(now, fact)
        except Refused:
            continue
        yield act_of(now.escrow, fact), world._replace(told=(*world.told, place))


def explored() -> Walk[World]:
    return walk([World()], moves, key)


def violations(found: Walk[World]) -> Iterator[str]:
    for before, act, after in found.steps:
        now, then = before.now, after.escrow
        if act in (*DECISIONS, WITHOUT) and now.escrow.decided is not None:
            yield "decided twice"
        if act in DECISIONS and now.escrow.held is None:
            yield "decided about money that is not held"
        if act in DECISIONS and act != AGREE and now.escrow.disputes:
            yield "decided by itself in a dispute"
        if act == AGREE and joint_share(now.escrow) is None:
            yield "one decided alone"
        if act == RELEASE and now.standing is not Standing.MET:
            yield "released without its condition"
        if act == REFUND_LATE and not now.is_over:
            yield "refunded before its time"
        if act == REFUND_LOST and now.standing is not Standing.LOST:
            yield "refunded though the condition may still be met"
        if act == WITHOUT and now.escrow.held is not None:
            yield "refunded for want of money that is held"
        if act in SETTLING.values() and now.escrow.decided is None:
            yield "settled without a decision"
        if now.escrow.state in ESCROW.ends and then.state != now.escrow.state:
            yield "an end was left"


def violation(found: Walk[World]) -> str:
    return next(violations(found), "")


def test_no_order_of_facts_and_moments_moves_money_against_the_rules() -> None:
    found = explored()
    assert violation(found) == ""
    assert len(found.worlds) > 150
    assert {world.escrow.state for world in found.worlds.values()} == set(ESCROW.states) - {NEW}


def test_every_row_can_happen_and_nothing_happens_beside_the_rows() -> None:
    taken = [(a.escrow.state, act, b.escrow.state) for a, act, b in explored().steps if act]
    assert rows_not_taken(ESCROW, [(NEW, "open", "opened"), *taken]) == []
    assert steps_without_row(ESCROW, taken) == []


def test_from_every_state_it_can_still_end() -> None:
    found = explored()
    assert found.can_reach(lambda world: world.escrow.state in ESCROW.ends) == set(found.worlds)


@pytest.mark.parametrize(
    "faulty",
    [
        *(without_guards(ESCROW, act) for act in (*DECISIONS, WITHOUT)),
        with_row(ESCROW, Transition("disputed", REFUND_LATE, "node", "decided")),
        with_row(ESCROW, Transition("decided", AGREE, "node", "decided")),
    ],
)
def test_the_walk_finds_each_planted_fault(
    faulty: Machine[EscrowNow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(escrows, "ESCROW", faulty)
    assert violation(explored())


@pytest.mark.bound("finance.domain.deals.escrow.DISPUTES_MAX")
def test_it_is_disputed_as_often_as_the_bound_says_and_not_once_more() -> None:
    told = (FACTS.index(("importer", DISPUTED)),) * DISPUTES_MAX
    permit(World(told[1:]).now, DISPUTED)
    with pytest.raises(Refused, match="it is disputed; sign a resolution") as refused:
        permit(World(told).now, DISPUTED)
    assert refused.value.code == "too_many"
