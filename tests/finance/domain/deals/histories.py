"""Histories of facts as a journal would hand them over, without keys."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from zhidao.core.events import Fact, SignedEvent, Speaker
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import NS, Utc

KEY = SoftwareKey(Algorithm.ED25519, b"\x01" * 32).public
START_S = 1_767_225_600  # 2026 begins


def history(aggregate: str, *facts: Fact | tuple[str, Fact]) -> list[SignedEvent]:
    """One event a second; a fact with a name before it is asserted by that party."""
    return list(_events(aggregate, facts))


def _events(aggregate: str, facts: tuple[Fact | tuple[str, Fact], ...]) -> Iterator[SignedEvent]:
    for version, told in enumerate(facts, 1):
        party, fact = told if isinstance(told, tuple) else ("node", told)
        yield SignedEvent(
            id=UUID(int=version),
            type=fact.told_as,
            aggregate=aggregate,
            version=version,
            owner=PartyId("bank"),
            visible=(),
            occurred_at=at(version),
            recorded_at=at(100 + version),
            payload=fact.payload(),
            open=False,
            custodian=True,
            asserted_by=Speaker(PartyId(party), KEY),
            recorded_by=Speaker(PartyId("node"), KEY),
        )


def at(second: int) -> Utc:
    """A second after the beginning of 2026."""
    return Utc.from_unix_ns((START_S + second) * NS)
