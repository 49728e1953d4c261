"""Partitions by day: made ahead, made once, and found where rows of their day go."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest

from zhidao.core.errors import Unavailable
from zhidao.core.timescale import NS, Utc
from zhidao.store.database import Database
from zhidao.store.families import by_table
from zhidao.store.families.partitions import (
    AHEAD_DAYS,
    DAY_NS,
    by_day,
    day_of,
    days_ahead,
    days_from,
    days_in,
    make,
    make_ahead,
    start_of,
    tighten,
)

service = pytest.mark.service
NOW = Utc.parse("2026-11-29T23:59:59.5Z")
FAMILY = by_table()["devices.position"]
INSERT = (
    "insert into devices.position values (%(id)s, 0, 0, %(at)s, 0, 0, 0, 0, 0, 0, 0)"
    " returning tableoid::regclass::text as partition"
)


async def _days(database: Database) -> list[date]:
    async with database.session() as session:
        return await days_in(session, FAMILY.table)


async def _partition_of(database: Database, at: Utc) -> str:
    async with database.session() as session:
        row = await session.fetch_one(INSERT, {"id": at.tai_ns, "at": at.tai_ns})
    assert row is not None
    return str(row["partition"])


def test_a_day_is_one_of_utc_also_where_a_second_was_inserted():
    """2016-12-31 had 86,401 seconds."""
    last = Utc.parse("2016-12-31T23:59:60.9Z")
    assert day_of(last) == date(2016, 12, 31)
    assert last < start_of(date(2017, 1, 1))
    assert start_of(date(2017, 1, 1)).since_ns(start_of(date(2016, 12, 31))) == DAY_NS + NS
    assert day_of(start_of(date(2017, 1, 1))) == date(2017, 1, 1)


@service
async def test_seven_days_are_made_ahead_and_made_once(database: Database):
    assert await days_ahead(database, NOW) == 0
    assert await make_ahead(database, NOW) == (AHEAD_DAYS + 1) * len(by_day())
    assert await days_ahead(database, NOW) == AHEAD_DAYS
    assert await make_ahead(database, NOW) == 0
    tomorrow = NOW.plus_ns(DAY_NS)
    assert await days_ahead(database, tomorrow) == AHEAD_DAYS - 1
    assert await make_ahead(database, tomorrow) == len(by_day())
    assert await days_ahead(database, NOW.plus_ns(400 * DAY_NS)) == 0


@service
async def test_a_row_goes_to_the_day_on_which_it_was_received(database: Database):
    await make_ahead(database, NOW)
    midnight = start_of(date(2026, 11, 30))
    assert await _partition_of(database, NOW) == "devices.position_20261129"
    assert await _partition_of(database, midnight.plus_ns(-1)) == "devices.position_20261129"
    assert await _partition_of(database, midnight) == "devices.position_20261130"


@service
async def test_six_that_make_one_day_at_once_make_it_once(database: Database):
    day = day_of(NOW)
    await asyncio.gather(*(make(database, FAMILY, [day]) for _ in range(6)))
    assert await _days(database) == [day]


@service
async def test_a_partition_is_made_while_somebody_reads_and_somebody_writes(database: Database):
    await make(database, FAMILY, [day_of(NOW)])
    async with database.session() as reading, database.session() as writing:
        await reading.fetch_all("select count(*) as n from devices.position")
        await writing.fetch_one(INSERT, {"id": 1, "at": NOW.tai_ns})
        await asyncio.wait_for(make_ahead(database, NOW), 5)
    assert len(await _days(database)) == AHEAD_DAYS + 1


async def _index_bytes(database: Database, day: date) -> int:
    async with database.session() as session:
        row = await session.fetch_one(
            "select pg_indexes_size(%s::text::regclass) as n", (f"devices.position_{day:%Y%m%d}",)
        )
    assert row is not None
    return int(row["n"])


@service
async def test_a_day_that_is_over_is_made_smaller_once_and_rows_stay(database: Database):
    first, second = days_from(date(2026, 11, 27), date(2026, 11, 29))
    await make(database, FAMILY, [first, second])
    async with database.session() as session:
        # Of many terminals in turns: pages split in the middle.
        await session.execute(
            "insert into devices.position select mod(n * 7919, 50), n, n, %s, mod(n, 9), 0, 0, 0, 0, 0, 0"
            " from generate_series(0, 19999) n",
            (start_of(first).tai_ns,),
        )
        await session.script("create unique index left_over on devices.position_20261127 (report)")
        await session.script(
            "update pg_index set indisvalid = false where indexrelid = 'devices.left_over'::regclass"
        )
    before = await _index_bytes(database, first)
    # The second has been over for a moment only.
    assert [await tighten(database, NOW) for _ in range(2)] == [1, 0]
    assert await _index_bytes(database, first) < 0.8 * before
    async with database.session() as session:
        row = await session.fetch_one("select count(*) as n from devices.position")
        gone = await session.fetch_one("select to_regclass('devices.left_over')::text as name")
    assert row == {"n": 20_000}
    assert gone == {"name": None}
    assert await tighten(database, NOW.plus_ns(DAY_NS)) == 1


@service
async def test_whoever_would_wait_a_second_for_a_lock_gives_up_and_leaves_nothing(
    database: Database,
):
    async with database.session() as other:
        await other.script("lock table devices.position in share row exclusive mode")
        with pytest.raises(Unavailable):
            await make(database, FAMILY, [day_of(NOW)])
    assert await _days(database) == []
    assert await make(database, FAMILY, [day_of(NOW)]) == 1
