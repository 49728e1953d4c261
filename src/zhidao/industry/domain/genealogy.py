"""What was made of what and what stood inside what, when: edges with intervals out of events.

`becomes` leads from inputs through a transformation to its outputs, and from a lot to the serials
that were commissioned of it. `inside` holds from the event that packed a thing until the first
later one that unpacked it. Within one instant unpacking comes before packing.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
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
    # An empty child: everything that was inside. In order of time.
    unpacked: _Said = field(default_factory=dict)

    def forget(self, child: str, event: str) -> None:
        """Takes out what one event said of a child."""
        for said in (self.packed, self.unpacked):
            left = [each for each in said.pop(child, []) if each[1] != event]
            if left:
                said[child] = left


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
                insort(said.unpacked.setdefault(child, []), (event.at.tai_ns, event.key))

    def _take_out(self, event: EpcisEvent) -> None:
        for _, thing in event.things:
            for names in (self._seen, self._makes, self._made_of):
                names[thing].pop(event.key, None)
        if event.transformation:
            self._together[event.transformation].pop(event.key, None)
        for parent in event.of(Role.PARENT):
            for child in event.of(Role.CHILD) or [""]:
                self._parents[parent].forget(child, event.key)

    def becomes(
        self, thing: str, sees: Sees, *, counts: Callable[[int], bool] = lambda _: True
    ) -> Iterator[Edge]:
        """Steps from a thing to what was made of it, by events whose instant counts.

        The parts of one transformation have the same results: they are told of its first part.
        """
        for event in self._parts(self._makes.get(thing, ()), sees, counts):
            name = event.key
            for target, at, said in self._results(event, thing, sees):
                yield Edge(BECOMES, thing, target, event.at.tai_ns, at, name, said)

    def made_of(
        self, thing: str, sees: Sees, *, counts: Callable[[int], bool] = lambda _: True
    ) -> Iterator[Edge]:
        """Steps from what a thing was made of to it, by events whose instant counts, as above."""
        for event in self._parts(self._made_of.get(thing, ()), sees, counts):
            name = event.key
            for source, at, said in self._ingredients(event, thing, sees):
                yield Edge(BECOMES, source, thing, at, event.at.tai_ns, said, name)

    def _parts(
        self, names: Iterable[str], sees: Sees, counts: Callable[[int], bool]
    ) -> Iterator[EpcisEvent]:
        told: set[str] = set()
        for name in names:
            event = self._events[name]
            if not sees(name) or not counts(event.at.tai_ns) or event.transformation in told:
                continue
            if event.transformation and event.kind == "TransformationEvent":
                told.add(event.transformation)
            yield event

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
            to_ns, end = min(
                _first_after(said.unpacked.get(child, []), at, sees),
                _first_after(said.unpacked.get("", []), at, sees),
            )
            yield Edge(INSIDE, child, parent, at, to_ns, name, end)

    def contradictions(self, thing: str, sees: Sees) -> Iterator[tuple[Edge, Edge]]:
        """Pairs of stays of one thing in two parents at once: kept as said, and shown."""
        if len(self._parents_of.get(thing, ())) < 2:
            return
        stays = sorted(self.outside_of(thing, sees), key=lambda edge: (edge.from_ns, edge.target))
        for index, one in enumerate(stays):
            for place in range(index + 1, len(stays)):
                other = stays[place]
                if other.from_ns >= one.to_ns:
                    break
                # Asked again, so that whoever counts what is looked at counts pairs too.
                if sees(other.event) and one.target != other.target:
                    yield one, other

    def said_of(self, thing: str, sees: Sees) -> list[EpcisEvent]:
        """The events that name a thing, oldest first."""
        found = [self._events[name] for name in self._seen.get(thing, ()) if sees(name)]
        return sorted(found, key=lambda event: (event.at.tai_ns, event.key))

    def event(self, name: str) -> EpcisEvent:
        """An event by its key."""
        return self._events[name]


def _first_after(said: list[tuple[int, str]], at: int, sees: Sees) -> tuple[int, str]:
    """The first that may be seen after an instant, of what is in order of time."""
    for place in range(bisect_right(said, at, key=itemgetter(0)), len(said)):
        if sees(said[place][1]):
            return said[place]
    return ALWAYS_NS, ""


def instant(tai_ns: int) -> str:
    """An instant as text; empty before and after all of them."""
    return "" if tai_ns in (NEVER_NS, ALWAYS_NS) else str(Utc(tai_ns))
