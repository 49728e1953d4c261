"""EPCIS events in this process, under the same contract as in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry
from zhidao.industry.domain.event_pages import Place
from zhidao.industry.domain.event_query import EventQuery
from zhidao.industry.service.ports import StoredEvent
from zhidao.store.memory import MemoryJournal


class MemoryEventStore:
    """Implements `industry.service.ports.EventStore`."""

    def __init__(self, journal: MemoryJournal | None = None) -> None:
        self._journal = journal or MemoryJournal()
        self._events: dict[tuple[str, bool], StoredEvent] = {}

    async def add(self, entries: Sequence[Entry], events: Sequence[StoredEvent]) -> None:
        """Writes the fact of a capture and its events."""
        if entries:
            await self._journal.append(entries)
        for stored in events:
            self._events.setdefault((stored.event.key, stored.event.withdrawn), stored)

    async def find(
        self, query: EventQuery, *, viewer: PartyId | None
    ) -> tuple[list[StoredEvent], str]:
        """A page of what fits and may be seen, and where the next begins."""
        after = Place.of(query.after) if query.after else None
        found = [
            (place_of(stored, query), stored)
            for stored in self._events.values()
            if sees(stored, viewer) and query.fits(stored.event, captured_ns=stored.captured_ns)
        ]
        found.sort(key=itemgetter(0), reverse=query.descending)
        if after is not None:
            found = [each for each in found if _follows(each[0], after, query)]
        page = found[: query.per_page]
        more = len(found) > len(page)
        return [stored for _, stored in page], page[-1][0].token() if more else ""

    async def every(self) -> list[StoredEvent]:
        """All events, those captured first in front."""
        return sorted(self._events.values(), key=lambda each: (each.captured_ns, each.event.key))


def _follows(place: Place, after: Place, query: EventQuery) -> bool:
    return place < after if query.descending else place > after


def sees(stored: StoredEvent, viewer: PartyId | None) -> bool:
    """Whether a party may read an event; None sees all."""
    return viewer is None or viewer == stored.event.by or viewer in stored.visible


def place_of(stored: StoredEvent, query: EventQuery) -> Place:
    """Where an event stands in the order of a query."""
    ns = stored.event.at.tai_ns if query.order == "at" else stored.captured_ns
    mark = "-" if stored.event.withdrawn else ""
    return Place(ns, stored.event.name + mark, stored.event.by)
