"""Cosigned notes of this node's log, in memory and in PostgreSQL."""

from __future__ import annotations

from typing import Final

from zhidao.store.database import Database

_KEEP: Final = (
    "insert into trust.cosigned_checkpoint (origin, size, note) values (%s, %s, %s)"
    " on conflict (origin, size) do update set note = excluded.note"
)
_NEWEST: Final = (
    "select note from trust.cosigned_checkpoint where origin = %s order by size desc limit 1"
)


class MemoryCosignedNotes:
    """Implements `CosignedNotes`."""

    def __init__(self) -> None:
        self._notes: dict[int, bytes] = {}

    async def keep(self, size: int, note: bytes) -> None:
        """Replaces the note of a size."""
        self._notes[size] = note

    async def newest(self) -> bytes | None:
        """The note of the largest size."""
        return self._notes[max(self._notes)] if self._notes else None


class PostgresCosignedNotes:
    """Implements `CosignedNotes`."""

    def __init__(self, database: Database, origin: str) -> None:
        self._database = database
        self._origin = origin

    async def keep(self, size: int, note: bytes) -> None:
        """Replaces the note of a size."""
        async with self._database.session() as session:
            await session.execute(_KEEP, (self._origin, size, note))

    async def newest(self) -> bytes | None:
        """The note of the largest size."""
        async with self._database.session() as session:
            row = await session.fetch_one(_NEWEST, (self._origin,))
        return bytes(row["note"]) if row else None
