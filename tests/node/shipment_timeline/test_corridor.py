"""The corridor at a glance counts what its reader sees, and says nothing of too few."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.web.fixture_world import World, world

from zhidao.core.timescale import Utc
from zhidao.node.shipment_timeline import view
from zhidao.node.shipment_timeline.corridor import corridor


@pytest.fixture(scope="module")
def made() -> World:
    return world()


def crossed(hours: int, *, here: bool = False, minutes: int = 0) -> view.CrossingView:
    came = Utc.parse("2026-03-01T00:00:00Z")
    wide = came.plus_ns(minutes * 60 * 10**9)
    left, left_wide = (str(t.plus_ns(hours * 3600 * 10**9)) for t in (came, wide))
    return view.CrossingView(
        crossing="khorgos",
        side="KZ",
        entered_from=str(came),
        entered_to=str(wide),
        left_from="" if here else left,
        left_to="" if here else left_wide,
        mark="claimed",
        simulated=True,
        by="carrier",
        event="",
    )


def test_money_is_counted_by_currency_where_it_is_held_and_where_it_was_paid(made: World) -> None:
    timelines = [made.timeline(name) for name in made.of]
    told = corridor(timelines, since=None, more=False)
    held = [t for t in timelines if t.money and t.money.state == "reserved"]
    paid = [t for t in timelines if t.money and t.money.state == "paid"]
    assert held
    assert paid
    assert [(each.minor, each.consignments) for each in told.held] == [
        (sum(t.money.amount_minor for t in held if t.money), len(held))
    ]
    assert [(each.minor, each.consignments) for each in told.paid] == [
        (sum(t.money.amount_minor for t in paid if t.money), len(paid))
    ]
    assert {road.money for road in told.roads if road.state == "paid"} == {"paid"}
    # What was paid before today is not paid today; the very instant still is.
    stones = {m.recorded_at for t in paid for m in t.milestones if m.key == "payment"}
    [at] = {Utc.parse(each) for each in stones}
    assert corridor(timelines, since=at, more=False).paid == told.paid
    assert corridor(timelines, since=at.plus_ns(1), more=False).paid == []


def test_who_sees_nothing_of_the_money_is_told_no_sum(made: World) -> None:
    timelines = [replace(made.timeline(name), money=None) for name in made.of]
    told = corridor(timelines, since=None, more=False)
    assert (told.held, told.paid, {road.money for road in told.roads}) == ([], [], {""})
    assert corridor([], since=None, more=False).roads == []


def test_crossing_times_are_middles_of_intervals_and_need_five(made: World) -> None:
    one = made.timeline(next(iter(made.of)))
    four = [replace(one, crossings=[crossed(hours)]) for hours in (2, 4, 6, 8)]
    [few] = corridor(four, since=None, more=True).crossings
    assert (few.seen, few.middle_s, few.slow_s) == (4, None, None)
    there = replace(one, state="under_way", crossings=[crossed(0, here=True)])
    five = [*four, replace(one, crossings=[crossed(30, minutes=20)]), there]
    told = corridor(five, since=None, more=False)
    [enough] = told.crossings
    assert (enough.seen, enough.here, enough.simulated) == (5, 1, 6)
    assert (enough.middle_s, enough.slow_s) == (6 * 3600, 30 * 3600)
    assert enough.within_s == 20 * 60
    assert [road.at for road in told.roads] == ["", "", "", "", "", "khorgos"]
