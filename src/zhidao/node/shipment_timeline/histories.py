"""What was written down about consignments: all of several in a few questions to the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Final, Protocol
from uuid import UUID

from zhidao.core.ids import PartyId
from zhidao.devices.events import TerminalRegistered
from zhidao.node.shipment_timeline.related import RelatedBook
from zhidao.store.reading import Stored
from zhidao.trade.events import DocumentAdded

_OWN_ROOM: Final = "trade"
_Pair = tuple[str, str]


class StoredEvents(Protocol):
    """Reads stored events across rooms."""

    async def of(
        self, room: str, aggregates: Sequence[str], *, viewer: PartyId | None
    ) -> list[Stored]:
        """Events of these aggregates that the viewer may see."""
        ...

    async def find(self, event_id: UUID, *, viewer: PartyId | None) -> Stored | None:
        """One event, if the viewer may see it."""
        ...

    async def consignments(self, *, viewer: PartyId | None, limit: int) -> list[str]:
        """Names of consignments that the viewer may see, newest first."""
        ...


class Histories:
    """Reads them, as far as a viewer may see them."""

    def __init__(self, related: RelatedBook, events: StoredEvents) -> None:
        self._related = related
        self._events = events

    async def of(self, names: Sequence[str], *, viewer: PartyId | None) -> dict[str, list[Stored]]:
        """The events of each consignment of which the viewer sees the entry, room by room."""
        related = await self._related.of_each([_own(name) for name in names])
        # The projection lags behind the journal; the entry itself is always looked up.
        pairs = {name: _in_order(_with_own(related.get(_own(name), []), name)) for name in names}
        stored = await self._events_of(pairs, viewer)
        further = await self._events_of(await self._further(stored), viewer)
        return {name: each + further[name] for name, each in stored.items() if _is_seen(name, each)}

    async def _further(self, stored: Mapping[str, Sequence[Stored]]) -> dict[str, list[_Pair]]:
        """What hangs on what was found, by consignment."""
        subjects = {name: _subjects(each) for name, each in stored.items()}
        related = await self._related.of_each(sorted(set(chain(*subjects.values()))))
        return {
            name: [p for s, room in each.items() for p in _of_room(related.get(s, []), room)]
            for name, each in subjects.items()
        }

    async def _events_of(
        self, pairs: Mapping[str, Sequence[_Pair]], viewer: PartyId | None
    ) -> dict[str, list[Stored]]:
        rooms: defaultdict[str, set[str]] = defaultdict(set)
        for room, aggregate in chain.from_iterable(pairs.values()):
            rooms[room].add(aggregate)
        found: defaultdict[_Pair, list[Stored]] = defaultdict(list)
        for room, aggregates in rooms.items():
            for each in await self._events.of(room, sorted(aggregates), viewer=viewer):
                found[room, each.event.aggregate].append(each)
        return {name: list(chain(*(found[pair] for pair in own))) for name, own in pairs.items()}


def _own(name: str) -> str:
    return f"consignment/{name}"


def _with_own(pairs: Sequence[_Pair], name: str) -> list[_Pair]:
    return list(dict.fromkeys([*pairs, (_OWN_ROOM, _own(name))]))


def _in_order(pairs: Iterable[_Pair]) -> list[_Pair]:
    """Rooms as they come, the aggregates of each by name."""
    rooms: dict[str, list[_Pair]] = {}
    for pair in pairs:
        rooms.setdefault(pair[0], []).append(pair)
    return [pair for each in rooms.values() for pair in sorted(each)]


def _of_room(pairs: Iterable[_Pair], room: str) -> list[_Pair]:
    return sorted(pair for pair in pairs if pair[0] == room)


def _is_seen(name: str, stored: Iterable[Stored]) -> bool:
    return any(each.event.aggregate == _own(name) for each in stored)


def _subjects(stored: Iterable[Stored]) -> dict[str, str]:
    """Subjects that hang on what was found, each with its room."""
    subjects = {}
    for each in stored:
        if each.event.type in TerminalRegistered.types():
            subjects[f"phone/{TerminalRegistered.of(each.event).phone}"] = "connectivity"
        elif each.event.type == DocumentAdded.TYPE:
            subjects[f"document/{DocumentAdded.of(each.event).digest}"] = "trust"
    return subjects
