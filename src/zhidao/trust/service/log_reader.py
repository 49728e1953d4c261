"""Reading the log: leaves, tiles and proofs for any committed size."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import NotFound, Refused
from zhidao.trust.domain.merkle import (
    HASH_BYTES,
    TILE_BITS,
    Node,
    Range,
    consistency_ranges,
    cover,
    fold,
    inclusion_ranges,
    node_hash,
)
from zhidao.trust.domain.note import Checkpoint
from zhidao.trust.service.log_ports import LogStore
from zhidao.trust.wire.note import decode_note, parse_checkpoint
from zhidao.trust.wire.tiles import TILE_WIDTH, TileName, encode_bundle, width_at

# 16 KiB each with inner hashes: proofs over half a million leaves stay in memory.
_TILES_KEPT: Final = 2048


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
        self._tiles: OrderedDict[tuple[int, int], tuple[bytes, ...]] = OrderedDict()

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

    async def proof(self, index: int) -> LeafProof:
        """The leaf with its inclusion in the newest checkpoint. Raises NotFound."""
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

    async def root(self, size: int) -> bytes:
        """The root that the tree had, or has, at a size."""
        return (await self._hashes([(0, size)], size))[0]

    async def tile(self, name: TileName) -> bytes:
        """A tile or bundle of exactly the named width. Raises NotFound."""
        signed = parse_checkpoint(decode_note(await self.checkpoint()).text).size
        if name.width > width_at(level=name.level or 0, index=name.index, size=signed):
            raise NotFound(f"the newest checkpoint needs no tile {name.path}")
        if name.level is None:
            entries = await self._store.entries(name.index * TILE_WIDTH, name.width)
            return encode_bundle(entries)
        hashes = await self._store.tile(name.level, name.index)
        return hashes[: name.width * HASH_BYTES]

    async def _hashes(self, ranges: Sequence[Range], size: int) -> tuple[bytes, ...]:
        """The hash over each range of leaves in a tree of `size`."""
        plan = [cover(leaves) for leaves in ranges]
        try:
            return tuple(fold([self._known(node) for node in nodes]) for nodes in plan)
        except KeyError:
            await self._fetch([node for nodes in plan for node in nodes], size)
        return tuple(fold([self._known(node) for node in nodes]) for nodes in plan)

    def _known(self, node: Node) -> bytes:
        """A node out of the tiles in memory; KeyError if its tile is not there or too narrow."""
        key, inner, at = _place(node)
        levels = self._tiles[key]
        found = levels[inner][at * HASH_BYTES : (at + 1) * HASH_BYTES]
        if len(found) != HASH_BYTES:
            raise KeyError(key)
        self._tiles.move_to_end(key)
        return found

    async def _fetch(self, nodes: Sequence[Node], size: int) -> None:
        head = await self.size()
        if size > head:
            raise Refused(f"the log has {head} leaves, not {size}", code="out_of_range")
        needed = dict.fromkeys(_place(node)[0] for node in nodes)
        for key in needed:
            full = self._tiles.get(key)
            if full is None or len(full[0]) < TILE_WIDTH * HASH_BYTES:
                self._tiles[key] = _inner_levels(await self._store.tile(*key))
                self._tiles.move_to_end(key)
        # The tiles of one proof always stay, however small the cache.
        while len(self._tiles) > max(_TILES_KEPT, len(needed)):
            self._tiles.popitem(last=False)


def checkpoint_of(note: bytes) -> Checkpoint:
    """The checkpoint inside a signed note's bytes; signatures are not looked at."""
    return parse_checkpoint(decode_note(note).text)


def _place(node: Node) -> tuple[tuple[int, int], int, int]:
    """Where a tree node stands: its tile, the level inside the tile, the place on that level."""
    level, index = node
    inner = level % TILE_BITS
    per_tile_bits = TILE_BITS - inner
    tile = index >> per_tile_bits
    return (level // TILE_BITS, tile), inner, index & ((1 << per_tile_bits) - 1)


def _inner_levels(hashes: bytes) -> tuple[bytes, ...]:
    """The hashes of a tile and of the perfect subtrees inside it, level by level."""
    levels = [hashes]
    step = 2 * HASH_BYTES
    for _ in range(TILE_BITS - 1):
        below = levels[-1]
        pairs = range(0, len(below) - step + 1, step)
        levels.append(
            b"".join(
                node_hash(below[at : at + HASH_BYTES], below[at + HASH_BYTES : at + step])
                for at in pairs
            )
        )
    return tuple(levels)
