"""Every state of a title among three parties, by every call of every signer to every receiver."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from tests.state_exploration import (
    Walk,
    rows_not_taken,
    steps_without_row,
    walk,
    with_row,
    without_guards,
)

from zhidao.core.errors import Refused
from zhidao.core.transitions import Machine, Transition
from zhidao.trust.domain import title_rules, title_transitions
from zhidao.trust.domain.evm import ZERO_ADDRESS, Address
from zhidao.trust.domain.title_rules import TitleRules
from zhidao.trust.domain.title_state import TitleState
from zhidao.trust.domain.title_transitions import (
    BURN,
    BURNT,
    ENDORSE,
    GIVE_BACK,
    HAND_ON,
    MINT,
    NOMINATE,
    REJECT,
    REJECT_BENEFICIARY,
    REJECT_HOLDER,
    RESTORE,
    RETURNED,
    TITLE,
    UNMINTED,
    Asked,
    MintedTitle,
)

ADMIN, *PARTIES = (Address(bytes([n]) * 20) for n in (9, 1, 2, 3))
RECEIVERS = (ZERO_ADDRESS, *PARTIES)
ROLE, T = b"role", b"\x07" * 32
World = MintedTitle | None
Call = Callable[[TitleRules, Address, Address], TitleState]
CALLS: dict[str, Call] = {
    NOMINATE: lambda rules, by, to: rules.nominate(by, T, to),
    ENDORSE: lambda rules, by, to: rules.endorse(by, T, to),
    HAND_ON: lambda rules, by, to: rules.transfer_holder(by, T, to),
}
ALONE: dict[str, Callable[[TitleRules, Address], TitleState]] = {
    REJECT_BENEFICIARY: lambda rules, by: rules.reject_beneficiary(by, T),
    REJECT_HOLDER: lambda rules, by: rules.reject_holder(by, T),
    REJECT: lambda rules, by: rules.reject(by, T),
    GIVE_BACK: lambda rules, by: rules.give_back(by, T),
    RESTORE: lambda rules, by: rules.restore(by, ROLE, T),
    BURN: lambda rules, by: rules.burn(by, ROLE, T),
}
Step = tuple[str, Address, Callable[[TitleRules], TitleState]]


def calls() -> Iterator[Step]:
    for by in (ADMIN, *PARTIES):
        for act, call in ALONE.items():
            yield act, by, lambda rules, call=call, by=by: call(rules, by)
        for act, to in itertools.product(CALLS, RECEIVERS):
            yield act, by, lambda rules, act=act, by=by, to=to: CALLS[act](rules, by, to)
    for by, to, holder in itertools.product((ADMIN, PARTIES[0]), RECEIVERS, RECEIVERS):
        yield (
            MINT,
            by,
            lambda rules, by=by, to=to, holder=holder: rules.mint(
                by, ROLE, T, beneficiary=to, holder=holder
            ),
        )


STEPS = tuple(calls())


def rules_at(world: World) -> TitleRules:
    rules = TitleRules(ADMIN, lambda _: Address(b"\x08" * 20))
    if world is not None:
        rules._titles[T] = world
    return rules


def moves(world: World) -> Iterator[tuple[tuple[str, Address], World]]:
    rules = rules_at(world)
    for act, by, call in STEPS:
        try:
            call(rules)
        except Refused:
            assert rules._titles.get(T) == world, "a refusal changes nothing"
            continue
        yield (act, by), rules._titles.pop(T)
        if world is not None:
            rules._titles[T] = world


def explored() -> Walk[World]:
    return walk([None], moves, lambda world: world)  # type: ignore[arg-type]


def standing(world: World) -> str:
    return Asked(world).state


def violations(found: Walk[World]) -> Iterator[str]:
    for before, (act, by), after in found.steps:
        assert after is not None
        now = after.state
        if before is None:
            if act != MINT or by != ADMIN:
                yield "made by somebody without the role"
        elif standing(before) == BURNT:
            yield "a burnt title lived again"
        elif standing(before) == RETURNED and by != ADMIN:
            yield "moved by a party while it was with its issuer"
        elif act == MINT:
            yield "minted twice"
        elif now.holder != before.state.holder and by not in (ADMIN, before.state.holder):
            yield "taken from its holder by another"
        elif now.beneficiary != before.state.beneficiary and by not in (
            *(ADMIN, before.state.holder),
            before.state.beneficiary,
        ):
            yield "taken from its beneficiary by another"
        elif act == ENDORSE and not before.alone and before.state.nominee != now.beneficiary:
            yield "endorsed to somebody whom the beneficiary did not nominate"
        if standing(after) != BURNT and ZERO_ADDRESS in (now.holder, now.beneficiary):
            yield "a living title with nobody to it"
        if standing(after) == RETURNED and not after.alone:
            yield "given back by half of its owners"


def violation(found: Walk[World]) -> str:
    return next(violations(found), "")


@pytest.fixture(scope="module")
def found() -> Walk[World]:
    return explored()


def test_no_call_takes_a_title_from_who_has_it(found: Walk[World]) -> None:
    assert violation(found) == ""
    assert len(found.worlds) > 100
    assert {standing(world) for world in found.worlds.values()} == set(TITLE.states)


def test_every_row_can_happen_and_nothing_happens_beside_the_rows(found: Walk[World]) -> None:
    taken = [(standing(a), act[0], standing(b)) for a, act, b in found.steps]
    assert rows_not_taken(TITLE, taken) == []
    assert steps_without_row(TITLE, taken) == []


def test_every_title_can_still_be_given_back_and_burnt(found: Walk[World]) -> None:
    assert found.can_reach(lambda world: standing(world) == BURNT) == set(found.worlds)
    assert TITLE.ends == (BURNT,)


def test_every_act_has_a_row_or_a_reason_in_every_state() -> None:
    acts = {row.act for row in TITLE.rows}
    for state, act in itertools.product(TITLE.states, acts):
        assert any(TITLE.leads(state, act)) != ((state, act) in TITLE.closed), (state, act)
    reasons = {guard.rule for guards in TITLE.closed.values() for guard in guards}
    assert reasons <= set(title_rules._SENTENCES)


@pytest.mark.parametrize(
    "faulty",
    [
        *(without_guards(TITLE, act) for act in (HAND_ON, ENDORSE, REJECT_HOLDER, RESTORE, BURN)),
        with_row(TITLE, Transition(BURNT, RESTORE, "anybody", RETURNED)),
        with_row(TITLE, Transition(RETURNED, HAND_ON, "holder", RETURNED)),
        with_row(TITLE, Transition("in one hand", MINT, "anybody", "in one hand")),
    ],
)
def test_the_walk_finds_each_planted_fault(
    faulty: Machine[Asked], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(title_rules, "TITLE", faulty)
    assert violation(explored())


def test_the_first_state_is_that_nobody_minted_it() -> None:
    assert TITLE.start == UNMINTED == Asked(None).state
    assert title_transitions.TITLE is TITLE


def test_the_table_speaks_of_states_acts_and_parties_in_words_that_pages_show() -> None:
    assert (TITLE.name, TITLE.start, TITLE.ends) == ("title", "unminted", ("burnt",))
    assert TITLE.states == (
        *("unminted", "in one hand", "holder and beneficiary apart", "back with the issuer"),
        "burnt",
    )
    by: dict[str, set[str]] = {}
    for row in TITLE.rows:
        by.setdefault(row.who, set()).add(row.act)
    assert by == {
        "registry's minter": {"mint"},
        "registry's restorer": {"restore"},
        "registry's accepter": {"burn"},
        "beneficiary": {"nominate", "reject the beneficiary's part"},
        "holder": {
            *("transfer the beneficiary's part", "transfer the holder's part"),
            "reject the holder's part",
        },
        "who is both": {"reject both parts", "return to the issuer"},
    }


ONE, OTHER, _ = PARTIES
UNITED_TITLE = MintedTitle(TitleState(T, ADMIN, holder=ONE, beneficiary=ONE))
RETURNED_TITLE = MintedTitle(TitleState(T, ADMIN, holder=ONE, beneficiary=ONE, surrendered=True))
BURNT_TITLE = MintedTitle(TitleState(T, ADMIN, holder=ONE, beneficiary=ONE, active=False))


@pytest.mark.parametrize(
    ("one", "act", "code"),
    [
        *((None, NOMINATE, "no_title"), (None, RESTORE, "no_title")),
        *((None, BURN, "contract_refused"), (BURNT_TITLE, GIVE_BACK, "title_inactive")),
        *((BURNT_TITLE, BURN, "title_inactive"), (BURNT_TITLE, MINT, "title_exists")),
        *((BURNT_TITLE, RESTORE, "not_surrendered"), (UNITED_TITLE, BURN, "not_surrendered")),
        *((UNITED_TITLE, RESTORE, "not_surrendered"), (UNITED_TITLE, MINT, "title_exists")),
        *((RETURNED_TITLE, HAND_ON, "title_surrendered"), (RETURNED_TITLE, MINT, "title_exists")),
        (UNITED_TITLE, ENDORSE, "no_receiver"),
    ],
)
def test_an_act_out_of_turn_is_refused_under_its_code(one: World, act: str, code: str) -> None:
    asked = Asked(one, sender=ONE, allowed=True)
    broken = TITLE.why_not(asked.state, act, asked)
    assert broken is not None
    assert broken.rule == code


@pytest.mark.parametrize("act", [MINT, RESTORE, BURN])
def test_who_was_given_no_role_by_the_registry_has_none(act: str) -> None:
    for one in (None, UNITED_TITLE, RETURNED_TITLE, BURNT_TITLE):
        asked = Asked(one, sender=ONE, to=ONE, holder=OTHER)
        broken = TITLE.why_not(asked.state, act, asked)
        assert broken is not None
        assert broken.rule == "not_allowed"
