"""Where no other machine could take over, an alarm says so; a short absence is none."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.node.adapters.availability.patroni import OwnPatroni
from zhidao.node.operations.alarms import Alarms
from zhidao.node.operations.takeover_watch import AWAY_S, CODE, EVERY_S, TakeoverWatch


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


def told(away_s: float) -> bytes:
    return json.dumps({"role": "replica", "dcs_last_seen": int(time.time() - away_s)}).encode()


@pytest.mark.parametrize("status", ["200 OK", "503 Service Unavailable"])
async def test_a_patroni_says_since_when_it_has_lacked_etcd(status: str) -> None:
    async with answering(told(40), status) as url:
        assert 39 <= await OwnPatroni(url, "").dcs_away_s() <= 43


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"role":', b"[" * 10_000, b" " * 100_000, b"<html>"]
)
async def test_what_is_no_patroni_is_said_to_be_none(body: bytes) -> None:
    async with answering(body) as url:
        with pytest.raises(Unavailable):
            await OwnPatroni(url, "").dcs_away_s()


async def test_nobody_there_and_a_wrong_authority_are_told() -> None:
    with pytest.raises(Unavailable):
        await OwnPatroni("http://127.0.0.1:9", "").dcs_away_s()
    with pytest.raises(MalformedInput, match=r"ha\.authority"):
        OwnPatroni("https://127.0.0.1:9", "/nowhere.pem")


async def test_an_alarm_stands_while_etcd_is_out_of_reach() -> None:
    left, alarms = [0.0, AWAY_S - 1, AWAY_S, 2.0], Alarms()

    async def asked() -> float:
        return left.pop(0)

    watch = TakeoverWatch(asked, alarms)
    for stands in (False, False, True, False):
        await watch.look()
        assert alarms.stands(CODE) is stands


async def test_a_patroni_that_is_restarted_is_no_alarm_and_one_that_stays_away_is() -> None:
    answers, alarms = True, Alarms()

    async def asked() -> float:
        if not answers:
            raise Unavailable("nobody there")
        return 0.0

    watch = TakeoverWatch(asked, alarms)
    looks = int(AWAY_S / EVERY_S)
    for _ in range(2):
        answers = False
        for number in range(1, looks + 3):
            await watch.look()
            assert alarms.stands(CODE) is (number >= looks)
        answers = True
        await watch.look()
        assert not alarms.stands(CODE)
