"""The exchange between nodes: time to the other node's page, and the long voyage."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from benchmarks.exchange_nodes import RunningNode, document_body
from benchmarks.exchange_voyage import on_small_disk, voyage
from benchmarks.measuring import claim

_RATE_PER_S: Final = 200
_SECONDS: Final = 10
_CONNECTIONS: Final = 24
_TOLD: Final = re.compile(rb'"document": "([0-9a-f-]{36})"')


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (as all benchmarks)
    """All lines; the voyage of 10,000 documents only when long."""
    found = asyncio.run(_delays())
    yield claim("exchange_events_per_s", [found.rate], "1/s", target=0.95 * _RATE_PER_S)
    yield claim("exchange_event_p50_ms", [found.p50_ms], "ms", target=50, at_most=True)
    yield claim("exchange_event_p99_ms", [found.p99_ms], "ms", target=250, at_most=True)
    if long:
        yield from _voyage()


def _voyage() -> Iterator[dict[str, Any]]:
    plan = {"documents": 5_000, "kills": 20, "faults": 0.3, "seed": 10_000, "timeout_s": 600}
    try:
        found = on_small_disk(**plan)
    except OSError as error:
        print(f"no disk of its own to fill: {error}", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="zx-") as folder:
            found = asyncio.run(voyage(Path(folder), **plan))  # type: ignore[arg-type]
    yield claim("exchange_voyage_nodes_with_full_disk", [found.full], "nodes", target=1)
    yield claim("exchange_voyage_documents", [found.sent], "documents")
    yield claim("exchange_voyage_kills", [found.kills], "kills")
    yield claim("exchange_voyage_cuts", [found.cuts], "cuts")
    for name, value, target in (
        ("lost", found.lost, 0),
        ("doubled", found.doubled, 0),
        ("out_of_order", found.out_of_order, 0),
        ("unproven", found.unproven, 0),
        ("healed_s", found.healed_s, 30),
    ):
        unit = "s" if name == "healed_s" else "documents"
        yield claim(f"exchange_voyage_{name}", [value], unit, target=target, at_most=True)


class _Delays:
    """Times from a call at one node until a page at the other node was told."""

    def __init__(self, delays_s: list[float], took_s: float) -> None:
        ranked = sorted(delays_s)
        self.rate = len(ranked) / took_s
        self.p50_ms = ranked[len(ranked) // 2] * 1e3
        self.p99_ms = ranked[len(ranked) * 99 // 100] * 1e3


async def _delays() -> _Delays:
    with tempfile.TemporaryDirectory(prefix="zx-") as folder:
        nodes = [RunningNode(Path(folder), name) for name in ("exporter", "importer")]
        one, two = nodes
        try:
            for node in nodes:
                node.launch()
            for node in nodes:
                await asyncio.to_thread(node.await_ready)
            await asyncio.to_thread(one.admit, two)
            await asyncio.to_thread(two.admit, one)
            return await _timed(one, two)
        finally:
            for node in nodes:
                node.stop()


async def _timed(one: RunningNode, two: RunningNode) -> _Delays:
    """Sends at a fixed rate whatever the node answers, so that a stall shows as delay."""
    total = _RATE_PER_S * _SECONDS
    documents = [str(uuid4()) for _ in range(total)]
    requests = [
        _request(one, "POST", "/v1/exchange/outbox", document_body(two, n, "bench", document))
        for n, document in enumerate(documents)
    ]
    arrived: dict[str, float] = {}
    listening = asyncio.Event()
    page = asyncio.create_task(_page(two, arrived, total, listening))
    await listening.wait()
    begin_s = time.perf_counter() + 0.5
    due_s = {document: begin_s + n / _RATE_PER_S for n, document in enumerate(documents)}
    numbers = iter(range(total))

    async def sender() -> None:
        reader, writer = await _connect(one)
        for number in numbers:
            await asyncio.sleep(max(0.0, due_s[documents[number]] - time.perf_counter()))
            writer.write(requests[number])
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 201"), head
            length = re.search(rb"content-length: (\d+)", head)
            assert length is not None
            await reader.readexactly(int(length[1]))
        writer.close()

    await asyncio.gather(*(sender() for _ in range(_CONNECTIONS)))
    await asyncio.wait_for(page, 60)
    took_s = max(arrived.values()) - begin_s
    return _Delays([arrived[each] - due_s[each] for each in documents], took_s)


async def _connect(node: RunningNode) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    trusted = ssl.create_default_context(cadata=node.certificate)
    return await asyncio.open_connection("127.0.0.1", node.port, ssl=trusted)


def _request(node: RunningNode, method: str, path: str, body: dict[str, str] | None) -> bytes:
    content = json.dumps(body).encode() if body else b""
    return (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{node.port}\r\n"
        f"Authorization: Bearer {node.token('party')}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    ).encode() + content


async def _page(
    node: RunningNode, arrived: dict[str, float], total: int, listening: asyncio.Event
) -> None:
    """Listens as a browser does: server-sent events over TLS."""
    reader, writer = await _connect(node)
    writer.write(_request(node, "GET", "/v1/exchange/stream", None))
    while len(arrived) < total:
        line = await reader.readline()
        assert line, "the stream ended"
        if line.startswith(b"event: beat"):
            listening.set()
        elif found := _TOLD.search(line):
            arrived[found[1].decode()] = time.perf_counter()
    writer.close()
