"""EPCIS events in this process, under the same contract as in PostgreSQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from operator import attrgetter, itemgetter

import numpy as np

from zhidao.core.canonical import jcs
from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry
from zhidao.industry.domain.epcis_event import EpcisEvent, Role
from zhidao.industry.domain.event_pages import Place
from zhidao.industry.domain.event_query import PAGE_BYTES, EventQuery
from zhidao.industry.domain.genealogy_loading import Said, SaidEvents, SaidThings
from zhidao.industry.domain.mass_balance import Quantity, quantities_of
from zhidao.industry.domain.names import Array
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

    async def quantities(
        self, lots: Sequence[str], *, viewer: PartyId | None, limit: int
    ) -> list[Quantity]:
        """What events that stand and may be seen say of how much of these lots."""
        found = [
            quantity
            for (key, withdrawn), stored in self._events.items()
            if not withdrawn and (key, True) not in self._events and sees(stored, viewer)
            for quantity in quantities_of(stored.event)
            if quantity.lot in lots
        ]
        found.sort(key=attrgetter("lot", "by", "unit", "at_ns", "event"))
        return found[:limit]

    async def maker(self, lot: str) -> PartyId | None:
        """The party that said first that it made a lot, of what stands."""
        for stored in sorted(
            self._events.values(), key=lambda each: (each.captured_ns, each.event.name)
        ):
            event = stored.event
            gone = event.withdrawn or (event.key, True) in self._events or event.doubt
            if not gone and any(
                _makes(event, role) for role, thing in event.things if thing == lot
            ):
                return PartyId(event.by)
        return None

    async def every(self) -> list[StoredEvent]:
        """All events, those captured first in front."""
        return sorted(self._events.values(), key=lambda each: (each.captured_ns, each.event.key))

    async def said(self) -> AsyncGenerator[Said]:
        """All that a trace goes through: a page of events, and one of what they name."""
        stood = [stored for stored in self._events.values() if not stored.event.doubt]
        stood.sort(key=lambda stored: (stored.event.name, stored.event.withdrawn, stored.event.by))
        yield _said_events(stood)
        yield _said_things([stored.event for stored in stood if not stored.event.withdrawn])


def _said_events(stood: Sequence[StoredEvent]) -> SaidEvents:
    events = [stored.event for stored in stood]
    return SaidEvents(
        digests=_digests(events),
        at_ns=np.array([event.at.tai_ns for event in events], np.int64),
        words=[_words(event) for event in events],
        parties=[",".join((each.event.by, *each.visible)) for each in stood],
        transformations=[event.transformation for event in events],
    )


def _makes(event: EpcisEvent, role: Role) -> bool:
    """Whether a thing in this role was made by the event."""
    added = event.kind == "ObjectEvent" and event.action == "ADD"
    return role in (Role.OUTPUT, Role.LOT) or (role is Role.EPC and added)


def _words(event: EpcisEvent) -> str:
    return f"{event.kind} {event.action} {event.biz_step}{' -' if event.withdrawn else ''}"


def _said_things(events: Sequence[EpcisEvent]) -> SaidThings:
    named = [(thing, role, event) for event in events for role, thing in event.things]
    counts = Counter(thing for thing, _, _ in named)
    places = {thing: place for place, thing in enumerate(counts)}
    named.sort(key=lambda each: places[each[0]])
    return SaidThings(
        things=list(counts),
        counts=np.array(list(counts.values()), np.int64),
        roles="".join(role[0] for _, role, _ in named).encode(),
        digests=_digests([event for _, _, event in named]),
        by=[event.by for _, _, event in named],
    )


def _digests(events: Sequence[EpcisEvent]) -> Array:
    told = b"".join(bytes.fromhex(event.name[14:78]) for event in events)
    return np.frombuffer(told, np.uint8).reshape(-1, 32)


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
