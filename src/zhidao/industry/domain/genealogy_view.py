"""What one asker sees of a genealogy: the steps from many things at once, each row a look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from zhidao.industry.domain.genealogy import (
    ADDED,
    ALWAYS_NS,
    BY,
    CHILD,
    FATE_SHIFT,
    FATES,
    FROM,
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
from zhidao.industry.domain.relations import NOTHING, Relation
from zhidao.industry.domain.walk_budget import Budget


@dataclass(frozen=True, slots=True)
class States:
    """Things during windows of time, as columns: int64, and `own` bool. See `domain.trace`."""

    thing: Array
    from_ns: Array
    to_ns: Array
    own: Array


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps from states: from which, by its place, to which, and the events that say so.

    stay: whether it is one of being inside, bool; `event` and `end` as of an `Edge`, -1 for none.
    """

    which: Array
    after: States
    stay: Array
    event: Array
    end: Array


@dataclass(frozen=True, slots=True)
class Stays:
    """Stays that were looked up by things: of which, by its place, with whom, and how long."""

    which: Array
    other: Array
    event: Array
    end: Array
    from_ns: Array
    to_ns: Array


_NEITHER: Final[Array] = np.zeros(0, bool)
_NO_STAYS: Final = Stays(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING)
_NO_STEPS: Final = Steps(
    NOTHING, States(NOTHING, NOTHING, NOTHING, _NEITHER), _NEITHER, NOTHING, NOTHING
)


class View:
    """A genealogy as one asker sees it. A row more than the budget has makes it spent."""

    def __init__(self, index: Genealogy, sees: Sees, budget: Budget) -> None:
        self._index, self._sees, self._budget = index, sees, budget
        self._at_ns = index.at_ns.view

    def rows(self, relation: Relation, key: int, values: Array) -> tuple[Array, Array]:
        """As of the relation, each row a look."""
        which, rows = relation.rows(key, values, most=max(self._budget.left + 1, 0))
        self._budget.count(len(rows))
        return which, rows

    def stays(self, things: Array, *, outward: bool) -> Stays:
        """Where things were, or what was in them, and from when to when."""
        relation = self._index.stays
        key, far = (CHILD, PARENT) if outward else (PARENT, CHILD)
        which, rows = self.rows(relation, key, things)
        if not len(rows):
            return _NO_STAYS
        event = relation.take(PACKED, rows)
        seen = self._sees(event)
        which, rows, event = which[seen], rows[seen], event[seen]
        end = self._ends(rows)
        to_ns = np.where(end < 0, ALWAYS_NS, self._at_ns[end])
        return Stays(which, relation.take(far, rows), event, end, self._at_ns[event], to_ns)

    def _ends(self, rows: Array) -> Array:
        """The event that ended each stay, of those that may be seen."""
        relation, unpacked = self._index.stays, self._index.unpacked
        end = relation.take(UNPACKED, rows)
        hidden = (end >= 0) & ~self._sees(end)
        if hidden.any():
            parents = np.unique(relation.take(PARENT, rows[hidden]))
            _, ended = self.rows(unpacked, FROM, parents)
            ended = ended[self._sees(unpacked.take(BY, ended))]
            end = end.copy()
            end[hidden] = self._index.first_unpacked(rows[hidden], ended)
        return end

    def onward(self, here: States, *, forward: bool) -> Steps:
        """All steps from states, in the order of the states."""
        turned = self._turned(here, forward=forward)
        stays = self.stays(here.thing, outward=forward)
        from_ns = np.maximum(here.from_ns[stays.which], stays.from_ns)
        to_ns = np.minimum(here.to_ns[stays.which], stays.to_ns)
        meet = from_ns < to_ns
        if not len(turned.which) and not meet.any():
            return _NO_STEPS
        which = np.concatenate((turned.which, stays.which[meet]))
        order = np.argsort(which, kind="stable")
        still = np.zeros(int(np.count_nonzero(meet)), bool)

        def both(one: Array, other: Array) -> Array:
            return np.concatenate((one, other))[order]

        return Steps(
            which=which[order],
            after=States(
                both(turned.after.thing, stays.other[meet]),
                both(turned.after.from_ns, from_ns[meet]),
                both(turned.after.to_ns, to_ns[meet]),
                both(turned.after.own, still),
            ),
            stay=both(turned.stay, ~still),
            event=both(turned.event, stays.event[meet]),
            end=both(turned.end, stays.end[meet]),
        )

    def _turned(self, here: States, *, forward: bool) -> Steps:
        """Steps through transformations. Parts of one have the same results: told of its first."""
        index = self._index
        near, far = (index.inputs, index.outputs) if forward else (index.outputs, index.inputs)
        which, rows = self.rows(near, THING, here.thing)
        if not len(rows):
            return _NO_STEPS
        node = near.take(NODE, rows)
        event = index.node_events(node)
        at_ns = self._at_ns[event]
        counts = self._sees(event)
        if forward:
            # What carries the thing counts as it only while it does.
            counts &= here.from_ns[which] <= at_ns
            counts &= here.own[which] | (at_ns < here.to_ns[which])
        else:
            counts &= at_ns < here.to_ns[which]
        which, event, parts = self._parts(which[counts], event[counts], node[counts])
        place, rows = self.rows(far, NODE, parts)
        said = index.node_events(parts)[place]
        which, event, thing = which[place], event[place], far.take(THING, rows)
        from_ns = self._at_ns[said]
        own = np.ones(len(thing), bool)
        to_ns = np.full(len(thing), ALWAYS_NS) if forward else from_ns + 1
        events = (event, said) if forward else (said, event)
        return Steps(which, States(thing, from_ns, to_ns, own), ~own, *events)

    def _parts(self, which: Array, event: Array, node: Array) -> tuple[Array, Array, Array]:
        """The nodes that are one with those found, each once of a state."""
        index = self._index
        named = index.grouped(event)
        if not named.any():
            return which, event, node
        group = np.full(len(which), -1, np.int64)
        _, rows = index.together.rows(NODE, event[named], most=len(event))
        group[named] = index.together.take(THING, rows)
        _, first = np.unique(which << 32 | group & 0xFFFF_FFFF, return_index=True)
        kept = ~named
        kept[first] = True
        which, event, node, group = which[kept], event[kept], node[kept], group[kept]
        several = np.flatnonzero(group >= 0)
        place, rows = self.rows(index.together, THING, group[several])
        place = several[place]
        parts = index.together.take(NODE, rows)
        seen = self._sees(parts)
        place, parts = place[seen], parts[seen]
        alone = np.flatnonzero(group < 0)
        order = np.argsort(np.concatenate((place, alone)), kind="stable")
        place = np.concatenate((place, alone))[order]
        return which[place], event[place], np.concatenate((parts, node[alone]))[order]

    def said(self, things: Array) -> tuple[Array, Array]:
        """The events that name things: of which thing, by its place, and the event."""
        index = self._index
        found = []
        for name, key, column in NAMINGS:
            relation: Relation = getattr(index, name)
            which, rows = self.rows(relation, key, things)
            if not len(rows):
                continue
            event = relation.take(column, rows)
            found.append((which, index.node_events(event)))
        if not found:
            return NOTHING, NOTHING
        which, event = (np.concatenate(each) for each in zip(*found, strict=True))
        seen = self._sees(event)
        return which[seen], event[seen]

    def last_said(self, things: Array) -> tuple[list[str], Array]:
        """What the last that was said of each thing means for where it is, and which event."""
        event = self._chosen(things, *self.said(things), last=True)
        known = event[event >= 0]
        fates = iter((self._index.flags.view[known] >> FATE_SHIFT & 3).tolist())
        told = [FATES[next(fates)] if one >= 0 else "" for one in event.tolist()]
        return told, event

    def first_added(self, things: Array) -> Array:
        """The first event that made each thing known, -1 for none."""
        which, event = self.said(things)
        added = (self._index.flags.view[event] & ADDED) != 0
        return self._chosen(things, which[added], event[added], last=False)

    def _chosen(self, things: Array, which: Array, event: Array, *, last: bool) -> Array:
        """The last or first of the events of each thing; those of one instant by their keys."""
        order = np.lexsort((self._at_ns[event], which))
        if last:
            order = order[::-1]
        which, event = which[order], event[order]
        at_ns = self._at_ns[event]
        chosen = np.full(len(things), -1, np.int64)
        begins = np.flatnonzero(np.append(True, which[1:] != which[:-1])[: len(which)])
        chosen[which[begins]] = event[begins]
        alike = np.flatnonzero((which[1:] == which[:-1]) & (at_ns[1:] == at_ns[:-1])) + 1
        for place in alike.tolist():
            best = int(chosen[which[place]])
            if self._at_ns[best] == at_ns[place] and event[place] != best:
                pick = max if last else min
                chosen[which[place]] = pick(best, int(event[place]), key=self._index.key)
        return chosen
