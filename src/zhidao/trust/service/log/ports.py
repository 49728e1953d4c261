"""What the log asks of the world: durable leaves and tiles, and a copy of its newest head."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from zhidao.trust.domain.merkle import Edge, Growth

TilePlace: TypeAlias = tuple[int, int]
"""A tile's level and its index on that level (C2SP tlog-tiles)."""


@dataclass(frozen=True, slots=True)
class StoredHead:
    """The committed head of the log, and the epoch of whoever may write to it."""

    edge: Edge
    epoch: int


class LogStore(Protocol):
    """Leaves, tiles, head and checkpoints of one log."""

    def transaction(self) -> AbstractAsyncContextManager[object]:
        """A transaction of this storage: committed when the block ends, undone if it raises."""
        ...

    async def take(self) -> int:
        """Becomes the only writer: raises the lease row's epoch, commits, and returns it."""
        ...

    async def lock(self, transaction: object) -> StoredHead:
        """The head, locked until the transaction ends."""
        ...

    async def extend(
        self, transaction: object, *, epoch: int, growth: Growth, leaves: Sequence[bytes]
    ) -> None:
        """Writes leaves, tile hashes and head.

        Raises Conflict (`lease_lost`) if another writer has taken the log, or the head moved.
        """
        ...

    async def head(self) -> StoredHead:
        """The newest committed head."""
        ...

    async def newest(self) -> tuple[StoredHead, bytes | None]:
        """The newest committed head and the newest signed note, read at one time."""
        ...

    async def entries(self, first: int, count: int) -> tuple[bytes, ...]:
        """Committed leaves `first` to `first + count - 1`, as far as there are any."""
        ...

    async def tiles(self, names: Sequence[TilePlace]) -> tuple[bytes, ...]:
        """The committed hashes of tiles so far, one after another; empty if there are none.

        Asked for together, they cost one round trip together.
        """
        ...

    async def keep_checkpoint(self, size: int, note: bytes) -> bytes:
        """Keeps the signed note of a size, and returns the one that was kept first."""
        ...

    async def checkpoint(self) -> bytes | None:
        """The newest signed note, or None."""
        ...


class Succession(Protocol):
    """Which logs are held, and how one goes on under another key."""

    async def edge(self, origin: str) -> Edge:
        """The committed head of a log; an empty one if there is no such log."""
        ...

    async def carry_over(self, *, former: str, new: str) -> Edge:
        """Copies leaves, tiles and head; again: no change. Returns the head of the new log.

        Raises Conflict if the new log holds something else.
        """
        ...


class HeadCopy(Protocol):
    """A copy of the newest checkpoint outside the database, so that a restore is noticed."""

    async def newest(self) -> bytes | None:
        """The signed note last kept, or None."""
        ...

    async def keep(self, note: bytes) -> None:
        """Replaces the copy; durable when it returns."""
        ...
