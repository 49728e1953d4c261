"""What was made of what and what stood inside what, when: an index over events, as arrays.

`becomes` leads from inputs through a transformation to its outputs, and from a lot to the serials
that were commissioned of it. `inside` holds from the event that packed a thing until the first
later one that unpacked it. Within one instant unpacking comes before packing.

Things and events are whole numbers. A transformation is kept as one node with its inputs and its
outputs, never as pairs of them: a thousand inputs of a thousand outputs are two thousand rows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from zhidao.core.timescale import Utc
from zhidao.industry.domain.epcis_event import EpcisEvent, Role
from zhidao.industry.domain.names import Array, Names
from zhidao.industry.domain.relations import Growing, Relation

# Instants as TAI nanoseconds; before and after all of them.
NEVER_NS: Final = -(2**62)
ALWAYS_NS: Final = 2**62
BECOMES: Final = "becomes"
INSIDE: Final = "inside"
# What is known of an event, in one byte: that it makes a thing known by adding it, that it stands,
# that it is a part of a named transformation, what it means for where a thing is, and its kind.
ADDED: Final = 1
_STANDS: Final = 2
_GROUPED: Final = 4
FATE_SHIFT: Final = 3
FATES: Final = ("here", "gone", "sold", "shipped")
_KIND_SHIFT: Final = 5
_OTHER, _OBJECT, _PACKS, _UNPACKS, _SEES_PACKED = range(5)
# Columns of relations. Of stays: child and parent, the event that packed and the one that unpacked.
CHILD, PARENT, PACKED, UNPACKED = range(4)
# Of unpackings, where no child means all of them.
FROM, WHAT, BY = range(3)
# Of nodes and their things, of groups and their nodes, of things and the events that only saw them.
THING, NODE = range(2)
ALL: Final = -1
# By which relations an event names a thing, and where in each the thing stands, and the event.
NAMINGS: Final = (
    ("seen", THING, NODE),
    ("inputs", THING, NODE),
    ("outputs", THING, NODE),
    ("stays", CHILD, PACKED),
    ("stays", PARENT, PACKED),
)
# A node is the event of its number; from here on, one of several lots of an event.
LOTS: Final = 2**30
ROLES: Final = {role: code for code, role in enumerate(Role)}
_EPC, _PARENT, _CHILD = ROLES[Role.EPC], ROLES[Role.PARENT], ROLES[Role.CHILD]
_INPUT, _OUTPUT, _LOT = ROLES[Role.INPUT], ROLES[Role.OUTPUT], ROLES[Role.LOT]
_DIGEST_BYTES: Final = 32
# Of so many rows each is looked at by itself before all are at once.
_LOOKED: Final = 8
# So many events or names lie in a dictionary before they are packed.
FRESH_MOST: Final = 20_000
# Where the hash stands in an event's name, in hexadecimal.
_HEX: Final = slice(14, 78)
_ANY: Final = 2**62


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


class Sees(Protocol):
    """What somebody may see."""

    def __call__(self, events: Array) -> Array:
        """Which of these events, by their numbers; bool of the same shape."""
        ...

    def one(self, event: int) -> bool:
        """Whether one event may be seen."""
        ...


class Sight:
    """What a party may see of what stands; None sees all of it. Holds until more is put in."""

    def __init__(
        self,
        flags: Array,
        rights: Array,
        readers: Sequence[tuple[str, frozenset[str]]],
        viewer: str | None,
    ) -> None:
        """readers: of each right who says so, and who may see it as well."""
        self._flags, self._rights, self._readers = flags, rights, readers
        self._viewer = viewer
        self._cells = (flags.data, rights.data)
        self._may: dict[int, bool] = {}

    def __call__(self, events: Array) -> Array:
        """Which of these events, by their numbers; bool of the same shape."""
        stands: Array = (self._flags[events] & _STANDS) != 0
        if self._viewer is None:
            return stands
        may = np.array([self._allows(right) for right in range(len(self._readers))], bool)
        seen: Array = stands & may[self._rights[events]]
        return seen

    def one(self, event: int) -> bool:
        """Whether one event may be seen."""
        flags, rights = self._cells
        if not flags[event] & _STANDS:
            return False
        return self._viewer is None or self._allows(rights[event])

    def _allows(self, right: int) -> bool:
        may = self._may.get(right)
        if may is None:
            by, readers = self._readers[right]
            may = self._may[right] = self._viewer == by or self._viewer in readers
        return may


class Genealogy:
    """An index over events; events are put in and taken out one by one, in any order."""

    def __init__(self) -> None:
        self.things = Names()
        self.at_ns = Growing(np.int64)
        self.flags = Growing(np.uint8)
        self.stays = Relation(4, keys=(CHILD, PARENT), searched=True)
        self.unpacked = Relation(3, keys=(FROM,))
        self.inputs = Relation(2, keys=(NODE, THING), searched=True)
        self.outputs = Relation(2, keys=(NODE, THING), searched=True)
        self.seen = Relation(2, keys=(THING,), searched=True)
        self.together = Relation(2, keys=(THING, NODE))
        self._lot_events = Growing(np.int32)
        self.digests = Growing(np.uint8, _DIGEST_BYTES)
        self.rights = Growing(np.uint8)
        self._parties: dict[tuple[str, frozenset[str]], int] = {}
        self._readers: list[tuple[str, frozenset[str]]] = []
        self.withdrawn: set[tuple[bytes, str]] = set()
        self._groups = Names()
        # So many of the first events stand in the order of their digests; the order of those behind
        # them, and those that came since.
        self._base = 0
        self._ordered: Array = np.zeros(0, np.int32)
        self._fresh: dict[tuple[bytes, str], int] = {}
        # What was put in and is not in order yet: events, roles and things; parts of one whole.
        self.naming: list[tuple[Array, Array, Array]] = []
        self.grouping: dict[int, str] = {}

    def __len__(self) -> int:
        return int(np.count_nonzero(self.flags.view & _STANDS))

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        related = (self.stays, self.unpacked, self.inputs, self.outputs, self.seen, self.together)
        growing = (self.at_ns, self.flags, self.digests, self.rights, self._lot_events)
        each = (*related, *growing, self.things, self._groups)
        return self._ordered.nbytes + sum(one.nbytes for one in each)

    @property
    def edges(self) -> int:
        """How many rows lead from thing to thing: stays, and things that came out of nodes."""
        return len(self.stays) + len(self.outputs)

    def put(self, event: EpcisEvent, readers: Iterable[str] = ()) -> None:
        """Takes an event in, for its party and more readers; an error declaration takes it out.

        The same again changes nothing but that more may see it. The hash leaves the declaration
        out, so it bears the name of the event that it withdraws, whichever of the two comes first;
        nobody withdraws what another party said.
        """
        if event.doubt:
            return
        digest = bytes.fromhex(event.name[_HEX])
        known = self.find(digest, event.by)
        if event.withdrawn:
            self.withdrawn.add((digest, event.by))
            self._drop(known)
        elif known >= 0:
            by, already = self._readers[self.rights.view[known]]
            self.rights.put(known, self.right(by, already.union(readers)))
        elif (digest, event.by) not in self.withdrawn:
            self._take_in(event, digest, readers)

    def _take_in(self, event: EpcisEvent, digest: bytes, readers: Iterable[str]) -> None:
        number = len(self.flags)
        flag = flag_of(event.kind, event.action, event.biz_step)
        right = self.right(event.by, frozenset(readers))
        self.digests.extend(np.frombuffer(digest, np.uint8)[None])
        self.at_ns.extend(np.array([event.at.tai_ns]))
        self.flags.extend(np.array([flag], np.uint8))
        self.rights.extend(np.array([right], np.int32))
        self._fresh[digest, event.by] = number
        if event.transformation:
            self.grouping[number] = event.transformation
        roles = np.array([ROLES[role] for role, _ in event.things], np.uint8)
        things = self.things.numbers([thing for _, thing in event.things])
        self.naming.append((np.full(len(things), number, np.int32), roles, things))

    def _drop(self, number: int) -> None:
        if number >= 0:
            self.flags.view[number] &= 0xFF & ~_STANDS

    def number_by_digest(self) -> None:
        """Numbers all events so far in the order of their digests, and withdraws what was.

        Nothing that bears their numbers has been taken in yet.
        """
        assert not self._base, "events are numbered anew once"
        self._order_events()
        order = self._ordered
        for column in (self.at_ns, self.flags, self.digests, self.rights):
            column.reorder(order)
        if self.grouping:
            place = np.empty(len(order), np.int32)
            place[order] = np.arange(len(order), dtype=np.int32)
            self.grouping = {int(place[event]): name for event, name in self.grouping.items()}
        self._base, self._ordered = len(order), order[:0].copy()
        for digest, by in self.withdrawn:
            self._drop(self.find(digest, by))

    def right(self, by: str, readers: frozenset[str]) -> int:
        """The number of a party and those who may see as well what it says."""
        told = (by, readers - {by})
        number = self._parties.setdefault(told, len(self._parties))
        if number == len(self._readers):
            self._readers.append(told)
        return number

    def find(self, digest: bytes, by: str) -> int:
        """The number of an event, or -1."""
        number = self._fresh.get((digest, by))
        if number is not None:
            return number
        digests = self.digests.view
        for ordered in (range(self._base), self._ordered):
            place = bisect_left(ordered, digest, key=lambda each: digests[each].tobytes())
            while place < len(ordered) and digests[ordered[place]].tobytes() == digest:
                if self.says(int(ordered[place]), digest, by):
                    return int(ordered[place])
                place += 1
        return -1

    def says(self, event: int, digest: bytes, by: str) -> bool:
        """Whether an event has a digest and is of a party."""
        told = self.digests.view[event].tobytes()
        return bool(told == digest and self._readers[self.rights.view[event]][0] == by)

    def settle(self) -> None:
        """Puts in order what was put in since; a walk needs it."""
        if not self.naming:
            return
        events, roles, things = (np.concatenate(each) for each in zip(*self.naming, strict=True))
        self.naming = []
        self._group()
        kinds = self.flags.view[events] >> _KIND_SHIFT
        touched = self._pack(events, roles, things, kinds)
        node = self._turn(events, roles, things, kinds) | (kinds == _PACKS)
        self.seen.add(things[~node], events[~node])
        for related in (self.stays, self.unpacked, self.inputs, self.outputs, self.seen):
            related.settle()
        self._end_stays(touched)
        if len(self._fresh) > FRESH_MOST:
            self._order_events()
        if self.things.fresh > FRESH_MOST:
            self.things.seal()

    def number(self, thing: str) -> int:
        """The number of a thing; one that no event names gets the next."""
        number = self.things.find(thing)
        if number < 0:
            number = int(self.things.numbers([thing])[0])
        return number

    def _order_events(self) -> None:
        digests = self.digests.view[self._base :]
        heads = heads_of(digests)
        order = np.argsort(heads, kind="stable").astype(np.int32)
        heads = heads[order]
        if (heads[1:] == heads[:-1]).any():
            told = sorted(order.tolist(), key=lambda each: digests[each].tobytes())
            order = np.array(told, np.int32)
        self._ordered, self._fresh = order + np.int32(self._base), {}

    def _group(self) -> None:
        """Adds the parts of named transformations."""
        if not self.grouping:
            return
        events = np.array(list(self.grouping), np.int32)
        groups = self._groups.numbers(list(self.grouping.values()))
        self.grouping = {}
        self.flags.view[events] |= _GROUPED
        self.together.add(groups, events)
        self.together.settle()

    def _pack(self, events: Array, roles: Array, things: Array, kinds: Array) -> Array:
        """Adds packings and unpackings; tells the parents of which something new was said."""
        if not len(events):
            return events
        first = int(events.min())
        parents = np.zeros(int(events.max()) - first + 1, np.int32)
        told = roles == _PARENT
        parents[events[told] - first] = things[told]
        packs = (kinds == _PACKS) & (roles == _CHILD)
        held = parents[events[packs] - first]
        self.stays.add(things[packs], held, events[packs], np.full(len(held), -1, np.int32))
        unpacks = kinds == _UNPACKS
        ones = unpacks & (roles == _CHILD)
        left = parents[events[ones] - first]
        self.unpacked.add(left, things[ones], events[ones])
        whole = np.setdiff1d(events[unpacks], events[ones])
        emptied = parents[whole - first]
        self.unpacked.add(emptied, np.full(len(whole), ALL, np.int32), whole)
        return np.unique(np.concatenate((held, left, emptied)))

    def _turn(self, events: Array, roles: Array, things: Array, kinds: Array) -> Array:
        """Adds nodes of transformations and of commissioned lots; true where a row is in one."""
        others = kinds == _OTHER
        ins, outs = others & (roles == _INPUT), others & (roles == _OUTPUT)
        self.inputs.add(things[ins], events[ins])
        self.outputs.add(things[outs], events[outs])
        inside: Array = ins | outs
        of_lots = np.unique(events[(roles == _LOT) & (kinds == _OBJECT)])
        rows = np.flatnonzero(np.isin(events, of_lots)) if len(of_lots) else of_lots
        rows = rows[np.argsort(events[rows], kind="stable")]
        for place in np.split(rows, np.flatnonzero(np.diff(events[rows])) + 1):
            if len(place):
                self._commission(int(events[place[0]]), roles[place], things[place])
                inside[place[roles[place] == _LOT]] = True
        return inside

    def _commission(self, event: int, roles: Array, things: Array) -> None:
        """Adds the lots of one event, each with the serials of its own article."""
        lots = things[roles == _LOT]
        serials: dict[str, list[int]] = {}
        numbers = things[roles == _EPC].tolist()
        for number, name in zip(numbers, self.things.labels(numbers), strict=True):
            article, is_serial, _ = name.partition("/21/")
            if is_serial:
                serials.setdefault(article, []).append(number)
        for lot, name in zip(lots.tolist(), self.things.labels(lots.tolist()), strict=True):
            node = event
            if len(lots) > 1:
                node = LOTS + len(self._lot_events)
                self._lot_events.extend(np.array([event], np.int32))
            made = np.array(serials.get(name.partition("/10/")[0], []), np.int32)
            self.inputs.add(np.array([lot], np.int32), np.array([node], np.int32))
            self.outputs.add(made, np.full(len(made), node, np.int32))

    def _end_stays(self, parents: Array) -> None:
        """Says anew when each stay in one of these parents ended."""
        _, ended = self.unpacked.rows(FROM, parents, most=_ANY)
        _, rows = self.stays.rows(PARENT, np.unique(self.unpacked.take(FROM, ended)), most=_ANY)
        stands = self.sight(None)(self.unpacked.take(BY, ended))
        self.stays.put(UNPACKED, rows, self.first_unpacked(rows, ended[stands]))

    def first_unpacked(self, rows: Array, ended: Array) -> Array:
        """The event that ended each stay, of these unpackings; -1 if none did."""
        at_ns = self.at_ns.view
        what, by = self.unpacked.take(WHAT, ended), self.unpacked.take(BY, ended)
        parent = self.stays.take(PARENT, rows).astype(np.int64) << 32
        since = at_ns[self.stays.take(PACKED, rows)] + 1
        parents = self.unpacked.take(FROM, ended).astype(np.int64) << 32
        whole = what == ALL
        told = []
        for keys, some, which in (
            (parent | self.stays.take(CHILD, rows), ~whole, parents | what),
            (parent, whole, parents),
        ):
            place = _next((keys, since), (which[some], at_ns[by[some]]))
            told.append(np.append(by[some], -1)[place])
        one, other = told
        first = (other >= 0) & ((one < 0) | (at_ns[other] < at_ns[one]))
        events: Array = np.where(first, other, one)
        return events

    def node_events(self, nodes: Array) -> Array:
        """The event of each node."""
        if not len(self._lot_events):
            return nodes
        told = nodes.copy()
        several = nodes >= LOTS
        told[several] = self._lot_events.view[nodes[several] - LOTS]
        return told

    def node_event(self, node: int) -> int:
        """The event of one node."""
        return node if node < LOTS else int(self._lot_events.view[node - LOTS])

    def grouped(self, events: Array) -> Array:
        """Whether each event is a part of a named transformation."""
        named: Array = (self.flags.view[events] & _GROUPED) != 0
        return named

    def is_grouped(self, event: int) -> bool:
        """Whether one event is a part of a named transformation."""
        return bool(self.flags.view[event] & _GROUPED)

    def sight(self, viewer: str | None) -> Sees:
        """What a party may see of what stands; None sees all of it."""
        return Sight(self.flags.view, self.rights.view, self._readers, viewer)

    def names(self, thing: str, sees: Sees) -> bool:
        """Whether an event that may be seen names a thing."""
        number = self.things.find(thing)
        if number < 0:
            return False
        for name, key, column in NAMINGS:
            relation: Relation = getattr(self, name)
            rows = relation.rows_of(key, number)
            for place in rows[:_LOOKED].tolist():
                if sees.one(self.node_event(relation.cell(column, place))):
                    return True
            if len(rows) > _LOOKED and sees(self.node_events(relation.take(column, rows))).any():
                return True
        return False

    def key(self, event: int) -> str:
        """Who says which event, as `EpcisEvent.key`; empty for -1."""
        if event < 0:
            return ""
        by, _ = self._readers[self.rights.view[event]]
        return f"{by} ni:///sha-256;{self.digests.view[event].tobytes().hex()}?ver=CBV2.0"


def _next(of: tuple[Array, Array], told: tuple[Array, Array]) -> Array:
    """The place of the first that is told of the same key and not before, or -1."""
    keys, at = (np.concatenate(each) for each in zip(of, told, strict=True))
    count, total = len(of[0]), len(keys)
    # What is asked stands before what is told at the same instant: the order is stable.
    order = np.lexsort((at, keys))
    places = np.where(order >= count, np.arange(total), total)
    following = np.append(np.minimum.accumulate(places[::-1])[::-1], total)[:total]
    found = np.append(order, total)[following]
    same = np.append(keys, -1)[found] == keys[order]
    answer = np.empty(total, np.int64)
    answer[order] = np.where((found < total) & same, found - count, -1)
    return answer[:count]


def heads_of(digests: Array) -> Array:
    """The first eight bytes of each digest as a whole number that sorts as they do."""
    return digests[:, :8].copy().view(">u8").ravel().astype(np.uint64)


def flag_of(kind: str, action: str, biz_step: str) -> int:
    """All that is kept of what an event is."""
    added = ADDED if kind == "ObjectEvent" and action == "ADD" else 0
    code = _kind(kind, action) << _KIND_SHIFT
    return added | _STANDS | FATES.index(_fate(kind, action, biz_step)) << FATE_SHIFT | code


def _kind(kind: str, action: str) -> int:
    if kind in ("AggregationEvent", "AssociationEvent"):
        return {"ADD": _PACKS, "DELETE": _UNPACKS}.get(action, _SEES_PACKED)
    return _OBJECT if kind == "ObjectEvent" else _OTHER


def _fate(kind: str, action: str, biz_step: str) -> str:
    """What the last that was said of a thing means for where it is."""
    if biz_step in ("destroying", "decommissioning", "killing"):
        return "gone"
    if kind == "ObjectEvent" and action == "DELETE":
        return "gone"
    if biz_step in ("retail_selling", "dispensing"):
        return "sold"
    if biz_step in ("shipping", "departing", "consigning"):
        return "shipped"
    return "here"


def instant(tai_ns: int) -> str:
    """An instant as text; empty before and after all of them."""
    return "" if tai_ns in (NEVER_NS, ALWAYS_NS) else str(Utc(tai_ns))
