"""Following a thing through its genealogy: forward to what became of it, backward to its origin.

A state is a thing with a window of time. Containment narrows the window; a transformation begins a
new one. Whatever is reached is told with the step that led to it, and each branch with why it ends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from zhidao.core.timescale import Utc
from zhidao.industry.domain.epcis_event import EpcisEvent
from zhidao.industry.domain.genealogy import ALWAYS_NS, BECOMES, NEVER_NS, Edge, Genealogy, Sees

# More is told as cut short. Fifty thousand serials of one raw lot are found.
FOUND_MAX: Final = 50_000


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


@dataclass(frozen=True, slots=True)
class Trace:
    """The answer: everything reached, how each branch ends, and what is strange.

    beside: what stood in the same container at the same time and is not part of it (forward).
    """

    start: str
    direction: Direction
    steps: tuple[Step, ...]
    ends: tuple[BranchEnd, ...]
    beside: frozenset[str]
    cycles: tuple[tuple[str, ...], ...]
    contradictions: tuple[tuple[Edge, Edge], ...]
    cut_short: bool

    @property
    def windows(self) -> Mapping[str, tuple[tuple[int, int], ...]]:
        """When each thing counts: its windows, joined and in order."""
        told: dict[str, list[tuple[int, int]]] = {}
        for step in self.steps:
            told.setdefault(step.state.thing, []).append((step.state.from_ns, step.state.to_ns))
        return {thing: _joined(windows) for thing, windows in told.items()}

    @property
    def made(self) -> frozenset[str]:
        """What is made of it, or what it was made of, the thing itself left out."""
        return frozenset(s.state.thing for s in self.steps if s.state.own) - {self.start}

    @property
    def carried(self) -> frozenset[str]:
        """What only carried it, or was only carried in it."""
        things = frozenset(step.state.thing for step in self.steps)
        return things - self.made - {self.start}


def trace(
    index: Genealogy, thing: str, direction: Direction, *, sees: Sees, at: Utc | None = None
) -> Trace:
    """Follows a thing. `at`: only what it stood in, or what stood in it, at that instant.

    sees: whether the asker may see an event, by its key; what may not be seen is as if not said.
    """
    walk = _Walk(index, direction, sees)
    walk.go(_start(thing, at))
    things = {state.thing for state in walk.steps}
    forward = direction is Direction.FORWARD
    return Trace(
        start=thing,
        direction=direction,
        steps=tuple(walk.steps.values()),
        ends=tuple(dict.fromkeys(walk.ends)),
        beside=_beside(index, walk.steps, things, sees) if forward else frozenset(),
        cycles=tuple(walk.cycles),
        contradictions=tuple(pair for each in things for pair in index.contradictions(each, sees)),
        cut_short=walk.cut_short,
    )


def _start(thing: str, at: Utc | None) -> State:
    if at is None:
        return State(thing, NEVER_NS, ALWAYS_NS, own=True)
    return State(thing, at.tai_ns, at.tai_ns + 1, own=True)


class _Walk:
    """Breadth first over states; a state inside one that was visited tells nothing new."""

    def __init__(self, index: Genealogy, direction: Direction, sees: Sees) -> None:
        self._index, self._direction, self._sees = index, direction, sees
        self._visited: dict[str, list[State]] = {}
        self._queue: deque[State] = deque()
        self.steps: dict[State, Step] = {}
        self.ends: list[BranchEnd] = []
        self.cycles: dict[tuple[str, ...], None] = {}
        self.cut_short = False

    def go(self, start: State) -> None:
        """Walks until nothing is left, or more was found than is told."""
        self._take(Step(start, None, None))
        while self._queue and not self.cut_short:
            here = self._queue.popleft()
            onward = list(_onward(self._index, here, self._direction, self._sees))
            for edge, after in onward:
                self._reach(here, edge, after)
            if not onward:
                self.ends.append(_end(self._index, here.thing, self._direction, self._sees))

    def _reach(self, here: State, edge: Edge, after: State) -> None:
        known = self._visited.get(after.thing, ())
        if edge.kind == BECOMES and known and (cycle := _cycle(self.steps, here, after.thing)):
            self.cycles[cycle] = None
        if self.cut_short or any(_covers(one, after) for one in known):
            return
        if len(self.steps) > FOUND_MAX:
            self.cut_short = True
            return
        self._take(Step(after, edge, here))

    def _take(self, step: Step) -> None:
        self._visited.setdefault(step.state.thing, []).append(step.state)
        self.steps[step.state] = step
        self._queue.append(step.state)


def _onward(
    index: Genealogy, here: State, direction: Direction, sees: Sees
) -> Iterator[tuple[Edge, State]]:
    if direction is Direction.FORWARD:
        yield from _to_products(index, here, sees)
        stays = index.outside_of(here.thing, sees)
    else:
        yield from _to_ingredients(index, here, sees)
        stays = index.inside_of(here.thing, sees)
    for edge in stays:
        from_ns, to_ns = max(here.from_ns, edge.from_ns), min(here.to_ns, edge.to_ns)
        if from_ns < to_ns:
            other = edge.target if direction is Direction.FORWARD else edge.source
            yield edge, State(other, from_ns, to_ns, own=False)


def _to_products(index: Genealogy, here: State, sees: Sees) -> Iterator[tuple[Edge, State]]:
    for edge in index.becomes(here.thing, sees):
        # What carries the thing counts as it only while it does.
        if here.from_ns <= edge.from_ns and (here.own or edge.from_ns < here.to_ns):
            yield edge, State(edge.target, edge.to_ns, ALWAYS_NS, own=True)


def _to_ingredients(index: Genealogy, here: State, sees: Sees) -> Iterator[tuple[Edge, State]]:
    for edge in index.made_of(here.thing, sees):
        if edge.to_ns < here.to_ns:
            yield edge, State(edge.source, edge.from_ns, edge.from_ns + 1, own=True)


def _covers(one: State, other: State) -> bool:
    return one.from_ns <= other.from_ns and other.to_ns <= one.to_ns and (one.own or not other.own)


def _cycle(steps: Mapping[State, Step], here: State, thing: str) -> tuple[str, ...]:
    """The things of a circle that a step back to `thing` would close; empty if it closes none."""
    way = [here.thing]
    step: Step | None = steps[here]
    while step is not None and step.state.thing != thing:
        step = steps[step.before] if step.before is not None else None
        if step is not None:
            way.append(step.state.thing)
    return tuple(reversed(way)) if step is not None else ()


def _beside(
    index: Genealogy, steps: Mapping[State, Step], things: set[str], sees: Sees
) -> frozenset[str]:
    return frozenset(
        edge.source
        for state in steps
        if not state.own
        for edge in index.inside_of(state.thing, sees)
        if edge.from_ns < state.to_ns and state.from_ns < edge.to_ns and edge.source not in things
    )


def _end(index: Genealogy, thing: str, direction: Direction, sees: Sees) -> BranchEnd:
    said = index.said_of(thing, sees)
    if direction is Direction.BACKWARD:
        for event in said:
            if event.kind == "ObjectEvent" and event.action == "ADD":
                return BranchEnd(thing, Ending.ORIGIN, event.key)
        return BranchEnd(thing, Ending.NOT_TOLD, "")
    if not said:
        return BranchEnd(thing, Ending.NOT_TOLD, "")
    return BranchEnd(thing, _fate(said[-1]), said[-1].key)


def _fate(event: EpcisEvent) -> Ending:
    """What the last that was said of a thing means for where it is."""
    if event.biz_step in ("destroying", "decommissioning", "killing"):
        return Ending.GONE
    if event.kind == "ObjectEvent" and event.action == "DELETE":
        return Ending.GONE
    if event.biz_step in ("retail_selling", "dispensing"):
        return Ending.SOLD
    if event.biz_step in ("shipping", "departing", "consigning"):
        return Ending.SHIPPED
    return Ending.HERE


def path(answer: Trace, state: State) -> tuple[Edge, ...]:
    """The edges that lead from the start to a state, first step first."""
    steps = {step.state: step for step in answer.steps}
    way = []
    step: Step | None = steps[state]
    while step is not None and step.edge is not None:
        way.append(step.edge)
        step = steps[step.before] if step.before is not None else None
    return tuple(reversed(way))


def _joined(windows: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    joined: list[tuple[int, int]] = []
    for from_ns, to_ns in sorted(windows):
        if joined and from_ns <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], to_ns))
        else:
            joined.append((from_ns, to_ns))
    return tuple(joined)
