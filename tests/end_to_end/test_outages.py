"""What a caller feels when a program of the node dies: a short 503, then everything as before."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest
import pytest_asyncio

from zhidao.core.ambient import SeededRandomness
from zhidao.simulation import participants
from zhidao.simulation.demonstration import Demonstration
from zhidao.simulation.kills import _children, _descendants
from zhidao.simulation.node_process import NodeProcess
from zhidao.simulation.scenario import simulated_scenario
from zhidao.simulation.sides import Sides

pytestmark = [
    pytest.mark.service,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
]
BACK_S = 2.0
_OVERLAP_S = 3.0


@dataclass(slots=True)
class Running:
    """A node, its tokens and its database."""

    node: NodeProcess
    http: httpx.AsyncClient
    tokens: dict[str, str]
    folder: Path
    orders: int = 0

    async def ask(self, method: str, path: str, *, by: str, **arguments: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens[by]}"}
        return await self.http.request(method, path, headers=headers, **arguments)

    async def order(self) -> httpx.Response:
        """Writes something new."""
        self.orders += 1
        body = {
            "order": f"PO-{self.orders}",
            "gtin": participants.GTIN,
            "quantity": 1,
            "limits": list(participants.LIMITS),
            "readers": [],
        }
        return await self.ask("POST", "/v1/industry/orders", by="exporter", json=body)

    async def health(self) -> dict[str, Any]:
        answer = await self.ask("GET", "/v1/node/health", by="auditor")
        assert answer.status_code == 200
        return answer.json()

    def child(self, command: str) -> int:
        (pid, *_) = _children(self.node.pid, command)
        return pid

    def sql(self, statement: str) -> None:
        postgres = self.folder / "node" / "postgres"
        note = postgres / "socket"
        host = Path(note.read_text()) if note.is_file() else postgres / "run"
        password = quote((postgres / "password").read_text(), safe="")
        url = f"postgresql://zhidao:{password}@/zhidao?host={quote(str(host), safe='')}&port=5432"
        with psycopg.connect(url) as link:
            link.execute(statement.encode())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    folder = tmp_path_factory.mktemp("outages")
    node = NodeProcess(folder)
    await node.start()
    road = Demonstration(
        Sides.of_one(node),
        simulated_scenario("zd-2026-0417", fail="", seed=417),
        folder=folder,
        output=folder,
        fail="",
        randomness=SeededRandomness(1),
        say=lambda *_: None,
        pace_s=0.0,
    )
    try:
        async with httpx.AsyncClient(base_url=node.url, timeout=30.0) as http:
            await road._open(http, http)
            tokens = json.loads((folder / "tokens.json").read_text())
            yield Running(node, http, tokens, folder)
    finally:
        await node.stop()


async def felt(running: Running, pids: list[int]) -> tuple[Counter[int], float]:
    """Statuses of writes sent all the while, and seconds until the last one failed."""
    statuses: Counter[int] = Counter()
    started = time.monotonic()
    failed_s = 0.0
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    while (now_s := time.monotonic() - started) < _OVERLAP_S:
        answer = await running.order()
        statuses[answer.status_code] += 1
        if answer.status_code != 201:
            failed_s = now_s
            assert answer.json()["code"] == "database_unavailable"
        await asyncio.sleep(0.02)
    return statuses, failed_s


@pytest.mark.parametrize("whole", [False, True], ids=["postmaster", "group"])
async def test_a_database_that_dies_is_a_503_for_less_than_two_seconds(
    running: Running, *, whole: bool
):
    postmaster = running.child("postgres")
    pids = [postmaster, *(_descendants(postmaster) if whole else [])]
    statuses, failed_s = await felt(running, pids)
    assert set(statuses) <= {201, 503}, statuses
    assert statuses[201]
    assert failed_s < BACK_S
    await everything_is_out(running)
    assert running.node.starts == 1


async def test_a_bus_that_dies_is_felt_by_nobody_and_gets_every_event(running: Running):
    os.kill(running.child("nats-server"), signal.SIGKILL)
    started = time.monotonic()
    assert (await running.order()).status_code == 201
    await everything_is_out(running)
    assert time.monotonic() - started < BACK_S
    health = await running.health()
    assert {service["name"]: service["state"] for service in health["services"]}["bus"] == "up"


async def everything_is_out(running: Running) -> None:
    """Waits until every event is in the log and on the bus."""
    async with asyncio.timeout(10):
        while (await running.health())["log"]["waiting"] != 0:
            await asyncio.sleep(0.02)


async def test_a_node_whose_log_was_taken_reads_on_and_writes_nothing(running: Running):
    """The last test of this module: a lost log never comes back."""
    running.sql("update trust.log_head set epoch = epoch + 1")
    # What was promised before it noticed is written, and the other process will log it.
    assert (await running.order()).status_code == 201
    async with asyncio.timeout(10):
        while not (await running.health())["alarms"]:
            await asyncio.sleep(0.05)
    (alarm,) = (await running.health())["alarms"]
    assert alarm["code"] == "lease_lost"
    refused = await running.order()
    assert refused.status_code == 503
    assert refused.json()["code"] == "lease_lost"
    assert refused.json()["remedy"]
    assert (await running.http.get("/log/checkpoint")).status_code == 200
    assert running.node.starts == 1
