"""Witnesses: cosignatures a second, lies found, kills survived.

The witness is a program of its own (`benchmarks.inner.trust.trust_server`), reached over HTTP.
The long run adds 200 kills of it. Entries into the log go by the node's own route: see
`benchmarks/log.py`. No rival stands in these lines: aics-witness is held against ours in
`conformance/trust/aics_witness.py`.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.inner.trust import trust_fuzz, trust_kills, trust_lies, trust_proofs
from benchmarks.inner.trust.trust_client import post_all, serving
from benchmarks.inner.trust.trust_server import KEY, origin
from benchmarks.measuring import claim
from zhidao.trust.domain.merkle import consistency_ranges, leaf_hash, root_of
from zhidao.trust.domain.note import Checkpoint, sign_note
from zhidao.trust.wire.log.add_checkpoint import encode_add_checkpoint
from zhidao.trust.wire.log.note import checkpoint_text, encode_note

BATCH: Final = 256
_LANES: Final = 128


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (every benchmark has this form)
    """All claims of log and witnesses."""
    runs = 5 if long else 3
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


def _verifier_lines() -> float:
    """All lines of the independent verifier for node, in its three files."""
    checks = Path(__file__).resolve().parents[3] / "docs/checks"
    return float(sum(len(file.read_text().splitlines()) for file in checks.glob("proof_*.mjs")))


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
