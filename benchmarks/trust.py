"""Log and witnesses: durable entries and cosignatures a second, ten million leaves, lies found.

Servers are programs of their own (`benchmarks.trust_server`) that the client reaches over HTTP.
The long run adds ten million leaves (proof time, memory, restart) and 200 kills of a witness.
No rival stands in these lines: aics-witness is held against ours in `conformance/aics_witness.py`,
and published figures of Tessera (POSIX 2,900 writes/s on 12 cores) were not measured here.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks import trust_fuzz, trust_kills, trust_lies, trust_millions, trust_proofs
from benchmarks.measuring import claim, cpu_s
from benchmarks.trust_client import Exchange, p99_ms, post_all
from benchmarks.trust_server import KEY, origin
from zhidao.store.embedded import EmbeddedPostgres
from zhidao.trust.domain.merkle import consistency_ranges, leaf_hash, root_of
from zhidao.trust.domain.note import Checkpoint, sign_note
from zhidao.trust.wire.note import checkpoint_text, encode_note
from zhidao.trust.wire.witness import encode_add_checkpoint

BATCH: Final = 256
_LANES: Final = 128


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (every benchmark has this form)
    """All claims of log and witnesses."""
    runs = 5 if long else 3
    with tempfile.TemporaryDirectory(prefix="zt-") as place:
        folder = Path(place)
        server = EmbeddedPostgres(folder / "postgres")
        try:
            yield from _log("postgres", [server.start()] * runs, folder)
        finally:
            server.stop()
        yield from _log("files", [str(folder / f"log{n}") for n in range(runs)], folder)
    for keys, target in (("ed25519", 500.0), ("both", 200.0)):
        rates = [_cosignatures_per_s(keys) for _ in range(runs)]
        yield claim(f"trust_cosignatures_{keys}_per_s", rates, "1/s", target=target)
    yield claim(
        "trust_second_verifier_lines", [_verifier_lines()], "lines", target=300, at_most=True
    )
    yield from trust_proofs.run(runs)
    yield from trust_lies.run()
    yield from trust_fuzz.run(inputs=1_000_000 if long else 20_000)
    yield from trust_kills.run(kills=200 if long else 6)
    if long:
        yield from trust_millions.run(leaves=10_000_000)


def _verifier_lines() -> float:
    """All lines of the independent verifier for node, in its three files."""
    checks = Path(__file__).resolve().parents[1] / "docs/checks"
    return float(sum(len(file.read_text().splitlines()) for file in checks.glob("proof_*.mjs")))


def _log(name: str, places: list[str], folder: Path) -> Iterator[dict[str, Any]]:
    batches, singles, waits, costs = [], [], [], []
    for number, place in enumerate(places):
        own = folder / f"{name}{number}"
        with serving("log", place, str(own)) as (port, process):
            asyncio.run(_post(port, lanes=4, count=4, size=BATCH))
            done, seconds = asyncio.run(_post(port, lanes=16, count=14, size=BATCH))
            batches.append(len(done) * BATCH / seconds)
            before_s = cpu_s(process.pid)
            done, seconds = asyncio.run(_post(port, lanes=_LANES, count=50, size=1))
            costs.append((cpu_s(process.pid) - before_s) / len(done) * 1e6)
            singles.append(len(done) / seconds)
            waits.append(p99_ms(done))
    yield claim(f"trust_log_{name}_batched_entries_per_s", batches, "1/s", target=10_000)
    yield claim(f"trust_log_{name}_single_entries_per_s", singles, "1/s", target=2_500)
    yield claim(f"trust_log_{name}_single_p99_ms", waits, "ms", target=150, at_most=True)
    # What one entry costs the log's process, whatever else the machine does.
    yield claim(f"trust_log_{name}_single_cpu_us", costs, "us")


async def _post(port: int, *, lanes: int, count: int, size: int) -> tuple[list[Exchange], float]:
    bodies = [[os.urandom(32 * size) for _ in range(count)] for _ in range(lanes)]
    started_s = time.perf_counter()
    done = await post_all(port, "/add", bodies)
    seconds = time.perf_counter() - started_s
    if {each.status for each in done} != {200}:
        raise SystemExit(f"entries were refused: {next(e.body for e in done if e.status != 200)!r}")
    return done, seconds


def _cosignatures_per_s(keys: str) -> float:
    logs, sizes = 64, 24
    lanes = [[_request(number, size) for size in range(1, sizes)] for number in range(logs)]
    with (
        tempfile.TemporaryDirectory(prefix="zt-") as place,
        serving("witness", place, keys, str(logs)) as (port, _),
    ):
        started_s = time.perf_counter()
        done = asyncio.run(post_all(port, "/add-checkpoint", lanes))
        seconds = time.perf_counter() - started_s
    if {each.status for each in done} != {200}:
        raise SystemExit("the witness refused")
    lines = sum(each.body.count(b"\n") for each in done)
    if lines != len(done) * (2 if keys == "both" else 1):
        raise SystemExit("cosignature lines are missing")
    return len(done) / seconds


def _request(number: int, size: int, fork: bytes = b"") -> bytes:
    """The step of a small log from `size - 1` to `size` leaves, signed."""
    hashes = [leaf_hash(b"%d %d %b" % (number, at, fork)) for at in range(size)]
    text = checkpoint_text(Checkpoint(origin(number), size, root_of(hashes)))
    note = encode_note(sign_note(text, [(origin(number), KEY)]))
    ranges = consistency_ranges(size - 1, size) if size > 1 else []
    return encode_add_checkpoint(
        size - 1, [root_of(hashes[begin:end]) for begin, end in ranges], note
    )


@contextmanager
def serving(*words: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """A server of `benchmarks.trust_server` until the block ends: its port and process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.trust_server", *words],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("port "):
                yield int(line.split()[1]), process
                break
        else:
            raise SystemExit("the server did not start")
    finally:
        process.kill()
        process.wait(30)
