"""The spine: starts, memory at rest, the whole road, and signed requests a second.

Every figure is taken from programs of their own: a node as `zhidao serve`, the road as
`zhidao demo`, the requests from `benchmarks.load_client`. Starts, memory and requests are those of
one node; the road of `zhidao demo` is one over two, both started within its time.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from benchmarks.measuring import claim, cpu_s, pss_bytes
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.simulation.node_process import NodeProcess

CONNECTIONS = 64
MIB = 2**20


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (every benchmark has this form)
    """All claims of the spine."""
    yield from asyncio.run(_node(runs=5 if long else 3, requests=20_000 if long else 4_000))
    roads = [_road_s() for _ in range(5 if long else 2)]
    whole, ready = zip(*roads, strict=True)
    yield claim("spine_two_node_road_s", list(whole), "s", target=25, at_most=True)
    yield claim("spine_two_nodes_ready_s", list(ready), "s")


async def _node(*, runs: int, requests: int) -> list[dict[str, Any]]:
    cold: list[float] = []
    warm: list[float] = []
    rest: list[dict[str, int]] = []
    rates: list[dict[str, Any]] = []
    for number in range(runs):
        with tempfile.TemporaryDirectory(prefix="zd-") as folder:
            cold.append(await _start_s(Path(folder)))
            node = NodeProcess(Path(folder))
            started_s = time.perf_counter()
            state = await node.start()
            warm.append(time.perf_counter() - started_s)
            try:
                await asyncio.sleep(25 if number == 0 else 3)
                rest.append(pss_bytes(node.pid))
                rates.append(await _rate(state, requests))
            finally:
                await node.stop()
    parts = {name: size / MIB for name, size in sorted(rest[0].items())}
    print(f"at rest, MiB: {', '.join(f'{n} {s:.0f}' for n, s in parts.items())}", file=sys.stderr)
    return [
        claim("spine_cold_start_s", cold, "s"),
        claim("spine_warm_start_s", warm, "s", target=2.0, at_most=True),
        claim(
            "spine_idle_pss_mib",
            [sum(rest[0].values()) / MIB],
            "MiB",
            target=260,
            at_most=True,
        ),
        claim("spine_signed_requests_per_s", [r["per_s"] for r in rates], "1/s", target=1500),
        claim("spine_signed_request_p99_ms", [r["p99_ms"] for r in rates], "ms"),
        claim("spine_node_cpu_us_per_request", [r["cpu_us"] for r in rates], "us"),
    ]


async def _start_s(folder: Path) -> float:
    node = NodeProcess(folder)
    started_s = time.perf_counter()
    await node.start()
    seconds = time.perf_counter() - started_s
    await node.stop()
    return seconds


async def _rate(state: dict[str, Any], requests: int) -> dict[str, Any]:
    """Signed statements of one party, after a short warming-up."""
    key = SoftwareKey(Algorithm.ED25519, secrets.token_bytes(32))
    token_id = await _token_id(state, key)
    await _load(state["url"], token_id, key, 500)
    before_s = cpu_s(state["pid"])
    result = await _load(state["url"], token_id, key, requests)
    result["cpu_us"] = (cpu_s(state["pid"]) - before_s) / requests * 1e6
    if set(result["statuses"]) != {"201"}:
        raise SystemExit(f"requests were refused: {result}")
    return result


async def _token_id(state: dict[str, Any], key: SoftwareKey) -> str:
    async with httpx.AsyncClient(base_url=state["url"]) as client:
        entered = await client.post("/v1/session/link", json={"code": state["admin_code"]})
        cookies = dict(entered.raise_for_status().cookies)
        client.cookies.clear()  # They are Secure, and this is loopback without TLS.
        session = {
            "cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "x-csrf-token": cookies["zhidao_csrf"],
        }
        sensor = {"party": "sensor", "name": "Sensor", "trade_role": "carrier", "country": "KZ"}
        party = await client.post("/v1/parties", json=sensor, headers=session)
        party.raise_for_status()
        made = await client.post(
            "/v1/tokens",
            json={"party": "sensor", "role": "party", "key": key.public.multikey},
            headers=session,
        )
        token_id = str(made.raise_for_status().json()["token"].split("_")[1])
        operator = await client.post(
            "/v1/tokens",
            json={"party": "corridor", "role": "operator"},
            headers=session,
        )
        bearer = {"authorization": f"Bearer {operator.raise_for_status().json()['token']}"}
        agreed = await client.post(f"/v1/tokens/{token_id}/agreement", headers=bearer)
        agreed.raise_for_status()
    return token_id


async def _load(url: str, token_id: str, key: SoftwareKey, requests: int) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "benchmarks.load_client", url, token_id, key.secret.hex()),
        *("sensor", str(CONNECTIONS), str(requests)),
        stdout=subprocess.PIPE,
    )
    out, _ = await process.communicate()
    result: dict[str, Any] = json.loads(out)
    return result


def _road_s() -> tuple[float, float]:
    """Seconds of one whole consignment, from typing the command: to its summary, to both nodes."""
    with tempfile.TemporaryDirectory(prefix="zd-") as folder:
        done = subprocess.run(
            [sys.executable, "-m", "zhidao.cli", "demo", "--leave", "--json", "--output", folder],
            capture_output=True,
            text=True,
            check=True,
            timeout=180,
        )
    lines = done.stdout.splitlines()
    return float(json.loads(lines[-1])["seconds"]), float(json.loads(lines[0])["ready_s"])
