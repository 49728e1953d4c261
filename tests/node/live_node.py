"""A whole node for tests: started as a program, spoken to over HTTP, judged from outside."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from zhidao.node.adapters.ambient import SystemRandomness
from zhidao.simulation.client import Caller
from zhidao.simulation.demonstration import Demonstration
from zhidao.simulation.entrance import agreed_token
from zhidao.simulation.node_process import NodeProcess
from zhidao.simulation.scenario import simulated_scenario
from zhidao.simulation.sides import Sides
from zhidao.simulation.step_report import Outcome

ORDER = {
    "gtin": "06901234000016",
    "quantity": 5,
    "limits": [{"name": "pressure", "low": "1", "high": "2", "unit": "BAR"}],
    "readers": [],
}


async def one_node_corridor(folder: Path) -> Outcome:
    """Carries a consignment over one node at which everybody is at home, and stops it."""
    node = NodeProcess(folder)
    await node.start()
    try:
        return await walked(Sides.of_one(node), folder)
    finally:
        await node.stop()


async def walked(sides: Sides, folder: Path) -> Outcome:
    """Carries a consignment over nodes that run, quickly and without a word."""
    road = Demonstration(
        sides,
        simulated_scenario("zd-2026-0417", fail="", seed=417),
        folder=folder,
        output=folder,
        fail="",
        randomness=SystemRandomness(),
        say=lambda *_: None,
        pace_s=0.02,
    )
    return await road.run()


async def admin_of(node: NodeProcess, http: httpx.AsyncClient) -> Caller:
    """The first visitor's admin session."""
    state = node.state() or {}
    answer = await Caller(http).ask("POST", "/v1/session/link", json={"code": state["admin_code"]})
    cookies = dict(answer.cookies)
    http.cookies.clear()
    return Caller(
        http,
        headers={
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "X-CSRF-Token": cookies["zhidao_csrf"],
        },
    )


async def maker_token(node: NodeProcess, http: httpx.AsyncClient) -> str:
    """A token of a party that may open production orders."""
    return await agreed_party_token(node, await admin_of(node, http), http)


async def agreed_party_token(node: NodeProcess, admin: Caller, http: httpx.AsyncClient) -> str:
    """A token of some party, to which the node's operator agreed."""
    party = {"party": "maker", "name": "Maker", "trade_role": "exporter", "country": "CN"}
    await admin.post("/v1/parties", party)
    operator = await operator_of(node, admin, http)
    return await agreed_token(admin, operator, {"party": "maker", "role": "party"})


async def operator_of(node: NodeProcess, admin: Caller, http: httpx.AsyncClient) -> Caller:
    """The node's operator, who agrees for parties that have no people."""
    made = await admin.post("/v1/tokens", {"party": node.name, "role": "operator"})
    return Caller(http, made["token"])


async def order(http: httpx.AsyncClient, token: str, name: str) -> tuple[int, dict[str, Any]]:
    """Opens a production order: one event, one leaf."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = await http.post("/v1/industry/orders", json={"order": name, **ORDER}, headers=headers)
    return answer.status_code, answer.json()


async def logged(http: httpx.AsyncClient, token: str, at_least: int = 0) -> int:
    """How many leaves the newest signed head covers; waits up to ten seconds for `at_least`."""
    size = 0
    for _ in range(100):
        headers = {"Authorization": f"Bearer {token}"}
        answer = await http.get("/v1/node/health", headers=headers)
        size = int(answer.json()["log"]["size"])
        if size >= at_least:
            break
        await asyncio.sleep(0.1)
    return size


def zhidao(*words: str | Path, passphrase: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a command of the front door."""
    environment = dict(os.environ)
    if passphrase:
        environment["ZHIDAO_KEYS_PASSPHRASE_FILE"] = str(passphrase)
    return subprocess.run(
        [sys.executable, "-m", "zhidao.cli", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env=environment,
    )


def answer_of(done: subprocess.CompletedProcess[str], status: int = 0) -> Any:
    """The JSON answer of a command that ended with this status."""
    assert done.returncode == status, done.stderr or done.stdout
    return json.loads(done.stdout)
