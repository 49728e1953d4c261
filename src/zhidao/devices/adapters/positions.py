"""Positions in PostgreSQL: numbers in partitions by day, and the newest of each terminal."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from zhidao.core.geo import Frame
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.devices.adapters.archived_positions import ArchivedPositions
from zhidao.devices.domain.cell import NOWHERE, cells_of
from zhidao.devices.domain.custody import terminal_id
from zhidao.devices.domain.track import AHEAD_NS_MAX, REASONS, LastSeen, Report, TrackPoint
from zhidao.store.database import Database, Session
from zhidao.store.families import by_table
from zhidao.store.families.partitions import day_of, days_in, make, start_of

TABLE: Final = "devices.position"
_FAMILY: Final = by_table()[TABLE]
ROW: Final = np.dtype(
    [
        *(("terminal_id", "i8"), ("observed_tai_ns", "i8"), ("report", "i8")),
        *(("received_tai_ns", "i8"), ("cell", "i8")),
        *(("latitude_udeg", "i4"), ("longitude_udeg", "i4")),
        *(("altitude_m", "i2"), ("speed_tenth_kmh", "i2"), ("course_deg", "i2"), ("marks", "i2")),
    ]
)
COLUMNS: Final = ROW.names or ()
_POINT: Final = ", ".join(COLUMNS)

_TYPES: Final = {"i8": "bigint", "i4": "integer", "i2": "smallint"}
_SETS: Final = ", ".join(f"%({name})b::{_TYPES[ROW[name].str[1:]]}[]" for name in COLUMNS)
_RANK: Final = "(least({0}.observed_tai_ns, {0}.received_tai_ns), {0}.received_tai_ns, {0}.report)"
_NEWER: Final = f"{_RANK.format('excluded')} > {_RANK.format('l')}"
_MOVED: Final = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])
# Moves a point only forward by the terminal's own time.
_LATEST: Final = (
    f"insert into devices.position_latest as l ({_POINT}, heard_tai_ns)"  # noqa: S608 (constants)
    f" select * from unnest({_SETS}, %(heard)b::bigint[])"
    f" on conflict (terminal_id) do update set {_MOVED},"
    f" heard_tai_ns = greatest(l.heard_tai_ns, excluded.heard_tai_ns) where {_NEWER}"
)
# Who sent nothing newer was heard all the same.
_HEARD: Final = (
    "update devices.position_latest as l set heard_tai_ns = new.heard"
    " from unnest(%(terminal_id)b::bigint[], %(heard)b::bigint[]) as new (terminal, heard)"
    " where l.terminal_id = new.terminal and l.heard_tai_ns < new.heard"
)
_LAST: Final = (
    f"select {_POINT}, heard_tai_ns from devices.position_latest"  # noqa: S608 (constants)
    " where terminal_id = any(%s)"
)
_RECEIVED: Final = (
    f"select {_POINT} from devices.position where terminal_id = %s"  # noqa: S608 (constants)
    " and received_tai_ns >= %s and received_tai_ns < %s"
    " order by observed_tai_ns desc, report desc limit %s"
)
_OBSERVED: Final = (
    f"select {_POINT} from devices.position where terminal_id = %s"  # noqa: S608 (constants)
    " and observed_tai_ns >= %s and observed_tai_ns < %s and received_tai_ns >= %s"
    " order by observed_tai_ns desc, report desc limit %s"
)
# Terminals are few and on every machine, so that places are filtered where they lie.
_IN_CELL: Final = (
    f"select t.terminal, {', '.join(f'p.{name}' for name in COLUMNS)}"  # noqa: S608 (constants)
    " from devices.position p join devices.terminal_id n on n.terminal_id = p.terminal_id"
    " join devices.terminal t on t.terminal = n.terminal"
    " where p.cell = %(cell)s and p.received_tai_ns >= %(received)s"
    " and p.observed_tai_ns >= %(first)s and p.observed_tai_ns < %(end)s"
    " and (%(viewer)s::text is null or t.owner = %(viewer)s::text"
    " or %(viewer)s::text = any (t.visible))"
    " order by p.observed_tai_ns desc, p.report desc limit %(limit)s"
)
_ADD: Final = (
    f"insert into devices.position ({_POINT}) select * from unnest({_SETS})"  # noqa: S608
    " on conflict do nothing"
)

# The bits of `marks`.
_SATELLITES: Final = 0xFF
_BEIDOU: Final = 1 << 8
_GCJ02: Final = 1 << 9
_REASON_SHIFT: Final = 10
_U16: Final = 0xFFFF
_I32: Final = (1 << 31) - 1
_DEPTH_M: Final = 1_000


class Positions:
    """The positions of all terminals, in transactions of whoever calls."""

    def __init__(self, database: Database, archive: Path | None = None) -> None:
        """`archive`: the folder of archived days."""
        self._database = database
        self._archive = ArchivedPositions(archive, TABLE) if archive else None
        self._days: set[date] = set()

    async def prepare(self, reports: Sequence[Report]) -> None:
        """Makes sure that each report has a partition to go to. Before the transaction."""
        days = {day_of(each.point.received_at) for each in reports} - self._days
        if days:
            await make(self._database, _FAMILY, days)
            self._days |= days

    async def add(self, session: Session, rows: np.ndarray[Any, Any]) -> None:
        """Stores rows that are new, of `ROW`, by COPY, and moves the newest of their terminals."""
        if len(rows):
            # In the key's order: neighbours go to one page of its index, which stays full.
            rows = rows[np.lexsort((rows["observed_tai_ns"], rows["terminal_id"]))]
            await session.copy(TABLE, COLUMNS, rows)
            await _move_latest(session, rows)

    async def add_again(self, session: Session, rows: np.ndarray[Any, Any]) -> None:
        """The same for rows that may stand already."""
        if len(rows):
            await session.execute(_ADD, _lists(rows))
            await _move_latest(session, rows)

    async def last(self, terminals: Sequence[str]) -> Mapping[str, LastSeen]:
        """The newest point of each terminal that ever sent one."""
        names = {terminal_id(name): name for name in terminals}
        rows = await self._database.read(_LAST, (list(names),))
        return {
            names[row["terminal_id"]]: LastSeen(Utc(row["heard_tai_ns"]), _point(row))
            for row in rows
        }

    async def recent(self, terminal: str, limit: int) -> tuple[TrackPoint, ...]:
        """The newest points by the terminal's own time.

        Days of receipt are looked at from the newest on, twice as many each time, until those that
        are left can hold nothing newer: what came late lies in a later day than its own.
        """
        seen = await self.last([terminal])
        if not seen:
            return ()
        end, width = day_of(seen[terminal].heard_at) + timedelta(days=1), 1
        oldest = await self._oldest()
        while True:
            first = max(end - timedelta(days=width), oldest)
            begins, ends = start_of(first).tai_ns, start_of(end).tai_ns
            asked = (terminal_id(terminal), begins, ends, limit)
            rows = await self._database.read(_RECEIVED, asked)
            enough = len(rows) == limit and rows[-1]["observed_tai_ns"] >= begins
            if enough or first == oldest:
                return tuple(map(_point, rows))
            width *= 2

    async def between(
        self, terminal: str, first: Utc, end: Utc, limit: int
    ) -> tuple[TrackPoint, ...]:
        """Points by the terminal's own time, newest first.

        Nothing is received more than a day before its own time, unless its clock is broken: what
        older days hold need not be looked at.
        """
        number, received = terminal_id(terminal), first.plus_ns(-AHEAD_NS_MAX)
        asked = (number, first.tai_ns, end.tai_ns, received.tai_ns, limit)
        rows: list[Any] = await self._database.read(_OBSERVED, asked)
        if self._archive:
            async with self._database.session() as session:
                here = await days_in(session, TABLE)
            old = await self._archive.between(number, first, end, received=received, without=here)
            rows = _merged(rows, old)[:limit] if old else rows
        return tuple(map(_point, rows))

    async def in_cell(
        self, cell: int, first: Utc, end: Utc, viewer: PartyId | None, limit: int
    ) -> tuple[tuple[str, TrackPoint], ...]:
        """Who was in a cell by the own time, of the terminals that the viewer may see."""
        asked = {
            "cell": cell,
            "first": first.tai_ns,
            "end": end.tai_ns,
            "limit": limit,
            "received": first.tai_ns - AHEAD_NS_MAX,
            "viewer": viewer,
        }
        rows = await self._database.read(_IN_CELL, asked)
        return tuple((row["terminal"], _point(row)) for row in rows)

    async def _oldest(self) -> date:
        """The first day that has a partition; whoever was heard once has one."""
        async with self._database.session() as session:
            days = await days_in(session, TABLE)
        return days[0]


def _merged(rows: list[Any], old: list[Any]) -> list[Any]:
    """Newest first, each once: a day may have left the database between two looks."""
    found = {(row["observed_tai_ns"], row["report"]): row for row in (*old, *rows)}
    return [found[key] for key in sorted(found, reverse=True)]


def rows_of(reports: Collection[Report]) -> np.ndarray[Any, Any]:
    """Reports as rows of `ROW`."""
    rows = np.array([_row(report) for report in reports], dtype=ROW)
    places = cells_of(rows["latitude_udeg"].astype("i8"), rows["longitude_udeg"].astype("i8"))
    rows["cell"] = np.where(rows["marks"] >> _REASON_SHIFT, NOWHERE, places)
    return rows


def _row(report: Report) -> tuple[int, ...]:
    point = report.point
    marks = min(point.satellites, _SATELLITES) | REASONS.index(point.reason) << _REASON_SHIFT
    marks |= _BEIDOU if point.beidou else 0
    marks |= _GCJ02 if point.frame is Frame.GCJ02 else 0
    return (
        terminal_id(report.terminal),
        point.observed_at.tai_ns,
        report.number,
        point.received_at.tai_ns,
        NOWHERE,
        # What is off the Earth stands exactly in its frame.
        max(-_I32, min(point.latitude_udeg, _I32)),
        max(-_I32, min(point.longitude_udeg, _I32)),
        _signed(point.altitude_m),
        _signed(round(point.speed_kmh * 10)),
        _signed(point.course_deg),
        marks,
    )


def _signed(sixteen: int) -> int:
    """Sixteen bits as a smallint has them."""
    return sixteen - (_U16 + 1) if sixteen > _U16 >> 1 else sixteen


def _point(row: Mapping[str, Any]) -> TrackPoint:
    marks = row["marks"]
    reason = REASONS[marks >> _REASON_SHIFT]
    return TrackPoint(
        observed_at=Utc(row["observed_tai_ns"]),
        received_at=Utc(row["received_tai_ns"]),
        latitude_udeg=row["latitude_udeg"],
        longitude_udeg=row["longitude_udeg"],
        frame=Frame.GCJ02 if marks & _GCJ02 else Frame.WGS84,
        altitude_m=_height_m(row["altitude_m"]),
        speed_kmh=(row["speed_tenth_kmh"] & _U16) / 10,
        course_deg=row["course_deg"] & _U16,
        beidou=bool(marks & _BEIDOU),
        satellites=marks & _SATELLITES,
        valid=not reason,
        reason=reason,
    )


def _height_m(signed: int) -> int:
    """A height as it was given: down to a kilometre below the sea, else sixteen bits of height."""
    return signed if signed >= -_DEPTH_M else signed & _U16


def _lists(rows: np.ndarray[Any, Any]) -> dict[str, list[int]]:
    return {name: rows[name].tolist() for name in COLUMNS}


async def _move_latest(session: Session, rows: np.ndarray[Any, Any]) -> None:
    """Moves the newest of each terminal by rank."""
    # In order of terminals, so that two writers never wait for each other in a circle.
    rank = np.minimum(rows["observed_tai_ns"], rows["received_tai_ns"])
    order = np.lexsort((rows["report"], rows["received_tai_ns"], rank, rows["terminal_id"]))
    ordered = rows[order]
    last = np.append(ordered["terminal_id"][1:] != ordered["terminal_id"][:-1], True)
    firsts = np.flatnonzero(np.append(True, last[:-1]))
    heard = np.maximum.reduceat(ordered["received_tai_ns"], firsts)
    newest = _lists(ordered[last]) | {"heard": heard.tolist()}
    await session.execute(_LATEST, newest)
    await session.execute(_HEARD, newest)
