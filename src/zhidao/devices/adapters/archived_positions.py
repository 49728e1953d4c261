"""Positions of days that are no longer in the database, read from their files."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from zhidao.core.timescale import Utc
from zhidao.store.day_files import days_of, read_day, read_manifest
from zhidao.store.families.partitions import day_of


class ArchivedPositions:
    """The files of one table in a folder; none are there where nothing was archived."""

    def __init__(self, folder: Path, table: str) -> None:
        self._folder = folder
        self._table = table

    async def between(
        self, terminal: int, first: Utc, end: Utc, *, received: Utc, without: Collection[date]
    ) -> list[Mapping[str, Any]]:
        """Rows of a terminal by its own time, of days of receipt from `received` on.

        without: days that were looked at already. Raises MalformedInput (`archive_damaged`),
        Refused (`no_pyarrow`).
        """
        days = [
            path
            for path in days_of(self._folder, self._table)
            if (day := date.fromisoformat(path.stem)) >= day_of(received) and day not in without
        ]
        if not days:
            return []
        asked = [
            *(("terminal_id", "==", terminal), ("observed_tai_ns", ">=", first.tai_ns)),
            ("observed_tai_ns", "<", end.tai_ns),
        ]
        return await asyncio.to_thread(_read, days, asked)


def _read(days: list[Path], asked: list[tuple[str, str, int]]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for path in days:
        rows = read_day(path, read_manifest(path), asked)
        found += [dict(zip(rows.dtype.names or (), row, strict=True)) for row in rows.tolist()]
    return found
