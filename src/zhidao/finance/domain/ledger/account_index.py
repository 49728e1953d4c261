"""Where accounts stand, asked for a whole column of names at once.

An open table of places beside the dictionary that knows for certain: a batch of eight thousand
transfers names sixteen thousand accounts, and asking a dictionary for each costs more than all
else that is done with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zhidao.finance.domain.ledger.records import Name

_FIRST: Final = 256
_ROOM: Final = 4
"""Places of the table for each account: then most names are found at the first look."""
_LOOKS_MAX: Final = 8
"""Names that collide so often were chosen to; they are looked up one by one."""
# Odd multipliers of splitmix64 (Steele, Lea, Flood 2014: not checked).
_MIX: Final = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_SHIFT: Final = np.uint64(29)


class AccountIndex:
    """The places of names, numbered from 0 in the order in which they were added."""

    def __init__(self) -> None:
        self._count = 0
        self._names: NDArray[np.uint64] = np.zeros((_FIRST, 2), np.uint64)
        self._table: NDArray[np.int32] = np.full(_FIRST * _ROOM, -1, np.int32)
        self._waiting: list[Name] = []

    def add(self, name: Name) -> None:
        """Gives the next place to a name that has none."""
        self._waiting.append(name)

    def find(self, names: NDArray[np.uint64], known: Mapping[Name, int]) -> NDArray[np.int64]:
        """The place of each name, shape (n,); -1 for one that has none.

        `names`: shape (n, 2), the halves of each name, the low one first. `known`: the same
        places by name.
        """
        self._take_in()
        at = self._begin(names)
        found, hit = self._look(at, names)
        places = np.where(hit, found, -1).astype(np.int64)
        left = np.flatnonzero((found >= 0) & ~hit)
        at = at[left]
        # The first look finds most; only the rest is copied out for another.
        for _ in range(_LOOKS_MAX - 1):
            if not len(left):
                return places
            at = (at + 1) & (len(self._table) - 1)
            found, hit = self._look(at, names[left])
            places[left[hit]] = found[hit]
            other = (found >= 0) & ~hit
            left, at = left[other], at[other]
        for place in left.tolist():
            places[place] = known.get(names[place].tobytes(), -1)
        return places

    def _look(
        self, at: NDArray[np.int64], names: NDArray[np.uint64]
    ) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """What stands at places of the table, and whether it is what was asked for."""
        found = self._table[at]
        here = self._names[found]
        hit = (here[:, 0] == names[:, 0]) & (here[:, 1] == names[:, 1]) & (found >= 0)
        return found, hit

    def _begin(self, names: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Where the search for each begins."""
        mixed = (names[:, 0] ^ (names[:, 1] * _MIX[1])) * _MIX[0]
        mixed ^= mixed >> _SHIFT
        return (mixed & np.uint64(len(self._table) - 1)).astype(np.int64)

    def _take_in(self) -> None:
        """Puts the names into the table that were added since it was last looked at."""
        if not self._waiting:
            return
        first, self._count = self._count, self._count + len(self._waiting)
        fresh = np.frombuffer(b"".join(self._waiting), "<u8").reshape(-1, 2)
        self._waiting.clear()
        grown = self._count > len(self._names)
        if grown:
            names = np.zeros((1 << (self._count - 1).bit_length(), 2), np.uint64)
            names[:first] = self._names[:first]
            self._names = names
            self._table = np.full(len(names) * _ROOM, -1, np.int32)
        self._names[first : self._count] = fresh
        places = np.arange(0 if grown else first, self._count, dtype=np.int32)
        at = self._begin(self._names[places])
        while len(places):
            free = self._table[at] < 0
            self._table[at[free]] = places[free]
            # Of several that wanted one place the last has it; the others look further.
            other = self._table[at] != places
            places, at = places[other], (at[other] + 1) & (len(self._table) - 1)
