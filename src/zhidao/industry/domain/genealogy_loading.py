"""Building a genealogy from a store: pages of columns instead of events one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

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
    """What events name: each thing once a page, with as many mentions as `counts` has of it.

    counts: int64. roles: the first letter of each mention's role. digests: as above. by: the
    parties that say so, or the one that says all.
    """

    things: Sequence[str]
    counts: Array
    roles: bytes
    digests: Array
    by: Sequence[str]


# The number of each role, at its first letter.
_CODES: Final[Array] = np.zeros(256, np.uint8)
for _role, _code in ROLES.items():
    _CODES[ord(_role[0])] = _code
assert len({role[0] for role in ROLES}) == len(ROLES), "roles have letters of their own"

Said = SaidEvents | SaidThings


class Loading:
    """Fills an index that has nothing yet: all pages of events first, then those of things."""

    def __init__(self, index: Genealogy) -> None:
        assert not len(index.flags), "the index has events already"
        self._index = index
        # The beginnings of the digests of events, in order.
        self._heads: Array = np.zeros(0, np.uint64)
        self._ordered = False

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
        self._index.number_by_digest()
        self._heads = heads_of(self._index.digests.view)
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
        asked = heads_of(page.digests)
        places = np.minimum(heads.searchsorted(asked), len(heads) - 1)
        events = places.astype(np.int32)
        events[(index.digests.view[events] != page.digests).any(axis=1)] = -1
        # The same event of several parties has one digest.
        for row in np.flatnonzero(np.append(heads, 0)[places + 1] == asked).tolist():
            by = page.by[row % len(page.by)]
            events[row] = self._one_of(int(places[row]), page.digests[row].tobytes(), by)
        things = index.things.numbers(page.things).repeat(page.counts)
        roles = _CODES[np.frombuffer(page.roles, np.uint8)]
        known = events >= 0
        index.naming.append((events[known], roles[known], things[known]))

    def _one_of(self, place: int, digest: bytes, by: str) -> int:
        """The event of a party among those whose digests begin as one does, or -1."""
        begin = self._heads[place]
        while place < len(self._heads) and self._heads[place] == begin:
            if self._index.says(place, digest, by):
                return place
            place += 1
        return -1


def _right(index: Genealogy, told: str) -> int:
    by, _, readers = told.partition(",")
    return index.right(by, frozenset(readers.split(",") if readers else ()))
