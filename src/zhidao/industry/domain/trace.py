"""Following a thing through its genealogy: forward to what became of it, backward to its origin.

A state is a thing with a window of time. Containment narrows the window; a transformation begins a
new one. Whatever is reached is told with the step that led to it, and each branch with why it ends.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter
from typing import Final

from zhidao.core.timescale import Utc
from zhidao.industry.domain.epcis_event import EpcisEvent
from zhidao.industry.domain.genealogy import ALWAYS_NS, BECOMES, NEVER_NS, Edge, Genealogy, Sees
from zhidao.industry.domain.walk_budget import Budget, Spent

# More is told as cut short. Fifty thousand serials of one raw lot are found.
FOUND_MAX: Final = 50_000
# Of circles, and of pairs that contradict each other; their names together as many as are found.
CYCLES_MAX: Final = 1_000
CONTRADICTIONS_MAX: Final = 1_000


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
    index: Genealogy,
    thing: str,
    direction: Direction,
    *,
    sees: Sees,
    at: Utc | None = None,
    now_ns: Callable[[], int] = lambda: 0,
) -> Trace:
    """Follows a thing. `at`: only what it stood in, or what stood in it, at that instant.

    sees: whether the asker may see an event, by its key; what may not be seen is as if not said.
    now_ns: a clock by which the walk ends in time; it is cut short as one that found too much.
    """
    budget = Budget(now_ns)
    walk = _Walk(index, direction, budget.counting(sees), budget)
    beside: frozenset[str] = frozenset()
    pairs: list[tuple[Edge, Edge]] = []
    try:
        walk.go(_start(thing, at))
        things = dict.fromkeys(state.thing for state in walk.steps)
        if direction is Direction.FORWARD:
            beside = _beside(index, walk.steps, things.keys(), walk.sees)
        _contradict(index, things, walk.sees, pairs)
    except Spent:
        walk.cut_short = True
    return Trace(
        start=thing,
        direction=direction,
        steps=tuple(walk.steps.values()),
        ends=tuple(walk.ends.values()),
        beside=beside,
        cycles=tuple(walk.cycles),
        contradictions=tuple(pairs),
        cut_short=walk.cut_short or walk.leaves_cycles,
    )


def _contradict(
    index: Genealogy, things: Iterable[str], sees: Sees, pairs: list[tuple[Edge, Edge]]
) -> None:
    """Takes down what contradicts itself, in order. Raises Spent past the bound."""
    for thing in things:
        for pair in index.contradictions(thing, sees):
            if len(pairs) >= CONTRADICTIONS_MAX:
                raise Spent
            pairs.append(pair)


def _start(thing: str, at: Utc | None) -> State:
    if at is None:
        return State(thing, NEVER_NS, ALWAYS_NS, own=True)
    return State(thing, at.tai_ns, at.tai_ns + 1, own=True)


class _Walk:
    """Breadth first over states; a state inside one that was visited tells nothing new."""

    def __init__(self, index: Genealogy, direction: Direction, sees: Sees, budget: Budget) -> None:
        self._index, self._direction, self.sees = index, direction, sees
        self._budget = budget
        self._named = 0
        self.leaves_cycles = False
        self._visited: dict[str, list[State]] = {}
        self._queue: deque[State] = deque()
        self.steps: dict[State, Step] = {}
        self.ends: dict[str, BranchEnd] = {}
        self.cycles: dict[tuple[str, ...], None] = {}
        self.cut_short = False

    def go(self, start: State) -> None:
        """Walks until nothing is left, or more was found than is told."""
        self._take(Step(start, None, None))
        try:
            self._go_on()
        except Spent:
            self.cut_short = True

    def _go_on(self) -> None:
        while self._queue:
            here = self._queue.popleft()
            ends = True
            for edge, after in _onward(self._index, here, self._direction, self.sees):
                ends = False
                self._reach(here, edge, after)
            if ends and here.thing not in self.ends:
                end = _end(self._index, here.thing, self._direction, self.sees)
                self.ends[here.thing] = end

    def _reach(self, here: State, edge: Edge, after: State) -> None:
        known = self._visited.get(after.thing, ())
        self._budget.spend(1 + len(known))
        if edge.kind == BECOMES and known:
            self._close(here, after.thing)
        if any(_covers(one, after) for one in known):
            return
        if len(self.steps) > FOUND_MAX:
            raise Spent
        self._take(Step(after, edge, here))

    def _close(self, here: State, thing: str) -> None:
        """Keeps the circle that a step back to a thing closes, if it does."""
        if self.leaves_cycles:
            return
        cycle = self._cycle(here, thing)
        if not cycle or cycle in self.cycles:
            return
        self._named += len(cycle)
        if len(self.cycles) >= CYCLES_MAX or self._named > FOUND_MAX:
            self.leaves_cycles = True
            return
        self.cycles[cycle] = None

    def _cycle(self, here: State, thing: str) -> tuple[str, ...]:
        """The things of a circle that a step back to `thing` would close; empty if none."""
        way = [here.thing]
        step: Step | None = self.steps[here]
        while step is not None and step.state.thing != thing:
            self._budget.spend()
            step = self.steps[step.before] if step.before is not None else None
            if step is not None:
                way.append(step.state.thing)
        return tuple(reversed(way)) if step is not None else ()

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
    def counts(at_ns: int) -> bool:
        # What carries the thing counts as it only while it does.
        return here.from_ns <= at_ns and (here.own or at_ns < here.to_ns)

    for edge in index.becomes(here.thing, sees, counts=counts):
        yield edge, State(edge.target, edge.to_ns, ALWAYS_NS, own=True)


def _to_ingredients(index: Genealogy, here: State, sees: Sees) -> Iterator[tuple[Edge, State]]:
    for edge in index.made_of(here.thing, sees, counts=lambda at_ns: at_ns < here.to_ns):
        yield edge, State(edge.source, edge.from_ns, edge.from_ns + 1, own=True)


def _covers(one: State, other: State) -> bool:
    return one.from_ns <= other.from_ns and other.to_ns <= one.to_ns and (one.own or not other.own)


def _beside(
    index: Genealogy, steps: Mapping[State, Step], things: Collection[str], sees: Sees
) -> frozenset[str]:
    told: dict[str, list[tuple[int, int]]] = {}
    for state in steps:
        if not state.own:
            told.setdefault(state.thing, []).append((state.from_ns, state.to_ns))
    return frozenset(
        edge.source
        for thing, windows in told.items()
        for joined in [_joined(windows)]
        for edge in index.inside_of(thing, sees)
        if edge.source not in things and _meets(joined, edge)
    )


def _meets(windows: tuple[tuple[int, int], ...], edge: Edge) -> bool:
    """Whether a stay shares an instant with a window; windows are in order and apart."""
    place = bisect_right(windows, edge.from_ns, key=itemgetter(1))
    return place < len(windows) and windows[place][0] < edge.to_ns


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
