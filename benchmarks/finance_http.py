"""Single transfers over HTTP: a whole node, 64 callers at once, each waiting for its own answer.

The node is `zhidao serve`, the callers a process of their own; one request is one transfer as the
ledger's record of 128 bytes, answered once it is durable. Also: what importing the room takes.
"""

from __future__ import annotations

import asyncio
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from benchmarks.measuring import claim, cpu_s
from zhidao.simulation.node_process import NodeProcess

CONNECTIONS: Final = 64
_PLACE: Final = {"currency": "CNY", "name": "Customer", "town": "Almaty", "country": "KZ"}


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (the contract of all benchmarks)
    """Requests a second with their p99, and the import."""
    found = asyncio.run(_node(3, 20_000 if long else 6_000))
    yield claim("ledger_http_singles_per_s", [r["per_s"] for r in found], "1/s", target=5_000)
    yield claim(
        "ledger_http_single_p99_ms",
        [r["p99_ms"] for r in found],
        "ms",
        target=50,
        at_most=True,
    )
    # Node, database and client share the machine's cores: what each takes of a request.
    yield claim("ledger_http_single_cpu_us", [r["cpu_us"] for r in found], "us")
    yield claim("ledger_http_single_client_cpu_us", [r["client_cpu_us"] for r in found], "us")
    yield claim(
        "ledger_http_singles_per_node_cpu_s",
        [1e6 / r["cpu_us"] for r in found],
        "1/s",
        target=5_000,
    )
    yield claim("finance_import_s", [_import_s() for _ in range(5)], "s", target=0.15, at_most=True)


def _import_s() -> float:
    """What the import takes in a fresh interpreter, beside the interpreter's own start."""
    script = (
        "import time; began = time.perf_counter(); import zhidao.finance;"
        " print(time.perf_counter() - began)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    return float(done.stdout)


async def _node(runs: int, requests: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="zd-") as folder:
        node = NodeProcess(Path(folder))
        state = await node.start()
        try:
            token, accounts = await _bank(state | {"name": node.name})
            await _load(state["url"], token, accounts, 500)
            found = []
            for _ in range(runs):
                before_s = cpu_s(state["pid"])
                result = await _load(state["url"], token, accounts, requests)
                result["cpu_us"] = (cpu_s(state["pid"]) - before_s) / requests * 1e6
                if set(result["statuses"]) != {"201"}:
                    raise SystemExit(f"requests were refused: {result}")
                found.append(result)
            return found
        finally:
            await node.stop()


async def _bank(state: dict[str, Any]) -> tuple[str, list[str]]:
    """A bank's token and two accounts, the first with money."""
    async with httpx.AsyncClient(base_url=state["url"], timeout=30) as client:
        entered = await client.post("/v1/session/link", json={"code": state["admin_code"]})
        cookies = dict(entered.raise_for_status().cookies)
        client.cookies.clear()  # They are Secure, and this is loopback without TLS.
        admin = {
            "cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "x-csrf-token": cookies["zhidao_csrf"],
        }

        async def token(party: str, role: str) -> str:
            made = await client.post(
                "/v1/tokens", json={"party": party, "role": role}, headers=admin
            )
            return str(made.raise_for_status().json()["token"])

        # An operator speaks as the node itself.
        operator = {"authorization": f"Bearer {await token(state['name'], 'operator')}"}
        party = {"party": "bank", "name": "Bank", "trade_role": "bank", "country": "KZ"}
        await _made(client, "/v1/parties", party, admin)
        text = await token("bank", "party")
        agreed = f"/v1/tokens/{text.split('_')[1]}/agreement"
        (await client.post(agreed, headers=operator)).raise_for_status()
        bank = {"authorization": f"Bearer {text}"}
        admitted = {"bank": "bank", "name": "Bank", "bic": "ALMAKZKA"}
        body = admitted | {"town": "Almaty", "country": "KZ"}
        await _made(client, "/v1/finance/banks", body, operator)
        accounts = []
        for holder in ("one", "two"):
            await _made(client, "/v1/parties", party | {"party": holder}, admin)
            opened = await _made(client, "/v1/finance/accounts", {"holder": holder} | _PLACE, bank)
            accounts.append(str(opened["account"]))
        funds = {"deposit": "d", "holder": "one", "amount_minor": 10**12, "currency": "CNY"}
        await _made(client, "/v1/finance/deposits", funds, bank)
        return text, accounts


async def _made(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], headers: dict[str, str]
) -> dict[str, Any]:
    answer = await client.post(path, json=body, headers=headers)
    if answer.status_code != 201:
        raise SystemExit(f"{path}: {answer.text[:300]}")
    made: dict[str, Any] = answer.json()
    return made


async def _load(url: str, token: str, accounts: list[str], requests: int) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "benchmarks.finance_http", url, token, *accounts, str(requests)),
        stdout=subprocess.PIPE,
    )
    out, _ = await process.communicate()
    result: dict[str, Any] = json.loads(out)
    return result


async def _send(url: str, token: str, accounts: list[str], count: int) -> dict[str, object]:
    from benchmarks.load_client import Connection, Load

    parts = urlsplit(url)
    debit, credit = map(UUID, accounts)
    now_ms = time.time_ns() // 1_000_000
    load = Load(
        [
            _request(
                parts.netloc,
                token,
                _record(_uuid7(now_ms), debit, credit),
            )
            for _ in range(count)
        ]
    )
    loop = asyncio.get_running_loop()
    started_s, cpu_started_s = time.perf_counter(), time.process_time()
    await asyncio.gather(
        *(
            loop.create_connection(lambda: Connection(load), parts.hostname, parts.port)
            for _ in range(CONNECTIONS)
        )
    )
    await asyncio.wait_for(load.done.wait(), 300)
    result = load.result(time.perf_counter() - started_s)
    return result | {"client_cpu_us": (time.process_time() - cpu_started_s) / count * 1e6}


def _record(transfer: UUID, debit: UUID, credit: UUID) -> bytes:
    """A transfer of one fen as TigerBeetle's clients write it: 128 bytes, little-endian."""
    names = b"".join(one.int.to_bytes(16, "little") for one in (transfer, debit, credit))
    currency, payment = int.from_bytes(b"CNY", "big"), 4
    return struct.pack("<48sQQ32xQIIIHHQ", names, 1, 0, 0, 0, 0, currency, payment, 0, 0)


def _uuid7(milliseconds: int) -> UUID:
    random = int.from_bytes(os.urandom(10), "big")
    value = milliseconds << 80 | 7 << 76 | (random >> 68 & 0xFFF) << 64 | 2 << 62
    return UUID(int=value | random & ((1 << 62) - 1))


def _request(host: str, token: str, record: bytes) -> bytes:
    return (
        f"POST /v1/finance/transfers/CNY/records HTTP/1.1\r\nHost: {host}\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: application/octet-stream\r\n"
        f"Content-Length: {len(record)}\r\n\r\n"
    ).encode() + record


if __name__ == "__main__":
    import uvloop

    _URL, _TOKEN, *_ACCOUNTS, _COUNT = sys.argv[1:]
    print(json.dumps(uvloop.run(_send(_URL, _TOKEN, _ACCOUNTS, int(_COUNT)))))
