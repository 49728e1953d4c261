"""The log's storage in this process: for unit tests and simulation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from zhidao.core.errors import Conflict
from zhidao.trust.domain.merkle import HASH_BYTES, Edge, Growth
from zhidao.trust.service.log.ports import StoredHead, TilePlace
from zhidao.trust.wire.log.tiles import TILE_WIDTH

_TILE_BYTES = TILE_WIDTH * HASH_BYTES


@dataclass(slots=True)
class MemoryTransaction:
    """Writes that wait for the end of their block."""

    edge: Edge
    writes: list[tuple[Growth, tuple[bytes, ...]]] = field(default_factory=list)


class MemoryLogStore:
    """Implements `LogStore`. One transaction at a time, as with a locked row."""

    def __init__(self) -> None:
        self._edge = Edge()
        self._epoch = 0
        self._leaves: list[bytes] = []
        self._levels: list[bytearray] = []
        self._checkpoints: dict[int, bytes] = {}

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[object]:
        """A transaction; its writes appear when the block ends without an exception."""
        pending = MemoryTransaction(self._edge)
        yield pending
        if pending.writes and pending.writes[0][0].before != self._edge:
            raise Conflict("another writer extended the log", code="lease_lost")
        for growth, leaves in pending.writes:
            self._apply(growth, leaves)

    def _apply(self, growth: Growth, leaves: Sequence[bytes]) -> None:
        self._leaves.extend(leaves)
        while len(self._levels) < len(growth.tiles):
            self._levels.append(bytearray())
        for level, hashes in enumerate(growth.tiles):
            self._levels[level] += b"".join(hashes)
        self._edge = growth.after

    async def take(self) -> int:
        """Raises the epoch."""
        self._epoch += 1
        return self._epoch

    async def lock(self, transaction: object) -> StoredHead:
        """The head as the transaction sees it."""
        assert isinstance(transaction, MemoryTransaction)
        return StoredHead(transaction.edge, self._epoch)

    async def extend(
        self, transaction: object, *, epoch: int, growth: Growth, leaves: Sequence[bytes]
    ) -> None:
        """Notes the writes; see the port."""
        assert isinstance(transaction, MemoryTransaction)
        if epoch != self._epoch or growth.before != transaction.edge:
            raise Conflict("another writer has taken the log", code="lease_lost")
        transaction.writes.append((growth, tuple(leaves)))
        transaction.edge = growth.after

    async def head(self) -> StoredHead:
        """The newest committed head."""
        return StoredHead(self._edge, self._epoch)

    async def newest(self) -> tuple[StoredHead, bytes | None]:
        """The newest committed head and the newest signed note."""
        return await self.head(), await self.checkpoint()

    async def entries(self, first: int, count: int) -> tuple[bytes, ...]:
        """Committed leaves."""
        return tuple(self._leaves[first : first + count])

    async def tiles(self, names: Sequence[TilePlace]) -> tuple[bytes, ...]:
        """The committed hashes of tiles so far."""
        return tuple(self._tile(level, index) for level, index in names)

    def _tile(self, level: int, index: int) -> bytes:
        if level >= len(self._levels):
            return b""
        return bytes(self._levels[level][index * _TILE_BYTES : (index + 1) * _TILE_BYTES])

    async def keep_checkpoint(self, size: int, note: bytes) -> bytes:
        """Keeps the first note of a size."""
        return self._checkpoints.setdefault(size, note)

    async def checkpoint(self) -> bytes | None:
        """The note of the largest size, or None."""
        return self._checkpoints[max(self._checkpoints)] if self._checkpoints else None


class MemoryHeadCopy:
    """Implements `HeadCopy`."""

    def __init__(self) -> None:
        self._note: bytes | None = None

    async def newest(self) -> bytes | None:
        """The note last kept."""
        return self._note

    async def keep(self, note: bytes) -> None:
        """Replaces it."""
        self._note = note
