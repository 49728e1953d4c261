"""EGTS over a real socket: who is let in, what is acknowledged, and what the operator sees."""

from __future__ import annotations

import asyncio
import json
import struct
import sys
import zlib
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.devices.adapters.test_teltonika_gateway import NOW_MS
from tests.devices.device_room import CARRIER, IMPORTER, OPERATING, actor
from tests.devices.egts_unit import (
    DISPATCHER,
    IMEI,
    OTHER_TID,
    TID,
    Told,
    Unit,
    crc8,
    dispatcher_identity,
    packet,
    position,
    record,
    satellites,
    terminal_identity,
)
from tests.devices.teltonika_tracker import Tracker

from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.devices.adapters.gateway import Gateway, Limits
from zhidao.devices.adapters.listeners import Listener, Ports
from zhidao.devices.domain.enrolment import EGTS, EGTS_DISPATCHER, TELTONIKA
from zhidao.devices.domain.track import NO_FIX, NO_TIME
from zhidao.devices.events import EnrolmentChanged, PositionsRecorded, SubmissionRefused
from zhidao.devices.wire.egts.service_frame import decode_frame
from zhidao.devices.wire.egts.subrecords import DispatcherIdentity, TermIdentity, subrecords_of
from zhidao.devices.wire.egts.transport import decode_packet

UNIT, OTHER, PLATFORM = "unit-8", "unit-9", "platform-1"
NOW_S = NOW_MS // 1000
# The standard's codes.
OK, DENIED, BAD_DATA, SOURCE_DENIED, NO_OBJECT, AUTH_DENIED, NO_ID = 0, 130, 132, 136, 146, 151, 153


@asynccontextmanager
async def serving(room, **limits):
    gateway = Gateway(
        room.services,
        host="127.0.0.1",
        port=0,
        tend=room.windows.tend,
        limits=Limits(**limits),
        others=[Listener("127.0.0.1", 0, EGTS, "devices.egts_port")],
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


async def register(room, terminal=UNIT, number=TID, protocol=EGTS, **changes):
    particulars = {
        "terminal": terminal,
        "phone": f"+7701555{zlib.crc32(str(number).encode()) % 10_000:04d}",
        "owner": CARRIER,
        "readers": [IMPORTER],
        "number": str(number),
        "protocol": protocol,
    }
    return await room.terminals.register(OPERATING, **(particulars | changes))


async def calling(gateway) -> Unit:
    (port,) = [port for protocol, port, _ in gateway.ports if protocol == EGTS]
    return await Unit.call(port)


def reasons(room) -> list[str]:
    return [SubmissionRefused.of(e).reason for e in room.events if e.type == SubmissionRefused.TYPE]


async def points(room, terminal=UNIT, limit: int = 500):
    return await room.tracks.points(actor(CARRIER), terminal, limit)


async def test_a_unit_comes_in_and_its_records_are_kept_before_they_are_told(room):
    await register(room)
    async with serving(room) as gateway:
        unit = await calling(gateway)
        assert await unit.come_in() == OK
        assert gateway.connected == (UNIT,)
        said = [
            record(position(NOW_S - n), satellites(9), number=10 + n, oid=TID) for n in range(5)
        ]
        assert await unit.say(*said) == Told(OK, dict.fromkeys(range(10, 15), OK))
        assert await room.vault.count_frames(UNIT) == 5
        unit.close()
    newest = (await points(room))[0]
    assert str(newest.observed_at) == "2026-11-24T08:00:00Z"
    assert (newest.latitude_udeg, newest.longitude_udeg) == (43_200_000, 76_900_000)
    assert (newest.altitude_m, newest.speed_kmh, newest.course_deg) == (640, 60.5, 271)
    assert (newest.satellites, newest.beidou, newest.valid) == (9, False, True)
    assert await room.tracks.record() == 5
    assert PositionsRecorded.of(room.events[-1]).count == 5
    states = [EnrolmentChanged.of(e).state for e in room.events if e.type == EnrolmentChanged.TYPE]
    assert states == ["invited", "enrolled"]


async def test_a_unit_is_known_by_its_number_or_by_its_imei(room):
    await register(room, number=IMEI)
    async with serving(room) as gateway:
        for tid in (0, TID):
            unit = await calling(gateway)
            assert await unit.come_in(terminal_identity(tid, IMEI)) == OK
            assert await unit.say(record(position(NOW_S), oid=tid or 7)) == Told(OK, {1: OK})
            unit.close()
    assert len(await points(room)) == 2


async def test_who_may_send_data_at_once_does_so_behind_its_name(room):
    await register(room)
    async with serving(room) as gateway:
        unit = await calling(gateway)
        both = record(terminal_identity(), service=1), record(position(NOW_S), number=2)
        assert await unit.say(*both) == Told(OK, {1: OK, 2: OK})
        unit.close()
    assert len(await points(room)) == 1


async def test_a_record_without_authentication_is_denied_and_never_kept(room):
    await register(room)
    async with serving(room) as gateway:
        unit = await calling(gateway)
        data = record(position(NOW_S), number=5, oid=TID)
        assert await unit.say(data) == Told(OK, {5: AUTH_DENIED})
        assert await unit.say(record(position(NOW_S), number=6)) == Told(OK, {6: AUTH_DENIED})
        assert await room.vault.count_frames(UNIT) == 0
        # The same line may still say who it is, and then what it said is taken.
        assert await unit.come_in() == OK
        assert await unit.say(data) == Told(OK, {5: OK})
        unit.close()
    assert len(await points(room)) == 1
    assert reasons(room) == ["not_authenticated"]
    assert room.services.terminal_journal.refusals["not_authenticated"] == 2


@pytest.mark.parametrize(
    ("identity", "number"),
    [
        (terminal_identity(77), "77"),
        (terminal_identity(0, IMEI), IMEI),
        (terminal_identity(0), "0"),
        (dispatcher_identity(77), "77"),
    ],
)
async def test_a_stranger_is_told_that_he_is_not_known_and_hung_up_on(room, identity, number):
    await register(room)
    async with serving(room) as gateway:
        stranger = await calling(gateway)
        assert await stranger.come_in(identity) == NO_ID
        assert await stranger.ended()
    assert reasons(room) == ["unknown_terminal"]
    (knocked,) = room.services.terminal_journal.strangers
    assert knocked.number == number


async def test_what_stands_behind_a_refused_name_is_not_kept(room):
    await register(room)
    async with serving(room) as gateway:
        unit = await calling(gateway)
        await room.enrolments.suspend(OPERATING, UNIT)
        both = record(terminal_identity(), service=1), record(position(NOW_S), number=2, oid=TID)
        assert await unit.say(*both) == Told(OK, {1: OK, 2: AUTH_DENIED})
        _, kind, data = await unit.heard()
        assert (kind, data[10]) == (1, AUTH_DENIED)
        assert await unit.ended()
    assert await room.vault.count_frames(UNIT) == 0


@pytest.mark.parametrize("act", ["suspend", "retire"])
async def test_who_was_put_out_is_denied_and_his_line_ends(room, act):
    await register(room)
    async with serving(room) as gateway:
        unit = await calling(gateway)
        await unit.come_in()
        await getattr(room.enrolments, act)(OPERATING, UNIT)
        assert await unit.ended()
        again = await calling(gateway)
        assert await again.come_in() == (AUTH_DENIED if act == "suspend" else NO_ID)
        assert await again.ended()
    assert reasons(room) == ["suspended" if act == "suspend" else "unknown_terminal"]
    assert not gateway.connected


async def test_each_protocol_is_a_door_for_its_own_terminals_only(room):
    """Else whoever reads a number off a label could speak for a whole fleet."""
    await register(room)
    await register(room, PLATFORM, DISPATCHER, EGTS_DISPATCHER)
    await register(room, "lorry", IMEI, TELTONIKA)
    async with serving(room) as gateway:
        for identity in (
            dispatcher_identity(TID),
            terminal_identity(DISPATCHER),
            terminal_identity(0, IMEI),
        ):
            unit = await calling(gateway)
            assert await unit.come_in(identity) == AUTH_DENIED
            assert await unit.ended()
    assert reasons(room) == ["wrong_protocol"] * 3
    with pytest.raises(Refused, match="speaks egts"):
        await room.enrolments.admit(str(TID))


async def test_a_line_in_use_is_not_taken_from_another_network(room):
    await register(room)
    assert await room.enrolments.admit(str(TID), network="192.0.2.0/24", protocol=EGTS)
    async with serving(room) as gateway:
        unit = await calling(gateway)
        await unit.come_in()
        with pytest.raises(Refused) as refused:
            await room.enrolments.admit(str(TID), network="192.0.2.0/24", protocol=EGTS)
        assert refused.value.code == "in_use_elsewhere"
        # From its own network it comes back before its old line is known dead.
        again = await calling(gateway)
        assert await again.come_in() == OK
        assert await unit.ended()
        assert await again.say(record(position(NOW_S))) == Told(OK, {1: OK})
        again.close()


async def test_a_line_is_of_one_unit_and_tells_of_no_other(room):
    await register(room)
    await register(room, OTHER, OTHER_TID)
    async with serving(room) as gateway:
        unit = await calling(gateway)
        await unit.come_in()
        others = record(position(NOW_S), number=3, oid=OTHER_TID)
        own = record(position(NOW_S), number=4, oid=TID)
        assert await unit.say(others, own) == Told(OK, {3: SOURCE_DENIED, 4: OK})
        # It may say again who it is, and not that it is another.
        assert await unit.come_in() == OK
        assert await unit.come_in(terminal_identity(OTHER_TID)) == AUTH_DENIED
        assert await unit.ended()
    assert (len(await points(room)), len(await points(room, OTHER))) == (1, 0)
    assert "of_another" in reasons(room)


async def test_a_platform_speaks_for_the_units_of_its_owner(room):
    await register(room)
    await register(room, OTHER, OTHER_TID)
    await register(room, "foreign", 5, owner=IMPORTER)
    await register(room, "lorry", IMEI, TELTONIKA)
    await register(room, PLATFORM, DISPATCHER, EGTS_DISPATCHER)
    async with serving(room) as gateway:
        platform = await calling(gateway)
        assert await platform.come_in(dispatcher_identity()) == OK
        assert gateway.connected == (PLATFORM,)
        said = [
            record(position(NOW_S - number), number=number, oid=oid)
            for number, oid in enumerate((TID, OTHER_TID, TID, 5, 77, None, DISPATCHER))
        ]
        told = [OK, OK, OK, SOURCE_DENIED, NO_OBJECT, NO_OBJECT, SOURCE_DENIED]
        assert await platform.say(*said) == Told(OK, dict(enumerate(told)))
        # Who is put out is heard by no other way either.
        await room.enrolments.suspend(OPERATING, OTHER)
        after = record(position(NOW_S), number=9, oid=OTHER_TID)
        assert await platform.say(after) == Told(OK, {9: SOURCE_DENIED})
        platform.close()
    assert [len(await points(room, each)) for each in (UNIT, OTHER)] == [2, 1]
    assert await room.vault.count_frames("foreign") == 0
    (standing,) = await room.enrolments.of([await room.vault.terminal(UNIT)])
    assert standing.state == "enrolled"
    assert set(reasons(room)) == {
        *("of_another", "unknown_terminal", "no_object", "wrong_protocol", "suspended"),
    }


async def test_a_record_that_is_sent_again_stands_once_beside_whatever_others(room):
    """Also where the unit numbers it anew, as one does that was switched off."""
    await register(room)
    first, second, third = (position(NOW_S - n) for n in range(3))
    async with serving(room) as gateway:
        for number, together in enumerate(
            ((first,), (first,), (first, second), (third, second, first, first))
        ):
            unit = await calling(gateway)
            await unit.come_in()
            said = [record(each, number=9 * number + n) for n, each in enumerate(together)]
            assert set((await unit.say(*said)).records.values()) == {OK}
            unit.close()
    assert len(await points(room)) == await room.vault.count_frames(UNIT) == 3


async def test_what_bears_no_time_is_the_same_by_its_number_alone(room):
    await register(room)
    level = (27, b"\x01\0\0\1\0\0\0")
    async with serving(room) as gateway:
        unit = await calling(gateway)
        await unit.come_in()
        for number in (1, 1, 2):
            assert await unit.say(record(level, number=number)) == Told(OK, {number: OK})
        # With one it is the same by that, whatever its number.
        for number in (3, 4):
            assert await unit.say(record(level, number=number, time_s=NOW_S)) == Told(
                OK, {number: OK}
            )
        unit.close()
    assert await room.vault.count_frames(UNIT) == 3
    assert await points(room) == ()


async def test_what_is_not_read_is_kept_as_it_came(room):
    await register(room)
    raw = record((250, b"maker"), (19, b"\1\2"), number=6, service=2)
    async with serving(room) as gateway:
        unit = await calling(gateway)
        await unit.come_in()
        others = [record((33, b"part"), number=8, service=9), record(number=9, service=10)]
        module = record((2, b"module"), number=7, service=1)
        assert await unit.say(raw, module, *others) == Told(OK, dict.fromkeys(range(6, 10), OK))
        unit.close()
    kept = {frame.message_id: frame.plain for frame in room.vault.frames.values()}
    assert sorted(kept) == [0x20102, 0x202FA, 0x20921, 0x20A00]
    assert raw in kept[0x202FA]


async def test_what_stands_beside_a_name_is_kept_without_name_and_password(room):
    """A vehicle's description travels with its unit's name, as the standard has it."""
    await register(room)
    vehicle = (3, b"WAUZZZ8K9BA012345" + bytes(8))
    beside = record(terminal_identity(), (7, b"name\0password\0"), vehicle, service=1)
    async with serving(room) as gateway:
        unit = await calling(gateway)
        assert await unit.say(beside) == Told(OK, {1: OK})
        assert (await unit.heard())[2][-1] == OK
        stranger = await calling(gateway)
        assert await stranger.say(record(terminal_identity(77), vehicle, service=1)) == Told(
            OK, {1: OK}
        )
        assert await stranger.heard()
        assert await stranger.ended()
        unit.close()
    (kept,) = room.vault.frames.values()
    assert (kept.terminal, kept.message_id) == (UNIT, 0x20103)
    assert record(vehicle, service=1) in kept.plain
    assert b"password" not in kept.plain


async def test_a_name_and_a_password_for_which_nobody_asked_are_not_kept(room):
    await register(room)
    async with serving(room) as gateway:
        unit = await calling(gateway)
        await unit.come_in()
        said = record((7, b"name\0password\0"), number=6, service=1)
        assert await unit.say(said) == Told(OK, {6: DENIED})
        unit.close()
    assert await room.vault.count_frames(UNIT) == 0


@pytest.mark.parametrize(
    ("raw", "result", "reason"),
    [
        (packet(record(position(NOW_S)))[:-1] + b"\0", 138, "bad_checksum"),
        (packet(record(position(NOW_S))[:-1]), BAD_DATA, "truncated"),
        (packet(record(position(NOW_S)), flags=0x08), 129, "encrypted"),
        (packet(record(position(NOW_S)), flags=0x04), BAD_DATA, "compressed"),
        (packet(record(position(NOW_S)), kind=3), 133, "unknown_type"),
        (packet(b"\1\0s" + record(position(NOW_S)), kind=2), 133, "unknown_type"),
    ],
    ids=["checksum", "short", "encrypted", "compressed", "type", "signed"],
)
async def test_what_cannot_be_read_is_refused_by_the_code_and_kept_apart(room, raw, result, reason):
    await register(room)
    async with serving(room) as gateway:
        unit = await calling(gateway)
        await unit.come_in()
        assert await unit.say_raw(raw) == Told(result)
        # The line goes on: the unit sends it anew.
        assert await unit.say(record(position(NOW_S))) == Told(OK, {1: OK})
        unit.close()
    (suspect,) = room.vault.suspects
    assert (suspect.terminal, suspect.reason, suspect.raw) == (UNIT, reason, raw)
    assert reasons(room) == [reason]
    assert room.services.terminal_journal.refusals[reason] == 1
    assert len(await points(room)) == 1


async def test_of_a_packet_the_record_that_cannot_be_read_is_refused_alone(room):
    await register(room)
    kind, data = position(NOW_S)
    async with serving(room) as gateway:
        unit = await calling(gateway)
        await unit.come_in()
        said = [record((kind, data[:-5]), number=3), record(position(NOW_S), number=4)]
        assert await unit.say(*said) == Told(OK, {3: BAD_DATA, 4: OK})
        unit.close()
    (suspect,) = room.vault.suspects
    assert said[0] in suspect.raw
    assert reasons(room) == ["truncated"]


@pytest.mark.parametrize(
    ("change", "result", "reason"),
    [
        (lambda raw: raw[:10] + bytes((raw[10] ^ 1,)) + raw[11:], 137, "bad_header_checksum"),
        (lambda raw: b"\2" + raw[1:], 128, "bad_preamble"),
        (lambda raw: raw[:2] + b"\x40" + raw[3:], 131, "bad_header"),
    ],
    ids=["checksum", "version", "header"],
)
@pytest.mark.parametrize("known", [True, False])
async def test_after_a_wrong_header_the_line_ends_by_the_code(room, change, result, reason, known):
    """Nobody knows where the next packet begins; what is whole before it is told first."""
    await register(room)
    async with serving(room) as gateway:
        unit = await calling(gateway)
        if known:
            await unit.come_in()
        good = packet(record(position(NOW_S), number=3), number=8)
        bad = change(packet(record(position(NOW_S)), number=9))
        unit.writer.write(good + bad + good)
        (_, _, first), (_, _, second) = await unit.heard(), await unit.heard()
        assert struct.unpack("<HB", first[:3]) == (8, OK)
        assert struct.unpack("<HB", second) == (9, result)
        assert await unit.ended()
    assert gateway.counts[reason] == 1
    assert room.services.terminal_journal.refusals[reason] == 1
    assert reasons(room) == ([reason] if known else [])
    assert await room.vault.count_frames(UNIT) == int(known)


async def test_an_answer_goes_the_way_back_that_its_packet_came(room):
    await register(room)
    async with serving(room) as gateway:
        unit = await calling(gateway)
        data = record(terminal_identity(), service=1)
        # From platform 3 to platform 4, by at most 9.
        raw = struct.pack("<BBBBBHHBHHB", 1, 0, 0x20, 16, 0, len(data), 7, 1, 3, 4, 9)
        unit.writer.write(raw + bytes((crc8(raw),)) + data + packet(data)[-2:])
        told = await unit.reader.readexactly(16)
        assert told[10:15] == struct.pack("<HHB", 4, 3, 9)
        unit.close()


async def test_a_place_without_a_fix_or_a_time_is_kept_and_is_no_place(room):
    await register(room)
    kind, data = position(NOW_S)
    never = kind, b"\xff\xff\xff\xff" + data[4:]
    async with serving(room) as gateway:
        unit = await calling(gateway)
        await unit.come_in()
        said = record(
            *(position(NOW_S - 9, valid=False), satellites(3)),
            *(position(NOW_S, altitude=-154), satellites(11, 16)),
            never,
        )
        assert await unit.say(said) == Told(OK, {1: OK})
        unit.close()
    found = {point.reason: point for point in await points(room)}
    assert set(found) == {"", NO_FIX, NO_TIME}
    assert (found[""].altitude_m, found[""].satellites, found[""].beidou) == (-154, 11, True)
    assert (found[NO_FIX].satellites, found[NO_TIME].satellites) == (3, 0)
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
        unit = await calling(gateway)
        await unit.come_in()
        unit.writer.write(packet(record(position(NOW_S))))
        assert await unit.ended()
        assert gateway.counts["not_stored"] == 1
        failing.failing = False
        again = await calling(gateway)
        await again.come_in()
        assert await again.say(record(position(NOW_S))) == Told(OK, {1: OK})
        again.close()


async def test_a_stranger_who_says_nothing_of_himself_is_heard_for_seconds_only(room):
    await register(room)
    async with serving(room, early_s=0.3) as gateway:
        unit = await calling(gateway)
        assert await unit.say(record(position(NOW_S))) == Told(OK, {1: AUTH_DENIED})
        assert await unit.ended()
        assert gateway.counts["idle"] == 1


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"number": "0"}, "$.number"),
        ({"number": "4294967296"}, "$.number"),
        ({"number": "35209408167395A"}, "$.number"),
        ({"number": IMEI, "protocol": EGTS_DISPATCHER}, "$.number"),
        ({"key": "z6Mk"}, "$.key"),
    ],
)
async def test_a_unit_is_known_by_its_numbers_alone(room, changes, where):
    with pytest.raises(MalformedInput) as refused:
        await register(room, **changes)
    assert refused.value.where == where


async def test_a_unit_is_given_no_commands_that_nobody_would_send(room):
    await register(room)
    with pytest.raises(MalformedInput) as refused:
        await room.commands.give(OPERATING, UNIT, kind="text", values={"text": "getinfo"})
    assert refused.value.where == "$.kind"


def test_its_ports_are_off_until_they_are_set(tmp_path):
    assert Ports().listeners("127.0.0.1") == []
    (plain,) = Ports(egts=7613).listeners("127.0.0.1")
    assert (plain.protocol, plain.port, plain.tls) == (EGTS, 7613, None)
    with pytest.raises(MalformedInput) as refused:
        Ports(egts_tls=7614).listeners("127.0.0.1")
    assert refused.value.where == "devices.egts_tls_port"


async def test_a_tracker_of_another_protocol_is_hung_up_on(room):
    await register(room)
    async with serving(room) as gateway:
        (port,) = [port for protocol, port, _ in gateway.ports if protocol == EGTS]
        tracker = await Tracker.call(port)
        tracker.writer.write(b"\0\x0f" + IMEI.encode())
        # By the standard's code for a version that is not spoken, and then no more.
        assert (await tracker.reader.read())[-3] == 128
        tracker.close()
    assert gateway.counts["bad_preamble"] == 1


async def test_frames_of_real_units_through_the_socket(room, shared: Path):
    """Each is acknowledged record by record, and its places are told, by platform or by unit."""
    text = (shared / "connectivity" / "traccar" / "egts.jsonl").read_text()
    rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    about = {
        r["object"] for row in rows for r in row["standard_fields"]["records"] if "object" in r
    }
    for number in about:
        await register(room, f"unit-{number}", number)
    await register(room, PLATFORM, DISPATCHER, EGTS_DISPATCHER)
    read, places = 0, 0
    async with serving(room) as gateway:
        for row in rows:
            read += 1
            places += await _heard_of(row, room, gateway)
    sys.stdout.write(json.dumps({"suite": "egts-socket", "read": read, "positions": places}))
    assert (read, places) == (12, 77)


async def _heard_of(row, room, gateway) -> int:
    raw, fields = bytes.fromhex(row["frame_hex"]), row["standard_fields"]
    unit = await calling(gateway)
    said = decode_frame(decode_packet(raw)).records
    identified = any(
        isinstance(each, TermIdentity | DispatcherIdentity)
        for one in said
        for each in subrecords_of(one)
    )
    if fields["packet_type"] == 0 or identified:
        unit.writer.write(raw)
        if identified:
            _, kind, data = await unit.heard()
            assert (kind, data[2]) == (0, OK)
            assert (await unit.heard())[2][-1] == OK
        unit.close()
        return 0
    named = fields["records"][0]["object"]
    is_platform = row["test"] == "testDecodeWithObjectId"
    identity = dispatcher_identity() if is_platform else terminal_identity(named)
    assert await unit.come_in(identity) == OK
    wanted = {(r["record"], OK) for r in fields["records"]}
    assert set((await unit.say_raw(raw)).records.items()) == wanted, row["n"]
    unit.close()
    told = {
        (str(p.observed_at)[:19], p.latitude_udeg + i, p.longitude_udeg + j)
        for p in await points(room, f"unit-{named}")
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
    }
    places = [s for r in fields["records"] for s in r["subrecords"] if s["type"] == 16]
    for place in places:
        at = place["time"][:19], round(place["lat"] * 1e6), round(place["lon"] * 1e6)
        assert at in told, row["n"]
    return len(places)
