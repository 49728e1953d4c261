"""A witness killed at any moment never cosigns two histories.

A driver offers two histories of one log in turn, as a lying operator would, and kills the witness
(SIGKILL) while requests are under way. At the end all cosignatures that ever left must be of one
history, and a witness started again must not have forgotten any of them.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Iterator
from typing import Any, Final

from benchmarks.inner.trust.trust_client import Connection, Exchange, serving
from benchmarks.inner.trust.trust_server import KEY, origin
from benchmarks.measuring import claim
from zhidao.trust.domain.merkle import consistency_ranges, leaf_hash, root_of
from zhidao.trust.domain.note import Checkpoint, sign_note
from zhidao.trust.wire.log.add_checkpoint import encode_add_checkpoint
from zhidao.trust.wire.log.note import checkpoint_text, encode_note

_SEED: Final = 417
_SHARED: Final = 3


def run(*, kills: int) -> Iterator[dict[str, Any]]:
    """How many of so many kills left something inconsistent."""
    bad, cosigned = asyncio.run(_voyage(kills))
    yield claim("trust_witness_kills", [kills], "kills")
    yield claim("trust_witness_cosigned_under_kills", [cosigned], "lines")
    yield claim("trust_witness_inconsistent_after_kills", [bad], "heads", target=0, at_most=True)


async def _voyage(kills: int) -> tuple[int, int]:
    chance = random.Random(_SEED)
    seen: dict[int, bytes] = {}
    bad = cosigned = size = 0
    with tempfile.TemporaryDirectory(prefix="zt-") as folder:
        for number in range(kills):
            with serving("witness", folder, "ed25519", "1") as (port, process):
                killer = asyncio.create_task(_kill(process, chance.uniform(0.0, 0.06)))
                while not killer.done():
                    for fork in (b"x", b"y"):
                        answer = await _offer(port, size, size + 1, fork)
                        if answer is None:
                            break
                        if answer.status == 200:
                            cosigned += 1
                            root = _root(size + 1, fork)
                            bad += seen.setdefault(size + 1, root) != root
                            size += 1
                        elif answer.status == 409:
                            told = int(answer.body)
                            # An answer may be lost with the process, never a head that was told.
                            bad += told < max(seen, default=0)
                            size = told
                await killer
            if number % 20 == 19:
                print(f"{number + 1} kills, {cosigned} cosigned, {bad} bad", flush=True)
    return bad + _forked(seen), cosigned


def _forked(seen: dict[int, bytes]) -> int:
    """How many of the heads that were cosigned are of another history than most."""
    sides = [
        sum(seen[size] != _root(size, fork) for size in seen if size > _SHARED)
        for fork in (b"x", b"y")
    ]
    return min(sides)


async def _kill(process: Any, after_s: float) -> None:
    await asyncio.sleep(after_s)
    process.kill()
    await asyncio.to_thread(process.wait)


async def _offer(port: int, old: int, size: int, fork: bytes) -> Exchange | None:
    hashes = _hashes(size, fork)
    text = checkpoint_text(Checkpoint(origin(0), size, root_of(hashes)))
    note = encode_note(sign_note(text, [(origin(0), KEY)]))
    ranges = consistency_ranges(old, size) if old else []
    body = encode_add_checkpoint(old, [root_of(hashes[b:e]) for b, e in ranges], note)
    try:
        connection = await Connection.open(port)
        try:
            return await connection.post("/add-checkpoint", body)
        finally:
            connection.close()
    except (OSError, asyncio.IncompleteReadError):
        return None


def _hashes(size: int, fork: bytes) -> list[bytes]:
    return [leaf_hash(b"%d %b" % (at, fork if at >= _SHARED else b"")) for at in range(size)]


def _root(size: int, fork: bytes) -> bytes:
    return root_of(_hashes(size, fork))
