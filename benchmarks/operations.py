"""Several processes of one node: one is killed again and again while callers write.

Two `zhidao serve` on one PostgreSQL and one NATS; four callers write orders and transfers to
either, and repeat what was answered by 503. Measured: from the kill to the next acknowledged
write, and from the tables what was lost or doubled. Four kills, or forty with `--long`.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measuring import claim


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (every benchmark has this form)
    """All claims."""
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"operations: seed {seed}", file=sys.stderr)
    from tests.node.leases.processes_bench import database_in

    with tempfile.TemporaryDirectory(prefix="zd-") as folder, database_in(Path(folder)) as url:
        waits, told = asyncio.run(_killed(Path(folder), url, 40 if long else 4, seed))
    yield claim("kill_to_next_write_p50_s", waits, "s")
    yield claim("kill_to_next_write_slowest_s", [max(waits)], "s", target=6, at_most=True)
    yield claim("acknowledged_writes", [told["acknowledged"]], "")
    yield claim("acknowledged_lost", [told["lost"]], "", target=0, at_most=True)
    yield claim("doubled", [told["doubled"] + told["leaves_doubled"]], "", target=0, at_most=True)
    yield claim("histories_that_differ", [told["forks"]], "", target=0, at_most=True)


async def _killed(
    folder: Path, url: str, kills: int, seed: int
) -> tuple[list[float], dict[str, int]]:
    from tests.node.leases.processes_bench import Rig, check_books, open_books, until, write_on

    chance, waits = random.Random(seed), list[float]()
    async with Rig(folder, url) as rig:
        first = await rig.start()
        books = await open_books(rig, first.url)
        await rig.start()
        writers = [asyncio.create_task(write_on(rig, books, chance)) for _ in range(4)]
        for _ in range(kills):
            await asyncio.sleep(chance.uniform(0.2, 3.0))
            victim = rig.holder()
            await rig.kill(victim)
            killed_s = time.monotonic()
            await until(lambda: any(each.serves for each in rig.living()))
            await until(lambda since_s=killed_s: books.last_s > since_s)
            waits.append(books.last_s - killed_s)
            rig.processes.remove(victim)
            await rig.start()
        for writer in writers:
            writer.cancel()
        await asyncio.wait(writers)
        holder = rig.holder()
        for each in (*(one for one in rig.living() if one is not holder), holder):
            await rig.stop(each)
    return waits, check_books(url, books)
