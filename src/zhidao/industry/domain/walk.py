"""Following a thing through its genealogy: forward to what became of it, backward to its origin.

Containment narrows the window of a state; a transformation begins a new one. Whatever is reached
is told with the step that led to it, and each branch with why it ends: see `domain.trace`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from zhidao.core.timescale import Utc
from zhidao.industry.domain.genealogy import ALWAYS_NS, INSIDE, NEVER_NS, Edge, Genealogy, Sees
from zhidao.industry.domain.genealogy_view import States, Stays, Steps, View
from zhidao.industry.domain.names import Array
from zhidao.industry.domain.short_walk import short_walk
from zhidao.industry.domain.trace import Direction, Ending, Reached, Trace, Walked, joined
from zhidao.industry.domain.walk_budget import Budget, Spent

# More is told as cut short. Fifty thousand serials of one raw lot are found.
FOUND_MAX: Final = 50_000
# Of circles, and of pairs that contradict each other; their names together as many as are found.
CYCLES_MAX: Final = 1_000
CONTRADICTIONS_MAX: Final = 1_000
# So many states are followed at once; between two lots of them the walk looks at its clock.
_TOGETHER: Final = 8_192


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

    sees: whether the asker may see events; what may not be seen is as if not said.
    now_ns: a clock by which the walk ends in time; it is cut short as one that found too much.
    The index has been settled, and nothing is put in while the walk goes on.
    """
    short = short_trace(index, thing, direction, sees=sees, at=at)
    if short is not None:
        return short
    number = index.number(thing)
    walk = _Walk(index, direction, sees, Budget(now_ns))
    walk.go(number, _window(at))
    return Trace(index, walk.found(), start=thing, direction=direction)


def short_trace(
    index: Genealogy, thing: str, direction: Direction, *, sees: Sees, at: Utc | None = None
) -> Trace | None:
    """The same where few steps lead on and all of them are plain, in well under a millisecond."""
    forward = direction is Direction.FORWARD
    found = short_walk(index, index.number(thing), _window(at), forward=forward, sees=sees)
    return None if found is None else Trace(index, found, start=thing, direction=direction)


def _window(at: Utc | None) -> tuple[int, int]:
    return (NEVER_NS, ALWAYS_NS) if at is None else (at.tai_ns, at.tai_ns + 1)


class _Walk:
    """Breadth first over states; a state inside one that was visited tells nothing new."""

    def __init__(self, index: Genealogy, direction: Direction, sees: Sees, budget: Budget) -> None:
        self._index, self.budget = index, budget
        self._forward = direction is Direction.FORWARD
        self._view = View(index, sees, budget)
        self._named = 0
        self._leaves: list[Array] = []
        # Which state was the last of each thing.
        self._last: Array = np.full(len(index.things), -1, np.int32)
        self.reached = Reached()
        self.beside: Array = np.zeros(0, np.int32)
        self.ended: tuple[Array, list[Ending], Array] = (self.beside, [], self.beside)
        self.cycles: dict[tuple[int, ...], None] = {}
        self.contradictions: list[tuple[Edge, Edge]] = []
        self.leaves_cycles = self.cut_short = False

    def go(self, thing: int, window: tuple[int, int]) -> None:
        """Walks until nothing is left, or more was found than is told."""
        none = np.array([-1])
        start = (np.array([each]) for each in (thing, *window, True))
        self._take(Steps(none, States(*start), none == 0, none, none))
        try:
            self._go_on()
            self._tell_ends()
            things = self._things()
            if self._forward:
                self._stand_beside()
            self._contradict(things)
        except Spent:
            self.cut_short = True
            if not self.budget.spent and not len(self.ended[0]):
                self._tell_ends()

    def found(self) -> Walked:
        """What was found until now."""
        return Walked(
            reached=self.reached,
            beside=self.beside,
            ends=self.ended,
            cycles=tuple(self.cycles),
            contradictions=self.contradictions,
            cut_short=self.cut_short or self.leaves_cycles,
            looks=self.budget.looks,
        )

    def _go_on(self) -> None:
        begin = 0
        while begin < len(self.reached):
            end = min(len(self.reached), begin + _TOGETHER)
            here = self.reached.part(begin, end)
            steps = self._view.onward(here, forward=self._forward)
            self.budget.count(len(steps.which))
            if not self.budget.spent:
                leads = np.bincount(steps.which, minlength=end - begin) > 0
                self._leaves.append(here.thing[~leads])
            self._reach(_moved(steps, begin))
            if self.budget.spent:
                raise Spent
            begin = end

    def _reach(self, steps: Steps) -> None:
        """Takes what is new among steps. `which` is the place of the state that they come from."""
        if not len(steps.which):
            return
        self._close(steps)
        new = self._new(steps.after)
        room = FOUND_MAX + 1 - len(self.reached)
        self._take(_chosen(steps, new[:room]))
        if len(new) > room:
            raise Spent

    def _take(self, steps: Steps) -> None:
        last, things = self._last, steps.after.thing
        first, reached = len(self.reached), self.reached
        numbers = np.arange(first, first + len(things), dtype=np.int32)
        reached.take(steps.after, steps.which, last[things])
        reached.told(steps.stay, steps.event, steps.end)
        # Of one thing several times over: each points to the one before it.
        order = np.argsort(things, kind="stable")
        again = np.flatnonzero(things[order][1:] == things[order][:-1])
        reached.same.view[first + order[again + 1]] = first + order[again]
        last[things[order]] = numbers[order]

    def _new(self, after: States) -> Array:
        """The places of those that no state before them covers, in order."""
        left = np.argsort(after.thing, kind="stable")
        left = left[~self._covered(after, left)]
        found = []
        while len(left):
            things = after.thing[left]
            first = np.append(True, things[1:] != things[:-1])
            leaders = left[first]
            found.append(leaders)
            if len(leaders) == len(left):
                break
            self.budget.count(len(left))
            leader = leaders[np.cumsum(first) - 1]
            left = left[~(first | _covers(after, leader, after, left))]
            if self.budget.spent:
                break
        return np.sort(np.concatenate(found)) if found else left

    def _covered(self, after: States, places: Array) -> Array:
        """Whether a state that was reached covers each of these."""
        covered = np.zeros(len(places), bool)
        known = self._last[after.thing[places]]
        open_ = np.flatnonzero(known >= 0)
        reached = self.reached.part(0, len(self.reached))
        while len(open_) and not self.budget.spent:
            self.budget.count(len(open_))
            one = known[open_]
            covered[open_] = _covers(reached, one, after, places[open_])
            known[open_] = self.reached.same.view[one]
            open_ = open_[~covered[open_] & (known[open_] >= 0)]
        return covered

    def _close(self, steps: Steps) -> None:
        """Keeps the circles that steps back to a thing close."""
        back = np.flatnonzero(~steps.stay & (self._last[steps.after.thing] >= 0))
        things, before = self.reached.thing.view, self.reached.before.view
        at, wanted = steps.which[back], steps.after.thing[back]
        closes = np.zeros(len(back), bool)
        open_ = np.arange(len(back))
        while len(open_) and not self.budget.spent:
            self.budget.count(len(open_))
            closes[open_] = things[at[open_]] == wanted[open_]
            open_ = open_[~closes[open_] & (before[at[open_]] >= 0)]
            at[open_] = before[at[open_]]
        for place in np.flatnonzero(closes).tolist():
            self._keep_cycle(int(steps.which[back[place]]), int(at[place]))

    def _keep_cycle(self, here: int, first: int) -> None:
        if self.leaves_cycles:
            return
        way = [here]
        while way[-1] != first:
            way.append(int(self.reached.before.view[way[-1]]))
        cycle = tuple(self.reached.thing.view[way[::-1]].tolist())
        if cycle in self.cycles:
            return
        self._named += len(cycle)
        if len(self.cycles) >= CYCLES_MAX or self._named > FOUND_MAX:
            self.leaves_cycles = True
            return
        self.cycles[cycle] = None

    def _things(self) -> Array:
        """The things reached, each once, in order."""
        things = self.reached.thing.view
        if not (self.reached.same.view >= 0).any():
            return things
        return things[self.reached.same.view < 0]

    def _tell_ends(self) -> None:
        """Says why branches end; if not all that was said could be looked at, it says nothing."""
        things = np.concatenate(self._leaves) if self._leaves else self.beside
        _, first = np.unique(things, return_index=True)
        things = things[np.sort(first)]
        if self._forward:
            fates, events = self._view.last_said(things)
            whys = [Ending(fate or Ending.NOT_TOLD) for fate in fates]
        else:
            events = self._view.first_added(things)
            whys = [Ending.ORIGIN if event >= 0 else Ending.NOT_TOLD for event in events]
        if not self.budget.spent:
            self.ended = (things, whys, events)

    def _stand_beside(self) -> None:
        """What stood in a thing that carried it, while it did."""
        carries = np.flatnonzero(~self.reached.own.view)
        things = self.reached.thing.view[carries]
        _, back = np.unique(things, return_inverse=True)
        once = np.bincount(back)[back] == 1 if len(carries) else carries
        apart = carries[once]
        stays = self._view.stays(things[once], outward=False)
        low, high = self.reached.from_ns.view, self.reached.to_ns.view
        place = apart[stays.which]
        meet = (stays.from_ns < high[place]) & (low[place] < stays.to_ns)
        found = [stays.other[meet]]
        for number in np.flatnonzero(np.bincount(back) > 1).tolist() if len(carries) else ():
            found.append(self._beside_often(carries[back == number]))
            self.budget.spend(0)
        beside = np.concatenate(found)
        self.beside = np.unique(beside[self._last[beside] < 0])
        if self.budget.spent:
            raise Spent

    def _beside_often(self, carries: Array) -> Array:
        """What stood in a thing that carried it in several windows."""
        columns = (self.reached.from_ns.view[carries], self.reached.to_ns.view[carries])
        windows = joined(list(zip(*(each.tolist() for each in columns), strict=True)))
        low, high = (np.array(each) for each in zip(*windows, strict=True))
        stays = self._view.stays(self.reached.thing.view[carries[:1]], outward=False)
        place = high.searchsorted(stays.from_ns, side="right")
        meets = np.append(low, ALWAYS_NS)[place] < stays.to_ns
        return stays.other[meets & (place < len(low))]

    def _contradict(self, things: Array) -> None:
        """Takes down what contradicts itself, in order. Raises Spent past the bound."""
        stays = self._view.stays(things, outward=True)
        order = np.lexsort((stays.from_ns, stays.which))
        which, to_ns = stays.which[order], stays.to_ns[order]
        # If any two overlap, two that follow each other do.
        meet = (which[1:] == which[:-1]) & (stays.from_ns[order][1:] < to_ns[:-1])
        ends = np.searchsorted(which, which[:-1][meet], side="right")
        begins = np.searchsorted(which, which[:-1][meet])
        for begin, end in sorted(set(zip(begins.tolist(), ends.tolist(), strict=True))):
            self._contradict_one(int(things[which[begin]]), stays, order[begin:end])
        if self.budget.spent:
            raise Spent

    def _contradict_one(self, thing: int, stays: Stays, places: Array) -> None:
        """The pairs of stays of one thing in two parents at once."""
        name = self._index.things.label(thing)
        key = self._index.key
        edges = sorted(
            (
                Edge(
                    INSIDE,
                    name,
                    self._index.things.label(int(stays.other[place])),
                    int(stays.from_ns[place]),
                    int(stays.to_ns[place]),
                    key(int(stays.event[place])),
                    key(int(stays.end[place])),
                )
                for place in places
            ),
            key=lambda edge: (edge.from_ns, edge.target),
        )
        for number, one in enumerate(edges):
            for place in range(number + 1, len(edges)):
                other = edges[place]
                if other.from_ns >= one.to_ns:
                    break
                self.budget.spend()
                if one.target == other.target:
                    continue
                if len(self.contradictions) >= CONTRADICTIONS_MAX:
                    raise Spent
                self.contradictions.append((one, other))


def _covers(those: States, one: Array, these: States, other: Array) -> Array:
    """Whether states cover others, pair by pair."""
    inside = (those.from_ns[one] <= these.from_ns[other]) & (these.to_ns[other] <= those.to_ns[one])
    return inside & (those.own[one] | ~these.own[other])


def _chosen(steps: Steps, places: Array) -> Steps:
    """Some of the steps."""
    after = steps.after
    columns = (after.thing, after.from_ns, after.to_ns, after.own)
    return Steps(
        which=steps.which[places],
        after=States(*(column[places] for column in columns)),
        stay=steps.stay[places],
        event=steps.event[places],
        end=steps.end[places],
    )


def _moved(steps: Steps, begin: int) -> Steps:
    """Steps whose states are counted from the first of all."""
    return replace(steps, which=steps.which + begin)
