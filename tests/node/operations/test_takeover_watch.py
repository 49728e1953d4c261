"""Where no other machine could take over, an alarm says so; a short absence is none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from zhidao.node.adapters.availability.own_etcd import OwnEtcd
from zhidao.node.operations.alarms import Alarms
from zhidao.node.operations.takeover_watch import CODE, LOOKS, TakeoverWatch


@asynccontextmanager
async def answering(body: bytes, status: str = "200 OK") -> AsyncIterator[str]:
    """A server that answers every question the same."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_an_etcd_says_whether_it_is_well_and_why_not() -> None:
    async with answering(b'{"health":"true","reason":""}') as url:
        assert await OwnEtcd(url).ill() == ""
    ill = b'{"health":"false","reason":"QGET ERROR:etcdserver: request timed out"}'
    async with answering(ill, "503 Service Unavailable") as url:
        assert "request timed out" in await OwnEtcd(url).ill()
    async with answering(b'{"health":"false"}', "503 Service Unavailable") as url:
        assert await OwnEtcd(url).ill() == "no quorum"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"health":true}', b"[" * 10_000, b"<html>", b" " * 70_000]
)
async def test_what_is_no_etcd_is_said_to_be_none(body: bytes) -> None:
    async with answering(body) as url:
        assert "does not answer" in await OwnEtcd(url).ill()


async def test_nobody_there_is_ill() -> None:
    assert "does not answer" in await OwnEtcd("http://127.0.0.1:9").ill()


async def test_an_alarm_stands_while_there_is_no_quorum_and_not_for_a_moment_of_it() -> None:
    said, alarms = "", Alarms()

    async def asked() -> str:
        return said

    watch = TakeoverWatch(asked, alarms)
    for _ in range(2):
        said = "request timed out"
        for number in range(1, LOOKS + 3):
            await watch.look()
            assert alarms.stands(CODE) is (number >= LOOKS)
        said = ""
        await watch.look()
        assert not alarms.stands(CODE)
