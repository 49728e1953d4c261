"""A node comes back from its backups, and an older one is noticed before anything is signed."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.node.live_node import admin_of, answer_of, logged, maker_token, order, zhidao

from zhidao.simulation.node_process import NodeProcess

pytestmark = pytest.mark.service


@dataclass(frozen=True)
class Lost:
    """A node that is gone: its two backups, its keys, and the copy of its newest head."""

    folder: Path
    older: Path
    newer: Path
    keys: Path
    head: Path
    token: str
    sizes: tuple[int, int]

    @property
    def token_id(self) -> str:
        """The token by which it goes on living."""
        return self.token.split("_")[1]

    @property
    def passphrase(self) -> Path:
        """The file that opens its keys."""
        return self.folder / "passphrase"


@pytest.fixture
async def lost(tmp_path: Path) -> Lost:
    """Backed up twice while serving, with an event in between."""
    folder = tmp_path / "first"
    data = folder / "node"
    node = NodeProcess(folder)
    sizes = []
    await node.start()
    try:
        async with httpx.AsyncClient(base_url=node.url, timeout=20.0) as http:
            token = await maker_token(node, http)
            for number, name in enumerate(("older", "newer"), 1):
                status, _ = await order(http, token, f"order-{number}")
                assert status == 201
                await logged(http, token, number)
                out = tmp_path / f"{name}.zdbackup"
                made = ("backup", "--data", data, "-o", out, "--json")
                told = answer_of(zhidao(*made, passphrase=folder / "passphrase"))
                assert told["meta"]["number"] == number
                # The command was not told how the node is called: its database says so.
                assert told["meta"]["node"] == node.name != "node"
                # The backup is written down before it is made, and nothing else happens.
                sizes.append(await logged(http, token))
    finally:
        await node.stop()
    keys = tmp_path / "node.zdkeys"
    passphrase = folder / "passphrase"
    answer_of(zhidao("keys", "export", "--data", data, "-o", keys, "--json", passphrase=passphrase))
    return Lost(
        folder=folder,
        older=tmp_path / "older.zdbackup",
        newer=tmp_path / "newer.zdbackup",
        keys=keys,
        head=data / "log" / "checkpoint",
        token=token,
        sizes=(sizes[0], sizes[1]),
    )


def bring_back(lost: Lost, archive: Path, folder: Path, *more: str | Path) -> dict[str, Any]:
    """A new data folder from keys, the copy of the newest head and an archive."""
    told: dict[str, Any] = answer_of(restored(lost, archive, folder, *more))
    assert told["tokens_withdrawn"]
    assert lost.token_id not in told["tokens_withdrawn"]
    return told


def restored(
    lost: Lost, archive: Path, folder: Path, *more: str | Path
) -> subprocess.CompletedProcess[str]:
    """The command that restores, after keys and the copy of the newest head were put there."""
    data = folder / "node"
    folder.mkdir()
    shutil.copy(lost.passphrase, folder / "passphrase")
    answer_of(
        zhidao("keys", "import", lost.keys, "--data", data, "--json", passphrase=lost.passphrase)
    )
    (data / "log").mkdir()
    shutil.copy(lost.head, data / "log" / "checkpoint")
    kept = ("--keep-token", lost.token_id)
    return zhidao("restore", archive, "--data", data, "--json", *kept, *more)


@pytest.fixture
async def second(tmp_path: Path) -> AsyncIterator[NodeProcess]:
    """The node in its new place; stopped after the test."""
    node = NodeProcess(tmp_path / "second")
    yield node
    await node.stop()


async def test_an_older_backup_beside_the_newer_head_signs_nothing(
    lost: Lost, second: NodeProcess, tmp_path: Path
):
    told = bring_back(lost, lost.older, tmp_path / "second")
    assert told["recovering"]
    assert (told["log_size"], told["newest_size"]) == lost.sizes
    await second.start()
    async with httpx.AsyncClient(base_url=second.url, timeout=20.0) as http:
        ready = (await http.get("/readyz")).json()
        assert [alarm["code"] for alarm in ready["alarms"]] == ["recovering"]
        for name in ("order-1", "order-3"):
            status, problem = await order(http, lost.token, name)
            assert (status, problem["code"]) == (503, "recovering")
        # Reading goes on, from the older state.
        headers = {"Authorization": f"Bearer {lost.token}"}
        assert (await http.get("/v1/parties", headers=headers)).status_code == 200
        assert await logged(http, lost.token) == lost.sizes[0]
        old_head = (await http.get("/log/checkpoint")).text
        assert old_head.splitlines()[1] == str(lost.sizes[0])
    doctor = zhidao("doctor", "--data", tmp_path / "second" / "node", "--json")
    bad = {check["name"] for check in answer_of(doctor, 1) if check["state"] == "bad"}
    assert "alarm recovering" in bad
    await second.stop()
    assert not (tmp_path / "second/node/node.json").exists()
    # The newest head that anybody saw is untouched: no second history was begun.
    assert (tmp_path / "second/node/log/checkpoint").read_bytes() == lost.head.read_bytes()


async def test_the_newest_backup_beside_the_newest_head_goes_on_with_the_same_log(
    lost: Lost, second: NodeProcess, tmp_path: Path
):
    told = bring_back(lost, lost.newer, tmp_path / "second")
    assert not told["recovering"]
    await second.start()
    async with httpx.AsyncClient(base_url=second.url, timeout=20.0) as http:
        assert (await http.get("/readyz")).json() == {"ready": True, "down": [], "alarms": []}
        # What was acknowledged before the loss is known; new work is signed and logged.
        assert (await order(http, lost.token, "order-2"))[0] == 201
        assert (await order(http, lost.token, "order-3"))[0] == 201
        # The same log goes on: with the new order, and what is written down of the start.
        size = await logged(http, lost.token, lost.sizes[1] + 2)
        assert size > lost.sizes[1] + 1
        mine = await http.get(
            "/v1/insight/report", headers={"Authorization": f"Bearer {lost.token}"}
        )
        assert mine.json()["opened"]["total"] >= size
    await second.stop()
    report = answer_of(
        zhidao("insight", "report", "--json", "--data", tmp_path / "second" / "node")
    )
    assert report["opened"]["value"] == report["opened"]["total"] >= size
    [log] = report["logs"]
    assert log["checked"] == "own_key"


async def test_an_older_backup_is_refused_where_a_newer_is_known_and_withdrawals_stay(
    lost: Lost, second: NodeProcess, tmp_path: Path
):
    live = lost.folder / "node"
    refused = answer_of(restored(lost, lost.older, tmp_path / "third", "--live", live), 1)
    assert (refused["error"], "--older 1" in refused["remedy"]) == ("backup_older", True)
    assert not (tmp_path / "third/node/postgres/cluster").exists()
    # The number beside the copy of the newest head tells the same.
    shutil.copy(live / "log/backups", tmp_path / "third/node/log/backups")
    words = ("restore", lost.older, "--data", tmp_path / "third/node", "--json")
    assert answer_of(zhidao(*words), 1)["error"] == "backup_older"
    # The token is withdrawn after the backup: it does not live again, even if asked for.
    first = NodeProcess(lost.folder)
    await first.start()
    try:
        async with httpx.AsyncClient(base_url=first.url, timeout=20.0) as http:
            admin = await admin_of(first, http)
            await admin.ask("DELETE", f"/v1/tokens/{lost.token_id}")
            await asyncio.sleep(1)
    finally:
        await first.stop()
    asked = (*words, "--older", "1", "--live", live)
    gone = answer_of(zhidao(*asked, "--keep-token", lost.token_id), 1)
    assert gone["error"] == "token_withdrawn"
    told = answer_of(zhidao(*asked))
    assert lost.token_id in told["tokens_withdrawn"]
    assert (told["newest_known"], told["recovering"]) == (2, True)
    # Nobody's row says otherwise than the acts that wait for their signature.
    shutil.copy(lost.passphrase, tmp_path / "third" / "passphrase")
    third = NodeProcess(tmp_path / "third")
    await third.start()
    try:
        async with httpx.AsyncClient(base_url=third.url, timeout=20.0) as http:
            headers = {"Authorization": f"Bearer {lost.token}"}
            assert (await http.get("/v1/parties", headers=headers)).status_code == 401
    finally:
        await third.stop()


async def test_a_restored_node_has_each_withdrawal_in_its_log(
    lost: Lost, second: NodeProcess, tmp_path: Path
):
    told = bring_back(lost, lost.newer, tmp_path / "second")
    await second.start()
    async with httpx.AsyncClient(base_url=second.url, timeout=20.0) as http:
        await logged(http, lost.token, lost.sizes[1] + 2 + len(told["tokens_withdrawn"]))
    doctor = zhidao("doctor", "--data", tmp_path / "second" / "node", "--json")
    records = [check for check in answer_of(doctor) if check["name"] == "records"]
    assert [check["state"] for check in records] == ["ok"], records
