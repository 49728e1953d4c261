from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from zhidao.node.http.bodies import WHOLE
from zhidao.node.http.timeouts import HEAD_BYTES_MAX, PatientHttp

GET = b"GET / HTTP/1.1\r\nhost: n\r\n\r\n"


class Hasty(PatientHttp):
    head_s = 0.15
    rest_s = 0.15


WHOLE_OF: dict[str, bool] = {}
HOSTS_OF: dict[str, list[bytes]] = {}


async def app(scope: Any, receive: Any, send: Any) -> None:
    WHOLE_OF[scope["path"]] = WHOLE in scope
    HOSTS_OF[scope["path"]] = [value for name, value in scope["headers"] if name == b"host"]
    if scope["path"] == "/read":
        while (await receive())["more_body"]:
            pass
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
    )
    await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def connection() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    settings = uvicorn.Config(app, http=Hasty, ws="none", lifespan="off", log_config=None)
    settings.load()
    state = uvicorn.server.ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Hasty(settings, state, {}), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        yield reader, writer
    finally:
        writer.close()
        server.close()
        await server.wait_closed()


async def answer(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(2):
        return await reader.readuntil(b"ok")


async def rest(reader: asyncio.StreamReader) -> bytes:
    """All until the node closes the connection."""
    async with asyncio.timeout(2):
        return await reader.read()


async def test_a_connection_that_says_nothing_is_closed_without_a_word() -> None:
    async with connection() as (reader, _):
        assert await rest(reader) == b""


@pytest.mark.parametrize("start", [b"GET / HTTP/1.1\r\nhost: n\r\n", b"\r\n", b"GE"])
async def test_headers_that_stop_coming_end_with_408(start: bytes) -> None:
    async with connection() as (reader, writer):
        writer.write(start)
        head, _, body = (await rest(reader)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert json.loads(body)["code"] == "headers_too_slow"


async def test_the_second_request_of_a_connection_is_timed_too() -> None:
    async with connection() as (reader, writer):
        writer.write(GET)
        await answer(reader)
        writer.write(b"\r\n")
        assert b" 408 " in await rest(reader)


async def test_a_quick_connection_lives_on() -> None:
    async with connection() as (reader, writer):
        for _ in range(3):
            writer.write(GET + GET)
            await answer(reader)
            await answer(reader)
            await asyncio.sleep(0.08)


@pytest.mark.bound("node.http.timeouts.HEAD_BYTES_MAX")
@pytest.mark.parametrize(("past", "status"), [(0, b"408"), (1, b"431")])
async def test_headers_without_end_are_refused(past: int, status: bytes) -> None:
    async with connection() as (reader, writer):
        told = b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * (HEAD_BYTES_MAX // 6 + 1)
        writer.write(told[: HEAD_BYTES_MAX + past])
        answered = await rest(reader)
        assert answered.startswith(b"HTTP/1.1 %s " % status)
        assert (str(HEAD_BYTES_MAX).encode() in answered) == bool(past)


async def test_a_body_that_goes_on_after_its_answer_is_cut_off() -> None:
    async with connection() as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: n\r\ncontent-length: 9\r\n\r\nx")
        await answer(reader)
        assert await rest(reader) == b""


async def test_a_body_that_ends_after_its_answer_leaves_the_connection_open() -> None:
    async with connection() as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: n\r\ncontent-length: 2\r\n\r\nx")
        await answer(reader)
        writer.write(b"y" + GET)
        await answer(reader)


async def test_a_body_that_is_being_read_is_timed_by_its_reader() -> None:
    async with connection() as (reader, writer):
        writer.write(b"POST /read HTTP/1.1\r\nhost: n\r\ncontent-length: 2\r\n\r\nx")
        await asyncio.sleep(0.3)
        writer.write(b"y")
        await answer(reader)


async def test_a_request_tells_whether_its_body_is_there_already() -> None:
    async with connection() as (reader, writer):
        head = b" HTTP/1.1\r\nhost: n\r\ncontent-length: 2\r\n\r\n"
        writer.write(b"POST /whole" + head + b"ab")
        await answer(reader)
        writer.write(b"POST /part" + head)
        await answer(reader)
        writer.write(b"ab")
        assert WHOLE_OF["/whole"]
        assert not WHOLE_OF["/part"]


@pytest.mark.parametrize(
    ("target", "host"),
    [
        (b"/a", b"node"),
        (b"http://evil.example/b", b"evil.example"),
        (b"https://evil.example:8443/c?d", b"evil.example:8443"),
    ],
)
async def test_the_host_of_an_absolute_target_is_the_one_that_counts(
    target: bytes, host: bytes
) -> None:
    async with connection() as (reader, writer):
        writer.write(b"GET %s HTTP/1.1\r\nhost: node\r\n\r\n" % target)
        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
    path = "/" + target.decode().partition("?")[0].rpartition("/")[2]
    assert HOSTS_OF[path] == [host]
