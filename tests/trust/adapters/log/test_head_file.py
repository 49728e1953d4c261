"""The head beside the database never goes back, whoever writes it at once and whoever dies."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from pathlib import Path

import pytest

from zhidao.core.errors import Unavailable
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.store.database import Database
from zhidao.trust.adapters.log.head_file import FileHeadCopy
from zhidao.trust.adapters.log.postgres import PostgresLogStore
from zhidao.trust.domain.note import Checkpoint, sign_note
from zhidao.trust.service.log.reader import checkpoint_of
from zhidao.trust.service.log.sequencer import Sequencer, origin_of
from zhidao.trust.wire.log.note import checkpoint_text, encode_note

KEY = SoftwareKey(Algorithm.ED25519, b"k" * 32)
ORIGIN = origin_of("node", KEY)
SEED = 20_261_128


def head(size: int, origin: str = ORIGIN) -> bytes:
    text = checkpoint_text(Checkpoint(origin, size, size.to_bytes(32)))
    return encode_note(sign_note(text, [(origin, KEY)]))


async def test_of_many_writers_in_any_order_the_largest_head_stays(tmp_path: Path) -> None:
    file = tmp_path / "log" / "checkpoint"
    # Two processes, as far as the file can tell: a lock is of an open file, not of a process.
    copies = [FileHeadCopy(file), FileHeadCopy(file)]
    sizes = list(range(1, 201))
    random.Random(SEED).shuffle(sizes)
    turns = iter(sizes)
    seen = [0]

    async def write(number: int) -> None:
        for size in turns:
            await copies[number % 2].keep(head(size))
            stands = checkpoint_of(file.read_bytes()).size
            assert stands >= size
            assert stands >= seen[-1]
            seen.append(stands)

    await asyncio.gather(*map(write, range(32)))
    assert len(seen) == 201
    assert checkpoint_of(file.read_bytes()).size == 200
    assert checkpoint_of(await copies[0].newest() or b"").size == 200


async def test_another_log_and_what_is_no_head_are_replaced(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint"
    copy = FileHeadCopy(file)
    await copy.keep(head(9))
    await copy.keep(head(3))
    assert file.read_bytes() == await copy.newest() == head(9)
    other = head(2, "node.example/another")
    await copy.keep(other)
    assert file.read_bytes() == other
    file.write_bytes(b"torn")
    await copy.keep(head(1))
    assert file.read_bytes() == head(1)


async def test_only_a_full_disk_is_told_as_one(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file where the folder should be")
    with pytest.raises(Unavailable) as refusal:
        await FileHeadCopy(tmp_path / "log" / "checkpoint").keep(head(1))
    assert refusal.value.code == "file_not_written"
    assert str(tmp_path / "log") in str(refusal.value)


_WRITER = """
import asyncio, os, random, signal, sys, time
from pathlib import Path
from tests.trust.adapters.log.test_head_file import head
from zhidao.trust.adapters.log.head_file import FileHeadCopy

file, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
rng, told = random.Random(seed), file.with_name("told")
told.write_bytes((0).to_bytes(8))
for _ in range(kills):
    child = os.fork()
    if child == 0:
        size = int.from_bytes(told.read_bytes())
        with told.open("r+b", buffering=0) as out:
            while True:
                size += 1
                FileHeadCopy(file)._keep(head(size))
                out.seek(0)
                out.write(size.to_bytes(8))
    time.sleep(rng.uniform(0.001, 0.02))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    acknowledged = int.from_bytes(told.read_bytes())
    if file.exists():
        from zhidao.trust.service.log.reader import checkpoint_of
        stands = checkpoint_of(file.read_bytes()).size
        assert acknowledged <= stands <= acknowledged + 1, (acknowledged, stands)
    else:
        assert acknowledged == 0
print(acknowledged)
"""


def test_after_two_hundred_kills_the_file_is_whole_and_nothing_acknowledged_is_gone(
    tmp_path: Path,
) -> None:
    words = [sys.executable, "-c", _WRITER, str(tmp_path / "checkpoint"), "200", str(SEED)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"seed {SEED}: {done.stderr[-2000:]}"
    # On a machine under load a child may be killed before its first head.
    assert int(done.stdout) > 20


async def _written_by_many(database: Database, folder: Path, leaves: int) -> None:
    store = PostgresLogStore(database, ORIGIN)
    file = folder / "log" / "checkpoint"
    log = Sequencer(origin=ORIGIN, key=KEY, store=store, copy=FileHeadCopy(file))
    await log.start()
    turns = iter(range(leaves))

    async def write() -> None:
        for number in turns:

            async def add(session: object, leaf: bytes = b"leaf %d" % number) -> None:
                await log.append(session, [leaf])

            await database.run(add)
            await log.sign_checkpoint()

    await asyncio.gather(*(write() for _ in range(32)))
    newest = await store.checkpoint()
    assert newest == file.read_bytes()
    assert checkpoint_of(newest).size == leaves
    again = Sequencer(origin=ORIGIN, key=KEY, store=store, copy=FileHeadCopy(file))
    await again.start()
    assert again.recovering == ""


@pytest.mark.service
async def test_thirty_two_callers_end_with_one_head_in_file_and_database(
    database: Database, tmp_path: Path
) -> None:
    await _written_by_many(database, tmp_path, 320)


@pytest.mark.service
@pytest.mark.long
async def test_thirty_two_callers_and_ten_thousand_leaves(
    database: Database, tmp_path: Path
) -> None:
    await _written_by_many(database, tmp_path, 10_000)
