"""Building a genealogy from a store: pages of columns instead of events one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zhidao.industry.domain.epcis_event import Role
from zhidao.industry.domain.genealogy import ROLES, Genealogy, flag_of, heads_of
from zhidao.industry.domain.names import Array


@dataclass(frozen=True, slots=True)
class SaidEvents:
    """Events as columns, all of one length.

    digests: uint8, shape (n, 32). at_ns: int64. words: kind, action and business step of each with
    blanks between, and a last word `-` where it is an error declaration. parties: who says so and
    who else may see it, with commas between. What counts for nothing in a trace is not among them.
    """

    digests: Array
    at_ns: Array
    words: Sequence[str]
    parties: Sequence[str]
    transformations: Sequence[str]


@dataclass(frozen=True, slots=True)
class SaidThings:
    """What events name, as columns of one length; digests as above, `by` the party that says so."""

    things: Sequence[str]
    roles: Sequence[str]
    digests: Array
    by: Sequence[str]


Said = SaidEvents | SaidThings


class Loading:
    """Fills an index that has nothing yet: all pages of events first, then those of things."""

    def __init__(self, index: Genealogy) -> None:
        assert not len(index.flags), "the index has events already"
        self._index = index
        # Events in the order of their digests, and the beginnings of these.
        self._order_of: Array = np.zeros(0, np.int32)
        self._heads: Array = np.zeros(0, np.uint64)
        self._ordered = self._doubled = False

    def take(self, page: Said) -> None:
        """Takes in a page. Of an event that was not told nothing is taken."""
        if isinstance(page, SaidEvents):
            assert not self._ordered, "events come before things"
            self._take_events(page)
            return
        if not self._ordered:
            self._order()
        self._take_things(page)

    def done(self) -> None:
        """Puts everything in order."""
        if not self._ordered:
            self._order()
        self._index.settle()
        self._index.things.seal()

    def _order(self) -> None:
        self._order_of = self._index.ordered()
        heads = self._heads = heads_of(self._index.digests.view)[self._order_of]
        self._doubled = bool((heads[1:] == heads[:-1]).any())
        self._ordered = True

    def _take_events(self, page: SaidEvents) -> None:
        index = self._index
        flags = {word: flag_of(*word.split(" ")[:3]) for word in set(page.words)}
        gone = np.array([word.endswith(" -") for word in page.words], bool)
        for place in np.flatnonzero(gone).tolist():
            by = page.parties[place].partition(",")[0]
            index.withdrawn.add((page.digests[place].tobytes(), by))
        rights = {told: _right(index, told) for told in set(page.parties)}
        stands, first = ~gone, len(index.flags)
        index.digests.extend(page.digests[stands])
        index.at_ns.extend(page.at_ns[stands])
        index.flags.extend(np.array([flags[word] for word in page.words], np.uint8)[stands])
        index.rights.extend(np.array([rights[each] for each in page.parties], np.int32)[stands])
        self._group(page.transformations, first + np.cumsum(stands) - 1, stands)

    def _group(self, names: Sequence[str], numbers: Array, stands: Array) -> None:
        """Notes which events are parts of named transformations."""
        if not any(names):
            return
        for name, number, stand in zip(names, numbers.tolist(), stands.tolist(), strict=True):
            if name and stand:
                self._index.grouping[number] = name

    def _take_things(self, page: SaidThings) -> None:
        index, heads = self._index, self._heads
        if not len(heads) or not page.things:
            return
        if self._doubled:
            keys = zip(page.digests, page.by, strict=True)
            events = np.array([index.find(each.tobytes(), by) for each, by in keys], np.int32)
        else:
            wanted = heads.searchsorted(heads_of(page.digests))
            events = self._order_of[np.minimum(wanted, len(heads) - 1)].copy()
            events[(index.digests.view[events] != page.digests).any(axis=1)] = -1
        things = index.things.numbers(page.things)
        codes = {role: ROLES[Role(role)] for role in set(page.roles)}
        roles = np.array([codes[role] for role in page.roles], np.uint8)
        known = events >= 0
        index.naming.append((events[known], roles[known], things[known]))


def _right(index: Genealogy, told: str) -> int:
    by, _, readers = told.partition(",")
    return index.right(by, frozenset(readers.split(",") if readers else ()))
