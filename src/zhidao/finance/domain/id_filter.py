"""Which ids were surely never used: a filter in memory that spares asking the table.

Every id for ever must be known, or a late repeat would move money twice; ten million ids as Python
objects take a gigabyte. The filter takes four bytes an id. It never says "new" of a used id; of a
new one it says "perhaps used" about once in 40,000, and then the table is asked.
Source: Bloom 1970 with blocks of one word (Putze, Sanders, Singler 2007: not checked).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zhidao.core.errors import MalformedInput

_FIRST: Final = 1 << 14
_BITS_AN_ID: Final = 32
# Odd multipliers of splitmix64 (Steele, Lea, Flood 2014: not checked).
_MIX: Final = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


class IdFilter:
    """Generations of bits, each twice as large as the one before it."""

    def __init__(self, generations: Sequence[tuple[NDArray[np.uint64], int]] = ()) -> None:
        self._generations = [words for words, _ in generations]
        self._counts = [count for _, count in generations]

    def perhaps(self, names: NDArray[np.void]) -> NDArray[np.bool_]:
        """Of names, shape (n,) of V16: where one may have been added before."""
        found = np.zeros(len(names), np.bool_)
        if not self._generations:
            return found
        first, second, mask = _marks(names)
        for words in self._generations:
            size = np.uint64(len(words) - 1)
            found |= ((words[first & size] & mask) == mask) & (
                (words[second & size] & mask) == mask
            )
        return found

    def add(self, names: NDArray[np.void]) -> None:
        """Adds names, shape (n,) of V16."""
        if not len(names):
            return
        if not self._generations or self._counts[-1] + len(names) > self._room:
            ids = max(_FIRST, 2 * self._room, 1 << (len(names) - 1).bit_length())
            self._generations.append(np.zeros(ids * _BITS_AN_ID // 64, np.uint64))
            self._counts.append(0)
        first, second, mask = _marks(names)
        words = self._generations[-1]
        size = np.uint64(len(words) - 1)
        np.bitwise_or.at(words, first & size, mask)
        np.bitwise_or.at(words, second & size, mask)
        self._counts[-1] += len(names)

    @property
    def _room(self) -> int:
        return len(self._generations[-1]) * 64 // _BITS_AN_ID if self._generations else 0

    def dump(self) -> list[tuple[bytes, int]]:
        """Each generation's bits and how many ids it holds."""
        pairs = zip(self._generations, self._counts, strict=True)
        return [(words.astype("<u8").tobytes(), count) for words, count in pairs]

    @classmethod
    def load(cls, dumped: Sequence[tuple[bytes, int]]) -> IdFilter:
        """A filter as it was dumped. Raises MalformedInput for another size."""
        generations = []
        for data, count in dumped:
            if len(data) < 8 or len(data) & (len(data) - 1):
                raise MalformedInput(f"{len(data)} bytes are no generation of a filter of ids")
            generations.append((np.frombuffer(data, "<u8").astype(np.uint64), count))
        return cls(generations)


def _marks(
    names: NDArray[np.void],
) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64]]:
    """Two words and a pattern of up to eight bits for each name."""
    halves = np.ascontiguousarray(names).view("<u8").reshape(len(names), 2)
    mixed = halves[:, 0] ^ (halves[:, 1] * _MIX[1])
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX[0]
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX[1]
    mixed ^= mixed >> np.uint64(31)
    other = mixed * _MIX[0]
    other ^= other >> np.uint64(29)
    one, six = np.uint64(1), np.uint64(63)
    mask = np.zeros(len(names), np.uint64)
    for shift in (0, 6, 12, 18, 24):
        mask |= one << ((other >> np.uint64(shift)) & six)
    return mixed & np.uint64(0xFFFFFFFF), mixed >> np.uint64(32), mask
