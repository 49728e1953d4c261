"""Names as whole numbers: each name once, the part before its last divider shared.

A million serials of one article hold the article's link once. Numbers are given in the order in
which names come and never change, so whoever kept one may ask for the name at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, TypeAlias

import numpy as np

# Shape (n,), or (n, 32) of digests; the dtype stands beside each name.
Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
NOBODY: Final = -1
_HASH_BITS: Final = 0xFFFF_FFFF
_MANY: Final = 1_000
# So many names are counted from one place: of 512 characters each, they stay below 2**16 bytes.
_BLOCK_BITS: Final = 5
# Half of a pair may stand in JSON; it comes out as it went in.
_AS_IS: Final = "surrogatepass"


@dataclass(frozen=True, slots=True)
class _Kept:
    """Names in order: where each one's own part begins in `text`, and which head it has.

    begins: uint16 or uint32, shape (n + 1,), counted from where its block of 32 names begins.
    blocks: uint32 or int64. heads: whole numbers, shape (n,), into `shared`.
    """

    text: bytes
    begins: Array
    blocks: Array
    heads: Array
    shared: tuple[str, ...]
    fresh: list[str]

    def label(self, number: int) -> str:
        sealed = len(self.heads)
        if number >= sealed:
            return self.fresh[number - sealed]
        own = self.text[self._begin(number) : self._begin(number + 1)]
        head: str = self.shared[self.heads[number]]
        return head + own.decode(errors=_AS_IS)

    def _begin(self, number: int) -> int:
        return int(self.blocks[number >> _BLOCK_BITS]) + int(self.begins[number])

    def places(self) -> Array:
        """Where each begins in the text, and where the last ends; int64."""
        blocks = self.blocks.astype(np.int64).repeat(1 << _BLOCK_BITS)
        return blocks[: len(self.begins)] + self.begins


class Names:
    """Names that were told, each under its number."""

    def __init__(self) -> None:
        empty = np.zeros(0, np.int32)
        first = (np.zeros(1, np.uint16), np.zeros(1, np.uint32))
        self._kept = _Kept(b"", *first, empty, (), [])
        self._fresh: dict[str, int] = {}
        # Of what is sealed: hashes in order, uint32, and whose they are, int32.
        self._hashes: Array = np.zeros(0, np.uint32)
        self._whose: Array = empty

    def __len__(self) -> int:
        return len(self._whose) + len(self._fresh)

    @property
    def fresh(self) -> int:
        """How many are not sealed yet."""
        return len(self._fresh)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays and of the text; what is fresh left out."""
        kept = self._kept
        arrays = (kept.begins, kept.blocks, kept.heads, self._hashes, self._whose)
        return len(kept.text) + sum(array.nbytes for array in arrays)

    def find(self, name: str) -> int:
        """The number of a name, or NOBODY."""
        number = self._fresh.get(name)
        return self._sealed(name) if number is None else number

    def numbers(self, names: Sequence[str]) -> Array:
        """The numbers of names, int32; a name that was not told before gets the next one."""
        fresh, kept = self._fresh, self._kept
        if len(self._whose) or len(names) < _MANY:
            found = [self._number(name) for name in names]
        else:
            found = [fresh.setdefault(name, len(fresh)) for name in names]
            new = kept.fresh
            for name, number in zip(names, found, strict=True):
                if number == len(new):
                    new.append(name)
        return np.array(found, np.int32)

    def label(self, number: int) -> str:
        """The name of a number."""
        return self._kept.label(number)

    def labels(self, numbers: Iterable[int]) -> list[str]:
        """The names of numbers."""
        kept = self._kept
        return [kept.label(number) for number in numbers]

    def seal(self) -> None:
        """Packs what is fresh."""
        old = self._kept
        heads, own = _split(old.fresh, shared := {head: n for n, head in enumerate(old.shared)})
        told = [part.encode(errors=_AS_IS) for part in own]
        ends = np.cumsum(np.fromiter(map(len, told), np.int64, len(told)), dtype=np.int64)
        text = b"".join(chain((old.text,), told))
        places = np.concatenate((old.places(), ends + len(old.text)))
        blocks = places[:: 1 << _BLOCK_BITS]
        begins = places - blocks.repeat(1 << _BLOCK_BITS)[: len(places)]
        hashes = np.fromiter((hash(name) & _HASH_BITS for name in old.fresh), np.uint32, len(own))
        hashes = np.concatenate((_unsorted(self._hashes, self._whose), hashes))
        whose = np.argsort(hashes, kind="stable").astype(np.int32)
        kept = _Kept(
            text=text,
            begins=begins.astype(np.uint16 if begins.max() < 2**16 else np.uint32),
            blocks=blocks.astype(np.uint32 if len(text) < 2**32 else np.int64),
            heads=np.concatenate((old.heads, heads)).astype(np.min_scalar_type(len(shared))),
            shared=tuple(shared),
            fresh=[],
        )
        # One by one: who asks for a label meanwhile has the old or the new, both of them whole.
        self._kept = kept
        self._hashes, self._whose, self._fresh = hashes[whose], whose, {}

    def _number(self, name: str) -> int:
        number = self.find(name)
        if number == NOBODY:
            number = self._fresh[name] = len(self)
            self._kept.fresh.append(name)
        return number

    def _sealed(self, name: str) -> int:
        if not len(self._hashes):
            return NOBODY
        told = np.uint32(hash(name) & _HASH_BITS)
        place = int(self._hashes.searchsorted(told))
        while place < len(self._hashes) and self._hashes[place] == told:
            number = int(self._whose[place])
            if self._kept.label(number) == name:
                return number
            place += 1
        return NOBODY


def _split(names: Sequence[str], shared: dict[str, int]) -> tuple[Array, list[str]]:
    """The head of each name as a number, and what is its own."""
    heads, own = [], []
    for name in names:
        head, divider, rest = name.rpartition("/" if "/" in name else ":")
        heads.append(shared.setdefault(head + divider, len(shared)))
        own.append(rest)
    return np.array(heads, np.int32), own


def _unsorted(hashes: Array, whose: Array) -> Array:
    """Hashes in the order of the names."""
    told = np.empty_like(hashes)
    told[whose] = hashes
    return told
