"""A node comes back from its backups, and an older one is noticed before anything is signed."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.node.live_node import answer_of, logged, maker_token, order, zhidao

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
                sizes.append(await logged(http, token, number))
                out = tmp_path / f"{name}.zdbackup"
                answer_of(zhidao("backup", "--data", data, "-o", out, "--json"))
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


def bring_back(lost: Lost, archive: Path, folder: Path) -> dict[str, Any]:
    """A new data folder from keys, the copy of the newest head and an archive."""
    data = folder / "node"
    folder.mkdir()
    shutil.copy(lost.passphrase, folder / "passphrase")
    answer_of(
        zhidao("keys", "import", lost.keys, "--data", data, "--json", passphrase=lost.passphrase)
    )
    (data / "log").mkdir()
    shutil.copy(lost.head, data / "log" / "checkpoint")
    told: dict[str, Any] = answer_of(zhidao("restore", archive, "--data", data, "--json"))
    return told


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
        assert await logged(http, lost.token, lost.sizes[1] + 1) == lost.sizes[1] + 1
        mine = await http.get(
            "/v1/insight/report", headers={"Authorization": f"Bearer {lost.token}"}
        )
        assert mine.json()["opened"]["value"] == lost.sizes[1] + 1
    await second.stop()
    report = answer_of(
        zhidao("insight", "report", "--json", "--data", tmp_path / "second" / "node")
    )
    assert report["opened"]["value"] == report["opened"]["total"] == lost.sizes[1] + 1
    [log] = report["logs"]
    assert log["checked"] == "own_key"
