"""EPCIS events in this process, under the same contract as in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from operator import itemgetter

from zhidao.core.canonical import jcs
from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry
from zhidao.industry.domain.event_pages import Place
from zhidao.industry.domain.event_query import PAGE_BYTES, EventQuery
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
            place = (stored.event.key, stored.event.withdrawn)
            self._events[place] = united(self._events.get(place, stored), stored)

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
        page = _page(found, query)
        more = len(found) > len(page)
        return [stored for _, stored in page], page[-1][0].token() if more else ""

    async def every(self) -> list[StoredEvent]:
        """All events, those captured first in front."""
        return sorted(self._events.values(), key=lambda each: (each.captured_ns, each.event.key))


def united(first: StoredEvent, again: StoredEvent) -> StoredEvent:
    """What was captured first, for the readers of both times."""
    if set(again.visible) <= set(first.visible):
        return first
    return replace(first, visible=tuple(sorted({*first.visible, *again.visible})))


def _page(
    found: list[tuple[Place, StoredEvent]], query: EventQuery
) -> list[tuple[Place, StoredEvent]]:
    page, size = [], 0
    for each in found[: query.per_page]:
        if size >= PAGE_BYTES:
            break
        page.append(each)
        size += len(jcs(each[1].event.plain))
    return page


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
