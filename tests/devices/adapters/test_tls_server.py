"""Terminals over TLS: the same talk, and nobody is uncounted while hands are not yet shaken."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop
from tests.devices.adapters.test_teltonika_gateway import LORRY, NOW_MS, points, register
from tests.devices.device_room import NUMBER, TERMINAL, device_room
from tests.devices.teltonika_tracker import Tracker, packet, record

from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.devices.adapters.gateway import Gateway, Limits
from zhidao.devices.adapters.listeners import Listener, Ports
from zhidao.devices.adapters.tls_server import context_of
from zhidao.devices.domain.enrolment import JT808, TELTONIKA
from zhidao.devices.wire.client import Answered, ClientSession, TokenAnswer
from zhidao.devices.wire.jt808.messages import Authentication, Registration
from zhidao.node.adapters.tls.certificate import own_certificate


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    return own_certificate(tmp_path, "127.0.0.1")


def trusting(files: tuple[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=files[0])
    context.check_hostname = False
    return context


@asynccontextmanager
async def serving(room, files, **limits):
    others = [
        Listener("127.0.0.1", 0, JT808, "devices.tls_port", context_of(*files)),
        Listener("127.0.0.1", 0, TELTONIKA, "devices.teltonika_tls_port", context_of(*files)),
    ]
    gateway = Gateway(
        room.services,
        host="127.0.0.1",
        port=0,
        tend=room.windows.tend,
        limits=Limits(**limits),
        others=others,
    )
    await gateway.open()
    task = asyncio.create_task(gateway.run())
    while not all(each.server and each.server.is_serving() for each in gateway.listeners):
        await asyncio.sleep(0)
    try:
        yield gateway
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def call(listener: Listener, files) -> Tracker:
    return Tracker(*await asyncio.open_connection("127.0.0.1", listener.port, ssl=trusting(files)))


async def test_a_tracker_talks_as_at_the_plain_port(room, files):
    await register(room)
    async with serving(room, files) as gateway:
        assert [tls for _, _, tls in gateway.ports] == [False, True, True]
        tracker = await call(gateway.listeners[2], files)
        assert await tracker.greet() == b"\x01"
        assert await tracker.tell(packet(record(NOW_MS))) == 1
        tracker.close()
    assert len(await points(room)) == 1
    assert not gateway.sessions


async def test_a_terminal_of_jt808_registers_over_tls(room, files):
    await room.register()
    async with serving(room, files) as gateway:
        line, session = await call(gateway.listeners[1], files), ClientSession(NUMBER)

        async def said(message):
            for each in session.frames(message):
                line.writer.write(each.encode())
            return session.hear(await asyncio.wait_for(line.reader.read(4096), 5))

        (token,) = await said(Registration(44, 300, "MAKER", "T", TERMINAL, 2, "A1"))
        assert isinstance(token, TokenAnswer)
        (answer, *_) = await said(Authentication(token.token))
        assert isinstance(answer, Answered)
        assert answer.result == 0
        line.close()


async def test_who_shakes_no_hands_is_counted_bounded_and_let_go(room, files):
    async with serving(room, files, early_s=0.4, early_per_address_max=2) as gateway:
        port = gateway.listeners[1].port
        silent = [await Tracker.call(port) for _ in range(2)]
        while gateway.sessions < 2:
            await asyncio.sleep(0)
        third = await Tracker.call(port)
        assert await third.ended()
        assert gateway.counts["turned_away"] == 1
        assert all([await each.ended() for each in silent])
        while gateway.sessions:
            await asyncio.sleep(0.01)
        assert gateway.counts["broken"] == 2


async def test_plain_words_at_an_encrypted_port_end_the_line(room, files):
    await register(room)
    async with serving(room, files) as gateway:
        tracker = await Tracker.call(gateway.listeners[2].port)
        tracker.writer.write(b"\x00\x0f352094081673958")
        async with asyncio.timeout(5):
            assert await tracker.reader.read(1) != b"\x01"
        tracker.close()
    assert not gateway.connected
    assert (await room.vault.heard([LORRY]))[LORRY] == (None, None)


async def test_a_port_of_tls_that_is_taken_is_said_with_its_setting(room, files):
    async with serving(room, files) as gateway:
        taken = gateway.listeners[1].port
        other = Gateway(
            room.services,
            host="127.0.0.1",
            port=0,
            tend=room.windows.tend,
            others=[Listener("127.0.0.1", taken, JT808, "devices.tls_port", context_of(*files))],
        )
        with pytest.raises(Unavailable) as refused:
            await other.open()
    assert "devices.tls_port" in refused.value.remedy


def test_an_encrypted_port_needs_a_certificate(tmp_path: Path, files):
    with pytest.raises(MalformedInput) as refused:
        Ports(tls=7612).listeners("127.0.0.1")
    assert refused.value.where == "devices.tls_port"
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    with pytest.raises(MalformedInput):
        Ports(tls=7612, certificate=(str(wrong), files[1])).listeners("127.0.0.1")
    found = Ports(teltonika=7611, tls=7612, certificate=files).listeners("127.0.0.1")
    assert [(each.protocol, each.port) for each in found] == [("teltonika", 7611), ("jt808", 7612)]
    assert Ports().listeners("127.0.0.1") == []


def test_who_speaks_at_once_is_heard_by_the_loop_that_nodes_run(files):
    """A hello that comes before the node reads must not be lost, on the faster loop either."""

    async def crowd() -> None:
        room = device_room()
        await register(room)
        async with serving(room, files) as gateway:
            for _ in range(20):
                lines = await asyncio.gather(*(call(gateway.listeners[2], files) for _ in range(5)))
                for line in lines:
                    line.close()
            tracker = await call(gateway.listeners[2], files)
            assert await tracker.greet() == b"\x01"
            tracker.close()

    uvloop.run(crowd())
