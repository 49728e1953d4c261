"""A log of ten million leaves on files: proofs, memory and restart of a server over HTTP."""

from __future__ import annotations

import asyncio
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.measuring import claim
from zhidao.trust.adapters.log_files import FileLogStore
from zhidao.trust.domain.merkle import grow, leaf_hash, verify_inclusion
from zhidao.trust.service.log_reader import LogReader

_BATCH: Final = 8192
_PROOFS: Final = 4000
MIB: Final = 2**20


def run(*, leaves: int) -> Iterator[dict[str, Any]]:
    """Fills a log, then measures in fresh processes."""
    with tempfile.TemporaryDirectory(prefix="zt-") as place:
        folder = Path(place) / "log"
        seconds = asyncio.run(_fill(folder, leaves))
        yield claim("trust_millions_fill_per_s", [leaves / seconds], "1/s")
        used = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        yield claim("trust_millions_disk_bytes_per_leaf", [used / leaves], "B")
        starts, waits, memory = [], [], []
        for _ in range(3):
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.trust_millions", str(folder)],
                capture_output=True,
                text=True,
                check=True,
                timeout=300,
            )
            start_s, p99_ms, mib = map(float, done.stdout.split())
            starts.append(start_s)
            waits.append(p99_ms)
            memory.append(mib)
    yield claim("trust_millions_restart_s", starts, "s", target=1, at_most=True)
    yield claim("trust_millions_proof_p99_ms", waits, "ms", target=2, at_most=True)
    yield claim("trust_millions_memory_mib", memory, "MiB", target=300, at_most=True)


async def _fill(folder: Path, leaves: int) -> float:
    store = FileLogStore(folder)
    epoch = await store.take()
    started_s = time.perf_counter()
    for first in range(0, leaves, _BATCH):
        entries = [b"leaf %d of ten million" % n for n in range(first, min(first + _BATCH, leaves))]
        async with store.transaction() as transaction:
            head = await store.lock(transaction)
            growth = grow(head.edge, map(leaf_hash, entries))
            await store.extend(transaction, epoch=epoch, growth=growth, leaves=entries)
        if first % (_BATCH * 128) == 0:
            print(f"{first} leaves", file=sys.stderr, flush=True)
    store.close()
    return time.perf_counter() - started_s


async def _measured(folder: Path) -> tuple[float, float, float]:
    """Seconds to restart, p99 of a proof in milliseconds, and MiB of memory."""
    started_s = time.perf_counter()
    store = FileLogStore(folder)
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
    store.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return start_s, sorted(waits)[int(len(waits) * 0.99)] * 1000, peak / MIB


if __name__ == "__main__":
    print(*asyncio.run(_measured(Path(sys.argv[1]))))
