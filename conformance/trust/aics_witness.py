"""An independent witness (aics-witness, PyPI) cosigns our log and refuses our fork.

Needs Python 3.12 or later of its own: a venv of 3.13 with `pip install aics-witness==0.1.0`;
name the program in ZHIDAO_AICS_WITNESS. It speaks tlog-witness 1.1 over HTTP, as our nodes do.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conformance.verdicts import judged
from zhidao.core.errors import Refused, ZhidaoError
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.programs.child import free_port
from zhidao.node.adapters.ambient import SystemClock
from zhidao.trust.adapters.http_network import HttpNetwork
from zhidao.trust.adapters.log.cosigned_notes import MemoryCosignedNotes
from zhidao.trust.adapters.log.memory import MemoryHeadCopy, MemoryLogStore
from zhidao.trust.domain.policy import Policy, PolicyLog, PolicyWitness
from zhidao.trust.service.log.sequencer import Sequencer, TimedKey
from zhidao.trust.service.witness.cosigning import Feeder
from zhidao.trust.service.witness.peers import origin_hash
from zhidao.trust.service.witness.policy_check import judge_file
from zhidao.trust.wire.log.add_checkpoint import encode_add_checkpoint
from zhidao.trust.wire.log.note import parse_vkey, vkey

SUITE = "aics-witness"
ORIGIN = "conformance.example/log"


def run(shared: Path | None) -> dict[str, Any]:
    """The report; skipped where the program is not."""
    del shared
    program = os.environ.get("ZHIDAO_AICS_WITNESS") or shutil.which("aics-witness")
    if not program:
        return {"suite": SUITE, "skipped": "ZHIDAO_AICS_WITNESS names no aics-witness program"}
    with tempfile.TemporaryDirectory(prefix="zc-") as folder:
        return judged(SUITE, asyncio.run(_cases(program, Path(folder))))


class _Log:
    """A log of ours that can be forked."""

    def __init__(self, key: bytes = b"k") -> None:
        self.store = MemoryLogStore()
        self.log = Sequencer(
            origin=ORIGIN,
            key=SoftwareKey(Algorithm.ED25519, key * 32),
            store=self.store,
            copy=MemoryHeadCopy(),
            timed=TimedKey(SoftwareKey(Algorithm.ML_DSA_44, b"q" * 32), SystemClock()),
        )

    async def grow(self, *leaves: bytes) -> bytes:
        if self.log.recovering:
            await self.log.start()
        async with self.store.transaction() as transaction:
            await self.log.append(transaction, leaves)
        return await self.log.sign_checkpoint()


async def _cases(program: str, folder: Path) -> list[tuple[str, bool]]:
    log = _Log()
    with _serving(program, folder, vkey(log.log.note_key)) as (url, key):
        network = HttpNetwork()
        policy = Policy(
            (PolicyLog(log.log.note_key),),
            (PolicyWitness("aics", parse_vkey(key), url),),
            (),
            "aics",
        )
        kept = MemoryCosignedNotes()
        feeder = Feeder(reader=log.log.reader, policies={"c": policy}, network=network, kept=kept)
        try:
            return [case async for case in _told(log, feeder, policy, kept, network, url)]
        finally:
            await network.close()


async def _told(
    log: _Log,
    feeder: Feeder,
    policy: Policy,
    kept: MemoryCosignedNotes,
    network: HttpNetwork,
    url: str,
) -> AsyncIterator[tuple[str, bool]]:
    for name, leaves in (("first head", [b"a", b"b"]), ("growth", [b"c", b"d", b"e"])):
        await log.grow(*leaves)
        await feeder.step()
        yield f"cosigns the {name}", _is_witnessed(await kept.newest(), policy)
    fresh = Feeder(
        reader=log.log.reader, policies={"c": policy}, network=network, kept=MemoryCosignedNotes()
    )
    await log.grow(b"f")
    note = await fresh.step()
    yield "tells its size to a feeder that forgot it", bool(note and note.cosigned_by(policy.keys))
    path = f"{url}/{origin_hash(ORIGIN)}/checkpoint"
    yield (
        "serves a head that our policy accepts",
        _is_witnessed((await network.get(path)).body, policy),
    )
    for name, statuses, body in await _refusals(log):
        answer = await network.post(f"{url}/add-checkpoint", body, kind="text/plain")
        yield f"refuses {name}", answer.status in statuses


async def _refusals(log: _Log) -> list[tuple[str, set[int], bytes]]:
    fork, same, stranger = _Log(), _Log(), _Log(b"s")
    forked = await fork.grow(b"a", b"b", b"x", b"y", b"z", b"p", b"q", b"r")
    other = await same.grow(b"a", b"b", b"c", b"d", b"e", b"other")
    honest = await log.grow(b"g")
    proof = await fork.log.reader.consistency(6, 8)
    good = await log.log.reader.consistency(6, 7)
    return [
        ("our fork", {422}, encode_add_checkpoint(6, proof, forked)),
        ("a second root of one size", {409, 422}, encode_add_checkpoint(6, [], other)),
        ("an old size that is not its own", {409}, encode_add_checkpoint(2, [], honest)),
        ("a wrong proof", {422}, encode_add_checkpoint(6, [b"\0" * 32 for _ in good], honest)),
        ("a stranger's key", {403}, encode_add_checkpoint(0, [], await stranger.grow(b"a"))),
    ]


def _is_witnessed(note: bytes | None, policy: Policy) -> bool:
    try:
        return bool(note and judge_file(note, policy).witnessed.by == ("aics",))
    except (Refused, ZhidaoError):
        return False


@contextmanager
def _serving(program: str, folder: Path, log_key: str) -> Iterator[tuple[str, str]]:
    """The witness until the block ends: its submission prefix and its key."""
    config = str(folder / "witness.json")
    name = ("--name", "witness.example/aics")
    told = _run(program, "init", "--config", config, *name)
    key = next(word for word in told.split() if word.startswith("witness.example/aics+"))
    _run(program, "add-log", "--config", config, "--origin", ORIGIN, "--vkey", log_key)
    port = free_port()
    process = subprocess.Popen(  # noqa: S603 (the program that the operator named)
        [program, "serve", "--config", config, "--listen", f"127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", key
    finally:
        process.kill()
        process.wait(30)


def _run(*words: str) -> str:
    done = subprocess.run(  # noqa: S603 (the program that the operator named)
        words, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout + done.stderr
