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

    async def maker(self, lot: str) -> PartyId | None:
        """The party that said first that it made a lot, of what stands; None if nobody did."""
        ...

    async def every(self) -> list[StoredEvent]:
        """All events, those captured first in front."""
        ...

    def said(self) -> AsyncGenerator[Said]:
        """All that a trace goes through, of one instant, as `domain.genealogy_loading` takes it."""
        ...


@dataclass(frozen=True, slots=True)
class AffectedConsignment:
    """A consignment that names lots called back, as `order/lot`, and who sees it."""

    consignment: str
    owner: PartyId
    parties: tuple[PartyId, ...]
    lots: tuple[str, ...]


class HeldConsignments(Protocol):
    """Where goods are on their way."""

    async def holding(self, lots: Sequence[tuple[str, str]]) -> list[AffectedConsignment]:
        """The consignments that name one of these lots, given by order and lot, by name."""
        ...


class RecallBook(Protocol):
    """What recalls are written into."""

    async def write(
        self, entries: Sequence[Entry], recall: str, flags: Sequence[str], *, cleared: int | None
    ) -> None:
        """Writes facts of any histories and the consignments flagged, in one transaction.

        cleared: how many flags the recall has, by the facts that clear them. Raises Conflict if a
        version or a flag stands already, the recall is lifted, or it has other flags than that.
        """
        ...

    async def flagged(self, recall: str) -> list[str]:
        """The consignments that a recall flagged, in order."""
        ...

    async def recalls(self, consignment: str) -> list[str]:
        """The recalls that flagged a consignment, in order."""
        ...

    async def lots_of(self, things: Sequence[str]) -> list[tuple[str, str]]:
        """The orders and lots of this node that are among things, or have a piece among them."""
        ...


class LotEvents(Protocol):
    """Where the EPCIS events of lots are kept, so that things can be followed through them."""

    async def take(self, owner: PartyId, data: bytes, *, visible: Sequence[PartyId]) -> None:
        """Takes in the events of a document; again changes nothing."""
        ...
