"""A drill restores a node's newest backup beside it, and says by a signed fact what came back."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from tests.node.live_node import admin_of, answer_of, walked, zhidao

from zhidao.simulation.node_process import NodeProcess
from zhidao.simulation.sides import Sides
from zhidao.store.embedded import EmbeddedPostgres

pytestmark = [pytest.mark.service, pytest.mark.timeout(240)]


@dataclass(frozen=True)
class Paid:
    """A node that carried a consignment to payment and was backed up once; it runs on."""

    node: NodeProcess
    folder: Path

    @property
    def data(self) -> Path:
        """The node's data folder."""
        return self.folder / "node"

    @property
    def backups(self) -> Path:
        """Where its backups are."""
        return self.folder / "backups"

    def run(self, *words: str | Path, status: int = 0) -> dict[str, Any]:
        """The answer of a command on this node's data."""
        done = zhidao(*words, "--data", self.data, "--json", passphrase=self.folder / "passphrase")
        told: dict[str, Any] = answer_of(done, status)
        return told

    def backup(self, name: str) -> Path:
        """A new backup."""
        out = self.backups / f"{name}.zdbackup"
        self.run("backup", "-o", out)
        return out


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of such a node, stopped."""
    folder = tmp_path_factory.mktemp("paid")

    async def carry() -> None:
        node = NodeProcess(folder)
        await node.start()
        try:
            await walked(Sides.of_one(node), folder)
            world = Paid(node, folder)
            world.backups.mkdir()
            await asyncio.to_thread(world.backup, "first")
        finally:
            await node.stop()

    asyncio.run(carry())
    return folder


@pytest.fixture
async def paid(carried: Path, tmp_path: Path) -> AsyncIterator[Paid]:
    """See `Paid`. Each test has a copy of its own."""
    shutil.copytree(carried, tmp_path, dirs_exist_ok=True)
    node = NodeProcess(tmp_path)
    await node.start()
    try:
        yield Paid(node, tmp_path)
    finally:
        await node.stop()


@contextmanager
def database(data: Path) -> Iterator[psycopg.Connection[Any]]:
    """The database of a node that stands still, as somebody at the machine reaches it."""
    server = EmbeddedPostgres(data / "postgres")
    try:
        with psycopg.connect(server.start(), autocommit=True) as link:
            yield link
    finally:
        server.stop()


def servers_in(folder: Path) -> list[str]:
    """Processes whose working directory lies in a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            place = (entry / "cwd").readlink()
        except OSError:
            continue
        if place.is_relative_to(folder):
            found.append(str(place))
    return found


async def test_what_came_back_is_a_fact_of_the_node_that_serves_on(paid: Paid) -> None:
    done = await asyncio.to_thread(paid.run, "drill", paid.backups)
    assert done["wrong"] == []
    assert done["logged"]
    assert done["backup"] == 1
    assert done["ledgers"] >= 1
    assert done["transfers"] >= 2
    assert done["log_size"] > 40
    assert 0 < done["restored_ms"] <= done["ready_ms"]
    assert not (paid.data / "drill").exists()
    # Its newest start tells a code by which somebody signs in.
    await paid.node.stop()
    await paid.node.start()
    async with httpx.AsyncClient(base_url=paid.node.url, timeout=20.0) as http:
        admin = await admin_of(paid.node, http)
        [told] = await admin.get("/v1/node/drills")
        assert told["holds"]
        assert told["leaf"] is not None
        assert (told["backup"], told["sha256"]) == (1, done["sha256"])
        # Whoever follows the log reads what the drill found, without a token.
        public = await http.get(f"/log/tile/entries/000.p/{told['leaf'] + 1}")
        assert b"node.DrillDone.v1" in public.content
        assert done["sha256"].encode() in public.content
        alarms = (await admin.get("/v1/node/health"))["alarms"]
        assert [each for each in alarms if each["code"].startswith("drill")] == []


async def test_a_backup_of_a_changed_ledger_or_log_does_not_come_back_whole(paid: Paid) -> None:
    await paid.node.stop()

    def change(statement: str) -> None:
        with database(paid.data) as link:
            assert link.execute(statement.encode()).rowcount == 1

    def drilled() -> list[str]:
        wrong: list[str] = paid.run("drill", paid.backups, status=1)["wrong"]
        return wrong

    await asyncio.to_thread(
        change,
        "update finance.records set data = set_byte(data, 40, get_byte(data, 40) # 1)"
        " where (shard, batch) = (select shard, min(batch) from finance.records"
        " group by shard order by shard limit 1)",
    )
    await asyncio.to_thread(paid.backup, "second")
    [sentence] = await asyncio.to_thread(drilled)
    assert "does not give the head that was logged for it" in sentence
    await asyncio.to_thread(
        change, "update trust.log_leaf set entry = entry || '\\x00' where leaf_index = 7"
    )
    await asyncio.to_thread(paid.backup, "third")
    wrong = await asyncio.to_thread(drilled)
    assert any("leaves of the log were changed" in each for each in wrong)
    assert any(each.startswith("beside the node's own log") for each in wrong)


async def test_an_older_backup_is_no_drill_of_the_newest(paid: Paid) -> None:
    first = paid.backups / "first.zdbackup"
    await asyncio.to_thread(paid.backup, "second")
    refused = await asyncio.to_thread(lambda: paid.run("drill", first, status=1))
    assert refused["error"] == "backup_older"
    asked = await asyncio.to_thread(lambda: paid.run("drill", first, "--older", "1"))
    assert (asked["backup"], asked["wrong"]) == (1, [])
    assert asked["lost_leaves"] > 0


async def test_a_killed_drill_leaves_nothing_after_the_next(paid: Paid) -> None:
    scratch = paid.data / "drill"
    words = ["drill", paid.backups, "--data", paid.data]
    killed = subprocess.Popen(
        [sys.executable, "-m", "zhidao.cli", *map(str, words)],
        env=os.environ | {"ZHIDAO_KEYS_PASSPHRASE_FILE": str(paid.folder / "passphrase")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 60
    while not (scratch / "postgres" / "cluster" / "postmaster.pid").exists():
        assert time.monotonic() < until
        await asyncio.sleep(0.02)
    beside = await asyncio.to_thread(lambda: paid.run("drill", paid.backups, status=1))
    assert beside["error"] == "data_in_use"
    killed.send_signal(signal.SIGKILL)
    killed.wait(20)
    done = await asyncio.to_thread(paid.run, "drill", paid.backups)
    assert done["wrong"] == []
    assert not scratch.exists()
    assert servers_in(scratch) == []


async def test_a_scratch_place_that_is_no_folder_is_told_by_its_name(paid: Paid) -> None:
    file = paid.backups / "first.zdbackup"
    refused = await asyncio.to_thread(
        lambda: paid.run("drill", file, "--scratch", file, "--no-record", status=2)
    )
    assert refused["error"] == "file_unusable"
    assert any(str(file) in str(each) for each in refused.values())


async def test_without_a_node_it_is_only_said(paid: Paid, tmp_path: Path) -> None:
    await paid.node.stop()
    listed: Any = paid.run("keys", "list")
    signer = next(
        key["fingerprint"]
        for key in listed
        if (key["name"], key["algorithm"]) == ("node", "ed25519")
    )

    def elsewhere() -> dict[str, Any]:
        words = ("drill", paid.backups, "--data", tmp_path / "empty", "--json", "--no-record")
        told: dict[str, Any] = answer_of(zhidao(*words, "--signed-by", signer))
        return told

    done = await asyncio.to_thread(elsewhere)
    assert (done["wrong"], done["drill"], done["logged"]) == ([], "", False)
