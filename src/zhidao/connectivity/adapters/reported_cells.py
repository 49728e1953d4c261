"""Cells that terminals told of themselves, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from zhidao.connectivity.domain.reported_cell import CellName, CellReport
from zhidao.core.timescale import NS, Utc
from zhidao.store.database import Database, Session

KEPT_S: Final = 31 * 86_400


class PostgresReportedCells:
    """Implements `service.ports.ReportedCells`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, reports: Sequence[CellReport]) -> None:
        """Keeps reports, in the order of their keys, so that two writers never cross."""

        async def work(s: Session) -> None:
            ordered = sorted(reports, key=lambda each: (each.terminal, each.at))
            for terminal, some in groupby(ordered, key=lambda each: each.terminal):
                await _keep(s, terminal, tuple(some))

        if reports:
            await self._database.run(work)

    async def between(
        self, terminal: str, first: Utc, last: Utc, limit: int
    ) -> tuple[CellReport, ...]:
        """Reports of a terminal within two times, oldest first; of too many the newest."""
        async with self._database.session() as s:
            rows = await s.fetch_all(
                "select unix_s, mcc, mnc, area, identity from connectivity.reported_cell"
                " where terminal = %s and unix_s between %s and %s order by unix_s desc limit %s",
                (terminal, first.unix_ns // NS, last.unix_ns // NS, limit),
            )
        return tuple(
            CellReport(
                terminal,
                Utc.from_unix_ns(row["unix_s"] * NS),
                CellName(row["mcc"], row["mnc"], row["area"], row["identity"]),
            )
            for row in reversed(rows)
        )

    async def heard_since(self, terminals: Sequence[str], at: Utc) -> int:
        """How many of these terminals told a cell at a time or later."""
        async with self._database.session() as s:
            row = await s.fetch_one(
                "select count(distinct terminal) as heard from connectivity.reported_cell"
                " where terminal = any (%s::text[]) and unix_s >= %s",
                (list(terminals), at.unix_ns // NS),
            )
        return int(row["heard"]) if row else 0


async def _keep(s: Session, terminal: str, reports: Sequence[CellReport]) -> None:
    for each in reports:
        await s.execute(
            "insert into connectivity.reported_cell (terminal, unix_s, mcc, mnc, area, identity)"
            " values (%s, %s, %s, %s, %s, %s) on conflict do nothing",
            (
                *(terminal, each.at.unix_ns // NS),
                *(each.cell.mcc, each.cell.mnc, each.cell.area, each.cell.identity),
            ),
        )
    oldest_s = reports[-1].at.unix_ns // NS - KEPT_S
    await s.execute(
        "delete from connectivity.reported_cell where terminal = %s and unix_s < %s",
        (terminal, oldest_s),
    )
