"""What whole routes take beside a signed request that does next to nothing.

The node is `zhidao serve`; the client is wrk (not Python), which replays requests that were made
and signed (RFC 9421) before its clock starts, 64 at once, each once. In turn, in the same minutes:
a signed statement (the ceiling), a payment message of one payment (pacs.008, answered by pacs.002
and camt.054), one commitment with the signed head that covers it, and files of 1,000 payments.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from benchmarks.load_client import Caller
from benchmarks.measuring import claim, cpu_s
from benchmarks.pacs008 import message
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.simulation.node_process import NodeProcess

CONNECTIONS: Final = 64
PAYEES: Final = 200
FILE: Final = 1_000
REPLAY: Final = Path(__file__).with_name("signed_routes.lua")
PLACE: Final = {"currency": "CNY", "name": "Customer", "town": "Almaty", "country": "KZ"}
BANKS: Final = {"sending": "ALMAKZKA", "receiving": "XIANCNBJ"}


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (the contract of all benchmarks)
    """Requests a second by the clock, and each route's share of the ceiling."""
    if shutil.which("wrk") is None:
        print("signed_routes: no wrk here (Debian: apt-get install wrk)", file=sys.stderr)
        return
    rounds = asyncio.run(_rounds(5 if long else 3))
    ceiling = [one["statement"].per_s for one in rounds]
    yield claim("signed_request_per_s", ceiling, "1/s")
    for name, target in (("payment", 0.35), ("commitment", 0.6)):
        found = [one[name] for one in rounds]
        shares = [one.per_s / top for one, top in zip(found, ceiling, strict=True)]
        yield claim(f"{name}_by_route_per_s", [one.per_s for one in found], "1/s")
        yield claim(f"{name}_by_route_p99_ms", [one.p99_ms for one in found], "ms")
        yield claim(f"{name}_by_route_node_cpu_us", [one.cpu_us for one in found], "us")
        yield claim(f"{name}_by_route_of_signed_request", shares, "share", target=target)
    files = [FILE * one["file"].per_s for one in rounds]
    yield claim("payments_in_files_of_1000_by_route_per_s", files, "1/s", target=8_000)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What wrk measured of one file of requests."""

    per_s: float
    p99_ms: float
    cpu_us: float


class _Signer:
    """A party that signs its requests with the key that its token registers."""

    def __init__(self, party: str, host: str) -> None:
        self.party = party
        self.key = SoftwareKey(Algorithm.ED25519, secrets.token_bytes(32))
        self.token_id = ""
        self._host = host

    def request(self, path: str, body: bytes, kind: str) -> bytes:
        """A whole POST, signed now."""
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        parameters = (
            '("@method" "@path" "@authority" "content-digest")'
            f';created={int(time.time())};keyid="{self.token_id}";nonce="{secrets.token_hex(8)}"'
        )
        base = (
            f'"@method": POST\n"@path": {path}\n"@authority": {self._host}\n'
            f'"content-digest": sha-256=:{digest}:\n"@signature-params": {parameters}'
        )
        signature = base64.b64encode(self.key.sign(base.encode())).decode()
        return (
            f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\nContent-Digest: sha-256=:{digest}:\r\n"
            f"Signature-Input: s={parameters}\r\nSignature: s=:{signature}:\r\n\r\n"
        ).encode() + body


class World:
    """Two banks on a node of its own, a payer's bank that signs, and payees."""

    def __init__(self, folder: Path, state: dict[str, Any], name: str) -> None:
        self.folder = folder
        self.url = str(state["url"])
        self.pid = int(state["pid"])
        self.host = urlsplit(self.url).netloc
        self._state = state | {"name": name}
        self.sender = _Signer("sending", self.host)
        self._payees: list[str] = []
        self._payments = 0

    async def fill(self) -> None:
        """Tokens, banks, the line between them and the payees' accounts."""
        async with httpx.AsyncClient(base_url=self.url, timeout=60) as client:
            entered = await client.post(
                "/v1/session/link", json={"code": self._state["admin_code"]}
            )
            cookies = dict(entered.raise_for_status().cookies)
            client.cookies.clear()  # They are Secure, and this is loopback without TLS.
            admin = {
                "cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
                "x-csrf-token": cookies["zhidao_csrf"],
            }

            async def made(path: str, body: dict[str, Any], by: dict[str, str]) -> dict[str, Any]:
                answer = await client.post(path, json=body, headers=by)
                if answer.status_code != 201:
                    raise SystemExit(f"{path}: {answer.status_code} {answer.text[:300]}")
                told: dict[str, Any] = answer.json()
                return told

            async def bearer(party: str, role: str, key: str = "") -> dict[str, str]:
                body = {"party": party, "role": role, "key": key}
                token = str((await made("/v1/tokens", body, admin))["token"])
                if key:
                    self.sender.token_id = token.split("_")[1]
                return {"authorization": f"Bearer {token}"}

            async def agreed(token: str, by: dict[str, str]) -> None:
                # A second person agrees to a token with which money can be moved.
                answer = await client.post(f"/v1/tokens/{token}/agreement", headers=by)
                answer.raise_for_status()

            for name in BANKS:
                party = {"party": name, "name": name, "trade_role": "bank", "country": "KZ"}
                await made("/v1/parties", party, admin)
            operator = await bearer(self._state["name"], "operator")
            for name, bic in BANKS.items():
                admitted = {"bank": name, "name": name, "bic": bic, "town": "Almaty"}
                await made("/v1/finance/banks", admitted | {"country": "KZ"}, operator)
            await bearer("sending", "party", self.sender.key.public.multikey)
            await agreed(self.sender.token_id, operator)
            receiving = await bearer("receiving", "party")
            await agreed(receiving["authorization"].split("_")[1], operator)
            line = {"peer": "sending", "currency": "CNY", "limit_minor": 10**15}
            await made("/v1/finance/credit-lines", line, receiving)
            for number in range(PAYEES):
                holder = {"party": f"payee-{number}", "name": "P", "trade_role": "importer"}
                await made("/v1/parties", holder | {"country": "KZ"}, admin)
                body = {"holder": f"payee-{number}"} | PLACE
                opened = await made("/v1/finance/accounts", body, receiving)
                self._payees.append(UUID(str(opened["account"])).hex)

    def statements(self, count: int) -> list[bytes]:
        """Signed statements: the ceiling."""
        caller = Caller(self.host, self.sender.token_id, self.sender.key, self.sender.party)
        now_s, first = int(time.time()), secrets.randbelow(10**9)
        return [caller.request(first + number, now_s) for number in range(count)]

    def commitments(self, count: int) -> list[bytes]:
        """One commitment each."""
        path, kind = "/v1/trust/log/commitments", "application/octet-stream"
        return [self.sender.request(path, secrets.token_bytes(32), kind) for _ in range(count)]

    def payments(self, count: int, each: int) -> list[bytes]:
        """pacs.008 with so many payments each."""
        path = "/v1/finance/banks/receiving/messages"
        return [
            self.sender.request(path, self._message(each), "application/xml") for _ in range(count)
        ]

    def _message(self, each: int) -> bytes:
        first, self._payments = self._payments, self._payments + each
        payees = [self._payees[number % PAYEES] for number in range(first, first + each)]
        payer_bank, payee_bank = BANKS.values()
        return message(payees, payer_bank=payer_bank, payee_bank=payee_bank, first=first)

    async def replay(self, requests: Sequence[bytes], connections: int = CONNECTIONS) -> Replayed:
        """What wrk measures of them. Ends the run if one is refused."""
        file = self.folder / "requests.bin"
        file.write_bytes(b"".join(len(one).to_bytes(4, "big") + one for one in requests))
        words = ["-t1", f"-c{connections}", "-d600", "--timeout", "60", "-s", str(REPLAY)]
        before_s = cpu_s(self.pid)
        process = await asyncio.create_subprocess_exec(
            "wrk", *words, self.url, "--", str(file), stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        async with asyncio.timeout(120):
            while (await process.stdout.readline()).strip() not in {b"all", b""}:
                pass
        process.send_signal(signal.SIGINT)
        out, _ = await process.communicate()
        told = json.loads(out.decode().splitlines()[-1])
        if told["good"] != len(requests):
            raise SystemExit(f"signed_routes: {told['bad']} refused: {told['why']}")
        cpu_us = (cpu_s(self.pid) - before_s) / len(requests) * 1e6
        return Replayed(len(requests) / told["seconds"], told["p99_ms"], cpu_us)


def without_quota() -> None:
    """One party here writes what is the share of many: the operator's setting for such a one."""
    os.environ["ZHIDAO_LOG_LEAVES_PER_PARTY_HOUR"] = "0"


async def _rounds(rounds: int) -> list[dict[str, Replayed]]:
    without_quota()
    with tempfile.TemporaryDirectory(prefix="zd-") as folder:
        node = NodeProcess(Path(folder) / "node")
        world = World(Path(folder), await node.start(), node.name)
        try:
            await world.fill()
            await world.replay(world.statements(500))
            await world.replay(world.payments(500, 1))
            return [
                {
                    "statement": await world.replay(world.statements(3_000)),
                    "payment": await world.replay(world.payments(2_000, 1)),
                    "commitment": await world.replay(world.commitments(2_000)),
                    "file": await world.replay(world.payments(12, FILE), 4),
                }
                for _ in range(rounds)
            ]
        finally:
            await node.stop()
