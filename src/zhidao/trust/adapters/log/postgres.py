"""The log's storage in PostgreSQL: leaves, tiles and head in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from zhidao.core.errors import Conflict
from zhidao.store.database import Database, Session
from zhidao.trust.domain.merkle import Edge, Growth
from zhidao.trust.service.log.ports import StoredHead, TilePlace
from zhidao.trust.wire.log.tiles import TILE_WIDTH

_TAKE: Final = (
    "insert into trust.log_head as head (origin, size, edge, epoch) values (%s, 0, ''::bytea, 1)"
    " on conflict (origin) do update set epoch = head.epoch + 1 returning epoch"
)
_HEAD: Final = "select size, edge, epoch from trust.log_head where origin = %s"
_MOVE: Final = (
    "update trust.log_head set size = %(size)s, edge = %(edge)s"
    " where origin = %(origin)s and epoch = %(epoch)s and size = %(before)s"
)
_TILES: Final = (
    "insert into trust.log_tile as old (origin, level, tile, hashes)"
    " select %(origin)s, level, tile, hashes"
    " from unnest(%(levels)s::smallint[], %(tiles)s::bigint[], %(hashes)s::bytea[])"
    " as new (level, tile, hashes)"
    " on conflict (origin, level, tile) do update set hashes = old.hashes || excluded.hashes"
)
_ENTRIES: Final = (
    "select entry from trust.log_leaf where origin = %s and leaf_index >= %s and leaf_index < %s"
    " order by leaf_index"
)
_TILES_OF: Final = (
    "select level, tile, hashes from trust.log_tile"
    " join unnest(%s::smallint[], %s::bigint[]) as asked (level, tile) using (level, tile)"
    " where origin = %s"
)
_NEWEST: Final = (
    "select size, edge, epoch, (select note from trust.log_checkpoint as kept"
    " where kept.origin = head.origin order by kept.size desc limit 1) as note"
    " from trust.log_head as head where origin = %s"
)
_KEEP: Final = (
    "insert into trust.log_checkpoint (origin, size, note) values (%s, %s, %s)"
    " on conflict (origin, size) do nothing returning note"
)
_KEPT: Final = "select note from trust.log_checkpoint where origin = %s and size = %s"
_CHECKPOINT: Final = (
    "select note from trust.log_checkpoint where origin = %s order by size desc limit 1"
)


class PostgresLogStore:
    """Implements `LogStore`; a transaction is a `store` Session, the caller's own if he likes."""

    def __init__(self, database: Database, origin: str) -> None:
        self._database = database
        self._origin = origin

    def transaction(self) -> AbstractAsyncContextManager[object]:
        """A session of the database."""
        return self._database.session()

    async def take(self) -> int:
        """Raises the epoch of the head's row, making the row if there is none.

        Raises Unavailable (`lease_lost`) in a process whose lease is over.
        """
        async with self._database.session() as session:
            # A process that was late must not take the log from the one that came after it.
            await session.check_fence()
            row = await session.fetch_one(_TAKE, (self._origin,))
        assert row is not None, "an upsert returns its row"
        return int(row["epoch"])

    async def lock(self, transaction: object) -> StoredHead:
        """The head's row, locked for this transaction."""
        locked = _HEAD + " for update"
        return _head(await _session(transaction).fetch_all(locked, (self._origin,)))

    async def extend(
        self, transaction: object, *, epoch: int, growth: Growth, leaves: Sequence[bytes]
    ) -> None:
        """Moves the head under the epoch, then copies leaves and continues tiles."""
        session = _session(transaction)
        first, after = growth.before.size, growth.after
        moved = await session.execute(
            _MOVE,
            {
                "origin": self._origin,
                "epoch": epoch,
                "before": first,
                "size": after.size,
                "edge": after.encode(),
            },
        )
        if moved != 1:
            raise Conflict("another writer has taken the log", code="lease_lost")
        rows = ((self._origin, first + at, entry) for at, entry in enumerate(leaves))
        await session.copy("trust.log_leaf", ("origin", "leaf_index", "entry"), rows)
        pieces = list(_pieces(growth))
        await session.execute(
            _TILES,
            {
                "origin": self._origin,
                "levels": [level for level, _, _ in pieces],
                "tiles": [tile for _, tile, _ in pieces],
                "hashes": [hashes for _, _, hashes in pieces],
            },
        )

    async def head(self) -> StoredHead:
        """The newest committed head."""
        return _head(await self._database.read(_HEAD, (self._origin,)))

    async def newest(self) -> tuple[StoredHead, bytes | None]:
        """The newest committed head and the newest signed note, in one query."""
        rows = await self._database.read(_NEWEST, (self._origin,))
        note = rows[0]["note"] if rows else None
        return _head(rows), bytes(note) if note is not None else None

    async def entries(self, first: int, count: int) -> tuple[bytes, ...]:
        """Committed leaves, in order."""
        rows = await self._database.read(_ENTRIES, (self._origin, first, first + count))
        return tuple(bytes(row["entry"]) for row in rows)

    async def tiles(self, names: Sequence[TilePlace]) -> tuple[bytes, ...]:
        """The committed hashes of tiles so far, in one query."""
        levels, indexes = [level for level, _ in names], [index for _, index in names]
        rows = await self._database.read(_TILES_OF, (levels, indexes, self._origin))
        found = {(row["level"], row["tile"]): bytes(row["hashes"]) for row in rows}
        return tuple(found.get(name, b"") for name in names)

    async def keep_checkpoint(self, size: int, note: bytes) -> bytes:
        """Keeps the first note of a size."""
        async with self._database.session() as session:
            row = await session.fetch_one(_KEEP, (self._origin, size, note))
            if row is None:
                row = await session.fetch_one(_KEPT, (self._origin, size))
        assert row is not None, "the note was inserted or stood before"
        return bytes(row["note"])

    async def checkpoint(self) -> bytes | None:
        """The note of the largest size, or None."""
        rows = await self._database.read(_CHECKPOINT, (self._origin,))
        return bytes(rows[0]["note"]) if rows else None


def _head(rows: Sequence[Mapping[str, Any]]) -> StoredHead:
    """The head of its row, or that of an empty log where there is none."""
    if not rows:
        return StoredHead(Edge(), 0)
    size, edge, epoch = (rows[0][name] for name in ("size", "edge", "epoch"))
    return StoredHead(Edge.decode(int(size), bytes(edge)), int(epoch))


def _session(transaction: object) -> Session:
    assert isinstance(transaction, Session), "the log is written inside a session of the store"
    return transaction


def _pieces(growth: Growth) -> Iterator[tuple[int, int, bytes]]:
    """What each tile gains: (level, tile, hashes)."""
    for level, hashes in enumerate(growth.tiles):
        at = growth.first(level)
        taken = 0
        while taken < len(hashes):
            room = TILE_WIDTH - at % TILE_WIDTH
            piece = hashes[taken : taken + room]
            yield level, at // TILE_WIDTH, b"".join(piece)
            at += len(piece)
            taken += len(piece)
