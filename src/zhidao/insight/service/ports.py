"""What insight asks of the world: a log, opened; whether credentials hold."""

from __future__ import annotations

from typing import Protocol

from zhidao.core.canonical import Json
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.insight.domain.opened import OpenedLog


class LogSource(Protocol):
    """Somewhere that events can be opened against their leaves."""

    async def opened(self, viewer: PartyId | None) -> OpenedLog:
        """Every event that `viewer` may see (None: every event), checked against its leaf.

        Raises Refused if an event is not what its leaf says: then nothing is reported.
        """
        ...


class Verify(Protocol):
    """Whoever knows when the proof of a credential holds."""

    def __call__(self, credential: bytes, at: Utc) -> str:
        """Empty where the issuer signed it and it holds at that moment, else a sentence why not."""
        ...


class Sign(Protocol):
    """Whoever holds a person's key."""

    @property
    def key(self) -> str:
        """The did:key of its public half."""
        ...

    def __call__(self, document: dict[str, Json], at: Utc) -> dict[str, Json]:
        """The document with a proof by that key. Raises Refused for a credential that is none."""
        ...
