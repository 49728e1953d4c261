"""Which ids were surely never used: a filter in memory that spares asking the table.

Every id for ever must be known, or a late repeat would move money twice; ten million ids as Python
objects take a gigabyte. The filter takes four bytes an id. It never says "new" of a used id; of a
new one it says "perhaps used" less than once in 100,000, and then the table is asked.
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
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_HALF: Final = np.uint64(32)


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
        marks = _marks(names)
        for words in self._generations:
            size = np.uint64(len(words) - 1)
            here = np.ones(len(names), np.bool_)
            for place, mask in marks:
                here &= (words[place & size] & mask) == mask
            found |= here
        return found

    def add(self, names: NDArray[np.void]) -> None:
        """Adds names, shape (n,) of V16."""
        if not len(names):
            return
        if not self._generations or self._counts[-1] + len(names) > self._room:
            ids = max(_FIRST, 2 * self._room, 1 << (len(names) - 1).bit_length())
            self._generations.append(np.zeros(ids * _BITS_AN_ID // 64, np.uint64))
            self._counts.append(0)
        words = self._generations[-1]
        size = np.uint64(len(words) - 1)
        for place, mask in _marks(names):
            np.bitwise_or.at(words, place & size, mask)
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


def _marks(names: NDArray[np.void]) -> list[tuple[NDArray[np.uint64], NDArray[np.uint64]]]:
    """Four words for each name, and the two bits that it sets in each."""
    halves = np.ascontiguousarray(names).view("<u8").reshape(len(names), 2)
    first = _mixed(halves[:, 0] ^ (halves[:, 1] * _MIX[1]))
    second = _mixed(first + _STEP)
    bits = _mixed(second + _STEP)
    one, six, low = np.uint64(1), np.uint64(63), np.uint64(0xFFFFFFFF)
    marks = []
    for turn, half in enumerate((first & low, first >> _HALF, second & low, second >> _HALF)):
        shift = np.uint64(12 * turn)
        mask = one << ((bits >> shift) & six)
        mask |= one << ((bits >> (shift + np.uint64(6))) & six)
        marks.append((half, mask))
    return marks


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    values = (values ^ (values >> np.uint64(30))) * _MIX[0]
    values = (values ^ (values >> np.uint64(27))) * _MIX[1]
    return values ^ (values >> np.uint64(31))
