"""Hashes over ranges of leaves out of tiles, wherever those come from."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from zhidao.trust.domain.merkle import (
    HASH_BYTES,
    TILE_BITS,
    Node,
    Range,
    cover,
    fold,
    parents,
    span,
)
from zhidao.trust.service.log.ports import TilePlace

# 16 KiB each with inner hashes: proofs over half a million leaves stay in memory.
_TILES_KEPT: Final = 2048


class TileHashes:
    """Reads tiles by `fetch(places)` (all hashes that there are of each) and keeps the newest.

    What one proof lacks is asked for at once; the upper tiles stay, since every proof uses them.
    """

    def __init__(self, fetch: Callable[[Sequence[TilePlace]], Awaitable[Sequence[bytes]]]) -> None:
        self._fetch = fetch
        self._tiles: OrderedDict[TilePlace, tuple[bytes, ...]] = OrderedDict()

    async def over(self, ranges: Sequence[Range]) -> tuple[bytes, ...]:
        """The hash over each range. Raises KeyError if a tile lacks what a range needs."""
        plan = [cover(leaves) for leaves in ranges]
        found = await self.nodes([node for nodes in plan for node in nodes])
        hashes = iter(found)
        return tuple(fold([next(hashes) for _ in nodes]) for nodes in plan)

    async def spanning(self, leaves: Range) -> tuple[bytes, ...]:
        """The hashes of `merkle.span` over a range."""
        return await self.nodes(span(leaves))

    async def nodes(self, nodes: Sequence[Node]) -> tuple[bytes, ...]:
        """The hash of each perfect subtree. Raises KeyError if there is no such."""
        places = [_place(node) for node in nodes]
        # Held here too: while we wait for the rest, others may push these out of memory.
        tiles: dict[TilePlace, tuple[bytes, ...]] = {}
        lacking: dict[TilePlace, None] = {}
        for key, inner, at in places:
            levels = self._tiles.get(key)
            # A tile at the right edge may have been read when it was narrower.
            if levels is None or len(levels[inner]) < (at + 1) * HASH_BYTES:
                lacking[key] = None
            else:
                tiles[key] = levels
                self._tiles.move_to_end(key)
        if lacking:
            tiles |= await self._read(list(lacking))
        return tuple(_hash_at(tiles[key], inner, at) for key, inner, at in places)

    async def _read(self, keys: Sequence[TilePlace]) -> dict[TilePlace, tuple[bytes, ...]]:
        fetched = await self._fetch(keys)
        read = {key: _inner_levels(hashes) for key, hashes in zip(keys, fetched, strict=True)}
        for key, levels in read.items():
            self._tiles[key] = levels
            self._tiles.move_to_end(key)
        while len(self._tiles) > _TILES_KEPT:
            self._tiles.popitem(last=False)
        return read


def _hash_at(levels: tuple[bytes, ...], inner: int, at: int) -> bytes:
    found = levels[inner][at * HASH_BYTES : (at + 1) * HASH_BYTES]
    if len(found) != HASH_BYTES:
        raise KeyError((inner, at))
    return found


def _place(node: Node) -> tuple[TilePlace, int, int]:
    """Where a tree node stands: its tile, the level inside the tile, the place on that level."""
    level, index = node
    inner = level % TILE_BITS
    per_tile_bits = TILE_BITS - inner
    tile = index >> per_tile_bits
    return (level // TILE_BITS, tile), inner, index & ((1 << per_tile_bits) - 1)


def _inner_levels(hashes: bytes) -> tuple[bytes, ...]:
    """The hashes of a tile and of the perfect subtrees inside it, level by level."""
    levels = [hashes]
    for _ in range(TILE_BITS - 1):
        levels.append(parents(levels[-1]))
    return tuple(levels)
