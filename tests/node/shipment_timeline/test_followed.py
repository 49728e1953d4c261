"""A road shows where its terminal rides with its goods, and nothing before or after."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from zhidao.core.timescale import NS, Utc
from zhidao.devices.events import Sealed
from zhidao.node.shipment_timeline.followed import followed_of
from zhidao.positioning.events import ArrivalExpected, ArrivalProven, ArrivalWithdrawn

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


def sealed(minute: int, terminal: str) -> Any:
    said = {"seal": "S-1", "container": "c", "consignment": "C-1", "terminal_key": "k"}
    return stored(Sealed, minute, f"seal/{minute}", 1, terminal=terminal, **said)


def awaited(minute: int, version: int = 1, terminal: str = "T-1") -> Any:
    return stored(ArrivalExpected, minute, "arrival/C-1", version, terminal=terminal, **WISH)


def ended(kind: Any, minute: int, version: int) -> Any:
    return stored(kind, minute, "arrival/C-1", version)


def test_it_rides_from_the_seal_until_the_arrival() -> None:
    seal, wish, proof = sealed(1, "T-1"), awaited(5), ended(ArrivalProven, 60, 2)
    assert followed_of([wish], [seal, wish]) == ("T-1", at(1), None)
    assert followed_of([wish], [seal, wish, proof]) == ("T-1", at(1), at(60))
    # A seal of another terminal begins nothing; a seal that came later neither.
    assert followed_of([wish], [sealed(1, "T-2"), wish, sealed(7, "T-1")]) == ("T-1", at(5), None)


def test_nobody_follows_a_terminal_that_nobody_awaits_any_more() -> None:
    wish, gone = awaited(5), ended(ArrivalWithdrawn, 9, 2)
    assert followed_of([wish], [wish, gone]) == ("T-1", at(5), at(9))
    # Changed in one act: the withdrawal before the new wish ends only the old one.
    again = awaited(9, 3, "T-3")
    assert followed_of([wish, again], [wish, gone, again]) == ("T-3", at(9), None)


def test_whoever_may_not_see_the_wish_follows_nothing() -> None:
    wish = awaited(5)
    assert followed_of([], [sealed(1, "T-1"), wish]) is None
    assert followed_of([awaited(5, terminal="")], [wish]) is None
