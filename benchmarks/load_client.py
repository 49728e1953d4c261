"""A load generator of its own process: signed statements over kept connections.

Usage: python -m benchmarks.load_client URL TOKEN_ID SECRET_HEX PARTY CONNECTIONS REQUESTS
All requests are made and signed (RFC 9421, and each statement by its party) before the clock
starts; then each connection sends one and waits for its answer. Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import sys
import time
from typing import cast
from urllib.parse import urlsplit
from uuid import UUID

import uvloop

from zhidao.core.canonical import jcs
from zhidao.core.encoding import base64url
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc

PATH = "/v1/statements"


class Caller:
    """A party with its own key and a token that registers it."""

    def __init__(self, host: str, token_id: str, key: SoftwareKey, party: str) -> None:
        self._host = host
        self._token_id = token_id
        self._key = key
        self._party = party
        self._run = os.urandom(6).hex()

    def name(self, number: int) -> str:
        """What a statement of this run is called."""
        return f"t-{self._run}-{number}"

    def request(self, number: int, now_s: int) -> bytes:
        """A whole signed HTTP request with a statement of its own."""
        body = self._body(number, now_s)
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        parameters = (
            '("@method" "@path" "@authority" "content-digest")'
            f';created={now_s};keyid="{self._token_id}";nonce="{number}"'
        )
        base = (
            f'"@method": POST\n"@path": {PATH}\n"@authority": {self._host}\n'
            f'"content-digest": sha-256=:{digest}:\n"@signature-params": {parameters}'
        )
        signature = base64.b64encode(self._key.sign(base.encode())).decode()
        return (
            f"POST {PATH} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nContent-Digest: sha-256=:{digest}:\r\n"
            f"Signature-Input: s={parameters}\r\nSignature: s=:{signature}:\r\n\r\n"
        ).encode() + body

    def _body(self, number: int, now_s: int) -> bytes:
        name = self.name(number)
        identifier = _uuid7(now_s * 1000)
        at = str(Utc.from_unix_ns(now_s * 1_000_000_000))
        values = {"celsius": f"{number % 40}.5"}
        asserted = {
            "aggregate": f"statement/{self._party}/{name}",
            "asserted_by": {"party": self._party, "key": self._key.public.multikey},
            "id": identifier,
            "occurred_at": at,
            "open": False,
            "owner": self._party,
            "payload": {"kind": "temperature", "consignment": "", "text": "", "values": values},
            "type": "node.Stated.v1",
            "v": 1,
            "visible": [],
        }
        return json.dumps(
            {
                "id": identifier,
                "statement": name,
                "key": self._key.public.multikey,
                "kind": "temperature",
                "occurred_at": at,
                "values": values,
                "assertion": base64url(self._key.sign(jcs(asserted))),
            },
            separators=(",", ":"),
        ).encode()


def _uuid7(milliseconds: int) -> str:
    random = int.from_bytes(os.urandom(10), "big")
    value = milliseconds << 80 | 7 << 76 | (random >> 68 & 0xFFF) << 64 | 2 << 62
    return str(UUID(int=value | random & ((1 << 62) - 1)))


class Connection(asyncio.Protocol):
    """Sends the next waiting request as soon as the answer before it is whole."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._buffer = b""
        self._sent_s = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Starts sending."""
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        """Reads an answer; its length stands in Content-Length."""
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(body) < length:
            return
        self._buffer = body[length:]
        self._load.answered(int(head[9:12]), time.perf_counter() - self._sent_s, body)
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        """Counts as a failure of the load if work is left."""
        del exc
        self._load.lost()

    def _next(self) -> None:
        assert self._transport is not None
        request = self._load.take()
        if request is None:
            self._transport.close()
            return
        self._sent_s = time.perf_counter()
        self._transport.write(request)


class Load:
    """The requests, and what became of them."""

    def __init__(self, requests: list[bytes]) -> None:
        self._requests = iter(requests)
        self._total = len(requests)
        self._latencies_s: list[float] = []
        self._statuses: dict[int, int] = {}
        self._first_refusal = ""
        self.done = asyncio.Event()

    def take(self) -> bytes | None:
        """The next request, or None."""
        return next(self._requests, None)

    def answered(self, status: int, seconds: float, body: bytes) -> None:
        """Notes an answer."""
        self._latencies_s.append(seconds)
        self._statuses[status] = self._statuses.get(status, 0) + 1
        if status >= 300 and not self._first_refusal:
            self._first_refusal = body.decode(errors="replace")[:400]
        if len(self._latencies_s) == self._total:
            self.done.set()

    def lost(self) -> None:
        """A connection ended."""

    def result(self, seconds: float) -> dict[str, object]:
        """The figures; latencies in milliseconds."""
        ordered = sorted(self._latencies_s)
        return {
            "per_s": len(ordered) / seconds,
            "p50_ms": ordered[len(ordered) // 2] * 1e3,
            "p99_ms": ordered[len(ordered) * 99 // 100] * 1e3,
            "statuses": self._statuses,
            "refusal": self._first_refusal,
        }


async def run(
    url: str, token_id: str, key: SoftwareKey, party: str, connections: int, count: int
) -> dict[str, object]:
    """Sends `count` statements over `connections` connections."""
    parts = urlsplit(url)
    caller = Caller(parts.netloc, token_id, key, party)
    now_s = int(time.time())
    load = Load([caller.request(number, now_s) for number in range(count)])
    loop = asyncio.get_running_loop()
    started_s = time.perf_counter()
    await asyncio.gather(
        *(
            loop.create_connection(lambda: Connection(load), parts.hostname, parts.port)
            for _ in range(connections)
        )
    )
    await asyncio.wait_for(load.done.wait(), 60)
    return load.result(time.perf_counter() - started_s)


def main() -> None:
    """Reads the arguments, prints the figures."""
    url, token_id, secret, party, connections, count = sys.argv[1:]
    key = SoftwareKey(Algorithm.ED25519, bytes.fromhex(secret))
    result = uvloop.run(run(url, token_id, key, party, int(connections), int(count)))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
