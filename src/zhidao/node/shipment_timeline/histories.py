"""What was written down about consignments: all of several in a few questions to the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
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
        pairs = {name: _with_own(related.get(_own(name), []), name) for name in names}
        found = await self._read((pair for each in pairs.values() for pair in each), viewer)
        stored = {
            name: [event for pair in _in_order(each) for event in found[pair]]
            for name, each in pairs.items()
        }
        further = {name: _further(each) for name, each in stored.items()}
        await self._add(stored, further, viewer)
        return {
            name: each
            for name, each in stored.items()
            if any(one.event.aggregate == _own(name) for one in each)
        }

    async def _add(
        self,
        stored: dict[str, list[Stored]],
        further: dict[str, list[_Pair]],
        viewer: PartyId | None,
    ) -> None:
        """What hangs on what was found: `further` has subjects, each with a room."""
        subjects = {subject for each in further.values() for subject, _ in each}
        related = await self._related.of_each(sorted(subjects)) if subjects else {}
        pairs = {
            name: [
                pair
                for subject, room in each
                for pair in _in_order(p for p in related.get(subject, []) if p[0] == room)
            ]
            for name, each in further.items()
        }
        found = await self._read((pair for each in pairs.values() for pair in each), viewer)
        for name, each in pairs.items():
            stored[name] += [event for pair in each for event in found[pair]]

    async def _read(
        self, pairs: Iterable[_Pair], viewer: PartyId | None
    ) -> defaultdict[_Pair, list[Stored]]:
        rooms: defaultdict[str, set[str]] = defaultdict(set)
        for room, aggregate in pairs:
            rooms[room].add(aggregate)
        found: defaultdict[_Pair, list[Stored]] = defaultdict(list)
        for room, aggregates in rooms.items():
            for each in await self._events.of(room, sorted(aggregates), viewer=viewer):
                found[room, each.event.aggregate].append(each)
        return found


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


def _further(stored: Sequence[Stored]) -> list[_Pair]:
    """Subjects that hang on what was found: (subject, room), each once."""
    subjects: dict[_Pair, None] = {}
    for each in stored:
        if each.event.type in TerminalRegistered.types():
            phone = TerminalRegistered.of(each.event).phone
            subjects[f"phone/{phone}", "connectivity"] = None
        elif each.event.type == DocumentAdded.TYPE:
            subjects[f"document/{DocumentAdded.of(each.event).digest}", "trust"] = None
    return list(subjects)
