"""A terminal rides with goods while a seal that stands holds it, and with no others' goods."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from zhidao.core.events import SignedEvent, Speaker
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import NS, Utc
from zhidao.devices.domain.riding import rides_of
from zhidao.devices.events import SealChecked, Sealed

BEGAN = Utc.parse("2026-12-01T00:00:00Z")
KEY = SoftwareKey(Algorithm.ED25519, b"k" * 32).public
OWNER, READER = PartyId("carrier"), PartyId("importer")


def said(fact: Any, minute: int, by: str) -> SignedEvent:
    speaker = Speaker(PartyId(by), KEY)
    return SignedEvent(
        id=UUID(int=1),
        type=fact.told_as,
        aggregate=f"seal/{fact.seal}",
        version=1,
        owner=PartyId(by),
        visible=(),
        occurred_at=BEGAN.plus_ns(minute * 60 * NS),
        recorded_at=BEGAN.plus_ns(minute * 60 * NS),
        payload=fact.payload(),
        open=True,
        custodian=False,
        asserted_by=speaker,
        recorded_by=speaker,
    )


def seal(
    minute: int, goods: str, box: str, *looks: tuple[int, str, str, bool], by: str = OWNER
) -> list[SignedEvent]:
    """A seal with looks at it: when, on which box and with which terminal, and whether whole."""
    number = f"S-{minute}-{goods}"
    closed = Sealed(seal=number, container=box, consignment=goods, terminal="T", terminal_key="k")
    return [
        said(closed, minute, by),
        *(
            said(
                SealChecked(seal=number, container=on, terminal=held, intact=whole, place="Gate"),
                when,
                READER,
            )
            for when, on, held, whole in looks
        ),
    ]


def rode(*histories: list[SignedEvent], owner: PartyId | None = OWNER) -> list[tuple[Any, ...]]:
    def minute(at: Utc | None) -> int | None:
        return None if at is None else at.since_ns(BEGAN) // (60 * NS)

    rides = rides_of(histories, owner=owner)
    return [(one.consignment, one.container, minute(one.begin), minute(one.end)) for one in rides]


def test_it_rides_from_the_closing_of_the_seal_whether_anybody_looked_or_not() -> None:
    assert rode() == []
    assert rode(seal(1, "g1", "A")) == [("g1", "A", 1, None)]
    assert rode(seal(1, "g1", "A", (5, "A", "T", True))) == [("g1", "A", 1, None)]


@pytest.mark.parametrize("found", [("A", "T", False), ("B", "T", True), ("A", "T2", True)])
def test_it_rides_no_more_once_the_seal_is_found_broken_or_elsewhere(found) -> None:
    looks = ((5, "A", "T", True), (9, *found), (12, "A", "T", True))
    assert rode(seal(1, "g1", "A", *looks)) == [("g1", "A", 1, 9)]
    # Sealed anew it rides again.
    assert rode(seal(1, "g1", "A", *looks), seal(20, "g1", "A")) == [
        ("g1", "A", 1, 9),
        ("g1", "A", 20, None),
    ]


def test_it_goes_on_to_other_goods_even_in_the_same_container_without_a_word() -> None:
    first = seal(1, "g1", "A", (5, "A", "T", True))
    assert rode(first, seal(20, "g2", "A")) == [("g1", "A", 1, 20), ("g2", "A", 20, None)]
    assert rode(first, seal(20, "g1", "B")) == [("g1", "A", 1, 20), ("g1", "B", 20, None)]
    assert rode(seal(20, "g2", "A"), first) == [("g1", "A", 1, 20), ("g2", "A", 20, None)]
    # A second seal on the same goods and container takes nothing away.
    again = seal(20, "g1", "A", (25, "A", "T", False))
    assert rode(first, again) == [("g1", "A", 1, None), ("g1", "A", 20, 25)]
    # Closed at one instant: with neither.
    assert rode(seal(1, "g1", "A"), seal(1, "g2", "B")) == []


def test_a_slip_sets_the_seal_before_it_aside_until_it_is_known_and_for_no_longer() -> None:
    slip = seal(20, "g2", "B", (25, "B", "T", False))
    assert rode(seal(1, "g1", "A"), slip) == [
        ("g1", "A", 1, 20),
        ("g1", "A", 25, None),
        ("g2", "B", 20, 25),
    ]
    # What was found whole first was a journey, and ends the former for good.
    journey = seal(20, "g2", "B", (22, "B", "T", True), (25, "B", "T", False))
    assert rode(seal(1, "g1", "A"), journey) == [("g1", "A", 1, 20), ("g2", "B", 20, 25)]


def test_no_readers_seal_takes_the_terminal_from_its_owners_goods() -> None:
    owners, readers = seal(1, "g1", "A"), seal(20, "g2", "B", by=READER)
    assert rode(owners, readers) == [("g1", "A", 1, None)]
    # It begins to count when the owner's is broken, as far as it still stands.
    broken = seal(1, "g1", "A", (30, "A", "T", True), (40, "A", "T", False))
    assert rode(broken, readers) == [("g1", "A", 1, 40), ("g2", "B", 40, None)]
    # The owner's comes before whatever a reader said.
    assert rode(readers, seal(50, "g3", "A")) == [("g2", "B", 20, 50), ("g3", "A", 50, None)]
    # Where nobody knows whose the terminal is, what was said last holds.
    assert rode(owners, readers, owner=None) == [("g1", "A", 1, 20), ("g2", "B", 20, None)]
