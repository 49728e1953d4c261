"""The log by its routes: commitments in batches, one by one, and what readers fetch.

The node is `zhidao serve`; the client is wrk (not Python). Writing requests are signed before its
clock starts, each is used once, and each is answered by a signed head that covers its leaves. The
node has no quota of leaves (`log.leaves_per_party_hour`), since one party writes all of them.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.measuring import claim
from benchmarks.signed_routes import Replayed, World, without_quota
from zhidao.simulation.node_process import NodeProcess

BATCH: Final = 256
BATCHES: Final = 100
COMMITMENT_BYTES: Final = 32


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (the contract of all benchmarks)
    """Leaves a second and how long a caller waits; reads of the head and of a tile."""
    if shutil.which("wrk") is None:
        print("log: no wrk here (Debian: apt-get install wrk)", file=sys.stderr)
        return
    rounds = asyncio.run(_rounds(3 if long else 2))
    batches = [BATCH * one["batch"].per_s for one in rounds]
    yield claim("log_leaves_in_batches_by_route_per_s", batches, "1/s")
    yield claim("log_batch_by_route_p99_ms", [one["batch"].p99_ms for one in rounds], "ms")
    yield claim("log_leaves_one_by_one_by_route_per_s", [r["single"].per_s for r in rounds], "1/s")
    yield claim("log_leaf_by_route_p99_ms", [one["single"].p99_ms for one in rounds], "ms")
    for name in ("head", "tile"):
        yield claim(f"log_{name}_read_per_s", [one[name].per_s for one in rounds], "1/s")


async def _rounds(rounds: int) -> list[dict[str, Replayed]]:
    without_quota()
    with tempfile.TemporaryDirectory(prefix="zd-") as folder:
        node = NodeProcess(Path(folder) / "node")
        world = World(Path(folder), await node.start(), node.name)
        try:
            await world.fill()
            await world.replay(_batches(world, 4), 4)
            return [
                {
                    "batch": await world.replay(_batches(world, BATCHES), 16),
                    "single": await world.replay(world.commitments(1_500)),
                    "head": await world.replay(_reads(world, "/log/checkpoint", 2_000)),
                    "tile": await world.replay(_reads(world, "/log/tile/0/000", 2_000)),
                }
                for _ in range(rounds)
            ]
        finally:
            await node.stop()


def _batches(world: World, count: int) -> list[bytes]:
    path, kind = "/v1/trust/log/commitments", "application/octet-stream"
    size = BATCH * COMMITMENT_BYTES
    return [world.sender.request(path, secrets.token_bytes(size), kind) for _ in range(count)]


def _reads(world: World, path: str, count: int) -> list[bytes]:
    return [f"GET {path} HTTP/1.1\r\nHost: {world.host}\r\n\r\n".encode()] * count
