"""The walk of one thing that few others lead to: the same answer, one row after the other.

Columns are worth their while for thousands of things; a serial in its case, on its pallet, in its
container is found before the first of them is set up. Whatever is not plain is left to
`domain.walk`: many rows, named transformations, circles, contradictions, unpackings out of sight.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from zhidao.industry.domain.genealogy import (
    ADDED,
    ALWAYS_NS,
    CHILD,
    FATE_SHIFT,
    FATES,
    NAMINGS,
    NODE,
    PACKED,
    PARENT,
    THING,
    UNPACKED,
    Genealogy,
    Sees,
)
from zhidao.industry.domain.names import Array
from zhidao.industry.domain.relations import Growing, Relation
from zhidao.industry.domain.trace import Ending, Reached, Walked

# What is more than this is found sooner by columns.
STATES_MOST: Final = 48
ROWS_MOST: Final = 512


class _NotPlain(Exception):
    """It is for the other walk."""


@dataclass(frozen=True, slots=True)
class _State:
    """A state, the place of the one before it, and what says so: see `domain.trace.Reached`."""

    thing: int
    from_ns: int
    to_ns: int
    own: bool
    before: int
    stay: bool
    event: int
    end: int


@dataclass(frozen=True, slots=True)
class _Stay:
    other: int
    from_ns: int
    to_ns: int
    event: int
    end: int


def short_walk(
    index: Genealogy, thing: int, window: tuple[int, int], *, forward: bool, sees: Sees
) -> Walked | None:
    """What a walk from a thing in a window finds, or None where it is not plain."""
    walk = _ShortWalk(index, sees, forward=forward)
    try:
        return walk.found(_State(thing, *window, True, -1, False, -1, -1))
    except _NotPlain:
        return None


class _ShortWalk:
    def __init__(self, index: Genealogy, sees: Sees, *, forward: bool) -> None:
        self._index, self._sees, self._forward = index, sees.one, forward
        self._at_ns = index.at_ns.view.data
        self._states: list[_State] = []
        self._windows: dict[int, list[_State]] = {}
        self._leaves: dict[int, None] = {}
        self._looks = 0

    def found(self, start: _State) -> Walked:
        self._take(start)
        place = 0
        while place < len(self._states):
            self._go_on(place)
            place += 1
        ends = self._ends()
        beside = self._beside() if self._forward else np.zeros(0, np.int64)
        for thing in self._windows:
            self._refuse_contradictions(thing)
        return Walked(self._reached(), beside, ends, (), (), cut_short=False, looks=self._looks)

    def _rows(self, relation: Relation, key: int, value: int) -> Array:
        self._looks += relation.count_of(key, value)
        if self._looks > ROWS_MOST:
            raise _NotPlain
        return relation.rows_of(key, value)

    def _take(self, state: _State) -> None:
        if len(self._states) == STATES_MOST:
            raise _NotPlain
        self._states.append(state)
        self._windows.setdefault(state.thing, []).append(state)

    def _go_on(self, place: int) -> None:
        here = self._states[place]
        leads = self._turn(here, place)
        for stay in self._stays(here.thing, outward=self._forward):
            from_ns, to_ns = max(here.from_ns, stay.from_ns), min(here.to_ns, stay.to_ns)
            if from_ns >= to_ns:
                continue
            leads = True
            after = _State(stay.other, from_ns, to_ns, False, place, True, stay.event, stay.end)
            if not any(_covers(known, after) for known in self._windows.get(stay.other, ())):
                self._take(after)
        if not leads:
            self._leaves[here.thing] = None

    def _turn(self, here: _State, place: int) -> bool:
        """Takes the steps through transformations; whether there are any."""
        index, leads = self._index, False
        near, far = (
            (index.inputs, index.outputs) if self._forward else (index.outputs, index.inputs)
        )
        for row in self._rows(near, THING, here.thing).tolist():
            node = near.cell(NODE, row)
            event = index.node_event(node)
            if not self._sees(event) or not self._counts(here, self._at_ns[event]):
                continue
            if index.is_grouped(event):
                raise _NotPlain
            at_ns = self._at_ns[event]
            to_ns = ALWAYS_NS if self._forward else at_ns + 1
            for other in self._rows(far, NODE, node).tolist():
                leads = True
                thing = far.cell(THING, other)
                if thing in self._windows:
                    raise _NotPlain
                self._take(_State(thing, at_ns, to_ns, True, place, False, event, event))
        return leads

    def _counts(self, here: _State, at_ns: int) -> bool:
        """Whether a transformation at an instant is one of what a state is."""
        if self._forward:
            return here.from_ns <= at_ns and (here.own or at_ns < here.to_ns)
        return at_ns < here.to_ns

    def _stays(self, thing: int, *, outward: bool) -> list[_Stay]:
        relation = self._index.stays
        key, far = (CHILD, PARENT) if outward else (PARENT, CHILD)
        found = []
        for row in self._rows(relation, key, thing).tolist():
            event = relation.cell(PACKED, row)
            if self._sees(event):
                end = relation.cell(UNPACKED, row)
                low, high = self._at_ns[event], self._end_ns(end)
                found.append(_Stay(relation.cell(far, row), low, high, event, end))
        return found

    def _end_ns(self, end: int) -> int:
        if end < 0:
            return ALWAYS_NS
        if not self._sees(end):
            raise _NotPlain
        return self._at_ns[end]

    def _ends(self) -> tuple[Array, list[Ending], Array]:
        told = [self._end(thing) for thing in self._leaves]
        events = np.array([event for _, event in told], np.int64)
        return np.array(list(self._leaves), np.int64), [why for why, _ in told], events

    def _end(self, thing: int) -> tuple[Ending, int]:
        flags = self._index.flags.view
        events = self._said(thing)
        if not self._forward:
            events = [event for event in events if flags[event] & ADDED]
        if not events:
            return Ending.NOT_TOLD, -1
        event = self._chosen(events)
        if not self._forward:
            return Ending.ORIGIN, event
        return Ending(FATES[int(flags[event]) >> FATE_SHIFT & 3]), event

    def _chosen(self, events: list[int]) -> int:
        """The last of events, or backward the first; of one instant by their keys."""
        pick = max if self._forward else min
        at_ns = pick(self._at_ns[event] for event in events)
        last = {event for event in events if self._at_ns[event] == at_ns}
        return last.pop() if len(last) == 1 else pick(last, key=self._index.key)

    def _said(self, thing: int) -> list[int]:
        index, found = self._index, []
        for name, key, column in NAMINGS:
            relation: Relation = getattr(index, name)
            for row in self._rows(relation, key, thing).tolist():
                event = index.node_event(relation.cell(column, row))
                if self._sees(event):
                    found.append(event)
        return found

    def _beside(self) -> Array:
        found: set[int] = set()
        for state in self._states:
            if not state.own:
                found.update(self._beside_one(state))
        return np.array(sorted(found - self._windows.keys()), np.int64)

    def _beside_one(self, state: _State) -> list[int]:
        """What stood in a thing while it carried: mostly all that one event packed."""
        relation = self._index.stays
        rows = self._rows(relation, PARENT, state.thing)
        said = list(
            zip(
                relation.take(PACKED, rows).tolist(),
                relation.take(UNPACKED, rows).tolist(),
                strict=True,
            )
        )
        meets = {each: self._meets(state, *each) for each in set(said)}
        children = relation.take(CHILD, rows).tolist()
        return [child for child, each in zip(children, said, strict=True) if meets[each]]

    def _meets(self, state: _State, event: int, end: int) -> bool:
        if not self._sees(event):
            return False
        to_ns = self._end_ns(end)
        return self._at_ns[event] < state.to_ns and state.from_ns < to_ns

    def _refuse_contradictions(self, thing: int) -> None:
        stays = sorted((each.from_ns, each.to_ns) for each in self._stays(thing, outward=True))
        for (_, to_ns), (from_ns, _) in pairwise(stays):
            if from_ns < to_ns:
                raise _NotPlain

    def _reached(self) -> Reached:
        reached = Reached()
        for name in ("thing", "from_ns", "to_ns", "before", "event", "end"):
            column = np.array([getattr(state, name) for state in self._states], np.int64)
            setattr(reached, name, Growing.of(column))
        for name in ("own", "stay"):
            column = np.array([getattr(state, name) for state in self._states], bool)
            setattr(reached, name, Growing.of(column))
        return reached


def _covers(one: _State, other: _State) -> bool:
    inside = one.from_ns <= other.from_ns and other.to_ns <= one.to_ns
    return inside and (one.own or not other.own)
