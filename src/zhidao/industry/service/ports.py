"""What the industry room asks of the world."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry
from zhidao.industry.domain.epcis_event import EpcisEvent
from zhidao.industry.domain.event_query import EventQuery
from zhidao.industry.domain.genealogy_loading import Said
from zhidao.industry.domain.mass_balance import Quantity
from zhidao.industry.domain.quality import Reading


class Machines(Protocol):
    """Machines that can be asked for their values."""

    async def readings(self, endpoint: str, names: Sequence[str], count: int) -> list[Reading]:
        """`count` answers for each name, oldest first, from the machine at `endpoint`.

        With whatever status it gives. Raises Unavailable if it does not answer in time,
        MalformedInput if a name is unknown there or is no variable of numbers, Refused if the
        address is not allowed.
        """
        ...


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An EPCIS event as captured: by which job, when, and who may read it beside its owner."""

    event: EpcisEvent
    visible: tuple[PartyId, ...]
    job: str
    captured_ns: int


class EventStore(Protocol):
    """Captured EPCIS events.

    The same event of the same party is kept once, its first time, for the readers of every time.
    """

    async def add(self, entries: Sequence[Entry], events: Sequence[StoredEvent]) -> None:
        """Writes the fact of a capture and its events in one transaction."""
        ...

    async def find(
        self, query: EventQuery, *, viewer: PartyId | None
    ) -> tuple[list[StoredEvent], str]:
        """A page of the events that fit and that the viewer may see, and where the next begins.

        The token is empty after the last. Raises MalformedInput for a token that is none.
        """
        ...

    async def quantities(
        self, lots: Sequence[str], *, viewer: PartyId | None, limit: int
    ) -> list[Quantity]:
        """What events that stand and may be seen say of how much of these lots; the first `limit`.

        By lot, party, unit and time.
        """
        ...

    async def every(self) -> list[StoredEvent]:
        """All events, those captured first in front."""
        ...

    def said(self) -> AsyncGenerator[Said]:
        """All that a trace goes through, of one instant, as `domain.genealogy_loading` takes it."""
        ...


class LotEvents(Protocol):
    """Where the EPCIS events of lots are kept, so that things can be followed through them."""

    async def take(self, owner: PartyId, data: bytes, *, visible: Sequence[PartyId]) -> None:
        """Takes in the events of a document; again changes nothing."""
        ...
