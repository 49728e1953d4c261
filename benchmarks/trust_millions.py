"""A log of ten million leaves on files and in PostgreSQL: proofs, memory and restart."""

from __future__ import annotations

import asyncio
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.measuring import claim
from zhidao.store.embedded import EmbeddedPostgres
from zhidao.trust.adapters.log_files import FileLogStore
from zhidao.trust.domain.merkle import grow, leaf_hash, verify_inclusion
from zhidao.trust.service.log_ports import LogStore
from zhidao.trust.service.log_reader import LogReader

_BATCH: Final = 8192
_PROOFS: Final = 4000
MIB: Final = 2**20


def run(*, leaves: int) -> Iterator[dict[str, Any]]:
    """Fills a log on files and one in PostgreSQL, then measures each in fresh processes."""
    with tempfile.TemporaryDirectory(prefix="zt-") as place:
        yield from _claims("trust_millions", str(Path(place) / "log"), Path(place), leaves)
    with tempfile.TemporaryDirectory(prefix="zt-") as place:
        server = EmbeddedPostgres(Path(place) / "postgres")
        try:
            yield from _claims("trust_millions_postgres", server.start(), Path(place), leaves)
        finally:
            server.stop()


def _claims(name: str, where: str, folder: Path, leaves: int) -> Iterator[dict[str, Any]]:
    """`where`: a folder or a database's URL; `folder`: all that the log takes up on the disk."""
    seconds = asyncio.run(_fill(where, leaves))
    yield claim(f"{name}_fill_per_s", [leaves / seconds], "1/s")
    used = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    yield claim(f"{name}_disk_bytes_per_leaf", [used / leaves], "B")
    starts, waits, memory = [], [], []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.trust_millions", where],
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        start_s, p99_ms, mib = map(float, done.stdout.split())
        starts.append(start_s)
        waits.append(p99_ms)
        memory.append(mib)
    yield claim(f"{name}_restart_s", starts, "s", target=1, at_most=True)
    yield claim(f"{name}_proof_p99_ms", waits, "ms", target=2, at_most=True)
    # Of the node's process; a database server has its own.
    yield claim(f"{name}_memory_mib", memory, "MiB", target=300, at_most=True)


@asynccontextmanager
async def _opened(where: str) -> AsyncIterator[LogStore]:
    if not where.startswith("postgres"):
        files = FileLogStore(Path(where))
        try:
            yield files
        finally:
            files.close()
        return
    from zhidao.store.database import Database
    from zhidao.trust.adapters.log_postgres import PostgresLogStore

    database = await Database.open(where)
    try:
        yield PostgresLogStore(database, "bench.example/millions")
    finally:
        await database.close()


async def _fill(where: str, leaves: int) -> float:
    if where.startswith("postgres"):
        await _migrated(where)
    async with _opened(where) as store:
        epoch = await store.take()
        started_s = time.perf_counter()
        for first in range(0, leaves, _BATCH):
            last = min(first + _BATCH, leaves)
            entries = [b"leaf %d of ten million" % n for n in range(first, last)]
            async with store.transaction() as transaction:
                head = await store.lock(transaction)
                growth = grow(head.edge, map(leaf_hash, entries))
                await store.extend(transaction, epoch=epoch, growth=growth, leaves=entries)
            if first % (_BATCH * 128) == 0:
                print(f"{first} leaves", file=sys.stderr, flush=True)
    return time.perf_counter() - started_s


async def _migrated(url: str) -> None:
    from zhidao.store.database import Database
    from zhidao.store.migrate import migrate

    database = await Database.open(url)
    try:
        await migrate(database)
    finally:
        await database.close()


async def _measured(where: str) -> tuple[float, float, float]:
    """Seconds to restart, p99 of a proof in milliseconds, and MiB of memory."""
    started_s = time.perf_counter()
    async with _opened(where) as store:
        await store.take()
        reader = LogReader(store)
        size = await reader.size()
        root = await reader.root(size)
        start_s = time.perf_counter() - started_s
        chance, waits = random.Random(size), []
        for number in range(_PROOFS):
            index = chance.randrange(size)
            before_s = time.perf_counter()
            proof = await reader.inclusion(index, size)
            waits.append(time.perf_counter() - before_s)
            if number % 100 == 0:
                leaf = leaf_hash(b"leaf %d of ten million" % index)
                verify_inclusion(leaf=leaf, index=index, size=size, proof=proof, root=root)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return start_s, sorted(waits)[int(len(waits) * 0.99)] * 1000, peak / MIB


if __name__ == "__main__":
    print(*asyncio.run(_measured(sys.argv[1])))
