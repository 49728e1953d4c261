"""A crowd from one place keeps nobody else out."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest

from zhidao.node.http.connections import Connections, Door, networks_of

pytestmark = pytest.mark.service


@contextlib.asynccontextmanager
async def _serving(connections: Connections):  # type: ignore[no-untyped-def]
    """An echo behind a door; its port."""
    door = Door.of(socket.create_server(("127.0.0.1", 0), backlog=512), connections)

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.shook(writer.get_extra_info("socket").fileno())
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, sock=door)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        while _HELD:
            writer = _HELD.pop()
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


_HELD: list[asyncio.StreamWriter] = []


async def _connect(port: int, source: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    _HELD.append(writer)
    return reader, writer


async def _answers(port: int, source: str) -> bool:
    try:
        reader, writer = await _connect(port, source)
        writer.write(b"x")
        answer = await asyncio.wait_for(reader.read(1), 5)
    except OSError:
        return False
    return answer == b"x"


async def test_one_block_gets_its_share_and_others_theirs() -> None:
    connections = Connections(block_max=8, total_max=100)
    async with _serving(connections) as port:
        crowd = []
        for k in range(20):
            with contextlib.suppress(OSError):
                crowd.append(await _connect(port, f"127.1.1.{k + 1}"))
        await asyncio.sleep(0.1)
        assert not await _answers(port, "127.1.1.99")
        assert await _answers(port, "127.1.2.1")
        assert connections.refused == 13
        for _, writer in crowd:
            writer.close()
        await asyncio.sleep(0.2)
        assert await _answers(port, "127.1.1.99")
    await asyncio.sleep(0.2)
    assert len(connections) == 0


async def test_a_full_node_takes_from_the_block_that_holds_most() -> None:
    connections = Connections(block_max=30, total_max=40)
    async with _serving(connections) as port:
        big = [await _connect(port, "127.1.1.1") for _ in range(30)]
        small = [await _connect(port, "127.1.2.1") for _ in range(10)]
        await asyncio.sleep(0.2)
        assert await _answers(port, "127.1.3.1")
        assert await asyncio.wait_for(big[0][0].read(1), 5) == b""
        for reader, writer in small:
            writer.write(b"y")
            assert await asyncio.wait_for(reader.read(1), 5) == b"y"
        assert len(connections) <= 40


async def test_a_handshake_that_never_ends_is_ended() -> None:
    connections = Connections(block_max=30, total_max=40, handshake_s=0.2)
    async with _serving(connections) as port:
        reader, _ = await _connect(port, "127.1.1.1")
        await asyncio.sleep(0.1)
        [kept] = [one for mine in connections._open.values() for one in mine.values()]
        # As if its handshake were still going on.
        connections._waiting[kept.fileno()] = 0.0
        connections.sweep(10.0)
        assert await asyncio.wait_for(reader.read(1), 5) == b""


async def test_a_trusted_proxy_is_no_crowd() -> None:
    proxies = networks_of("127.9.0.0/16", "x")
    connections = Connections(block_max=2, total_max=100, proxies=proxies)
    async with _serving(connections) as port:
        held = [await _connect(port, "127.9.1.1") for _ in range(20)]
        assert await _answers(port, "127.9.1.1")
        assert len(held) == 20


async def test_processes_of_this_machine_stand_for_many_callers_at_the_inner_door() -> None:
    for inner, wanted in ((False, 2), (True, 6)):
        connections = Connections(block_max=2, total_max=100)
        listening = socket.create_server(("127.0.0.1", 0))
        with Door.of(listening, connections, inner=inner) as door:
            door.settimeout(5)
            asked = [socket.create_connection(door.getsockname()) for _ in range(6)]
            let_in = []
            for _ in asked:
                with contextlib.suppress(BlockingIOError, TimeoutError):
                    let_in.append(door.accept()[0])
                    door.settimeout(0.3)
            assert len(let_in) == wanted
            for each in (*asked, *let_in):
                each.close()
