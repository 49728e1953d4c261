"""What was made of what and what stood inside what, when: edges with intervals out of events.

`becomes` leads from inputs through a transformation to its outputs, and from a lot to the serials
that were commissioned of it. `inside` holds from the event that packed a thing until the first
later one that unpacked it. Within one instant unpacking comes before packing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from zhidao.core.timescale import Utc
from zhidao.industry.domain.epcis_event import EpcisEvent, Role

# Instants as TAI nanoseconds; before and after all of them.
NEVER_NS: Final = -(2**62)
ALWAYS_NS: Final = 2**62
BECOMES: Final = "becomes"
INSIDE: Final = "inside"
Sees = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Edge:
    """One step between two things. For `becomes` both ends of the interval are its instant.

    event: the key of the event that says so. end: that of the one that ended it, or empty.
    """

    kind: str
    source: str
    target: str
    from_ns: int
    to_ns: int
    event: str
    end: str = ""


_Said = dict[str, list[tuple[int, str]]]
# Names in the order in which they were said: a walk goes the same way in every process.
_Names = dict[str, None]


@dataclass(slots=True)
class _Parent:
    """What was said of one parent: packings and unpackings of each child, as (instant, event)."""

    packed: _Said = field(default_factory=dict)
    # An empty child: everything that was inside.
    unpacked: _Said = field(default_factory=dict)


class Genealogy:
    """An index over events; events are put in and taken out one by one, in any order."""

    def __init__(self) -> None:
        self._events: dict[str, EpcisEvent] = {}
        self._withdrawn: set[str] = set()
        self._together: dict[str, _Names] = defaultdict(dict)
        self._made_of: dict[str, _Names] = defaultdict(dict)
        self._makes: dict[str, _Names] = defaultdict(dict)
        self._parents: dict[str, _Parent] = defaultdict(_Parent)
        self._parents_of: dict[str, _Names] = defaultdict(dict)
        self._seen: dict[str, _Names] = defaultdict(dict)

    def __len__(self) -> int:
        return len(self._events)

    def __contains__(self, thing: str) -> bool:
        return bool(self._seen.get(thing))

    def put(self, event: EpcisEvent) -> None:
        """Takes an event in. The same again changes nothing; an error declaration takes it out.

        The hash leaves the declaration out, so it bears the name of the event that it withdraws,
        whichever of the two comes first; nobody withdraws what another party said.
        """
        if event.doubt:
            return
        if event.withdrawn:
            self._withdrawn.add(event.key)
            if event.key in self._events:
                self._take_out(self._events.pop(event.key))
            return
        if event.key in self._events or event.key in self._withdrawn:
            return
        self._take_in(event)

    def _take_in(self, event: EpcisEvent) -> None:
        self._events[event.key] = event
        for _, thing in event.things:
            self._seen[thing][event.key] = None
        if event.kind in ("AggregationEvent", "AssociationEvent"):
            self._pack(event)
            return
        for makes in event.of(Role.INPUT) + event.of(Role.LOT):
            self._makes[makes][event.key] = None
        made = event.of(Role.OUTPUT) + (event.of(Role.EPC) if event.of(Role.LOT) else [])
        for thing in made:
            self._made_of[thing][event.key] = None
        if event.transformation:
            self._together[event.transformation][event.key] = None

    def _pack(self, event: EpcisEvent) -> None:
        if event.action == "OBSERVE":
            return
        [parent] = event.of(Role.PARENT)
        said = self._parents[parent]
        children = event.of(Role.CHILD)
        if event.action == "ADD":
            for child in children:
                said.packed.setdefault(child, []).append((event.at.tai_ns, event.key))
                self._parents_of[child][parent] = None
        else:
            for child in children or [""]:
                said.unpacked.setdefault(child, []).append((event.at.tai_ns, event.key))

    def _take_out(self, event: EpcisEvent) -> None:
        for _, thing in event.things:
            for names in (self._seen, self._makes, self._made_of):
                names[thing].pop(event.key, None)
        if event.transformation:
            self._together[event.transformation].pop(event.key, None)
        for parent in event.of(Role.PARENT):
            for said in (self._parents[parent].packed, self._parents[parent].unpacked):
                for child in event.of(Role.CHILD) or [""]:
                    said[child] = [each for each in said.get(child, []) if each[1] != event.key]

    def becomes(self, thing: str, sees: Sees) -> Iterator[Edge]:
        """Steps from a thing to what was made of it."""
        for name in self._makes.get(thing, ()):
            event = self._events[name]
            if not sees(name):
                continue
            for target, at, said in self._results(event, thing, sees):
                yield Edge(BECOMES, thing, target, event.at.tai_ns, at, name, said)

    def made_of(self, thing: str, sees: Sees) -> Iterator[Edge]:
        """Steps from what a thing was made of to it."""
        for name in self._made_of.get(thing, ()):
            event = self._events[name]
            if not sees(name):
                continue
            for source, at, said in self._ingredients(event, thing, sees):
                yield Edge(BECOMES, source, thing, at, event.at.tai_ns, said, name)

    def _results(self, event: EpcisEvent, thing: str, sees: Sees) -> Iterator[tuple[str, int, str]]:
        if event.kind == "ObjectEvent":
            article = thing.partition("/10/")[0]
            for serial in event.of(Role.EPC):
                if serial.startswith(f"{article}/21/"):
                    yield serial, event.at.tai_ns, event.key
            return
        for name in self._one_transformation(event, sees):
            other = self._events[name]
            for target in other.of(Role.OUTPUT):
                yield target, other.at.tai_ns, name

    def _ingredients(
        self, event: EpcisEvent, thing: str, sees: Sees
    ) -> Iterator[tuple[str, int, str]]:
        if event.kind == "ObjectEvent":
            article = thing.partition("/21/")[0]
            for lot in event.of(Role.LOT):
                if lot.startswith(f"{article}/10/"):
                    yield lot, event.at.tai_ns, event.key
            return
        for name in self._one_transformation(event, sees):
            other = self._events[name]
            for source in other.of(Role.INPUT):
                yield source, other.at.tai_ns, name

    def _one_transformation(self, event: EpcisEvent, sees: Sees) -> Iterator[str]:
        """The events of one transformation: those that share its identifier, or itself alone."""
        if not event.transformation:
            yield event.key
            return
        for name in self._together[event.transformation]:
            if sees(name):
                yield name

    def outside_of(self, thing: str, sees: Sees) -> Iterator[Edge]:
        """Where a thing was inside: from it to its parents."""
        for parent in self._parents_of.get(thing, ()):
            yield from self._stays(parent, thing, sees)

    def inside_of(self, thing: str, sees: Sees) -> Iterator[Edge]:
        """What was inside a thing: from its children to it."""
        if thing in self._parents:
            for child in list(self._parents[thing].packed):
                yield from self._stays(thing, child, sees)

    def _stays(self, parent: str, child: str, sees: Sees) -> Iterator[Edge]:
        said = self._parents[parent]
        for at, name in said.packed.get(child, ()):
            if not sees(name):
                continue
            ends = [
                (end, event)
                for left in (child, "")
                for end, event in said.unpacked.get(left, ())
                if end > at and sees(event)
            ]
            to_ns, end = min(ends) if ends else (ALWAYS_NS, "")
            yield Edge(INSIDE, child, parent, at, to_ns, name, end)

    def contradictions(self, thing: str, sees: Sees) -> list[tuple[Edge, Edge]]:
        """Pairs of stays of one thing in two parents at once: kept as said, and shown."""
        if len(self._parents_of.get(thing, ())) < 2:
            return []
        stays = sorted(self.outside_of(thing, sees), key=lambda edge: (edge.from_ns, edge.target))
        return [
            (one, other)
            for index, one in enumerate(stays)
            for other in stays[index + 1 :]
            if one.target != other.target and other.from_ns < one.to_ns
        ]

    def said_of(self, thing: str, sees: Sees) -> list[EpcisEvent]:
        """The events that name a thing, oldest first."""
        found = [self._events[name] for name in self._seen.get(thing, ()) if sees(name)]
        return sorted(found, key=lambda event: (event.at.tai_ns, event.key))

    def event(self, name: str) -> EpcisEvent:
        """An event by its key."""
        return self._events[name]


def instant(tai_ns: int) -> str:
    """An instant as text; empty before and after all of them."""
    return "" if tai_ns in (NEVER_NS, ALWAYS_NS) else str(Utc(tai_ns))
