"""A terminal is bound to goods by a whole seal only, and every objection says which one it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from zhidao.core.events import SignedEvent, Speaker
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.devices.domain.binding import binding_of, unbound
from zhidao.devices.events import Binding, SealChecked, Sealed

AT = Utc.parse("2026-05-04T08:00:00Z")
KEY = SoftwareKey(Algorithm.ED25519, b"k" * 32).public
SEALED = Sealed(seal="S-1", container="C-1", consignment="G-1", terminal="T-1", terminal_key="z6Mk")
WHOLE = SealChecked(seal="S-1", container="C-1", terminal="T-1", intact=True, place="Khorgos")


def said(fact: Any, party: str) -> SignedEvent:
    speaker = Speaker(PartyId(party), KEY)
    return SignedEvent(
        id=UUID(int=1),
        type=fact.told_as,
        aggregate="seal/S-1",
        version=1,
        owner=PartyId(party),
        visible=(),
        occurred_at=AT,
        recorded_at=AT,
        payload=fact.payload(),
        open=True,
        custodian=False,
        asserted_by=speaker,
        recorded_by=speaker,
    )


CLOSED, LOOK = said(SEALED, "carrier"), said(WHOLE, "customs")


def asked(*history: SignedEvent, terminal: str = "T-1", key: str = "z6Mk") -> Binding:
    return binding_of(history, terminal=terminal, terminal_key=key)


def changed(fact: Any, party: str, **changes: Any) -> SignedEvent:
    return said(type(fact)(**{**fact.payload(), **changes}), party)


def test_a_seal_that_was_closed_and_found_whole_binds() -> None:
    later = said(WHOLE, "consignee")
    for history, checked_by in (
        *(((CLOSED, LOOK), "customs"), ((CLOSED, LOOK, later), "consignee")),
        # What else is told of the seal, and a second sealing, change nothing.
        ((replace(CLOSED, type="devices.Other.v1"), CLOSED, LOOK), "customs"),
        ((CLOSED, LOOK, changed(SEALED, "thief", terminal="T-2")), "customs"),
    ):
        assert asked(*history) == Binding(
            seal="S-1",
            container="C-1",
            terminal="T-1",
            terminal_key="z6Mk",
            sealed_by="carrier",
            checked_by=checked_by,
            bound=True,
            reason="",
        )


def test_what_nobody_sealed_is_bound_to_nothing() -> None:
    for history in ((), (LOOK,)):
        found = asked(*history)
        assert found == unbound("T-1", "terminal not bound: nobody sealed it to the goods")
        assert found == Binding(
            seal="",
            container="",
            terminal="T-1",
            terminal_key="",
            sealed_by="",
            checked_by="",
            bound=False,
            reason="terminal not bound: nobody sealed it to the goods",
        )


BROKEN = changed(WHOLE, "customs", intact=False, place="Alashankou")
MOVED = changed(WHOLE, "customs", container="C-2")
SWAPPED = changed(WHOLE, "customs", terminal="T-2")


@pytest.mark.parametrize(
    ("history", "question", "reason"),
    [
        ((CLOSED, LOOK), {"terminal": "T-2"}, "seal S-1 holds terminal T-1"),
        ((CLOSED, LOOK), {"key": ""}, "terminal T-1 has no key, so others may speak for it"),
        (
            (changed(SEALED, "carrier", terminal_key=""), LOOK),
            {"key": ""},
            "terminal T-1 has no key, so others may speak for it",
        ),
        ((CLOSED, LOOK), {"key": "z6Mz"}, "seal S-1 names another key of this terminal"),
        ((CLOSED,), {}, "nobody has checked seal S-1 since it was closed"),
        ((CLOSED, BROKEN), {}, "seal S-1 was found broken at Alashankou"),
        ((CLOSED, LOOK, BROKEN), {}, "seal S-1 was found broken at Alashankou"),
        ((CLOSED, BROKEN, LOOK), {}, "seal S-1 was found broken at Alashankou"),
        ((CLOSED, LOOK, MOVED, LOOK), {}, "seal S-1 was found on container C-2 with terminal T-1"),
        ((CLOSED, SWAPPED, LOOK), {}, "seal S-1 was found on container C-1 with terminal T-2"),
        ((CLOSED, MOVED, BROKEN), {}, "seal S-1 was found on container C-2 with terminal T-1"),
        # The first objection is told.
        ((CLOSED, BROKEN), {"terminal": "T-2", "key": ""}, "seal S-1 holds terminal T-1"),
        ((CLOSED,), {"key": "z6Mz"}, "seal S-1 names another key of this terminal"),
    ],
)
def test_one_objection_is_never_healed_by_a_later_look(history, question, reason) -> None:
    found = asked(*history, **question)
    assert (found.bound, found.reason) == (False, f"terminal not bound: {reason}")
    assert (found.seal, found.container, found.terminal) == ("S-1", "C-1", "T-1")
    assert found.sealed_by == "carrier"
    assert found.checked_by == ("customs" if len(history) > 1 else "")
