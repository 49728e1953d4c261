"""Several processes of one node: one is killed again and again while callers write.

Two `zhidao serve` on one PostgreSQL and one NATS; four callers write orders and transfers to
either, and repeat what was answered by 503. Measured: from the kill to the next acknowledged
write, and from the tables what was lost or doubled. Four kills, or forty with `--long`; half of
them between processes of one machine, half as between two machines, where only silence tells.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measuring import claim


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (every benchmark has this form)
    """All claims."""
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"operations: seed {seed}", file=sys.stderr)
    from tests.node.leases.processes_bench import database_in

    kills, sums = 20 if long else 2, dict[str, int]()
    for machine, name in (("", "kill"), ("-2", "kill_elsewhere")):
        with tempfile.TemporaryDirectory(prefix="zd-") as folder, database_in(Path(folder)) as url:
            waits, told = asyncio.run(_killed(Path(folder), url, kills, seed, machine))
        yield claim(f"{name}_to_next_write_p50_s", waits, "s")
        yield claim(f"{name}_to_next_write_slowest_s", [max(waits)], "s", target=6, at_most=True)
        sums = {each: sums.get(each, 0) + many for each, many in told.items()}
    yield claim("acknowledged_writes", [sums["acknowledged"]], "")
    yield claim("acknowledged_lost", [sums["lost"]], "", target=0, at_most=True)
    yield claim("doubled", [sums["doubled"] + sums["leaves_doubled"]], "", target=0, at_most=True)
    yield claim("histories_that_differ", [sums["forks"]], "", target=0, at_most=True)


async def _killed(
    folder: Path, url: str, kills: int, seed: int, machine: str
) -> tuple[list[float], dict[str, int]]:
    from tests.node.leases.books_bench import (
        begin_writing,
        check_books,
        end_writing,
        kill_and_wait,
        open_books,
    )
    from tests.node.leases.processes_bench import Rig

    chance, waits, machines = random.Random(seed), list[float](), ["", machine]
    async with Rig(folder, url) as rig:
        first = await rig.start(machine=machines[0])
        books = await open_books(rig, first.url)
        await rig.start(machine=machines[1])
        writers = begin_writing(rig, books, seed)
        for _ in range(kills):
            await asyncio.sleep(chance.uniform(0.2, 3.0))
            waits.append(await kill_and_wait(rig, books))
            # The next one where the dead one was, so that they stay apart.
            await rig.start(machine=machines[0])
            machines.reverse()
        await end_writing(writers, rig)
    return waits, check_books(url, books)
