"""A road shows where its terminals ride with its goods, and nothing before or after."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from zhidao.core.timescale import NS, Utc
from zhidao.devices.events import Ride
from zhidao.node.shipment_timeline.followed import Followed, followed_of, spans_of
from zhidao.positioning.events import (
    ArrivalExpected,
    ArrivalProven,
    ArrivalWithdrawn,
    Marks,
    Site,
)

BEGAN = Utc.parse("2026-12-01T00:00:00Z")
WISH = {
    "consignment": "C-1",
    "site": {"name": "Yard", "latitude_ndeg": 1, "longitude_ndeg": 1, "radius_mm": 1},
    "not_before": "2026-12-01T00:00:00Z",
    "not_after": "2026-12-02T00:00:00Z",
    "risk_ppb": 1,
}


def at(minute: int) -> Utc:
    return BEGAN.plus_ns(minute * 60 * NS)


def stored(kind: Any, minute: int, aggregate: str, version: int, **payload: Any) -> Any:
    event = SimpleNamespace(
        type=kind.TYPE,
        aggregate=aggregate,
        version=version,
        occurred_at=at(minute),
        payload=payload,
    )
    return SimpleNamespace(event=event)


def awaited(minute: int, version: int = 1, terminal: str = "T-1") -> Any:
    return stored(ArrivalExpected, minute, "arrival/C-1", version, terminal=terminal, **WISH)


def several(minute: int, version: int, terminal: str, container: str) -> Any:
    wish = stored(ArrivalExpected, minute, "arrival/C-1", version, terminal=terminal, **WISH)
    wish.event.type = "positioning.ArrivalExpected.v2"
    wish.event.payload["container"] = container
    return wish


def withdrawn(minute: int, version: int) -> Any:
    said = {"consignment": "C-1", "reason": ""}
    return stored(ArrivalWithdrawn, minute, "arrival/C-1", version, **said)


def proven(minute: int, version: int, terminal: str = "T-1") -> Any:
    marks = Marks(
        signed_by_terminal=True,
        bound_to_goods=True,
        recomputed=True,
        corroborated_by=[],
        disagreed_by=[],
        inside_risk_ppb=1,
    )
    fact = ArrivalProven(
        consignment="C-1",
        terminal=terminal,
        site=Site(name="Yard", latitude_ndeg=1, longitude_ndeg=1, radius_mm=1),
        observed_at=str(at(minute)),
        latitude_ndeg=1,
        longitude_ndeg=1,
        height_mm=0,
        protection_mm=1,
        satellites=8,
        epochs=1,
        marks=marks,
        window="w",
        navigation="n",
        evidence="e",
        simulated=False,
    )
    return stored(ArrivalProven, minute, "arrival/C-1", version, **fact.payload())


def ride(begin: int, end: int | None = None, *, consignment: str = "C-1", box: str = "A") -> Ride:
    return Ride(
        consignment=consignment,
        container=box,
        begin=at(begin),
        end=None if end is None else at(end),
    )


def test_a_terminal_is_followed_until_its_arrival_is_proven() -> None:
    wish, proof = awaited(5), proven(60, 2)
    assert followed_of([wish], [wish]) == [Followed("T-1", "", None)]
    assert followed_of([wish], [wish, proof]) == [Followed("T-1", "", at(60))]


def test_nobody_follows_a_terminal_that_nobody_awaits_any_more() -> None:
    wish, gone = awaited(5), withdrawn(9, 2)
    assert followed_of([wish], [wish, gone]) == [Followed("T-1", "", at(9))]
    # Changed in one act: the withdrawal before the new wish ends only the old one.
    again = awaited(9, 3, "T-3")
    assert followed_of([wish, again], [wish, gone, again]) == [Followed("T-3", "", None)]


def test_each_of_several_containers_is_followed_until_its_own_arrival() -> None:
    one, two = several(5, 1, "T-1", "A"), several(5, 2, "T-2", "B")
    proof = proven(60, 3, "T-1")
    assert followed_of([one, two], [one, two, proof]) == [
        Followed("T-1", "A", at(60)),
        Followed("T-2", "B", None),
    ]
    gone = withdrawn(70, 4)
    assert [each.until for each in followed_of([one, two], [one, two, proof, gone])] == [
        at(60),
        at(70),
    ]


def test_whoever_may_not_see_the_wish_follows_nothing() -> None:
    wish = awaited(5)
    assert followed_of([], [wish]) == []
    assert followed_of([awaited(5, terminal="")], [wish]) == []


def test_places_are_shown_while_the_terminal_rides_with_these_goods_and_is_awaited() -> None:
    awaits, ended = Followed("T-1", "", None), Followed("T-1", "", at(60))
    no_seal, theirs = [], [ride(1, consignment="C-2")]
    for rides in (no_seal, theirs):
        assert spans_of(awaits, rides, consignment="C-1") == []
    for followed, rides, spans in (
        (awaits, [ride(1)], [(at(1), None)]),
        (ended, [ride(1)], [(at(1), at(60))]),
        (ended, [ride(1, 20)], [(at(1), at(20))]),
        # What began once nobody waited any more, and what ended before it was sealed anew.
        (ended, [ride(60), ride(70)], []),
        (awaits, [ride(1, 20), ride(30)], [(at(1), at(20)), (at(30), None)]),
        # Two seals on one container: nothing is shown twice.
        (awaits, [ride(1, 20), ride(10, 30)], [(at(1), at(30))]),
        (awaits, [ride(1), ride(10, 30)], [(at(1), None)]),
        (awaits, [ride(1, 30), ride(10)], [(at(1), None)]),
    ):
        assert spans_of(followed, rides, consignment="C-1") == spans


def test_of_several_containers_a_terminal_shows_its_own() -> None:
    followed, rides = Followed("T-1", "B", None), [ride(1, 20, box="A"), ride(20, box="B")]
    assert spans_of(followed, rides, consignment="C-1") == [(at(20), None)]


@pytest.mark.bound("node.shipment_timeline.followed.SPANS_MAX")
@pytest.mark.parametrize("opened", [8, 9])
def test_of_many_openings_the_last_are_shown(opened: int) -> None:
    rides = [ride(10 * n, 10 * n + 5) for n in range(opened)]
    spans = spans_of(Followed("T-1", "", None), rides, consignment="C-1")
    assert (len(spans), spans[-1]) == (8, (at(10 * opened - 10), at(10 * opened - 5)))
