"""Commands to a Teltonika tracker over its socket: once or never, one at a time, with its answer."""

from __future__ import annotations

import struct

import pytest
from tests.devices.adapters.test_teltonika_gateway import (
    LORRY,
    NOW_MS,
    port_of,
    reasons,
    register,
    serving,
)
from tests.devices.device_room import OPERATING
from tests.devices.teltonika_tracker import IMEI, Tracker, frame, packet, record

from zhidao.core.errors import MalformedInput, Refused
from zhidao.devices.domain.command import MINUTES


def said(codec: int, kind: int, content: bytes) -> bytes:
    """A frame of one text, written by hand."""
    return frame(bytes((codec, 1, kind)) + struct.pack(">I", len(content)) + content + b"\x01")


async def asked(tracker: Tracker) -> bytes:
    """The data of the next frame that the node sends."""
    head = await tracker.heard(8)
    size = int.from_bytes(head[4:], "big")
    return (await tracker.heard(size + 4))[:size]


async def given(room, text: str, **more: object):
    values = {"flags": 4, "kind": 1, "text": text} | more
    return await room.commands.give(OPERATING, LORRY, kind="text", values=values)


async def newest(room, count: int = 1):
    return (await room.commands.newest(OPERATING, LORRY, count))[0]


async def entered(room, gateway) -> Tracker:
    tracker = await Tracker.call(port_of(gateway))
    assert await tracker.greet() == b"\x01"
    return tracker


async def test_a_text_goes_at_once_and_its_answer_stands_beside_it(room):
    await register(room)
    async with serving(room) as gateway:
        tracker = await entered(room, gateway)
        assert (await given(room, "getver")).state == "sent"
        assert await asked(tracker) == b"\x0c\x01\x05\x00\x00\x00\x06getver\x01"
        tracker.writer.write(said(0x0C, 6, b"Ver:03.27.07_00\r\n"))
        # What comes behind the answer is heard after it.
        assert await tracker.tell(packet(record(NOW_MS))) == 1
        done = await newest(room)
        assert (done.state, done.result) == ("done", 0)
        assert done.answer == (("text", "Ver:03.27.07_00"),)
        tracker.close()
    # The answer is kept like all that a terminal says.
    assert await room.vault.count_frames(LORRY) == 2


async def test_one_is_out_at_a_time_since_an_answer_does_not_say_to_what(room):
    await register(room)
    async with serving(room) as gateway:
        await given(room, "first")
        await given(room, "second")
        tracker = await entered(room, gateway)
        assert b"first" in await asked(tracker)
        assert (await newest(room)).state == "queued"
        tracker.writer.write(said(0x0C, 6, b"one"))
        assert b"second" in await asked(tracker)
        tracker.writer.write(said(0x0D, 6, bytes(8) + b"two"))
        await tracker.tell(packet(record(NOW_MS)))
        tracker.close()
    second, first = await room.commands.newest(OPERATING, LORRY, 2)
    assert [each.answer for each in (first, second)] == [(("text", "one"),), (("text", "two"),)]


async def test_a_line_that_owes_an_answer_gets_no_other_command(room):
    """Its answer may still come, and would be taken for that of the next."""
    await register(room)
    async with serving(room) as gateway:
        tracker = await entered(room, gateway)
        await given(room, "cpureset")
        await asked(tracker)
        room.clock.advance(MINUTES * 60 + 1)
        await room.commands.tend()
        assert (await newest(room)).state == "unanswered"
        late = await given(room, "getinfo")
        assert await tracker.ended()
        assert (await newest(room)).state == late.state == "queued"
        again = await entered(room, gateway)
        assert b"getinfo" in await asked(again)
        again.close()


async def test_what_waited_too_long_is_never_sent(room):
    await register(room)
    async with serving(room) as gateway:
        await given(room, "cpureset")
        room.clock.advance(MINUTES * 60 + 1)
        tracker = await entered(room, gateway)
        assert await tracker.tell(packet(record(NOW_MS))) == 1
        tracker.close()
    assert (await newest(room)).state == "expired"


async def test_a_crash_after_the_mark_leaves_it_unanswered_and_never_doubled(room):
    await register(room)
    await given(room, "cpureset")
    # It was marked, and the node died before a byte of it went out.
    await room.commands.to_send(LORRY, lambda: -1, limit=1)
    async with serving(room) as gateway:
        tracker = await entered(room, gateway)
        assert await tracker.tell(packet(record(NOW_MS))) == 1
        tracker.close()
    room.clock.advance(MINUTES * 60 + 1)
    await room.commands.tend()
    assert (await newest(room)).state == "unanswered"


async def test_codec_14_names_the_imei_and_another_device_does_nothing(room):
    await register(room)
    async with serving(room) as gateway:
        tracker = await entered(room, gateway)
        await given(room, "getver", codec=14)
        own = bytes.fromhex("0" + IMEI)
        assert await asked(tracker) == b"\x0e\x01\x05\x00\x00\x00\x0e" + own + b"getver\x01"
        # What a device that is wired to it forwards is no answer to codec 14.
        tracker.writer.write(said(0x0C, 6, b"$GPGGA"))
        await tracker.tell(packet(record(NOW_MS)))
        assert (await newest(room)).state == "sent"
        tracker.writer.write(said(0x0E, 0x11, bytes.fromhex("0352093081452468")))
        await tracker.tell(packet(record(NOW_MS)))
        tracker.close()
    refused = await newest(room)
    assert (refused.state, refused.result) == ("refused", 0x11)
    assert refused.answer[0] == ("imei", "352093081452468")


async def test_words_that_nobody_asked_for_are_kept_and_not_answered(room):
    await register(room)
    async with serving(room) as gateway:
        tracker = await entered(room, gateway)
        for _ in range(2):
            tracker.writer.write(said(0x0C, 6, b"serial line"))
        assert await tracker.tell(packet(record(NOW_MS))) == 1
        tracker.close()
    # Nothing tells them from each other, and nothing is ever sent twice: both stand.
    assert await room.vault.count_frames(LORRY) == 3
    assert not reasons(room)


async def test_a_text_that_cannot_be_read_is_kept_and_told(room):
    await register(room)
    async with serving(room) as gateway:
        tracker = await entered(room, gateway)
        await given(room, "getver")
        await asked(tracker)
        tracker.writer.write(frame(b"\x0c\x01\x06\x00\x00\x00\xffshort\x01"))
        assert await tracker.tell(packet(record(NOW_MS))) == 1
        tracker.close()
    assert reasons(room) == ["truncated"]
    assert (await newest(room)).state == "sent"


@pytest.mark.parametrize(
    ("kind", "values", "where"),
    [
        ("ask_position", {}, "$.kind"),
        ("text", {"text": "停车"}, "$.text"),
        ("text", {"text": "getver\r"}, "$.text"),
        ("text", {"text": " "}, "$.text"),
        ("text", {"text": "getver", "codec": 13}, "$.codec"),
    ],
)
async def test_what_such_a_terminal_does_not_know_is_refused(room, kind, values, where):
    await register(room)
    with pytest.raises(MalformedInput) as refused:
        await room.commands.give(OPERATING, LORRY, kind=kind, values=values)
    assert refused.value.where == where


async def test_a_codec_is_nothing_to_another_protocol_and_who_is_out_takes_none(room):
    await room.register()
    with pytest.raises(MalformedInput):
        await room.commands.give(
            OPERATING, "truck-7", kind="text", values={"flags": 4, "text": "stop", "codec": 14}
        )
    await register(room)
    await room.enrolments.suspend(OPERATING, LORRY)
    with pytest.raises(Refused):
        await given(room, "getver")
