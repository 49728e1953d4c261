"""The answer to a trace: what was reached, by which steps, and why each branch ends.

A state is a thing with a window of time. `domain.walk` finds the states and hands them over as
columns of numbers; names are read only when somebody asks for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from zhidao.industry.domain.genealogy import ALWAYS_NS, BECOMES, INSIDE, Edge, Genealogy
from zhidao.industry.domain.genealogy_view import States
from zhidao.industry.domain.names import Array
from zhidao.industry.domain.relations import Growing


class Direction(StrEnum):
    """Where a trace goes."""

    FORWARD = "forward"
    BACKWARD = "backward"


class Ending(StrEnum):
    """Why a branch ends. `not_told`: nobody said here where it came from, and somebody knows."""

    ORIGIN = "origin"
    NOT_TOLD = "not_told"
    SHIPPED = "shipped"
    SOLD = "sold"
    GONE = "gone"
    HERE = "here"


@dataclass(frozen=True, slots=True)
class State:
    """A thing during a window of TAI nanoseconds.

    own: it is the thing itself, asked for or made; else it carries or is carried.
    """

    thing: str
    from_ns: int
    to_ns: int
    own: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A thing that was reached, and by which edge from which state; the start by none."""

    state: State
    edge: Edge | None
    before: State | None


@dataclass(frozen=True, slots=True)
class BranchEnd:
    """Where a branch ends, why, and the event that says so, if one does."""

    thing: str
    why: Ending
    event: str


class Reached:
    """The states of a walk as columns, each with the place of the one before it; -1 at the start.

    thing, before: int32. from_ns, to_ns: int64. own, stay: bool. event, end: int32.
    """

    def __init__(self) -> None:
        self.thing, self.before = Growing(np.int32), Growing(np.int32)
        self.from_ns, self.to_ns = Growing(np.int64), Growing(np.int64)
        self.own, self.stay = Growing(np.bool_), Growing(np.bool_)
        self.event, self.end = Growing(np.int32), Growing(np.int32)
        # The state of the same thing that was reached before.
        self.same = Growing(np.int32)

    def __len__(self) -> int:
        return len(self.thing)

    def take(self, states: States, before: Array, same: Array) -> None:
        """Adds states, without what says so."""
        self.thing.extend(states.thing)
        self.from_ns.extend(states.from_ns)
        self.to_ns.extend(states.to_ns)
        self.own.extend(states.own)
        self.before.extend(before)
        self.same.extend(same)

    def told(self, stay: Array, event: Array, end: Array) -> None:
        """Adds what says so."""
        self.stay.extend(stay)
        self.event.extend(event)
        self.end.extend(end)

    def part(self, begin: int, end: int) -> States:
        """Some of them."""
        some = slice(begin, end)
        columns = (self.thing, self.from_ns, self.to_ns, self.own)
        return States(*(column.view[some] for column in columns))


@dataclass(frozen=True, slots=True)
class Walked:
    """What a walk found, in numbers of the index.

    beside: things, in order. ends: the thing of each, why, and the event that says so, or -1.
    """

    reached: Reached
    beside: Array
    ends: tuple[Array, Sequence[Ending], Array]
    cycles: Sequence[tuple[int, ...]]
    contradictions: Sequence[tuple[Edge, Edge]]
    cut_short: bool
    looks: int


class Trace:
    """The answer: everything reached, how each branch ends, and what is strange.

    beside: what stood in the same container at the same time and is not part of it (forward).
    looks: how many rows of the index were looked at. Names are read when they are asked for.
    """

    def __init__(self, index: Genealogy, walk: Walked, *, start: str, direction: Direction) -> None:
        self.start, self.direction = start, direction
        self.cut_short, self.looks = walk.cut_short, walk.looks
        self.cycles: tuple[tuple[str, ...], ...] = tuple(
            tuple(index.things.labels(cycle)) for cycle in walk.cycles
        )
        self.contradictions: tuple[tuple[Edge, Edge], ...] = tuple(walk.contradictions)
        self._index, self._reached = index, walk.reached
        self._beside, self._ended = walk.beside, walk.ends
        self._at_ns = index.at_ns.view

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Trace):
            return NotImplemented
        return self._told() == other._told()

    def __hash__(self) -> int:
        return hash((self.start, self.direction, len(self._reached)))

    def _told(self) -> tuple[object, ...]:
        strange = (self.cycles, self.contradictions, self.cut_short)
        return (self.start, self.direction, self.steps, self.ends, self.beside, *strange)

    @property
    def found(self) -> int:
        """How many states were reached, the start among them."""
        return len(self._reached)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Everything reached, in the order of the walk."""
        reached = self._reached
        names = self._labels(reached.thing.view)
        columns = (reached.from_ns, reached.to_ns, reached.own)
        states = [
            State(*one) for one in zip(names, *(c.view.tolist() for c in columns), strict=True)
        ]
        befores = reached.before.view.tolist()
        whys = zip(
            *(c.view.tolist() for c in (reached.stay, reached.event, reached.end)), strict=True
        )
        return tuple(
            Step(state, None, None)
            if before < 0
            else Step(state, self._edge(states[before].thing, state.thing, *why), states[before])
            for state, before, why in zip(states, befores, whys, strict=True)
        )

    def _edge(self, here: str, after: str, stay: bool, event: int, end: int) -> Edge:  # noqa: FBT001
        source, target = (here, after) if self.direction is Direction.FORWARD else (after, here)
        to_ns = int(self._at_ns[end]) if end >= 0 else ALWAYS_NS
        kind, key = INSIDE if stay else BECOMES, self._index.key
        return Edge(kind, source, target, int(self._at_ns[event]), to_ns, key(event), key(end))

    @cached_property
    def ends(self) -> tuple[BranchEnd, ...]:
        """How each branch ends."""
        things, whys, events = self._ended
        names = self._labels(things)
        keys = map(self._index.key, events.tolist())
        return tuple(BranchEnd(*one) for one in zip(names, whys, keys, strict=True))

    @cached_property
    def beside(self) -> frozenset[str]:
        """What only stood beside it."""
        return frozenset(self._labels(self._beside))

    @cached_property
    def windows(self) -> Mapping[str, tuple[tuple[int, int], ...]]:
        """When each thing counts: its windows, joined and in order."""
        told: dict[str, list[tuple[int, int]]] = {}
        for step in self.steps:
            told.setdefault(step.state.thing, []).append((step.state.from_ns, step.state.to_ns))
        return {thing: joined(windows) for thing, windows in told.items()}

    @cached_property
    def made(self) -> frozenset[str]:
        """What is made of it, or what it was made of, the thing itself left out."""
        reached = self._reached
        return frozenset(self._labels(reached.thing.view[reached.own.view])) - {self.start}

    @cached_property
    def carried(self) -> frozenset[str]:
        """What only carried it, or was only carried in it."""
        return frozenset(self._labels(self._reached.thing.view)) - self.made - {self.start}

    def _labels(self, things: Array) -> list[str]:
        return self._index.things.labels(things.tolist())


def path(answer: Trace, state: State) -> tuple[Edge, ...]:
    """The edges that lead from the start to a state, first step first."""
    steps = {step.state: step for step in answer.steps}
    way = []
    step: Step | None = steps[state]
    while step is not None and step.edge is not None:
        way.append(step.edge)
        step = steps[step.before] if step.before is not None else None
    return tuple(reversed(way))


def joined(windows: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Windows in order, those that touch as one."""
    found: list[tuple[int, int]] = []
    for from_ns, to_ns in sorted(windows):
        if found and from_ns <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], to_ns))
        else:
            found.append((from_ns, to_ns))
    return tuple(found)
