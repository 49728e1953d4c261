"""Every state of a credit and of a presentation under it, by every act on every kind of day."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import astuple
from datetime import date
from typing import Any, NamedTuple

import pytest
from tests.finance.credit_cases import CREDIT as TERMS
from tests.finance.credit_cases import PRESENTATION
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
from zhidao.finance.domain.credit import states
from zhidao.finance.domain.credit.states import (
    CREDIT,
    DRAWING,
    Act,
    CreditState,
    Drawing,
    DrawingNow,
    permit,
)
from zhidao.finance.events import CreditActed
from zhidao.finance.service.credits.credit_history import after

DAYS = (date(2026, 9, 16), date(2026, 9, 21), date(2026, 10, 21))
"""When it is presented; when the time to refuse is just over; when all waiting is over."""
UNTIL, DUE = date(2026, 9, 20), date(2026, 10, 20)
D = "D-1"
SIGHT = {**TERMS, "available_by": "sight", "tenor_days": 0}
ALL_TERMS = (TERMS, SIGHT, {**SIGHT, "confirming_bank": "Taihu Commercial Bank"})


class World(NamedTuple):
    """A credit under one kind of terms, on one of the days."""

    terms: int
    credit: CreditState = CreditState()
    day: int = 0

    @property
    def one(self) -> Drawing | None:
        return self.credit.drawings.get(D)


def key(world: World) -> Hashable:
    credit = astuple(world.credit)[:-1]
    # How many amendments were accepted says nothing about what comes next.
    return (world.terms, min(credit[0], 1), credit[1] > 0, *credit[2:], world.one, world.day)


def said(world: World, act: Act) -> Iterator[dict[str, Any]]:
    """What may be told with an act; nothing of it is looked at by the tables."""
    if act in (Act.ISSUE, Act.AMEND):
        yield {"terms": ALL_TERMS[world.terms]}
    elif act is Act.PRESENT:
        yield from ({"papers": {**PRESENTATION, "complete": each}} for each in (True, False))
    elif act is Act.EXAMINE:
        yield from (
            {"notice": {"complies": each, "examine_until": str(UNTIL), "discrepancies": []}}
            for each in (True, False)
        )
    elif act is Act.ASK_RECORDS:
        yield {"notice": {"records": [1]}}
    elif act is Act.ACCEPT:
        yield {"due_on": str(DUE)}
    else:
        yield {}


def moves(world: World) -> Iterator[tuple[str, World]]:
    if world.day + 1 < len(DAYS):
        yield "", world._replace(day=world.day + 1)
    today = DAYS[world.day]
    for act in Act:
        drawing = D if act in _OF_DRAWING else ""
        try:
            permit(world.credit, act, drawing=drawing, today=today)
        except Refused:
            continue
        for more in said(world, act):
            fact = CreditActed(credit="C-1", act=act, day=str(today), drawing=drawing, **more)
            yield act, world._replace(credit=after(world.credit, fact))


_OF_DRAWING = {row.act for row in DRAWING.rows}


def explored() -> Walk[World]:
    return walk([World(terms) for terms in range(len(ALL_TERMS))], moves, key)


def standing(world: World) -> str:
    return states.NOT_MADE if world.one is None else world.one.state


def violations(found: Walk[World]) -> Iterator[str]:
    for before, act, then in found.steps:
        one, today = before.one, DAYS[before.day]
        if act in (Act.HONOUR, Act.ACCEPT) and (
            one is None or not (one.must_honour(today) or one.waived)
        ):
            yield "paid or accepted what need not be honoured"
        if act == Act.HONOUR and one and one.honoured:
            yield "honoured twice"
        if act == Act.HONOUR and one and before.credit.by_acceptance and not one.accepted:
            yield "paid before the draft was accepted"
        if act == Act.HONOUR and one and one.due_on and today < one.due_on:
            yield "paid before it was due"
        if act == Act.REIMBURSE and (one is None or not one.honoured or one.reimbursed):
            yield "reimbursed what was not honoured, or twice"
        if act == Act.REFUSE and (one is None or one.complies or one.refused or today > UNTIL):
            yield "refused what complies, twice or too late"
        if act == Act.EXAMINE and one and one.complies is not None:
            yield "examined twice"
        if act == Act.PRESENT and one is not None:
            yield "one presentation made twice"
        if act == Act.CONFIRM and (before.credit.confirmed or not before.credit.confirmer):
            yield "confirmed twice, or by nobody"
        if before.credit.version and then.credit.version < before.credit.version:
            yield "an issued credit was revoked"


def violation(found: Walk[World]) -> str:
    return next(violations(found), "")


def test_no_order_of_acts_and_days_breaks_a_rule() -> None:
    found = explored()
    assert violation(found) == ""
    assert len(found.worlds) > 1_000
    worlds = found.worlds.values()
    assert {world.credit.state for world in worlds} == set(CREDIT.states)
    assert {standing(world) for world in worlds} == set(DRAWING.states)


def test_every_row_can_happen_and_nothing_happens_beside_the_rows() -> None:
    steps = explored().steps
    credit = [(a.credit.state, act, b.credit.state) for a, act, b in steps if act]
    drawing = [(standing(a), act, standing(b)) for a, act, b in steps if act in _OF_DRAWING]
    assert rows_not_taken(CREDIT, credit) == []
    assert rows_not_taken(DRAWING, drawing) == []
    assert steps_without_row(CREDIT, [s for s in credit if s[1] not in _OF_DRAWING]) == []
    assert steps_without_row(DRAWING, drawing) == []


def test_every_act_has_a_row_or_a_reason_in_every_state() -> None:
    for machine, acts in (
        (CREDIT, set(Act) - _OF_DRAWING | {Act.PRESENT}),
        (DRAWING, _OF_DRAWING - {Act.PRESENT}),
    ):
        begun = [state for state in machine.states if state != states.NOT_MADE]
        for state in begun:
            for act in acts:
                rows = list(machine.leads(state, act))
                assert bool(rows) != ((state, act) in machine.closed), (state, act)
    articles = {guard.rule for row in (*CREDIT.rows, *DRAWING.rows) for guard in row.guards}
    assert all(articles), "every refusal names its article"


def test_every_presentation_can_still_be_reimbursed() -> None:
    found = explored()
    assert found.can_reach(lambda world: standing(world) == states.REIMBURSED) == set(found.worlds)


@pytest.mark.parametrize(
    "faulty",
    [
        *(without_guards(DRAWING, act) for act in (Act.ACCEPT, Act.HONOUR, Act.REFUSE)),
        with_row(DRAWING, Transition(states.HONOURED, Act.HONOUR, "bank", states.HONOURED)),
        with_row(DRAWING, Transition(states.REFUSED, Act.REFUSE, "bank", states.REFUSED)),
        with_row(DRAWING, Transition(states.ACCEPTED, Act.REIMBURSE, "bank", states.REIMBURSED)),
        with_row(DRAWING, Transition(states.COMPLYING, Act.EXAMINE, "bank", states.DISCREPANT)),
    ],
)
def test_the_walk_finds_each_fault_planted_in_a_presentation(
    faulty: Machine[DrawingNow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states, "DRAWING", faulty)
    assert violation(explored())


@pytest.mark.parametrize(
    "faulty",
    [
        *(without_guards(CREDIT, act) for act in (Act.CONFIRM, Act.PRESENT)),
        with_row(CREDIT, Transition(states.OFFERED, Act.ISSUE, "bank", states.ISSUED)),
    ],
)
def test_the_walk_finds_each_fault_planted_in_a_credit(
    faulty: Machine[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states, "CREDIT", faulty)
    assert violation(explored())
