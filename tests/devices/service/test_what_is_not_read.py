"""What a terminal says beyond what this node reads: kept as it came, and acknowledged when it is."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests.devices.device_room import CARRIER, NUMBER, TERMINAL, actor

from zhidao.core.hashing.hashtree import leaf_hash, tree_root
from zhidao.core.timescale import Utc
from zhidao.devices.events import MessageIncomplete
from zhidao.devices.service.session import Session
from zhidao.devices.service.unfinished import UnfinishedMessages
from zhidao.devices.wire.client import Answered, AskedAgain, ClientSession, TokenAnswer
from zhidao.devices.wire.jt808.frame import Deframer, Edition, decode_frame
from zhidao.devices.wire.jt808.messages import (
    Authentication,
    Message,
    Registration,
    TimeAnswer,
    TimeRequest,
    Unknown,
    decode_message,
)
from zhidao.devices.wire.jt808.position import PositionBatch
from zhidao.simulation.terminal import position_report

# Waybill, driver, CAN bus, media: standard messages without a reader here, and a maker's own.
UNREAD = (0x0701, 0x0702, 0x0705, 0x0801, 0x0F01)


class Line:
    """A terminal's line to the node, and what is being written meanwhile."""

    def __init__(self, room, edition: Edition = Edition.E2019) -> None:
        self.session, self.client = Session(room.services), ClientSession(NUMBER, edition)
        self.token = ""

    async def raw(self, message: Message) -> list[bytes]:
        deframer = Deframer()
        sent = [f.encode() for f in self.client.frames(message)]
        return await self.session.receive([one for raw in sent for one in deframer.feed(raw)])

    async def said(self, message: Message) -> list[object]:
        return [heard for raw in await self.raw(message) for heard in self.client.hear(raw)]

    async def opened(self, terminal: str = TERMINAL, token: str = "") -> None:
        self.token = token or await self.registered(terminal)
        await self.said(Authentication(self.token))
        assert self.session.authenticated

    async def registered(self, terminal: str) -> str:
        register = Registration(44, 300, "MAKER", "T-360", terminal, 2, "A12345")
        (answer,) = await self.said(register)
        assert isinstance(answer, TokenAnswer)
        return answer.token


@pytest.fixture
async def line(room):
    await room.register()
    writing = asyncio.create_task(room.services.writer.run())
    yield Line(room)
    writing.cancel()


@pytest.mark.parametrize("number", UNREAD)
async def test_it_is_stored_and_then_acknowledged(room, line, number: int) -> None:
    await line.opened()
    before = await room.vault.count_frames(TERMINAL)
    (answer,) = await asyncio.wait_for(line.said(Unknown(number, b"\x01\x02\x03")), 5)
    assert isinstance(answer, Answered)
    assert answer.result == 0
    assert await room.vault.count_frames(TERMINAL) == before + 1
    assert await room.tracks.points(actor(CARRIER), TERMINAL, 5) == ()


async def test_the_same_words_on_another_occasion_are_kept_again(room, line) -> None:
    """A fault code that comes back next week says something; the same frame sent twice does not."""
    await line.opened()
    before = await room.vault.count_frames(TERMINAL)
    fault = Unknown(0x0F01, b"\x01\x02\x03")
    (frame,) = line.client.frames(fault)
    (raw,) = Deframer().feed(frame.encode())
    for days in (0, 0, 7):
        room.clock.advance(days * 86_400)
        await asyncio.wait_for(line.session.receive([raw]), 5)
    assert await room.vault.count_frames(TERMINAL) == before + 2
    await asyncio.wait_for(line.said(fault), 5)
    assert await room.vault.count_frames(TERMINAL) == before + 3


async def test_each_part_of_a_divided_one_is_kept(room, line) -> None:
    await line.opened()
    answers = await asyncio.wait_for(line.said(Unknown(0x0801, bytes(2_500))), 5)
    assert len(answers) > 2
    assert {answer.result for answer in answers} == {0}
    assert await room.vault.count_frames(TERMINAL) == len(answers)


async def test_whoever_asks_for_the_time_is_told_it(room, line) -> None:
    await line.opened()
    (raw,) = await line.raw(TimeRequest())
    (one,) = Deframer().feed(raw)
    frame = decode_frame(one)
    answer = decode_message(frame.header.message_id, frame.body, frame.header.edition)
    assert isinstance(answer, TimeAnswer)
    now = room.clock.now()
    assert 0 <= now.tai_ns - answer.at.tai_ns < 1_000_000_000
    assert answer.at == Utc.parse(f"{now.to_datetime():%Y-%m-%dT%H:%M:%S}Z")


BATCH = PositionBatch(
    kind=1,
    reports=tuple(
        position_report(
            at=Utc.parse(f"2026-11-24T07:{minute:02d}:00Z"), latitude_deg=43.2, longitude_deg=76.9
        )
        for minute in range(60)
    ),
)


async def _frames(line: Line, order: list[int]) -> list[bytes]:
    """The parts of the batch in this order, and what is answered to them."""
    parts = [one for frame in line.client.frames(BATCH) for one in Deframer().feed(frame.encode())]
    assert len(parts) == 2
    return await asyncio.wait_for(line.session.receive([parts[at] for at in order]), 5)


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
async def test_a_batch_that_came_in_parts_is_read_whole(room, line, order: list[int]) -> None:
    """Every terminal that leaves a dead zone catches up so."""
    await line.opened()
    assert len(await _frames(line, order)) == 2
    points = await room.tracks.points(actor(CARRIER), TERMINAL, 100)
    assert [str(point.observed_at)[14:16] for point in reversed(points)] == [
        f"{minute:02d}" for minute in range(60)
    ]
    # Both parts and the whole are covered by one fact.
    assert await room.tracks.record() == 3


@pytest.mark.parametrize("before", [[], [0], [1], [0, 1]])
async def test_after_a_cut_line_it_is_sent_again_and_read_once(room, line, before) -> None:
    """Whatever of it came before: all of it is read in the end, and nothing twice."""
    await line.opened()
    await _frames(line, before)
    again = Line(room)
    await again.opened(token=line.token)
    await _frames(again, [0, 1])
    assert len(await room.tracks.points(actor(CARRIER), TERMINAL, 200)) == 60


def _incomplete(room) -> list[MessageIncomplete]:
    told = [each for each in room.events if each.type == MessageIncomplete.TYPE]
    return [MessageIncomplete.of(each) for each in told]


async def _parts(line: Line, size: int = 4_000) -> list[bytes]:
    message = Unknown(0x0801, bytes(index % 251 for index in range(size)))
    return [one for f in line.client.frames(message) for one in Deframer().feed(f.encode())]


async def _asked(line: Line) -> list[tuple[int, ...]]:
    heard = [each for raw in await line.session.ask_again() for each in line.client.hear(raw)]
    return [each.request.packets for each in heard if isinstance(each, AskedAgain)]


async def test_what_never_comes_whole_is_asked_for_three_times_and_then_written_down(
    room, line
) -> None:
    await line.opened()
    one, _, three, _ = await _parts(line)
    await asyncio.wait_for(line.session.receive([one, three, three]), 5)
    assert [await _asked(line) for _ in range(4)] == [[(2, 4)], [(2, 4)], [(2, 4)], []]
    (told,) = _incomplete(room)
    assert (told.message_id, told.packets_total, told.came) == (0x0801, 4, [1, 3])
    bodies = [decode_frame(each).body for each in (one, three)]
    assert told.root == tree_root(leaf_hash(body) for body in bodies).hex()
    # What came is kept, each once.
    assert await room.vault.count_frames(TERMINAL) == 2
    assert not line.session.waits_for_packets


async def test_of_two_interleaved_each_is_put_together(room, line) -> None:
    await line.opened()
    first, second = await _parts(line), await _parts(line, 3_000)
    mixed = [first[0], second[0], first[3], second[2], second[1], first[1]]
    answers = await asyncio.wait_for(line.session.receive(mixed), 5)
    assert len(answers) == 6
    assert await _asked(line) == [(3,)]
    await asyncio.wait_for(line.session.receive([first[2]]), 5)
    assert await _asked(line) == []
    assert _incomplete(room) == []


async def test_a_total_that_changes_and_one_beyond_the_bound_leave_a_record(room, line) -> None:
    await line.opened()
    one, two, *_ = [decode_frame(raw) for raw in await _parts(line)]

    def changed(frame, total: int) -> bytes:
        (raw,) = Deframer().feed(
            replace(frame, header=replace(frame.header, packets_total=total)).encode()
        )
        return raw

    sent = [changed(one, 4), changed(two, 5), changed(two, 65)]
    raw = await asyncio.wait_for(line.session.receive(sent), 5)
    results = sorted(each.result for one in raw for each in line.client.hear(one))
    assert results == [0, 2, 2]
    (told,) = _incomplete(room)
    assert (told.packets_total, told.came) == (4, [1])
    assert [each.reason for each in room.vault.suspects] == ["malformed", "malformed"]


async def test_a_line_that_ends_in_the_middle_leaves_a_record(room, line) -> None:
    await line.opened()
    one, *_ = await _parts(line)
    await asyncio.wait_for(line.session.receive([one]), 5)
    await line.session.leave()
    await line.session.leave()
    assert [each.came for each in _incomplete(room)] == [[1]]


@pytest.mark.parametrize("before", ["\0" * 4, "  ", "\0 "])
async def test_an_identifier_that_is_filled_in_front_is_the_same(room, line, before: str) -> None:
    """Makers fill the field of the standard's thirty bytes on either side."""
    await line.opened(before + TERMINAL)


async def test_a_terminal_cannot_fill_the_log_with_what_it_never_finishes(room, line) -> None:
    await line.opened()
    parts = line.client.frames(Unknown(0x0801, bytes(2_500)))
    for number in range(40):
        for total in (3, 4):
            head = replace(parts[0].header, serial=number * 9, packets_total=total)
            await asyncio.wait_for(line.session.receive(_raw(replace(parts[0], header=head))), 5)
    told = [each for each in room.events if each.type == MessageIncomplete.TYPE]
    assert len(told) == 4
    assert room.services.terminal_journal.refusals["incomplete"] == 36
    room.clock.advance(30)
    for total in (3, 4):
        head = replace(parts[0].header, serial=900, packets_total=total)
        await asyncio.wait_for(line.session.receive(_raw(replace(parts[0], header=head))), 5)
    assert sum(each.type == MessageIncomplete.TYPE for each in room.events) == 5


async def test_a_terminal_that_is_never_silent_is_asked_for_what_is_missing(room, line) -> None:
    await line.opened()
    first, *_ = line.client.frames(Unknown(0x0801, bytes(2_500)))
    await asyncio.wait_for(line.session.receive(_raw(first)), 5)
    assert await line.session.ask_again(2.0) == []
    room.clock.advance(2)
    await line.said(TimeRequest())
    heard = [h for raw in await line.session.ask_again(2.0) for h in line.client.hear(raw)]
    assert [each.request.packets for each in heard if isinstance(each, AskedAgain)] == [(2, 3)]


def _raw(frame) -> list[bytes]:
    return list(Deframer().feed(frame.encode()))


async def _restarted(room) -> None:
    """What a process finds that was started after another was killed."""
    room.clock.advance(5)
    left = UnfinishedMessages(room.vault, room.services.terminal_journal, room.clock)
    for _ in range(2):
        await left.tend()


async def test_of_a_message_that_a_kill_cut_it_is_told_what_came(room, line) -> None:
    await line.opened()
    one, two, _, _ = await _parts(line)
    await asyncio.wait_for(line.session.receive([one, two]), 5)
    await _restarted(room)
    (told,) = _incomplete(room)
    assert (told.message_id, told.packets_total, told.came) == (0x0801, 4, [1, 2])
    bodies = [decode_frame(each).body for each in (one, two)]
    assert told.root == tree_root(leaf_hash(body) for body in bodies).hex()
    # Once, whoever starts after that.
    await _restarted(room)
    assert len(_incomplete(room)) == 1


async def test_what_the_terminal_repeats_after_a_kill_is_whole_and_nothing_is_told(
    room, line
) -> None:
    await line.opened()
    await _frames(line, [0])
    again = Line(room)
    await again.opened(token=line.token)
    # On a new line the numbers begin where they did.
    again.client._serial = line.client._serial - 2
    await _frames(again, [0, 1])
    await _restarted(room)
    assert _incomplete(room) == []
    assert len(await room.tracks.points(actor(CARRIER), TERMINAL, 100)) == 60


@pytest.mark.parametrize("parts", ["all", "refused", "given up"])
async def test_what_is_done_with_is_not_told_after_a_kill(room, line, parts: str) -> None:
    await line.opened()
    if parts == "refused":
        # Whole, and no batch of positions.
        message = Unknown(0x0704, bytes(2_000))
        raws = [r for f in line.client.frames(message) for r in Deframer().feed(f.encode())]
    else:
        raws = await _parts(line)
    await asyncio.wait_for(line.session.receive(raws[: 2 if parts == "given up" else None]), 5)
    if parts == "given up":
        await line.session.leave()
    before = len(_incomplete(room))
    await _restarted(room)
    assert len(_incomplete(room)) == before == (parts == "given up")


async def test_what_comes_on_a_line_of_this_process_is_not_told_by_its_start(room, line) -> None:
    left = UnfinishedMessages(room.vault, room.services.terminal_journal, room.clock)
    await line.opened()
    one, *_ = await _parts(line)
    await asyncio.wait_for(line.session.receive([one]), 5)
    await left.tend()
    assert _incomplete(room) == []
