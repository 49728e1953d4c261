"""Every state of an enrolment is reached by its table, and a retired terminal stays retired."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from tests.state_exploration import Move, rows_not_taken, walk

from zhidao.core.errors import Refused
from zhidao.core.timescale import NS, Utc
from zhidao.devices.domain import enrolment as states
from zhidao.devices.domain.enrolment import ENROLMENT, RETIRED, TELTONIKA, Enrolment

NOW = Utc.parse("2026-11-24T08:00:00Z")


def moves(before: Enrolment) -> Iterator[Move[Enrolment]]:
    acts = {
        "invite": lambda: states.invited(before, NOW),
        "invite void": lambda: states.invited(before, NOW, void=True),
        "enrol": lambda: states.enrolled(before),
        "suspend": lambda: states.suspended(before),
        "retire": lambda: states.retired(before),
    }
    for act, done in acts.items():
        with suppress(Refused):
            yield act.partition(" ")[0], done()
    if before.is_open(NOW):
        yield "give", states.given(before, "token")


def key(each: Enrolment) -> tuple[object, ...]:
    return (each.state, each.token, each.given, each.derived, each.until, each.protocol)


def test_every_row_can_be_taken_and_nothing_leads_out_of_retirement() -> None:
    starts = [
        Enrolment("t"),
        Enrolment("t", "enrolled", derived=True),
        Enrolment("t", protocol=TELTONIKA),
    ]
    found = walk(starts, moves, key)
    reached = {world.state for world in found.worlds.values()}
    assert reached == set(ENROLMENT.states)
    steps = [(b.state, act, a.state) for b, act, a in found.steps if act != "give"]
    assert rows_not_taken(ENROLMENT, steps) == []
    assert ENROLMENT.ends == (RETIRED,)
    for world in found.worlds.values():
        assert world.admits or not world.given
        # A token is never left to whom nothing may be let in for good.
        assert world.state != RETIRED or not (world.token or world.derived)


def test_only_what_knows_no_registration_comes_in_without_a_window() -> None:
    with pytest.raises(Refused):
        states.enrolled(Enrolment("t"))
    tracker = states.enrolled(Enrolment("t", protocol=TELTONIKA))
    assert tracker.serves
    assert not states.suspended(tracker).serves


def test_a_window_is_open_up_to_its_end() -> None:
    window = states.invited(Enrolment("t"), NOW)
    assert window.is_open(NOW)
    assert not window.is_open(NOW.plus_ns(1))
    assert not states.suspended(window).is_open(NOW)
    assert window.is_open(NOW.plus_ns(-NS))
