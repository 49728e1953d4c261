"""Reading the log: leaves, tiles and proofs for any committed size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zhidao.core.errors import NotFound, Refused
from zhidao.trust.domain.merkle import (
    HASH_BYTES,
    Node,
    Range,
    consistency_ranges,
    inclusion_ranges,
    subtree_ranges,
)
from zhidao.trust.domain.note import Checkpoint
from zhidao.trust.service.log.ports import LogStore
from zhidao.trust.service.log.tile_hashes import TileHashes
from zhidao.trust.wire.log.note import decode_note, parse_checkpoint
from zhidao.trust.wire.log.tiles import TILE_WIDTH, TileName, encode_bundle, width_at


@dataclass(frozen=True, slots=True)
class LeafProof:
    """A leaf and its path to the root of a signed checkpoint (the note's bytes)."""

    index: int
    leaf: bytes
    size: int
    inclusion: tuple[bytes, ...]
    checkpoint: bytes


class LogReader:
    """Answers from committed state only; safe beside a writer."""

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self._tiles = TileHashes(store.tiles)
        # The largest size known to be committed; a log never shrinks.
        self._size = 0

    async def size(self) -> int:
        """How many leaves are committed."""
        return (await self._store.head()).edge.size

    async def checkpoint(self) -> bytes:
        """The newest signed checkpoint. Raises NotFound before the first."""
        note = await self._store.checkpoint()
        if note is None:
            raise NotFound("the log has signed no checkpoint yet", remedy="ask again in a second")
        return note

    async def leaf(self, index: int) -> bytes:
        """The public entry of an index. Raises NotFound."""
        found = await self._store.entries(index, 1) if index >= 0 else ()
        if not found:
            raise NotFound(f"the log has no leaf {index}")
        return found[0]

    async def entries(self, first: int, count: int) -> tuple[bytes, ...]:
        """Committed leaves `first` to `first + count - 1`, as far as there are any."""
        return await self._store.entries(first, count)

    async def proof(self, index: int) -> LeafProof:
        """The leaf with its inclusion in the newest checkpoint. Raises NotFound."""
        # The signed size, not the committed one: a proof to a root that nobody signed is worth
        # nothing.
        note = await self.checkpoint()
        size = parse_checkpoint(decode_note(note).text).size
        if not 0 <= index < size:
            raise NotFound(f"the newest checkpoint covers no leaf {index}")
        path = await self.inclusion(index, size)
        return LeafProof(index, await self.leaf(index), size, path, note)

    async def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """The inclusion proof of a leaf in the tree of `size` leaves; raises Refused."""
        return await self._hashes(inclusion_ranges(index, size), size)

    async def consistency(self, first: int, second: int) -> tuple[bytes, ...]:
        """The proof that the tree of `first` leaves begins that of `second`; raises Refused."""
        return await self._hashes(consistency_ranges(first, second), second)

    async def subtree(self, leaves: Range, size: int) -> tuple[bytes, ...]:
        """The proof that the subtree over a range is part of the tree of `size`; raises Refused."""
        return await self._hashes(subtree_ranges(leaves, size), size)

    async def spanning(self, leaves: Range) -> tuple[bytes, ...]:
        """The subtrees side by side over a range (`merkle.span`); raises Refused."""
        await self._hashes([], leaves[1])
        return await self._tiles.spanning(leaves)

    async def nodes(self, nodes: Sequence[Node]) -> tuple[bytes, ...]:
        """The hashes of perfect subtrees. Raises KeyError if the log does not reach so far."""
        return await self._tiles.nodes(nodes)

    async def root(self, size: int) -> bytes:
        """The root that the tree had, or has, at a size."""
        return (await self._hashes([(0, size)], size))[0]

    async def tile(self, name: TileName) -> bytes:
        """A tile or bundle of exactly the named width. Raises NotFound."""
        # Tiles are immutable for their readers' caches: none is shown before a signed head needs
        # it.
        signed = parse_checkpoint(decode_note(await self.checkpoint()).text).size
        if name.width > width_at(level=name.level or 0, index=name.index, size=signed):
            raise NotFound(f"the newest checkpoint needs no tile {name.path}")
        if name.level is None:
            entries = await self._store.entries(name.index * TILE_WIDTH, name.width)
            return encode_bundle(entries)
        [hashes] = await self._store.tiles([(name.level, name.index)])
        # The stored tile may have grown meanwhile; its beginning is what the smaller one was.
        return hashes[: name.width * HASH_BYTES]

    async def _hashes(self, ranges: Sequence[Range], size: int) -> tuple[bytes, ...]:
        """The hash over each range of leaves in a tree of `size`."""
        # A log only grows, so that a size once seen never has to be asked for again.
        if size > self._size:
            self._size = await self.size()
            if size > self._size:
                raise Refused(f"the log has {self._size} leaves, not {size}", code="out_of_range")
        return await self._tiles.over(ranges)


def checkpoint_of(note: bytes) -> Checkpoint:
    """The checkpoint inside a signed note's bytes; signatures are not looked at."""
    return parse_checkpoint(decode_note(note).text)
