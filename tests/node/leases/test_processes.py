"""Two processes of one node on one database: one holds the leases, the other waits for them."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from pathlib import Path

import psycopg
import pytest
from tests.node.leases.books_bench import (
    begin_writing,
    check_books,
    end_writing,
    kill_and_wait,
    late_order,
    nothing_wrong,
    open_books,
)
from tests.node.leases.processes_bench import Rig, until

from zhidao.store.embedded import EmbeddedPostgres

pytestmark = [pytest.mark.service]


def holder_of(database_url: str) -> str:
    with psycopg.connect(database_url) as link:
        rows = link.execute("select holder from node.lease where role = 'log'").fetchall()
    return str(rows[0][0])


@pytest.mark.slow
async def test_a_standby_passes_on_and_takes_over_from_the_dead(
    tmp_path: Path, empty_database_url: str
):
    async with Rig(tmp_path, empty_database_url) as rig:
        first = await rig.start()
        books = await open_books(rig, first.url)
        second = await rig.start()
        assert first.serves
        assert not second.serves
        writers = begin_writing(rig, books, 1)
        await asyncio.sleep(1.0)
        held = holder_of(empty_database_url)
        await rig.kill(first)
        killed_s = time.monotonic()
        await until(lambda: holder_of(empty_database_url) != held, 6.5)
        # Building what writes takes a second of processor, which a busy machine may not have.
        await until(lambda: second.serves, 30)
        await until(lambda: books.last_s > killed_s, 30)
        third = await rig.start()
        await asyncio.sleep(0.5)
        assert not third.serves
        await rig.stop(second)
        stopped_s = time.monotonic()
        await until(lambda: third.serves, 30)
        await until(lambda: books.last_s > stopped_s, 30)
        await end_writing(writers, rig)
    told = check_books(empty_database_url, books)
    assert nothing_wrong(told), told
    assert told["acknowledged"] > 20


KILLS = int(os.environ.get("ZHIDAO_KILLS", "200"))
STOPS = int(os.environ.get("ZHIDAO_STOPS", "50"))
STOPPED_S = 20.0
SEED = int(os.environ.get("ZHIDAO_SEED", "0")) or int.from_bytes(os.urandom(4), "big")


def say(text: str) -> None:
    """Told while the test runs: it lasts."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@pytest.mark.long
@pytest.mark.timeout(14_400)
async def test_killed_again_and_again_nothing_acknowledged_is_lost_or_doubled(
    tmp_path: Path, empty_database_url: str, capsys: pytest.CaptureFixture[str]
):
    chance, waits = random.Random(SEED), list[float]()
    with capsys.disabled():
        say(f"\nseed {SEED}, {KILLS} kills")
        async with Rig(tmp_path, empty_database_url) as rig:
            first = await rig.start()
            books = await open_books(rig, first.url)
            await rig.start()
            writers = begin_writing(rig, books, SEED)
            for number in range(KILLS):
                instant_s = chance.uniform(0.2, 3.0)
                await asyncio.sleep(instant_s)
                waits.append(await kill_and_wait(rig, books))
                say(f"kill {number}: after {instant_s:.2f} s, writing {waits[-1]:.2f} s later")
                await rig.start()
            await end_writing(writers, rig)
        told = check_books(empty_database_url, books)
        waits.sort()
        say(f"{told} {books.seen}")
        say(f"writing again: p50 {waits[len(waits) // 2]:.2f} s, slowest {waits[-1]:.2f} s")
    assert nothing_wrong(told), SEED
    assert told["acknowledged"] >= KILLS


@pytest.mark.long
@pytest.mark.timeout(7_200)
async def test_a_holder_that_stood_still_is_fenced_and_waits_again(
    tmp_path: Path, empty_database_url: str, capsys: pytest.CaptureFixture[str]
):
    chance = random.Random(SEED)
    with capsys.disabled():
        say(f"\nseed {SEED}, {STOPS} stops")
        async with Rig(tmp_path, empty_database_url) as rig:
            first = await rig.start()
            books = await open_books(rig, first.url)
            await rig.start()
            writers = begin_writing(rig, books, SEED)
            for number in range(STOPS):
                await asyncio.sleep(chance.uniform(0.2, 2.0))
                victim = rig.holder()
                other = next(each for each in rig.living() if each is not victim)
                late = asyncio.create_task(late_order(victim, books, f"late-{number}"))
                victim.send(signal.SIGSTOP)
                stopped_s = time.monotonic()
                await until(lambda other=other: other.serves)
                await asyncio.sleep(max(0.0, stopped_s + STOPPED_S - time.monotonic()))
                victim.send(signal.SIGCONT)
                await until(lambda victim=victim: not victim.serves, 20)
                answer = await late
                say(f"stop {number}: the late write was answered {answer}")
                assert other.serves
            await end_writing(writers, rig)
        told = check_books(empty_database_url, books)
        say(f"{told} {books.seen}")
    assert nothing_wrong(told), SEED


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_a_database_that_restarts_changes_no_holder_and_loses_nothing(tmp_path: Path):
    server = EmbeddedPostgres(tmp_path / "postgres")
    url = await asyncio.to_thread(server.start)
    try:
        async with Rig(tmp_path, url) as rig:
            first = await rig.start()
            books = await open_books(rig, first.url)
            await rig.start()
            writers = begin_writing(rig, books, SEED)
            for _ in range(3):
                await asyncio.sleep(3)
                server.stop()
                await asyncio.sleep(1)
                server.start()
                started_s = time.monotonic()
                await until(lambda since_s=started_s: books.last_s > since_s)
                assert first.serves
            await end_writing(writers, rig)
        assert nothing_wrong(check_books(url, books)), SEED
    finally:
        server.stop()
