"""What others meet while a crowd wants the node to stand still.

The node is `zhidao serve` as it comes, with its default limits. Beside it 16 callers post dear
bodies to every POST route, with good tokens; 10,000 connections stand idle and 2,000 send a letter
a second (600 and 200 without `--long`). Measured before and meanwhile: `/healthz`, the
acknowledgement of a terminal's report, and four honest callers who read what is theirs; with
`--long` in three rounds at one node, since the slowest of a hundred in ten quiet seconds differs by
half from one round to the next.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from benchmarks.measuring import claim
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.node.library import system_clock, system_randomness
from zhidao.simulation.node_process import NodeProcess
from zhidao.simulation.terminal import Identity, TerminalClient, position_report

CALLERS: Final = 16
HONEST: Final = 4
QUIET_S: Final = 10.0
CROWD_S: Final = 45.0
PAUSE_S: Final = 0.02
PHONE: Final = "+8613800138000"


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (every benchmark has this form)
    """All claims."""
    idle, dripping = (10_000, 2_000) if long else (600, 200)
    rounds = asyncio.run(_measured(idle, dripping, 3 if long else 1))
    for each in rounds:
        print(f"hostile: the crowd: {json.dumps(each.told)}", file=sys.stderr)
    yield claim("idle_connections_held", [each.told["idle"] for each in rounds], "")
    health = [_p99(each.meanwhile.health) for each in rounds]
    yield claim("healthz_p99_ms", health, "ms", target=100, at_most=True)
    # The slowest of all: no terminal may wait longer.
    slowest_s = max(max(each.meanwhile.device) for each in rounds)
    yield claim("device_acknowledged_s", [slowest_s], "s", target=1, at_most=True)
    quiet = [_p99(each.before.honest) for each in rounds]
    loud = [_p99(each.meanwhile.honest) for each in rounds]
    yield claim("honest_callers_p99_before_ms", quiet, "ms")
    yield claim("honest_callers_p99_ms", loud, "ms")
    times = [one / other for one, other in zip(loud, quiet, strict=True)]
    yield claim("honest_callers_p99_times", times, "x", target=2, at_most=True)


@dataclass(slots=True)
class Seen:
    """What was waited for: milliseconds, of the device seconds."""

    health: list[float] = field(default_factory=list)
    honest: list[float] = field(default_factory=list)
    device: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Round:
    """What was seen before the crowd came and while it was there, and what the crowd tells."""

    before: Seen
    meanwhile: Seen
    told: dict[str, Any]


def _p99(values: list[float]) -> float:
    return sorted(values)[int(0.99 * (len(values) - 1))]


async def _measured(idle: int, dripping: int, rounds: int) -> list[Round]:
    with tempfile.TemporaryDirectory(prefix="zd-") as folder:
        node = NodeProcess(Path(folder) / "node", settings={})
        state = await node.start()
        try:
            tokens = await _tokens(state, node.name)
            terminal = await _terminal(state, tokens[0], node)
            done = [await _round(node.url, tokens, terminal, idle, dripping) for _ in range(rounds)]
            await terminal.close()
        finally:
            await node.stop()
    return done


async def _round(
    url: str, tokens: list[str], terminal: TerminalClient, idle: int, dripping: int
) -> Round:
    before = await _watch(url, tokens[0], terminal, QUIET_S)
    crowd = await _crowd(url, tokens[1:], idle, dripping)
    assert crowd.stdout is not None
    async with asyncio.timeout(180):
        await crowd.stdout.readline()
    meanwhile = await _watch(url, tokens[0], terminal, CROWD_S - 5)
    told = json.loads(await crowd.stdout.readline())
    await crowd.wait()
    return Round(before, meanwhile, told)


async def _tokens(state: dict[str, Any], name: str) -> list[str]:
    """An operator's, and an auditor's and an admin's for the crowd: the node's own party's."""
    async with httpx.AsyncClient(base_url=state["url"], timeout=60) as client:
        entered = await client.post("/v1/session/link", json={"code": state["admin_code"]})
        cookies = dict(entered.raise_for_status().cookies)
        client.cookies.clear()  # They are Secure, and this is loopback without TLS.
        headers = {
            "cookie": "; ".join(f"{key}={value}" for key, value in cookies.items()),
            "x-csrf-token": cookies["zhidao_csrf"],
        }
        made = []
        for role in ("operator", "operator", "auditor", "admin", "party"):
            body = {"party": name, "role": role}
            answer = await client.post("/v1/tokens", json=body, headers=headers)
            made.append(str(answer.raise_for_status().json()["token"]))
        return made


async def _terminal(state: dict[str, Any], operator: str, node: NodeProcess) -> TerminalClient:
    key = SoftwareKey(Algorithm.ED25519, secrets.token_bytes(32))
    terminal = {"terminal": "BENCH-1", "phone": PHONE, "key": key.public.multikey}
    async with httpx.AsyncClient(base_url=state["url"], timeout=60) as client:
        answer = await client.post(
            "/v1/devices/terminals",
            json=terminal | {"owner": node.name},
            headers={"authorization": f"Bearer {operator}"},
        )
        answer.raise_for_status()
    made = TerminalClient(
        Identity("BENCH-1", PHONE.removeprefix("+"), key),
        host="127.0.0.1",
        port=node.devices_port,
        randomness=system_randomness(),
    )
    await made.connect()
    return made


async def _watch(url: str, token: str, terminal: TerminalClient, seconds: float) -> Seen:
    seen, until_s = Seen(), time.monotonic() + seconds
    headers = {"authorization": f"Bearer {token}"}

    async def asked(path: str, into: list[float], address: str, pause_s: float) -> None:
        transport = httpx.AsyncHTTPTransport(local_address=address)
        async with httpx.AsyncClient(base_url=url, transport=transport, timeout=60) as client:
            while time.monotonic() < until_s:
                began_s = time.perf_counter()
                (await client.get(path, headers=headers)).raise_for_status()
                into.append(1e3 * (time.perf_counter() - began_s))
                await asyncio.sleep(pause_s)

    async def beat() -> None:
        while time.monotonic() < until_s:
            began_s = time.perf_counter()
            report = position_report(
                at=system_clock().now(), latitude_deg=44.2, longitude_deg=80.4, satellites=12
            )
            await terminal.send([report])
            seen.device.append(time.perf_counter() - began_s)
            await asyncio.sleep(0.2)

    honest = [asked("/v1/parties", seen.honest, f"127.40.{n}.1", PAUSE_S) for n in range(HONEST)]
    await asyncio.gather(beat(), asked("/healthz", seen.health, "127.50.0.1", PAUSE_S), *honest)
    return seen


async def _crowd(
    url: str, tokens: list[str], idle: int, dripping: int
) -> asyncio.subprocess.Process:
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        paths = (await client.get("/schema/openapi.json")).raise_for_status().json()["paths"]
    at = urlsplit(url)
    told = {
        "host": at.hostname,
        "port": at.port,
        "tokens": tokens,
        # A path's names are filled with something that has the usual form.
        "routes": [_filled(path) for path, each in paths.items() if "post" in each],
        "callers": CALLERS,
        "idle": idle,
        "dripping": dripping,
        "seconds": CROWD_S + 60 * (idle > 1_000),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.hostile_crowd"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(told).encode() + b"\n")
    await process.stdin.drain()
    return process


def _filled(path: str) -> str:
    return "/".join("c-1" if part.startswith("{") else part for part in path.split("/"))
