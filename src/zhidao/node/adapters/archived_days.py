"""Archived days: of the database into files, and what the log says of them."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from psycopg import sql as composing

from zhidao.core.errors import Conflict
from zhidao.core.journal import Journal, Scribe
from zhidao.node.events import DayArchived
from zhidao.store.database import Database, Session
from zhidao.store.day_files import DayFile, DayManifest, check_day, write_day
from zhidao.store.families import Family
from zhidao.store.families.partitions import days_in, start_of

_LOCK_MS: Final = 900
_LOGGED: Final = (
    "select leaf_index from node.outbox where aggregate = %s and version = %s"
    " and leaf_index is not null"
)


class ArchivedDays:
    """Implements `node.operations.retention.Days` for a table of numbers."""

    def __init__(
        self, database: Database, family: Family, dtype: np.dtype[Any], folder: Path
    ) -> None:
        self._database = database
        self._family = family
        self._dtype = dtype
        self._folder = folder

    async def before(self, day: date) -> list[date]:
        """See the port."""
        async with self._database.session() as session:
            filling = await session.fetch_one(
                "select part from devices.position_fill where not done"
            )
            days = await days_in(session, self._family.table)
        return [] if filling else [each for each in days if each < day]

    async def archived(self, day: date) -> DayManifest | None:
        """See the port."""
        file = self._file(day)
        if not file.manifest.exists():
            return None
        return await asyncio.to_thread(check_day, file.manifest)

    async def write(self, day: date) -> DayManifest:
        """See the port."""
        rows = await self._rows(day)
        order = (self._family.key, *(n for n in self._dtype.names or () if n != self._family.key))
        return await asyncio.to_thread(write_day, self._file(day), rows, order)

    async def drop(self, day: date, rows: int | None) -> None:
        """See the port. Writers to this one day wait while it is counted; nobody else does."""
        table, name = self._family.table, f"{self._family.table}_{day:%Y%m%d}"

        async def work(session: Session) -> None:
            await session.script(
                f"set local lock_timeout = {_LOCK_MS}; lock table {name} in share mode"
            )
            found = await session.fetch_one(f"select count(*) as n from {name}")  # noqa: S608
            if rows is not None and (found is None or found["n"] != rows):
                raise Conflict(f"{name} has other rows than its archive")
            await session.script(f"alter table {table} detach partition {name}; drop table {name}")

        await self._database.run(work)

    def _file(self, day: date) -> DayFile:
        return DayFile(self._folder, self._family.table, day)

    async def _rows(self, day: date) -> np.ndarray[Any, Any]:
        """By COPY, in its binary form, as it lies there."""
        first, end = (start_of(each).tai_ns for each in (day, day + timedelta(days=1)))
        async with self._database.session(snapshot=True) as session:
            time = composing.Identifier(self._family.time)
            where = composing.SQL("{time} >= {first} and {time} < {end}").format(
                time=time, first=composing.Literal(first), end=composing.Literal(end)
            )
            return await session.copy_out(self._family.table, self._dtype, where)


class LoggedDays:
    """Implements `node.operations.retention.DayLog` over the node's journal."""

    def __init__(self, database: Database, journal: Journal, scribe: Scribe) -> None:
        self._database = database
        self._journal = journal
        self._scribe = scribe

    async def newest(self, table: str, day: date) -> tuple[DayArchived | None, bool]:
        """See the port."""
        aggregate = _aggregate(table, str(day))
        entries = await self._journal.load(aggregate, viewer=None)
        if not entries:
            return None, False
        logged = await self._database.read(_LOGGED, (aggregate, len(entries)))
        return DayArchived.of(entries[-1].event), bool(logged)

    async def say(self, fact: DayArchived) -> None:
        """See the port."""
        aggregate = _aggregate(fact.table, fact.day)
        before = await self._journal.load(aggregate, viewer=None)
        entry = self._scribe.write(
            fact,
            by=self._scribe.node,
            aggregate=aggregate,
            version=len(before) + 1,
            owner=self._scribe.node,
            visible=(),
            occurred_at=None,
        )
        await self._journal.append([entry])


def _aggregate(table: str, day: str) -> str:
    return f"archived-day/{table}/{day}"
