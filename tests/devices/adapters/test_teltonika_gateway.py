"""Teltonika over a real socket: who is let in, what is acknowledged, and what the operator sees."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.devices.device_room import CARRIER, IMPORTER, OPERATING, actor
from tests.devices.teltonika_tracker import IMEI, Tracker, packet, record

from zhidao.core.errors import Conflict, MalformedInput, Refused, Unavailable
from zhidao.core.timescale import Utc
from zhidao.devices.adapters.gateway import Gateway, Limits
from zhidao.devices.adapters.listeners import Listener
from zhidao.devices.domain.enrolment import TELTONIKA
from zhidao.devices.domain.track import NO_FIX, NO_TIME
from zhidao.devices.events import EnrolmentChanged, PositionsRecorded, SubmissionRefused
from zhidao.devices.wire.client import ClientSession, TokenAnswer
from zhidao.devices.wire.jt808.messages import (
    REGISTER_NO_TERMINAL,
    REGISTERED_TERMINAL,
    Registration,
)

LORRY = "lorry-8"
NOON_MS = 1_795_521_600_000  # 2026-11-24T12:00:00Z; the room's clock says 08:00.
NOW_MS = NOON_MS - 4 * 3_600_000


@asynccontextmanager
async def serving(room, **limits):
    gateway = Gateway(
        room.services,
        host="127.0.0.1",
        port=0,
        tend=room.windows.tend,
        limits=Limits(**limits),
        others=[Listener("127.0.0.1", 0, TELTONIKA, "devices.teltonika_port")],
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


def port_of(gateway: Gateway) -> int:
    (found,) = [port for protocol, port, _ in gateway.ports if protocol == TELTONIKA]
    return found


async def register(room, **changes):
    particulars = {
        "terminal": LORRY,
        "phone": "+77015550123",
        "owner": CARRIER,
        "readers": [IMPORTER],
        "number": IMEI,
        "protocol": TELTONIKA,
    }
    return await room.terminals.register(OPERATING, **(particulars | changes))


def reasons(room) -> list[str]:
    return [SubmissionRefused.of(e).reason for e in room.events if e.type == SubmissionRefused.TYPE]


async def points(room, limit: int = 500):
    return await room.tracks.points(actor(CARRIER), LORRY, limit)


async def test_a_tracker_greets_and_its_records_are_kept_before_they_are_counted(room):
    await register(room)
    async with serving(room) as gateway:
        tracker = await Tracker.call(port_of(gateway))
        assert await tracker.greet() == b"\x01"
        assert gateway.connected == (LORRY,)
        said = [record(NOW_MS - second * 1000) for second in range(5)]
        assert await tracker.tell(packet(*said)) == 5
        assert await room.vault.count_frames(LORRY) == 5
        tracker.close()
    newest = (await points(room))[0]
    assert str(newest.observed_at) == "2026-11-24T08:00:00Z"
    assert (newest.latitude_udeg, newest.longitude_udeg) == (43_200_000, 76_900_000)
    assert (newest.altitude_m, newest.speed_kmh, newest.satellites) == (640, 60, 9)
    assert newest.valid
    assert await room.tracks.record() == 5
    assert PositionsRecorded.of(room.events[-1]).count == 5
    states = [EnrolmentChanged.of(e).state for e in room.events if e.type == EnrolmentChanged.TYPE]
    assert states == ["invited", "enrolled"]


async def test_a_tracker_is_let_in_without_a_window_too(room):
    """Whoever knows the IMEI could come in a window as well: it opens nothing."""
    await register(room, window_minutes=0)
    async with serving(room) as gateway:
        tracker = await Tracker.call(port_of(gateway))
        assert await tracker.greet() == b"\x01"
        tracker.close()
    (standing,) = await room.enrolments.of([await room.vault.terminal(LORRY)])
    assert standing.state == "enrolled"


async def test_a_stranger_is_refused_with_a_zero_and_written_down(room):
    await register(room)
    async with serving(room) as gateway:
        stranger = await Tracker.call(port_of(gateway))
        assert await stranger.greet("123456789012345") == b"\x00"
        assert await stranger.ended()
    assert reasons(room) == ["unknown_terminal"]
    (knocked,) = room.services.terminal_journal.strangers
    assert knocked.number == "123456789012345"


@pytest.mark.parametrize("act", ["suspend", "retire"])
async def test_who_was_put_out_is_refused_and_his_line_ends(room, act):
    await register(room)
    async with serving(room) as gateway:
        tracker = await Tracker.call(port_of(gateway))
        await tracker.greet()
        await getattr(room.enrolments, act)(OPERATING, LORRY)
        assert await tracker.ended()
        again = await Tracker.call(port_of(gateway))
        assert await again.greet() == b"\x00"
        assert await again.ended()
    assert reasons(room) == ["suspended" if act == "suspend" else "unknown_terminal"]
    assert not gateway.connected


async def test_each_protocol_is_a_door_for_its_own_terminals_only(room):
    """Else a phone number that looks like an IMEI would draw the tracker a token."""
    await register(room)
    await room.register()
    async with serving(room) as gateway:
        session = ClientSession(IMEI)
        reader, writer = await asyncio.open_connection(*gateway.address)
        for said in session.frames(Registration(44, 300, "MAKER", "T", LORRY, 2, "")):
            writer.write(said.encode())
        (answer,) = session.hear(await asyncio.wait_for(reader.read(4096), 5))
        assert isinstance(answer, TokenAnswer)
        assert answer.result not in (0, REGISTER_NO_TERMINAL, REGISTERED_TERMINAL)
        writer.close()
    assert reasons(room) == ["wrong_protocol"]
    lorry = await room.terminals.register(
        OPERATING, terminal="old", phone="+8613900000000", owner=CARRIER, number="352094081673950"
    )
    with pytest.raises(Refused, match="speaks jt808"):
        await room.enrolments.admit(lorry.number)


async def test_a_line_in_use_is_not_taken_from_another_network(room):
    await register(room)
    assert await room.enrolments.admit(IMEI, network="192.0.2.0/24")
    async with serving(room) as gateway:
        tracker = await Tracker.call(port_of(gateway))
        await tracker.greet()
        with pytest.raises(Refused) as refused:
            await room.enrolments.admit(IMEI, network="192.0.2.0/24")
        assert refused.value.code == "in_use_elsewhere"
        # From its own network it comes back before its old line is known dead.
        again = await Tracker.call(port_of(gateway))
        assert await again.greet() == b"\x01"
        assert await tracker.ended()
        assert await again.tell(packet(record(NOW_MS))) == 1
        again.close()


async def test_a_record_that_is_sent_again_stands_once_beside_whatever_others(room):
    await register(room)
    first, second, third = (record(NOW_MS - n * 1000) for n in range(3))
    async with serving(room) as gateway:
        for together in ((first,), (first,), (first, second), (third, second, first, first)):
            tracker = await Tracker.call(port_of(gateway))
            await tracker.greet()
            assert await tracker.tell(packet(*together)) == len(together)
            tracker.close()
    assert len(await points(room)) == await room.vault.count_frames(LORRY) == 3


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (packet(record(NOW_MS))[:-1] + b"\x00", "bad_checksum"),
        (packet(record(NOW_MS), behind=2), "bad_count"),
        (packet(record(NOW_MS)[:-1]), "truncated"),
        (packet(record(NOW_MS) + b"\x05"), "trailing"),
        (packet(record(NOW_MS), codec=7), "unknown_codec"),
    ],
    ids=["checksum", "count", "short", "long", "codec"],
)
async def test_what_cannot_be_read_is_acknowledged_as_none_and_kept_apart(room, raw, reason):
    await register(room)
    async with serving(room) as gateway:
        tracker = await Tracker.call(port_of(gateway))
        await tracker.greet()
        assert await tracker.tell(raw) == 0
        # The line goes on: the terminal sends it anew.
        assert await tracker.tell(packet(record(NOW_MS))) == 1
        tracker.close()
    (suspect,) = room.vault.suspects
    assert (suspect.terminal, suspect.reason, suspect.raw) == (LORRY, reason, raw)
    assert reasons(room) == [reason]
    assert len(await points(room)) == 1


async def test_a_stream_that_is_lost_ends_the_line_and_what_was_whole_counts(room):
    await register(room)
    async with serving(room) as gateway:
        tracker = await Tracker.call(port_of(gateway))
        await tracker.greet()
        assert await tracker.tell(packet(record(NOW_MS)) + b"no frame") == 1
        tracker.writer.write(b"more")
        assert await tracker.ended()
        assert gateway.counts["bad_preamble"] == 1
    assert reasons(room) == ["bad_preamble"]


async def test_a_zero_fix_a_time_that_is_none_and_heights_below_the_sea(room):
    await register(room)
    async with serving(room) as gateway:
        tracker = await Tracker.call(port_of(gateway))
        await tracker.greet()
        said = (
            record(NOW_MS, altitude=-154, speed=65_535),
            record(NOW_MS - 1000, satellites=0),
            record((1 << 64) - 1),
            # A tracker that was switched on a moment ago and has no clock.
            record(1_000),
        )
        assert await tracker.tell(packet(*said)) == 4
        tracker.close()
    found = {point.reason: point for point in await points(room)}
    assert set(found) == {"", NO_FIX, NO_TIME}
    assert (found[""].altitude_m, found[""].speed_kmh) == (-154, 6553.5)
    assert found[NO_TIME].observed_at == found[NO_TIME].received_at


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
    await register(room)
    failing = _Failing(room.vault)
    room.services.writer._vault = failing
    async with serving(room) as gateway:
        tracker = await Tracker.call(port_of(gateway))
        await tracker.greet()
        tracker.writer.write(packet(record(NOW_MS)))
        assert await tracker.ended()
        assert gateway.counts["not_stored"] == 1
        failing.failing = False
        again = await Tracker.call(port_of(gateway))
        await again.greet()
        assert await again.tell(packet(record(NOW_MS))) == 1
        again.close()


async def test_bounds_hold_for_all_ports_together(room):
    await register(room)
    async with serving(room, early_s=0.3, per_address_max=2) as gateway:
        silent = [await Tracker.call(port_of(gateway)), await Tracker.call(gateway.address[1])]
        third = await Tracker.call(port_of(gateway))
        assert await third.ended()
        assert gateway.counts["turned_away"] == 1
        assert all([await each.ended() for each in silent])
        assert gateway.counts["idle"] == 2


async def test_a_taken_port_is_said_with_its_setting_and_none_is_held(room):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        other = Listener("127.0.0.1", number, TELTONIKA, "devices.teltonika_port")
        gateway = Gateway(
            room.services, host="127.0.0.1", port=0, tend=room.windows.tend, others=[other]
        )
        with pytest.raises(Unavailable) as refused:
            await gateway.open()
    assert "devices.teltonika_port" in refused.value.remedy
    with socket.create_server(gateway.address):
        pass  # The first port was given back.


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"number": ""}, "$.number"),
        ({"number": "12345678901234"}, "$.number"),
        ({"number": "35209408167395A"}, "$.number"),
        ({"protocol": "gt06"}, "$.protocol"),
    ],
)
async def test_a_tracker_is_known_by_its_imei_alone(room, changes, where):
    with pytest.raises(MalformedInput) as refused:
        await register(room, **changes)
    assert refused.value.where == where


async def test_another_protocol_is_another_terminal(room):
    await register(room)
    assert await register(room) == await register(room)
    with pytest.raises(Conflict):
        await register(room, protocol="jt808")
    with pytest.raises(Refused) as refused:
        await room.enrolments.invite(OPERATING, LORRY, void=True)
    assert refused.value.code == "enrolment_state"


async def test_frames_of_real_terminals_through_the_socket(room, shared: Path):
    """Each right frame is acknowledged in full and its places are told; each wrong one by zero."""
    await register(room)
    text = (shared / "connectivity" / "traccar" / "teltonika.jsonl").read_text()
    rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    read, wrong, places = 0, 0, 0
    async with serving(room) as gateway:
        for row in rows:
            fields = row["standard_fields"] or {}
            if fields.get("codec") not in ("08", "8e", "10") or row.get("transport") == "udp":
                continue
            raw = bytes.fromhex(row["frame_hex"])
            tracker = await Tracker.call(port_of(gateway))
            assert await tracker.greet() == b"\x01"
            if fields["length_ok"] is False:
                # The length in it lies: nothing of it may be acknowledged, whatever it is cut to.
                tracker.writer.write(raw)
                tracker.writer.write_eof()
                assert int.from_bytes(await tracker.reader.read(), "big") == 0, row["n"]
                wrong += 1
            elif fields["checksum_ok"] is False:
                assert await tracker.tell(raw) == 0, row["n"]
                wrong += 1
            else:
                wanted = {
                    (r["time"][:19], round(r["lat"] * 1e6), round(r["lon"] * 1e6))
                    for r in fields["records"]
                }
                assert await tracker.tell(raw) == len(fields["records"]), row["n"]
                told = {
                    (str(p.observed_at)[:19], p.latitude_udeg, p.longitude_udeg)
                    for p in await points(room)
                }
                # Rounding of the seventh decimal may differ by one.
                near = {(at, a + i, b + j) for at, a, b in told for i in (-1, 0, 1) for j in (-1, 0, 1)}  # fmt: skip
                assert wanted <= near, row["n"]
                read += 1
                places += len(wanted)
            tracker.close()
    sys.stdout.write(json.dumps({"suite": "teltonika-socket", "read": read, "refused": wrong}))
    assert (read, wrong) == (19, 4)
    assert places >= read


async def test_times_are_of_the_terminal(room):
    await register(room)
    async with serving(room) as gateway:
        tracker = await Tracker.call(port_of(gateway))
        await tracker.greet()
        await tracker.tell(packet(record(NOW_MS + 86_400_000), record(NOW_MS + 86_401_000)))
        tracker.close()
    late, fine = await points(room)
    assert (late.valid, fine.valid) == (False, True)
    assert fine.observed_at == Utc.parse("2026-11-25T08:00:00Z")
