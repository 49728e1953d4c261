"""Leases between real processes while clocks are wrong: a process's, and the database's."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import httpx
import psycopg
import pytest
from tests.node.leases.books_bench import (
    begin_writing,
    check_books,
    end_writing,
    kill_and_wait,
    nothing_wrong,
    open_books,
)
from tests.node.leases.processes_bench import Process, Rig, until

pytestmark = [pytest.mark.service, pytest.mark.long, pytest.mark.timeout(600)]
# What Python says of the time in a process that finds this first.
SHIFTED = """
import os, time
_ns, _by_ns = time.time_ns, int(os.environ["TEST_CLOCK_S"]) * 10**9
time.time_ns = lambda: _ns() + _by_ns
time.time = lambda: (_ns() + _by_ns) / 1e9
"""
# The database's own word for the time, before that of PostgreSQL in the search path.
MOVABLE = """
create schema moved;
create table moved.by (seconds float8 not null);
insert into moved.by values (0);
create function moved.clock_timestamp() returns timestamptz language sql volatile as
  'select pg_catalog.clock_timestamp() + make_interval(secs => (select seconds from moved.by))';
"""


def holders(database_url: str) -> tuple[str, int]:
    with psycopg.connect(database_url) as link:
        rows = link.execute("select distinct holder, epoch from node.lease").fetchall()
    assert len(rows) == 1, rows
    return str(rows[0][0]), int(rows[0][1])


async def alarms_of(process: Process) -> list[str]:
    async with httpx.AsyncClient(base_url=process.url, timeout=20) as http:
        told = (await http.get("/readyz")).json()
    return [each["code"] for each in told["alarms"]]


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_process_an_hour_off_takes_nothing_and_loses_nothing(
    tmp_path: Path, empty_database_url: str, hours: int
):
    (tmp_path / "sitecustomize.py").write_text(SHIFTED)
    off = {
        "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}",
        "TEST_CLOCK_S": str(hours * 3600),
    }
    async with Rig(tmp_path, empty_database_url) as rig:
        right = await rig.start()
        books = await open_books(rig, right.url)
        held = holders(empty_database_url)
        wrong = await rig.start(**off)
        writers = begin_writing(rig, books, hours)
        await asyncio.sleep(8)
        # The one that waits takes nothing, and says what is wrong with it.
        assert holders(empty_database_url) == held
        assert "clock_wrong" in await alarms_of(wrong)
        await kill_and_wait(rig, books)
        assert wrong.serves
        # The one that holds loses nothing to another that is right.
        held = holders(empty_database_url)
        await rig.start()
        await asyncio.sleep(8)
        assert holders(empty_database_url) == held
        assert "clock_wrong" in await alarms_of(wrong)
        await end_writing(writers, rig)
    told = check_books(empty_database_url, books)
    assert nothing_wrong(told), told


async def test_a_database_clock_that_is_set_makes_no_second_holder(
    tmp_path: Path, empty_database_url: str
):
    with psycopg.connect(empty_database_url, autocommit=True) as link:
        link.execute(MOVABLE.encode())
        name = link.info.dbname
        link.execute(f"alter database {name} set search_path = moved, pg_catalog, public".encode())

    def moved(seconds: float) -> None:
        with psycopg.connect(empty_database_url, autocommit=True) as link:
            link.execute("update moved.by set seconds = %s", (seconds,))

    async with Rig(tmp_path, empty_database_url) as rig:
        first = await rig.start()
        books = await open_books(rig, first.url)
        second = await rig.start(machine="-2")
        writers = begin_writing(rig, books, 7)
        await asyncio.sleep(2)
        held = holders(empty_database_url)
        for seconds in (-30.0, 0.0, 3600.0):
            moved(seconds)
            await asyncio.sleep(8)
            assert holders(empty_database_url) == held
            written_s = time.monotonic()
            await until(lambda since_s=written_s: books.last_s > since_s)
            wrong = "clock_wrong" in await alarms_of(second)
            assert wrong == (seconds != 0)
        # Set back at the instant of a death on another machine: our own clock tells the end.
        moved(3570.0)
        assert await kill_and_wait(rig, books) < 20
        assert second.serves
        await end_writing(writers, rig)
    told = check_books(empty_database_url, books)
    assert nothing_wrong(told), told
