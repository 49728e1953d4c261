"""Positions as the node keeps them: bytes of each, how fast they are read, how fast they go in.

A million of a thousand terminals over ten days (ten million of ten thousand with `--long`), stored
through the devices room's own vault table in the embedded PostgreSQL. Going in is measured beside a
raw COPY of the same rows into a table without any index, in turns. Reading is by the room's vault.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import date, timedelta
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.measuring import claim
from zhidao.core.timescale import NS
from zhidao.devices.adapters.positions import COLUMNS, ROW, Positions
from zhidao.devices.adapters.postgres import PostgresVault
from zhidao.devices.domain.cell import cells_of
from zhidao.devices.domain.custody import terminal_id
from zhidao.node.adapters.archived_days import ArchivedDays
from zhidao.store.database import Database
from zhidao.store.embedded import EmbeddedPostgres
from zhidao.store.families import by_table
from zhidao.store.families.partitions import by_day, days_from, make, start_of, tighten
from zhidao.store.journal import PostgresJournal
from zhidao.store.migrate import migrate

DAYS = 10
FIRST = date(2026, 11, 1)
BATCH = 20_000
ASKED = 60
RAW = "create table public.raw_position (like devices.position)"


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (every benchmark has this form)
    """All claims."""
    with tempfile.TemporaryDirectory(prefix="zd-") as folder:
        server = EmbeddedPostgres(Path(folder) / "data")
        url = server.start()
        try:
            yield from asyncio.run(_measured(url, 10_000 if long else 1_000))
        finally:
            server.stop()


async def _measured(url: str, terminals: int) -> list[dict[str, Any]]:
    database = await Database.open(url)
    try:
        await migrate(database)
        return await _claims(database, terminals)
    finally:
        await database.close()


async def _claims(database: Database, terminals: int) -> list[dict[str, Any]]:
    names = [f"truck-{number}" for number in range(terminals)]
    numbers = np.array([terminal_id(name) for name in names])
    [family] = [each for each in by_day() if each.table == "devices.position"]
    await make(database, family, days_from(FIRST, FIRST + timedelta(days=DAYS)))
    async with database.session() as session:
        await session.script(RAW)
        known = zip(numbers.tolist(), names, strict=True)
        await session.copy("devices.terminal_id", ("terminal_id", "terminal"), known)
        await session.copy(
            "devices.terminal",
            ("terminal", "phone", "number", "key", "owner", "visible"),
            [(name, f"+{at}", str(at), "", "carrier", []) for at, name in enumerate(names)],
        )
        await session.script("analyze devices.terminal; analyze devices.terminal_id")
    ours, raw, first_day = list[float](), list[float](), list[float]()
    vault = PostgresVault(database, PostgresJournal(database, "devices", lambda: None))
    for day in range(DAYS):
        rows = _rows(numbers, day)
        one, other = await _in_turns(database, rows)
        ours.append(one)
        raw.append(other)
        if day == 0:
            await _settled(database)
            first_day = await _ms(lambda at: _device_day(vault, names[at * 7 % terminals], 0))
    await _settled(database)
    over = start_of(FIRST + timedelta(days=2 * DAYS))
    while await tighten(database, over):
        pass
    many = DAYS * terminals * 100
    size = await _bytes(database)
    middle = await _ms(lambda at: _device_day(vault, names[at * 7 % terminals], at % DAYS))
    again = await _ms(lambda at: _device_day(vault, names[at * 7 % terminals], 0))
    last = await _ms(lambda _: vault.heard(names))
    cells = _rows(numbers, 5)["cell"]
    in_cell = await _ms(lambda at: _cell_day(database, int(cells[at * 997 % len(cells)]), 5))
    print(f"positions: {many} rows, {size} bytes", file=sys.stderr)
    return [
        *(await _archived(database)),
        claim("position_bytes", [size / many], "B", target=150, at_most=True),
        claim("position_device_day_p50_ms", middle, "ms", target=10, at_most=True),
        claim(f"position_last_of_{terminals}_p50_ms", last, "ms", target=50, at_most=True),
        claim("position_cell_day_p50_ms", in_cell, "ms", target=20, at_most=True),
        claim(
            "position_device_day_10x_history",
            [median(again) / median(first_day)],
            "ratio",
            target=1.2,
            at_most=True,
        ),
        claim(
            "position_ingest_per_s",
            ours,
            "1/s",
            target=0.35,
            rival="raw COPY of the same rows, no index",
            rival_values=raw,
        ),
    ]


async def _archived(database: Database) -> list[dict[str, Any]]:
    """Archives each day after the first, and takes it out of the database."""
    if find_spec("pyarrow") is None:
        print("positions: no pyarrow here (./run setup archive)", file=sys.stderr)
        return []
    with tempfile.TemporaryDirectory(prefix="zd-") as folder:
        days = ArchivedDays(database, by_table()["devices.position"], ROW, Path(folder))
        per_million, each, drop = list[float](), list[float](), list[float]()
        for day in days_from(FIRST + timedelta(days=1), FIRST + timedelta(days=DAYS)):
            began_s = time.perf_counter()
            file = await days.write(day)
            assert await days.archived(day) == file, "what was read back is not what was written"
            per_million.append((time.perf_counter() - began_s) / file.rows * 1e6)
            each.append(file.bytes / file.rows)
            began_s = time.perf_counter()
            await days.drop(day, file.rows)
            drop.append(time.perf_counter() - began_s)
    return [
        # A day of five million within a minute.
        claim("position_archive_s_per_million", per_million, "s", target=12, at_most=True),
        claim("position_archived_bytes", each, "B", target=25, at_most=True),
        claim("position_archived_day_drop_s", drop, "s", target=1, at_most=True),
    ]


def _rows(numbers: np.ndarray[Any, Any], day: int) -> np.ndarray[Any, Any]:
    """A day of reports in the order in which they come: each terminal once in each round."""
    rng, rounds = np.random.default_rng(day), 100
    count = len(numbers) * rounds
    rows = np.zeros(count, dtype=ROW)
    rows["terminal_id"] = np.tile(numbers, rounds)
    start = start_of(FIRST + timedelta(days=day)).tai_ns
    step = 86_400 * NS // (rounds + 1)
    rows["received_tai_ns"] = (
        start
        + np.repeat(np.arange(rounds), len(numbers)) * step
        + np.tile(np.arange(len(numbers)) * (step // len(numbers)), rounds)
    )
    rows["observed_tai_ns"] = rows["received_tai_ns"] // NS * NS - NS
    rows["report"] = rng.integers(0, 1 << 62, count)
    # Lorries along a corridor of 2,000 km, each from where it was before.
    along = (np.arange(count) * 13 % 100_000) / 100_000
    rows["latitude_udeg"] = (41 + 3 * along) * 1e6 + rng.integers(-20_000, 20_000, count)
    rows["longitude_udeg"] = (60 + 25 * along) * 1e6 + rng.integers(-20_000, 20_000, count)
    rows["cell"] = _cells(rows)
    rows["altitude_m"], rows["speed_tenth_kmh"] = 800, rng.integers(0, 900, count)
    rows["course_deg"], rows["marks"] = rng.integers(0, 360, count), 12 | 1 << 8
    return rows


def _cells(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return cells_of(rows["latitude_udeg"].astype("i8"), rows["longitude_udeg"].astype("i8"))


async def _in_turns(database: Database, rows: np.ndarray[Any, Any]) -> tuple[float, float]:
    """Rows a second of ours and of the raw COPY, batch by batch in turns: load meets both alike."""
    spent_s = [0.0, 0.0]
    for at in range(0, len(rows), BATCH):
        for place, put in enumerate((_ours, _raw)):
            began_s = time.perf_counter()
            await put(database, rows[at : at + BATCH])
            spent_s[place] += time.perf_counter() - began_s
    return len(rows) / spent_s[0], len(rows) / spent_s[1]


async def _ours(database: Database, rows: np.ndarray[Any, Any]) -> None:
    # With the cells, whose computing is a part of going in.
    rows = rows.copy()
    rows["cell"] = _cells(rows)
    async with database.session() as session:
        await Positions(database).add(session, rows)


async def _raw(database: Database, rows: np.ndarray[Any, Any]) -> None:
    async with database.session() as session:
        await session.copy("public.raw_position", COLUMNS, rows)


async def _settled(database: Database) -> None:
    """What autovacuum does sooner or later."""
    async with database.session() as session:
        await session.script("truncate public.raw_position; analyze devices.position")


async def _device_day(vault: PostgresVault, name: str, day: int) -> None:
    first = start_of(FIRST + timedelta(days=day))
    found = await vault.points_between(name, first, first.plus_ns(86_400 * NS), 500)
    assert found, "no points of that day"


async def _cell_day(database: Database, cell: int, day: int) -> None:
    first = start_of(FIRST + timedelta(days=day))
    found = await Positions(database).in_cell(cell, first, first.plus_ns(86_400 * NS), None, 500)
    assert found, "nobody was there"


async def _ms(ask: Callable[[int], Awaitable[object]]) -> list[float]:
    """Times of one question after another, the first of which only warm up."""
    found = []
    for at in range(ASKED):
        began_s = time.perf_counter()
        await ask(at)
        found.append((time.perf_counter() - began_s) * 1e3)
    return found[ASKED // 4 :]


async def _bytes(database: Database) -> int:
    """Heap, indexes and the newest of each, on disk."""
    async with database.session() as session:
        row = await session.fetch_one(
            "select (select sum(pg_total_relation_size(inhrelid))::bigint from pg_inherits"
            " where inhparent = 'devices.position'::regclass)"
            " + pg_total_relation_size('devices.position_latest') as size"
        )
    assert row is not None
    return int(row["size"])
