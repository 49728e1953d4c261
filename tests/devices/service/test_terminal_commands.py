"""A command is sent once, in its time, and done only if the terminal says so."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests.devices.device_room import CARRIER, OPERATING, TERMINAL, actor
from tests.devices.service.test_enrolments import ABROAD, Caller

from zhidao.core.actor import Role
from zhidao.core.errors import Forbidden, MalformedInput, NotFound, Refused
from zhidao.devices.domain.command import MINUTES_MAX
from zhidao.devices.domain.enrolment import invited, suspended
from zhidao.devices.service.jt808_commands import AWAITED_MAX
from zhidao.devices.service.session import Session
from zhidao.devices.service.terminal_commands import WAITING_MAX
from zhidao.devices.wire.jt808.bodies import read_body, write_body
from zhidao.devices.wire.jt808.frame import Deframer, Edition, Frame, decode_frame
from zhidao.devices.wire.jt808.messages import Authentication, Heartbeat, TerminalAnswer, Unknown

AUDITOR = actor("auditor", Role.AUDITOR)


class Hearing(Caller):
    """A terminal that hears what it is told, beside answers."""

    def __init__(self, room, network: str = "192.0.2.0/24") -> None:
        super().__init__(room, network)
        self.told: list[Frame] = []
        self.session = Session(room.services, network=network, hang_up=self._end, send=self._hear)

    async def _hear(self, lines: list[bytes]) -> None:
        deframer = Deframer()
        self.told += [decode_frame(raw) for line in lines for raw in deframer.feed(line)]

    async def enters_and_hears(self, token: str = "") -> str:
        token = token or (await self.registers()).token
        deframer = Deframer()
        (frame,) = self.client.frames(Authentication(token, "866123456789012", "V1"))
        (raw,) = deframer.feed(frame.encode())
        await self._hear(await self.session.receive([raw]))
        self.told = [each for each in self.told if each.header.message_id in range(0x8100, 0x8900)]
        return token


@pytest.fixture
async def hearing(room):
    await room.register()
    writing = asyncio.create_task(room.services.writer.run())
    own = Hearing(room)
    await own.enters_and_hears()
    yield own
    writing.cancel()


async def given(room, what: str, **values: object):
    return await room.commands.give(OPERATING, TERMINAL, kind=what, values=values)


async def newest(room):
    return (await room.commands.newest(OPERATING, TERMINAL, 1))[0]


async def test_it_is_sent_at_once_and_done_when_the_terminal_answers(room, hearing) -> None:
    command = await given(room, "text", flags=4, kind=1, text="停")
    assert command.state == "sent"
    (frame,) = hearing.told
    told = read_body(0x8300, frame.body, Edition.E2019)
    assert told.values["text"] == "停"
    await hearing.said(TerminalAnswer(frame.header.serial, 0x8300, 0))
    done = await newest(room)
    assert (done.state, done.result) == ("done", 0)
    # Said again, it changes nothing.
    await hearing.said(TerminalAnswer(frame.header.serial, 0x8300, 1))
    assert await newest(room) == done


async def test_a_terminal_that_refuses_is_believed(room, hearing) -> None:
    await given(room, "check_link")
    (frame,) = hearing.told
    await hearing.said(TerminalAnswer(frame.header.serial, 0x8204, 3))
    assert ((await newest(room)).state, (await newest(room)).result) == ("refused", 3)


async def test_an_answer_to_something_else_is_none(room, hearing) -> None:
    await given(room, "check_link")
    (frame,) = hearing.told
    serial = frame.header.serial
    for answer in (TerminalAnswer(serial + 1, 0x8204, 0), TerminalAnswer(serial, 0x8300, 0)):
        await hearing.said(answer)
    assert (await newest(room)).state == "sent"


async def test_what_was_asked_comes_with_its_answer(room, hearing) -> None:
    """A general answer says only that the question came; the parameters say what was asked."""
    await given(room, "ask_parameters")
    (frame,) = hearing.told
    serial = frame.header.serial
    await hearing.said(TerminalAnswer(serial, 0x8104, 0))
    assert (await newest(room)).state == "sent"
    parameters = [{"id": 0x29, "value": 30}, {"id": 0x83, "value": "京A"}]
    for said in (serial + 1, serial):
        body = write_body(0x0104, {"reply_serial": said, "parameters": parameters}, Edition.E2019)
        await asyncio.wait_for(hearing.said(Unknown(0x0104, body)), 5)
    done = await newest(room)
    assert done.state == "done"
    assert ("parameters.1.value", "30 (interval, s)") in done.answer
    # It is kept like all that a terminal says.
    assert await room.vault.count_frames(TERMINAL) == 2


async def test_one_that_is_away_is_told_when_it_comes_and_only_once(room, hearing) -> None:
    await hearing.session.leave()
    command = await given(room, "ask_position")
    assert command.state == "queued"
    token = (await Hearing(room).registers()).token
    assert not token
    await room.enrolments.invite(OPERATING, TERMINAL)
    back = Hearing(room)
    token = await back.enters_and_hears()
    assert [each.header.message_id for each in back.told] == [0x8201]
    again = Hearing(room)
    await again.enters_and_hears(token)
    assert again.told == []


async def test_after_its_time_it_is_never_sent_and_never_taken_for_done(room, hearing) -> None:
    await given(room, "check_link")
    await hearing.session.leave()
    await given(room, "ask_attributes")
    room.clock.advance(600)
    await room.commands.tend()
    assert [each.state for each in await room.commands.newest(OPERATING, TERMINAL, 9)] == [
        "queued",
        "sent",
    ]
    room.clock.advance(1)
    await room.enrolments.invite(OPERATING, TERMINAL)
    back = Hearing(room)
    await back.enters_and_hears()
    assert back.told == []
    await room.commands.tend()
    assert [each.state for each in await room.commands.newest(OPERATING, TERMINAL, 9)] == [
        "expired",
        "unanswered",
    ]


async def test_only_the_operator_gives_one_and_others_see_none(room, hearing) -> None:
    with pytest.raises(Forbidden):
        await room.commands.give(actor(CARRIER), TERMINAL, kind="check_link", values={})
    with pytest.raises(Forbidden):
        await room.commands.newest(actor(CARRIER), TERMINAL, 5)
    with pytest.raises(NotFound):
        await room.commands.give(OPERATING, "van-9", kind="check_link", values={})
    assert await room.commands.newest(AUDITOR, TERMINAL, 5) == ()


@pytest.mark.bound("devices.domain.command.MINUTES_MAX")
@pytest.mark.parametrize("minutes", [1, MINUTES_MAX])
async def test_it_waits_between_a_minute_and_a_week(room, hearing, minutes: int) -> None:
    args = {"kind": "check_link", "values": {}}
    await room.commands.give(OPERATING, TERMINAL, **args, minutes=minutes)
    for wrong in (0, MINUTES_MAX + 1):
        with pytest.raises(MalformedInput):
            await room.commands.give(OPERATING, TERMINAL, **args, minutes=wrong)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text", {"flags": 4}),
        ("text", {"flags": 4, "kind": 1, "text": "x" * 1_023}),
        ("follow", {"interval_s": 1 << 16}),
        ("open_the_doors", {}),
        ("text", {"flags": 4, "kind": 1, "text": ""}),
        ("text", {"flags": 4, "kind": 1, "text": " "}),
        ("text", {"flags": 4, "kind": 1, "text": "a\x1b[2J"}),
        ("text", {"flags": 4, "kind": 1, "text": "a\r\nb"}),
        ("set_parameters", {"parameters": [{"id": 0x13, "value": "a\0b"}]}),
    ],
)
async def test_what_its_message_cannot_hold_is_refused(room, hearing, kind, values) -> None:
    with pytest.raises(MalformedInput):
        await given(room, kind, **values)
    assert hearing.told == []


async def test_a_suspended_terminal_takes_none(room, hearing) -> None:
    await room.enrolments.suspend(OPERATING, TERMINAL)
    with pytest.raises(Refused) as refused:
        await given(room, "check_link")
    assert refused.value.code == "terminal_out"


async def test_a_stranger_is_told_nothing(room, hearing) -> None:
    await given(room, "check_link")
    thief = Hearing(room, ABROAD)
    await thief.shows("a guess")
    assert thief.told == []


@pytest.mark.bound("devices.service.jt808_commands.AWAITED_MAX")
async def test_so_many_answers_are_awaited_and_the_next_goes_out_as_they_come(
    room, hearing
) -> None:
    for _ in range(AWAITED_MAX + 2):
        await given(room, "check_link")
    assert len(hearing.told) == AWAITED_MAX
    for frame in hearing.told:
        answers = [a async for a in _heard(hearing, frame)]
        hearing.told += answers
    found = await room.commands.newest(OPERATING, TERMINAL, 100)
    assert len(hearing.told) == AWAITED_MAX + 2
    assert [each.state for each in found] == ["done"] * (AWAITED_MAX + 2)


async def _heard(hearing, frame: Frame):
    """Answers a command; the commands that come with the acknowledgement."""
    deframer = Deframer()
    (said,) = hearing.client.frames(TerminalAnswer(frame.header.serial, 0x8204, 0))
    (raw,) = deframer.feed(said.encode())
    for line in await hearing.session.receive([raw]):
        for each in Deframer().feed(line):
            came = decode_frame(each)
            if came.header.message_id == 0x8204:
                yield came


async def test_who_never_answers_is_told_more_when_the_time_of_the_first_is_over(
    room, hearing
) -> None:
    for _ in range(AWAITED_MAX):
        await given(room, "check_link")
    room.clock.advance(300)
    assert (await given(room, "check_link")).state == "queued"
    room.clock.advance(301)
    assert [m async for m in _heard(hearing, hearing.told[0])]


async def test_the_answer_to_the_login_comes_before_what_waits(room, hearing) -> None:
    await hearing.session.leave()
    await given(room, "check_link")
    await room.enrolments.invite(OPERATING, TERMINAL)
    back = Hearing(room)
    token = (await back.registers()).token
    (frame,) = back.client.frames(Authentication(token, "866123456789012", "V1"))
    (raw,) = Deframer().feed(frame.encode())
    later = await back.session.receive([raw])
    assert back.told[0].header.message_id == 0x8001
    assert [decode_frame(r).header.message_id for x in later for r in Deframer().feed(x)] == [
        0x8204
    ]


@pytest.mark.bound("devices.service.terminal_commands.WAITING_MAX")
async def test_so_many_wait_and_one_more_is_refused(room) -> None:
    await room.register()
    await asyncio.gather(*(given(room, "check_link") for _ in range(WAITING_MAX)))
    with pytest.raises(Refused) as refused:
        await given(room, "check_link")
    assert refused.value.code == "commands_waiting"


async def test_each_who_gives_one_is_told_of_his_own(room) -> None:
    await room.register()
    add, enrolment = room.commands._book.add, room.vault.enrolment

    async def add_slowly(command) -> None:
        await add(command)
        await asyncio.sleep(0)

    async def read_slowly(terminal):
        await asyncio.sleep(0)
        return await enrolment(terminal)

    room.commands._book.add, room.vault.enrolment = add_slowly, read_slowly
    found = await asyncio.gather(
        *(given(room, "follow", interval_s=n, valid_s=1) for n in (1, 2, 3))
    )
    assert [each.values["interval_s"] for each in found] == [1, 2, 3]


@pytest.mark.parametrize("act", ["suspend", "retire", "void"])
async def test_what_waits_ends_with_the_terminals_standing(room, hearing, act: str) -> None:
    await hearing.session.leave()
    command = await given(room, "text", flags=4, kind=1, text="to the true one")
    await decided(room, act)
    ended = await newest(room)
    assert (ended.id, ended.state) == (command.id, "expired")
    assert ended.ended_at == room.clock.now()


async def test_one_given_while_the_terminal_is_suspended_is_refused_and_does_not_wait(
    room, hearing
) -> None:
    await hearing.session.leave()
    add = room.commands._book.add

    async def meanwhile(command) -> None:
        await room.enrolments.suspend(OPERATING, TERMINAL)
        await add(command)

    room.commands._book.add = meanwhile
    with pytest.raises(Refused) as refused:
        await given(room, "check_link")
    assert refused.value.code == "terminal_out"
    assert (await newest(room)).state == "expired"


async def test_a_line_that_is_not_read_ends_and_whoever_gave_is_told_how_it_stands(
    room, hearing
) -> None:
    async def stuck(_lines) -> None:
        raise ConnectionError("the terminal does not read its answers")

    hearing.session._send = stuck
    assert (await given(room, "check_link")).state == "sent"
    assert hearing.ended
    assert room.lines.connected == ()


async def decided(room, act: str) -> None:
    if act == "void":
        await room.enrolments.invite(OPERATING, TERMINAL, void=True)
    else:
        await getattr(room.enrolments, act)(OPERATING, TERMINAL)


@pytest.mark.parametrize("act", ["suspend", "retire", "void"])
async def test_who_is_put_out_while_it_comes_in_is_not_served(room, hearing, act: str) -> None:
    await room.enrolments.invite(OPERATING, TERMINAL)
    back = Hearing(room)
    token = await back.enters_and_hears()
    on_its_way = room.enrolments.authenticate

    async def meanwhile(*args, **more):
        found = await on_its_way(*args, **more)
        await decided(room, act)
        return found

    room.enrolments.authenticate = meanwhile
    late = Hearing(room)
    assert await late.shows(token) == 1
    assert (late.session.authenticated, late.session.closed) == (False, True)
    assert room.lines.connected == ()


async def test_a_line_that_was_ended_is_heard_no_more(room, hearing) -> None:
    await room.enrolments.suspend(OPERATING, TERMINAL)
    assert await hearing.said(Heartbeat()) == []


@pytest.mark.parametrize("act", ["suspend", "void"])
async def test_the_round_ends_a_line_that_another_process_ended(room, hearing, act: str) -> None:
    await room.enrolments.tend()
    assert not hearing.ended
    before = await room.vault.enrolment(TERMINAL)
    now = room.clock.now()
    after = suspended(before) if act == "suspend" else invited(before, now, void=True)
    await room.vault.change_enrolment(after, ())
    await room.enrolments.tend()
    assert hearing.ended
    assert room.lines.connected == ()


async def test_a_frame_of_another_number_does_not_say_to_whom_a_command_goes(room, hearing) -> None:
    (frame,) = hearing.client.frames(Heartbeat())
    other = replace(frame, header=replace(frame.header, phone="8613900139000".zfill(20)))
    await hearing.session.receive(list(Deframer().feed(other.encode())))
    await given(room, "check_link")
    assert hearing.told[-1].header.phone == frame.header.phone
