"""Bad input anywhere on the road: a typed refusal, nothing stored, and the node lives on."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

from zhidao.core.ambient import SeededRandomness
from zhidao.devices.wire.jt808.frame import Edition, decode_frame
from zhidao.devices.wire.jt808.messages import Authentication
from zhidao.devices.wire.jt808.packets import frames_of
from zhidao.simulation import participants
from zhidao.simulation.demonstration import Demonstration
from zhidao.simulation.node_process import NodeProcess
from zhidao.simulation.scenario import simulated_scenario
from zhidao.simulation.sides import Sides

pytestmark = [
    pytest.mark.service,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
]
_OVERSIZED = 9 * 1024 * 1024
_MIB = 1024 * 1024
# Counters of who asks and how often may grow; facts, documents and frames may not.
_BESIDE = {("node", "token"), ("node", "session")}


@dataclass(slots=True)
class Target:
    """A running node, its callers' tokens, and a look at everything that it has stored."""

    node: NodeProcess
    http: httpx.AsyncClient
    tokens: dict[str, str]
    database: str
    navigation: bytes

    async def send(self, party: str, method: str, path: str, **arguments: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens[party]}"}
        headers |= arguments.pop("headers", {})
        return await self.http.request(method, path, headers=headers, **arguments)

    def rows(self) -> dict[tuple[str, str], int]:
        """How many rows each table has."""
        with psycopg.connect(self.database) as link:
            tables = link.execute(
                "select schemaname::text, tablename::text from pg_tables"
                " where schemaname not in ('pg_catalog', 'information_schema')"
            ).fetchall()
            return {
                (schema, table): link.execute(
                    sql.SQL("select count(*) from {}").format(sql.Identifier(schema, table))
                ).fetchone()[0]
                for schema, table in tables
                if (schema, table) not in _BESIDE
            }

    async def is_well(self) -> None:
        health = (await self.send("auditor", "GET", "/v1/node/health")).json()
        assert health["alarms"] == []
        assert self.node.starts == 1


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def target(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Target]:
    folder = tmp_path_factory.mktemp("bad-input")
    scenario = simulated_scenario("zd-2026-0417", fail="", seed=417)
    node = NodeProcess(folder)
    await node.start()
    road = Demonstration(
        Sides.of_one(node),
        scenario,
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
            # Something to aim at: a consignment, a terminal.
            await road._finish_lot()
            await road._enter()
            tokens = json.loads((folder / "tokens.json").read_text())
            postgres = folder / "node" / "postgres"
            password = quote((postgres / "password").read_text(), safe="")
            host = quote(str(_socket_folder(postgres)), safe="")
            url = f"postgresql://zhidao:{password}@/zhidao?host={host}&port=5432"
            opened = Target(node, http, tokens, url, gzip.decompress(scenario.navigation))
            await settled(opened)
            yield opened
    finally:
        await node.stop()


async def settled(target: Target) -> None:
    """Waits until log, bus and projections have taken in what stands."""
    before: dict[tuple[str, str], int] = {}
    async with asyncio.timeout(60):
        while (now := target.rows()) != before:
            before = now
            await asyncio.sleep(0.5)


def _socket_folder(postgres: Path) -> Path:
    note = postgres / "socket"
    return Path(note.read_text()) if note.is_file() else postgres / "run"


async def refused(target: Target, status: int, *request: Any, **arguments: Any) -> dict[str, Any]:
    """Sends a request that must be refused with a problem document and leave nothing behind."""
    before = target.rows()
    answer = await target.send(*request, **arguments)
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json()
    assert problem["status"] == status
    assert problem["code"]
    assert problem["detail"]
    assert target.rows() == before
    await target.is_well()
    return problem


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data[:300],
        lambda data: gzip.compress(data)[:2000],
        lambda _: b"",
        lambda _: b"\x00" * 4096,
        lambda _: gzip.compress(bytes(300 * _MIB), compresslevel=1),
        lambda data: data.replace(b"E-0", b"Q-0"),
    ],
    ids="half head short-gzip empty zeros bomb number".split(),
)
async def test_a_damaged_navigation_file_is_refused(target: Target, damage: Any):
    await refused(
        target,
        400,
        *(participants.OPERATOR, "POST", "/v1/positioning/navigation"),
        content=damage(target.navigation),
        headers={"Content-Type": "application/octet-stream"},
    )


_LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><x>&b;</x>'


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE Invoice SYSTEM "file:///etc/passwd"><Invoice/>',
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><x>&e;</x>',
        _LAUGHS,
        "<Invoice>",
        "not xml at all",
        "",
        "<a>" * 100_000 + "</a>" * 100_000,
    ],
    ids="dtd external laughs open text empty deep".split(),
)
async def test_a_document_that_no_xml_reader_should_trust_is_refused(target: Target, document: str):
    await refused(
        target,
        400,
        *("exporter", "POST", "/v1/trade/invoices/validate"),
        content=document.encode(),
        headers={"Content-Type": "application/xml"},
    )


_ORDER = {
    "order": "PO-1",
    "gtin": participants.GTIN,
    "quantity": 1,
    "limits": list(participants.LIMITS),
    "readers": [],
}


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(_ORDER | {"quantity": "1"}),
        json.dumps(_ORDER | {"quantity": 1.5}),
        json.dumps(_ORDER | {"quantity": True}),
        json.dumps(_ORDER | {"quantity": None}),
        json.dumps(_ORDER | {"quantity": -1}),
        json.dumps(_ORDER | {"quantity": 10**30}),
        json.dumps(_ORDER | {"readers": "everybody"}),
        json.dumps(_ORDER | {"stranger": 1}),
        json.dumps(_ORDER | {"order": "x" * 100_000}),
        json.dumps(_ORDER | {"order": "\x00"}),
        json.dumps([_ORDER]),
        json.dumps(_ORDER)[:-1],
        json.dumps(_ORDER)[:-1] + ', "quantity": 2}',
        json.dumps(_ORDER).replace('"quantity": 1', '"quantity": NaN'),
        json.dumps(_ORDER).replace("PO-1", "\\ud800"),
        "[" * 100_000,
        "null",
        "",
    ],
    ids=(
        "text fraction bool null negative huge scalar unknown long nul list cut twice nan"
        " surrogate deep nothing empty"
    ).split(),
)
async def test_json_of_the_wrong_kind_is_refused(target: Target, body: str):
    await refused(
        target,
        400,
        *("exporter", "POST", "/v1/industry/orders"),
        content=body.encode(),
        headers={"Content-Type": "application/json"},
    )


async def test_bytes_that_are_no_utf_8_are_refused(target: Target):
    await refused(
        target,
        400,
        *("exporter", "POST", "/v1/industry/orders"),
        content=json.dumps(_ORDER).encode().replace(b"PO-1", b"\xff\xfe"),
        headers={"Content-Type": "application/json"},
    )


async def test_a_document_that_is_no_base64_is_refused(target: Target):
    for content in ("####", "QUJD\n", "QUJ"):
        body = {
            "kind": "bill_of_lading",
            "number": "B-1",
            "media_type": "application/json",
            "content": content,
        }
        path = "/v1/trade/consignments/zd-2026-0417/documents"
        await refused(target, 400, "carrier", "POST", path, json=body)


async def test_a_sentence_with_a_wrong_checksum_is_refused(target: Target):
    for sentence in ("$BDTCI,1,2,3*00\r\n", "hello", "$" * 5000):
        body = {"sentence": sentence}
        path = "/v1/connectivity/short-messages"
        await refused(target, 400, participants.OPERATOR, "POST", path, json=body)


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "streamed"])
async def test_an_oversized_body_is_refused(target: Target, *, announced: bool):
    async def stream() -> AsyncIterator[bytes]:
        for _ in range(_OVERSIZED // 65536):
            yield bytes(65536)

    await refused(
        target,
        413,
        *(participants.OPERATOR, "POST", "/v1/positioning/navigation"),
        content=bytes(_OVERSIZED) if announced else stream(),
        headers={"Content-Type": "application/octet-stream"},
    )


async def test_a_body_that_breaks_off_and_a_request_that_is_none_leave_nothing(target: Target):
    before = target.rows()
    port = int(target.node.url.rpartition(":")[2])
    head = (
        "POST /v1/industry/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {target.tokens['exporter']}\r\nContent-Length: 500\r\n\r\n"
    )
    for data in (head.encode() + b'{"order":', bytes(range(256)) * 400, b"GET /\r\n\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(data)
        await writer.drain()
        writer.write_eof()
        # A server that closes on unread bytes resets the connection: that is an end, too.
        with suppress(ConnectionResetError):
            await asyncio.wait_for(reader.read(), 10)
        writer.close()
    assert target.rows() == before
    await target.is_well()


async def talk(target: Target, data: bytes) -> bytes:
    """What the terminals' port answers until it hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", target.node.devices_port)
    answer = b""
    try:
        writer.write(data)
        await writer.drain()
        writer.write_eof()
        answer = await asyncio.wait_for(reader.read(), 20)
    except OSError:
        pass  # It hung up in the middle, as it may.
    finally:
        writer.close()
    return answer


@pytest.mark.parametrize(
    "data",
    [
        b"\x00" * _MIB,
        b"\x7e" + b"\x02" * _MIB,
        b"\x7e" * _MIB,
        bytes(SeededRandomness(5).token(_MIB)),
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x7e\x01\x00\x7e",
    ],
    ids="no-delimiter endless delimiters noise http tiny".split(),
)
async def test_bytes_that_are_no_frames_leave_nothing(target: Target, data: bytes):
    before = target.rows()
    assert await talk(target, data) == b""
    assert target.rows() == before
    await target.is_well()


async def test_a_stranger_with_a_right_frame_gets_a_no_and_nothing_is_trusted(target: Target):
    (frame,) = frames_of(
        Authentication("no token"), phone="13900000000".zfill(20), edition=Edition.E2019, serial=1
    )
    before = target.rows()
    answer = await talk(target, frame.encode())
    assert decode_frame(answer[1:-1]).header.message_id == 0x8001
    assert answer[-3] != 0
    after = target.rows()
    # The refusal is a fact of its own; the frame is not kept.
    assert after["devices", "frame"] == before["devices", "frame"]
    assert after["devices", "suspect"] == before["devices", "suspect"]
    assert after["devices", "event"] == before["devices", "event"] + 1
    await target.is_well()
