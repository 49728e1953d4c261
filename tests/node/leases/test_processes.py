"""Two processes of one node on one database: one holds the leases, the other waits for them."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

import pytest
from tests.node.leases.processes_bench import Rig, check_books, open_books, until, write_on

pytestmark = [pytest.mark.service]
NOTHING_WRONG = {"lost": 0, "doubled": 0, "unlogged": 0, "leaves_doubled": 0, "misplaced": 0}


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
        chance = random.Random(1)
        writers = [asyncio.create_task(write_on(rig, books, chance)) for _ in range(4)]
        await asyncio.sleep(1.0)
        await rig.kill(first)
        killed_s = time.monotonic()
        await until(lambda: second.serves, 10)
        await until(lambda: books.last_s > killed_s, 10)
        assert books.last_s - killed_s <= 6.5
        third = await rig.start()
        await asyncio.sleep(0.5)
        assert not third.serves
        await rig.stop(second)
        stopped_s = time.monotonic()
        await until(lambda: third.serves, 5)
        await until(lambda: books.last_s > stopped_s, 5)
        for writer in writers:
            writer.cancel()
        await asyncio.wait(writers)
        await rig.stop(third)
    told = check_books(empty_database_url, books)
    assert {name: told[name] for name in NOTHING_WRONG} == NOTHING_WRONG
    assert told["forks"] == 0
    assert told["acknowledged"] > 20
