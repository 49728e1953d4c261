"""A real socket: what a terminal is told, what is stored, and what a stranger cannot do."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest
from tests.devices.device_room import CARRIER, NUMBER, TERMINAL, TERMINAL_KEY, actor

from zhidao.core.ambient import SeededRandomness
from zhidao.core.errors import Refused, Unavailable
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.devices.adapters.gateway import Gateway, Limits
from zhidao.devices.events import (
    EnrolmentChanged,
    PositionsRecorded,
    SubmissionRefused,
    TerminalRegistered,
    WindowReceived,
)
from zhidao.devices.wire.chunk import window_of
from zhidao.devices.wire.client import ClientSession
from zhidao.devices.wire.jt808.frame import Edition
from zhidao.devices.wire.jt808.messages import Heartbeat, Transparent
from zhidao.simulation.terminal import Identity, TerminalClient, position_report

CLIENTS: list[TerminalClient] = []
WINDOW = b"raw observations " * 3000


@asynccontextmanager
async def serving(room, **limits):
    async def tend():
        await room.windows.tend()

    gateway = Gateway(room.services, host="127.0.0.1", port=0, tend=tend, limits=Limits(**limits))
    await gateway.open()
    task = asyncio.create_task(gateway.run())
    await asyncio.sleep(0)
    try:
        yield gateway
    finally:
        while CLIENTS:
            await CLIENTS.pop().close()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def client(
    gateway, *, edition=Edition.E2019, token="", terminal=TERMINAL, number=NUMBER, timeout_s=5.0
):
    identity = Identity(terminal, number, TERMINAL_KEY, edition)
    made = TerminalClient(
        identity,
        host="127.0.0.1",
        port=gateway.address[1],
        randomness=SeededRandomness(3),
        token=token,
        timeout_s=timeout_s,
    )
    CLIENTS.append(made)
    return made


def _report(second: int):
    at = Utc.parse(f"2026-11-24T07:59:{second:02d}Z")
    return position_report(at=at, latitude_deg=55.5, longitude_deg=-8.4, satellites=11)


async def test_a_terminal_registers_authenticates_and_delivers_a_signed_window(room):
    await room.register()
    async with serving(room) as gateway:
        terminal = client(gateway)
        await terminal.send([_report(1), _report(2)])
        await terminal.heartbeat()
        chunks = await terminal.send_window(WINDOW, simulated=True)
        await terminal.send_window(b"a second window", simulated=False)
        await terminal.close()
    registered, invited, enrolled, first, second = room.events
    assert registered.type == TerminalRegistered.TYPE
    states = [EnrolmentChanged.of(each).state for each in (invited, enrolled)]
    assert states == ["invited", "enrolled"]
    fact = WindowReceived.of(first)
    assert fact.size_bytes == len(WINDOW)
    assert fact.simulated
    assert fact.chunk_digests == [chunk.digest for chunk in chunks]
    assert (fact.nonce, fact.key) == (chunks[0].nonce.hex(), TERMINAL_KEY.public.multikey)
    assert not WindowReceived.of(second).simulated
    assert WindowReceived.of(second).nonce != fact.nonce
    raw = await room.custody.window(fact.digest)
    assert raw.data == WINDOW
    assert raw.signed
    again = window_of(raw.chunks, key=TERMINAL_KEY.public, nonce=bytes.fromhex(raw.nonce))
    assert again == WINDOW
    for event in room.events:
        event.verify()


async def test_positions_are_kept_before_they_are_acknowledged_and_sealed_by_a_root(room):
    await room.register()
    async with serving(room) as gateway:
        terminal = client(gateway)
        await terminal.send([_report(second) for second in range(60)])
        assert await room.vault.count_frames(TERMINAL) == 60
        await terminal.close()
    assert await room.tracks.record() == 60
    assert await room.tracks.record() == 0
    fact = PositionsRecorded.of(room.events[-1])
    assert (fact.count, fact.first_at) == (60, "2026-11-24T07:59:00Z")
    points = await room.tracks.points(actor(CARRIER), TERMINAL, 5)
    assert str(points[0].observed_at) == "2026-11-24T07:59:59Z"
    assert (points[0].latitude_udeg, points[0].longitude_udeg) == (55_500_000, -8_400_000)
    assert points[0].valid
    assert points[0].beidou


async def test_a_wrong_token_is_refused_recorded_and_nothing_is_stored(room):
    await room.register()
    async with serving(room) as gateway:
        with pytest.raises(Refused) as caught:
            await client(gateway, token="not-the-token").send([_report(1)])
        assert caught.value.code == "wrong_token"
    assert SubmissionRefused.of(room.events[-1]).reason == "wrong_token"
    assert await room.vault.count_frames(TERMINAL) == 0


async def test_the_token_of_one_terminal_does_not_fit_another(room):
    await room.register()
    other = await room.terminals.register(
        actor("operator", "operator"),
        terminal="truck-8",
        phone="+8613800138001",
        key=SoftwareKey(Algorithm.ED25519, bytes([8]) * 32).public.multikey,
        owner=CARRIER,
    )
    token = await room.enrolments.register(other.number, terminal_id="truck-8", plate="")
    async with serving(room) as gateway:
        with pytest.raises(Refused):
            await client(gateway, token=token).connect()


@pytest.mark.parametrize(("terminal", "number"), [("truck-9", NUMBER), (TERMINAL, "8613900000000")])
async def test_an_unknown_terminal_is_not_registered(room, terminal, number):
    await room.register()
    async with serving(room) as gateway:
        with pytest.raises(Refused) as caught:
            await client(gateway, terminal=terminal, number=number).connect()
        assert caught.value.code == "not_registered"
    reason = SubmissionRefused.of(room.events[-1]).reason
    assert reason == ("unknown_terminal" if terminal == "truck-9" else "of_another")


async def test_a_window_signed_by_another_key_is_refused(room):
    await room.register()
    stranger = SoftwareKey(Algorithm.ED25519, bytes([5]) * 32)
    async with serving(room) as gateway:
        with pytest.raises(Refused):
            await client(gateway).send_window(WINDOW, simulated=False, key=stranger)
    assert SubmissionRefused.of(room.events[-1]).reason == "unknown_key"
    assert not [e for e in room.events if e.type == WindowReceived.TYPE]


async def test_a_changed_chunk_is_refused(room):
    await room.register()
    async with serving(room) as gateway:
        terminal = client(gateway)
        chunks = await terminal.send_window(WINDOW, simulated=False)
        content = bytearray(chunks[0].encode())
        content[100] ^= 1
        with pytest.raises(Refused):
            await terminal.send([Transparent(0xF0, bytes(content))])
    assert SubmissionRefused.of(room.events[-1]).reason == "bad_signature"


async def test_yesterdays_chunks_and_foreign_nonces_are_refused(room):
    await room.register()
    async with serving(room) as gateway:
        terminal = client(gateway)
        chunks = await terminal.send_window(WINDOW, simulated=False)
        # The same chunks at once: the answer may have been lost, so they are acknowledged again.
        await terminal.send_chunks(chunks)
        assert sum(e.type == WindowReceived.TYPE for e in room.events) == 1
        with pytest.raises(Refused):
            await terminal.send_window(b"other bytes", simulated=False, nonce=chunks[0].nonce)
        with pytest.raises(Refused):
            await terminal.send_window(b"other bytes", simulated=False, nonce=bytes(16))
        room.clock.advance(86_400)
        with pytest.raises(Refused):
            await terminal.send_chunks(chunks)
    reasons = {
        SubmissionRefused.of(e).reason for e in room.events if e.type == SubmissionRefused.TYPE
    }
    assert reasons == {"replayed_nonce"}
    assert sum(e.type == WindowReceived.TYPE for e in room.events) == 1


async def test_an_unfinished_window_goes_on_after_a_reconnection_and_expires_without(room):
    await room.register()
    async with serving(room) as gateway:
        terminal = client(gateway)
        await terminal.connect()
        from zhidao.devices.wire.chunk import sign_chunks

        nonce = await terminal._take_nonce()
        chunks = sign_chunks(
            WINDOW, window=bytes(16), nonce=nonce, simulated=False, key=TERMINAL_KEY
        )
        await terminal.send_chunks(chunks[:3])
        await terminal.close()
        await terminal.send_chunks(chunks[2:])
        assert WindowReceived.of(room.events[-1]).size_bytes == len(WINDOW)
        nonce = await terminal._take_nonce()
        chunks = sign_chunks(
            WINDOW, window=bytes(range(16)), nonce=nonce, simulated=False, key=TERMINAL_KEY
        )
        await terminal.send_chunks(chunks[:3])
        room.clock.advance(3600)
        await room.windows.tend()
        assert SubmissionRefused.of(room.events[-1]).reason == "incomplete"
        assert await room.vault.open_claims() == ()


async def _speak(gateway, data: bytes, *, seconds: float = 2.0) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.address[1])
    writer.write(data)
    out = b""
    try:
        async with asyncio.timeout(seconds):
            while part := await reader.read(65536):
                out += part
    except (TimeoutError, ConnectionError):
        pass
    writer.close()
    return out


async def test_a_megabyte_without_delimiter_ends_the_connection(room):
    async with serving(room) as gateway:
        await _speak(gateway, b"\x7e" + b"a" * 1_000_000)
        assert gateway.counts["oversize"] == 1
        assert gateway.sessions == 0


async def test_a_wrong_checksum_gets_no_answer_and_is_only_counted(room):
    line = bytearray(ClientSession(NUMBER).frames(Heartbeat())[0].encode())
    line[-2] ^= 1
    async with serving(room, early_s=0.3) as gateway:
        assert await _speak(gateway, bytes(line)) == b""
        assert room.services.terminal_journal.refusals["bad_checksum"] == 1


async def test_a_position_before_the_token_is_answered_with_failure_and_not_kept(room):
    await room.register()
    async with serving(room) as gateway:
        session = ClientSession(NUMBER)
        line = b"".join(f.encode() for s in range(5) for f in session.frames(_report(s)))
        heard = session.hear(await _speak(gateway, line))
        assert [answer.result for answer in heard] == [1, 1, 1]  # The third closes the line.
    assert await room.vault.count_frames(TERMINAL) == 0


async def test_a_silent_stranger_and_too_many_of_them_are_let_go(room):
    async with serving(room, early_s=0.2, per_address_max=2) as gateway:
        await asyncio.gather(*(_speak(gateway, b"\x7e\x00") for _ in range(5)))
        assert gateway.counts["turned_away"] == 3
        assert gateway.counts["idle"] == 2


async def test_a_fleet_of_one_address_is_let_in_and_strangers_of_it_are_few(room):
    """Whoever showed its token makes room for the next that has not."""
    await room.register()
    async with serving(room, early_s=1.0, early_per_address_max=1, per_address_max=3) as gateway:
        first = client(gateway)
        await first.connect()
        second = client(gateway, token=first.token)
        await second.connect()
        silent = await asyncio.open_connection("127.0.0.1", gateway.address[1])
        assert await _speak(gateway, b"\x7e\x00") == b""
        assert gateway.counts["turned_away"] == 1
        silent[1].close()


async def test_a_lost_sub_packet_is_asked_for_and_the_message_completed(room):
    await room.register()
    async with serving(room, gap_s=0.1) as gateway:
        terminal = client(gateway)
        await terminal.connect()
        line = terminal._line
        frames = line.session.frames(Transparent(1, bytes(3000)))
        await line.send([frames[0], frames[2]])
        from zhidao.devices.wire.client import AskedAgain

        asked = await line.first(AskedAgain, asyncio.get_running_loop().time() + 2)
        assert asked.request.packets == (2,)
        await line.send([frames[1]])
        await terminal.heartbeat()
        await terminal.close()
    assert await room.vault.count_frames(TERMINAL) == 3


async def test_a_terminal_of_2013_is_understood(room):
    await room.terminals.register(
        actor("operator", "operator"),
        terminal="truck-8",
        phone="+8613800138001",
        number="13800138001",
        key=TERMINAL_KEY.public.multikey,
        owner=CARRIER,
    )
    async with serving(room) as gateway:
        terminal = client(gateway, terminal="truck-8", number="13800138001", edition=Edition.E2013)
        await terminal.send_window(WINDOW, simulated=False)
        await terminal.close()
    assert WindowReceived.of(room.events[-1]).terminal == "truck-8"


class _Failing:
    """A vault whose disk fails until told otherwise."""

    def __init__(self, vault) -> None:
        self._vault, self.failing = vault, True

    def __getattr__(self, name):
        return getattr(self._vault, name)

    async def keep(self, frames, chunks, reports) -> None:
        if self.failing:
            raise Unavailable("disk full")
        await self._vault.keep(frames, chunks, reports)


async def test_nothing_is_acknowledged_that_was_not_stored(room):
    await room.register()
    failing = _Failing(room.vault)
    room.services.writer._vault = failing
    async with serving(room) as gateway:
        first = client(gateway, timeout_s=0.4)
        with pytest.raises(Unavailable):
            await first.send([_report(1)])
        assert gateway.counts["not_stored"] >= 1
        failing.failing = False
        await client(gateway, token=first.token).send([_report(1)])
    assert await room.vault.count_frames(TERMINAL) == 1


async def test_a_second_connection_of_a_terminal_ends_the_first(room):
    await room.register()
    async with serving(room) as gateway:
        first = client(gateway)
        await first.connect()
        second = client(gateway, token=first.token)
        await second.connect()
        await second.heartbeat()
        assert gateway.connected == (TERMINAL,)
        assert gateway.counts["taken_over"] == 1
        await second.close()


async def test_a_gateway_that_failed_serves_again_at_the_same_port(room):
    await room.register()
    failures = [ValueError("of all things")]

    async def tend():
        if failures:
            raise failures.pop()

    gateway = Gateway(room.services, host="127.0.0.1", port=0, tend=tend)
    await gateway.open()
    address = gateway.address
    with pytest.raises(ValueError, match="of all things"):
        await gateway.run()
    again = asyncio.create_task(gateway.run())
    terminal = client(gateway)
    try:
        await terminal.send([_report(1)])
        assert gateway.address == address
    finally:
        await terminal.close()
        CLIENTS.remove(terminal)
        again.cancel()
        await asyncio.gather(again, return_exceptions=True)


async def test_a_port_that_is_taken_is_said_with_the_setting_that_names_it(room):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        gateway = Gateway(room.services, host="127.0.0.1", port=port, tend=room.windows.tend)
        with pytest.raises(Unavailable, match=str(port)) as refused:
            await gateway.open()
    assert refused.value.code == "port_unavailable"
    assert "devices.port" in refused.value.remedy
