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
    node_hash,
    span,
)
from zhidao.trust.wire.tiles import TILE_WIDTH

# 16 KiB each with inner hashes: proofs over half a million leaves stay in memory.
_TILES_KEPT: Final = 2048


class TileHashes:
    """Reads tiles by `fetch(level, index)` (all hashes that there are) and keeps the newest."""

    def __init__(self, fetch: Callable[[int, int], Awaitable[bytes]]) -> None:
        self._fetch = fetch
        self._tiles: OrderedDict[tuple[int, int], tuple[bytes, ...]] = OrderedDict()

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
        try:
            return tuple(self._known(node) for node in nodes)
        except KeyError:
            await self._read(nodes)
        return tuple(self._known(node) for node in nodes)

    def _known(self, node: Node) -> bytes:
        """A node out of the tiles in memory; KeyError if its tile is not there or too narrow."""
        key, inner, at = _place(node)
        levels = self._tiles[key]
        found = levels[inner][at * HASH_BYTES : (at + 1) * HASH_BYTES]
        if len(found) != HASH_BYTES:
            raise KeyError(key)
        self._tiles.move_to_end(key)
        return found

    async def _read(self, nodes: Sequence[Node]) -> None:
        needed = dict.fromkeys(_place(node)[0] for node in nodes)
        for key in needed:
            full = self._tiles.get(key)
            if full is None or len(full[0]) < TILE_WIDTH * HASH_BYTES:
                self._tiles[key] = _inner_levels(await self._fetch(*key))
                self._tiles.move_to_end(key)
        # The tiles of one proof always stay, however small the cache.
        while len(self._tiles) > max(_TILES_KEPT, len(needed)):
            self._tiles.popitem(last=False)


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
