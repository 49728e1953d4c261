"""A terminal is given its token once, in its window; whoever comes later gets none."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests.devices.device_room import (
    CARRIER,
    NUMBER,
    OPERATING,
    PHONE,
    TERMINAL,
    TERMINAL_KEY,
    actor,
)

from zhidao.core.errors import Conflict, Forbidden, MalformedInput, NotFound, Refused
from zhidao.devices.domain.enrolment import Enrolment
from zhidao.devices.events import EnrolmentChanged, SubmissionRefused
from zhidao.devices.service.lines import ALIVE_S, TOLD_S
from zhidao.devices.service.session import Session
from zhidao.devices.wire.client import Answered, ClientSession, TokenAnswer
from zhidao.devices.wire.jt808.frame import Deframer, Edition
from zhidao.devices.wire.jt808.messages import (
    Authentication,
    Heartbeat,
    Message,
    Registration,
    Unknown,
)

HOME, ABROAD = "192.0.2.0/24", "198.51.100.0/24"
IMEI = "866123456789012"


class Caller:
    """Somebody who calls the node from a network and says the terminal's number."""

    def __init__(self, room, network: str = HOME, number: str = NUMBER) -> None:
        self.ended = False
        self.session = Session(room.services, network=network, hang_up=self._end)
        self.client = ClientSession(number, Edition.E2019)

    def _end(self) -> None:
        self.ended = True

    async def said(self, message: Message) -> list[object]:
        deframer = Deframer()
        sent = [f.encode() for f in self.client.frames(message)]
        raw = [one for each in sent for one in deframer.feed(each)]
        return [h for each in await self.session.receive(raw) for h in self.client.hear(each)]

    async def registers(self, terminal: str = TERMINAL, plate: str = "A12345") -> TokenAnswer:
        (answer,) = await self.said(Registration(44, 300, "MAKER", "T-360", terminal, 2, plate))
        assert isinstance(answer, TokenAnswer)
        return answer

    async def shows(self, token: str, imei: str = IMEI) -> int:
        answer, *_ = await self.said(Authentication(token, imei, "V1"))
        assert isinstance(answer, Answered)
        return answer.result

    async def enters(self) -> str:
        token = (await self.registers()).token
        assert await self.shows(token) == 0
        return token


@pytest.fixture
async def enrolled(room):
    """A terminal that came in, its line, and its token."""
    await room.register()
    own = Caller(room)
    return own, await own.enters()


def refusals(room) -> list[str]:
    return [SubmissionRefused.of(e).reason for e in room.events if e.type == SubmissionRefused.TYPE]


def states(room) -> list[str]:
    return [EnrolmentChanged.of(e).state for e in room.events if e.type == EnrolmentChanged.TYPE]


async def test_who_reads_number_and_id_off_the_label_gets_no_token(room, enrolled) -> None:
    """The attack: a second connection from elsewhere, with all that stands in clear."""
    own, _ = enrolled
    for name in (TERMINAL, TERMINAL[:7], "0000001"):
        attacker = Caller(room, ABROAD)
        answer = await attacker.registers(name)
        assert (answer.result, answer.token) == (3 if name != "0000001" else 4, "")
        assert await attacker.shows("a guess") == 1
        assert not attacker.session.authenticated
        assert attacker.session.closed
    # The terminal goes on, and its operator is told.
    assert not own.ended
    (answer,) = await own.said(Heartbeat())
    assert isinstance(answer, Answered)
    assert answer.result == 0
    assert {"not_invited", "wrong_token"} <= set(refusals(room))


async def test_before_its_window_and_after_it_nobody_registers(room) -> None:
    terminal = await room.terminals.register(
        OPERATING, terminal="van-3", phone="+49123456", owner=CARRIER, window_minutes=0
    )
    caller = Caller(room, number="49123456")
    assert (await caller.registers("x")).result == 3
    await room.enrolments.invite(OPERATING, terminal.terminal, minutes=5)
    room.clock.advance(300)
    assert (await Caller(room, number="49123456").registers("x")).result == 0
    await room.enrolments.invite(OPERATING, terminal.terminal, minutes=5)
    room.clock.advance(301)
    assert (await Caller(room, number="49123456").registers("x")).result == 3
    assert states(room) == ["invited", "invited"]


async def test_a_lost_answer_is_given_again_and_only_the_newest_token_is_good(room) -> None:
    await room.register()
    first, second = Caller(room), Caller(room)
    one = (await first.registers()).token
    assert (await first.registers()).token == one  # On one line it is the same.
    two = (await second.registers()).token
    assert one != two
    assert await first.shows(one) == 1
    assert await second.shows(two) == 0
    assert states(room) == ["invited", "enrolled"]
    # The window is closed, though its time is not over.
    assert (await Caller(room).registers()).result == 3


async def test_the_token_that_was_given_outlives_the_window(room) -> None:
    await room.register()
    token = (await Caller(room).registers()).token
    room.clock.advance(86_400)
    assert await Caller(room).shows(token) == 0


async def test_another_number_under_a_name_that_is_taken_is_told_so(room, enrolled) -> None:
    for terminal, plate in ((TERMINAL, ""), ("x", TERMINAL)):
        answer = await Caller(room, number="4915112345").registers(terminal, plate)
        assert answer.result == 1
    assert (await Caller(room, number="4915112345").registers("x", "y")).result == 4
    assert "of_another" in refusals(room)


async def test_a_modem_is_known_from_the_first_time_on(room, enrolled) -> None:
    own, token = enrolled
    await own.session.leave()
    for imei in ("866123456789013", "", "0" * 15):
        assert await Caller(room).shows(token, imei) == 1
    assert await Caller(room).shows(token) == 0
    assert set(refusals(room)) == {"wrong_imei"}
    # In a new window another modem may come.
    await room.enrolments.invite(OPERATING, TERMINAL)
    other = Caller(room)
    assert await other.shows((await other.registers()).token, "866123456789013") == 0


async def test_a_live_line_is_not_taken_from_another_network(room, enrolled) -> None:
    own, token = enrolled
    thief = Caller(room, ABROAD)
    assert await thief.shows(token) == 1
    assert not own.ended
    assert refusals(room) == ["in_use_elsewhere"]
    # From its own network it may: a device on a flapping link.
    again = Caller(room)
    assert await again.shows(token) == 0
    assert own.ended
    # One that is silent has gone elsewhere.
    room.clock.advance(int(ALIVE_S) - 1)
    assert await Caller(room, ABROAD).shows(token) == 1
    room.clock.advance(1)
    assert await Caller(room, ABROAD).shows(token) == 0


async def test_a_word_keeps_a_line_alive(room, enrolled) -> None:
    own, token = enrolled
    for _ in range(3):
        room.clock.advance(int(ALIVE_S) - 1)
        await own.said(Heartbeat())
    assert await Caller(room, ABROAD).shows(token) == 1


async def test_with_a_fresh_token_it_may_come_from_anywhere(room, enrolled) -> None:
    own, _ = enrolled
    await room.enrolments.invite(OPERATING, TERMINAL)
    assert not own.ended
    moved = Caller(room, ABROAD)
    await moved.enters()
    assert own.ended
    await own.session.leave()
    assert room.lines.connected == (TERMINAL,)


async def test_an_attempt_to_take_a_line_is_told_until_somebody_sees_to_it(room, enrolled) -> None:
    told = []
    room.lines._tell = told.append
    _, token = enrolled
    await Caller(room, ABROAD).shows(token)
    assert list(told[-1]) == [TERMINAL]
    await room.enrolments.invite(OPERATING, TERMINAL, void=True)
    assert told[-1] == {}
    own = Caller(room)
    token = await own.enters()
    await Caller(room, ABROAD).shows(token)
    room.clock.advance(int(TOLD_S))
    room.lines.tend()
    assert told[-1] == {}


async def test_a_window_leaves_the_token_good_unless_it_is_voided(room, enrolled) -> None:
    own, token = enrolled
    await room.enrolments.invite(OPERATING, TERMINAL)
    assert not own.ended
    assert await Caller(room).shows(token) == 0
    # The old token did not close the window.
    assert (await Caller(room).registers()).result == 0
    assert await Caller(room).shows(token) == 1
    await room.enrolments.invite(OPERATING, TERMINAL, void=True)
    assert room.lines.connected == ()


async def test_a_suspended_one_is_put_out_and_needs_another_token(room, enrolled) -> None:
    own, token = enrolled
    await room.enrolments.suspend(OPERATING, TERMINAL)
    assert own.ended
    await own.session.leave()
    assert await Caller(room).shows(token) == 1
    assert (await Caller(room).registers()).result == 3
    await room.enrolments.invite(OPERATING, TERMINAL)
    assert await Caller(room).shows(token) == 1
    await Caller(room).enters()
    assert set(refusals(room)) == {"suspended", "not_invited", "wrong_token"}


async def test_a_retired_one_leaves_its_number_to_another(room, enrolled) -> None:
    own, token = enrolled
    await room.enrolments.retire(OPERATING, TERMINAL)
    assert own.ended
    assert await Caller(room).shows(token) == 1
    assert (await Caller(room).registers()).result == 4
    for act in (room.enrolments.invite, room.enrolments.suspend, room.enrolments.retire):
        with pytest.raises(Refused) as refused:
            await act(OPERATING, TERMINAL)
        assert refused.value.code == "enrolment_state"
    again = {"phone": PHONE, "key": TERMINAL_KEY.public.multikey, "owner": CARRIER}
    with pytest.raises(Conflict, match="retired"):
        await room.terminals.register(OPERATING, terminal=TERMINAL, readers=["importer"], **again)
    # The card is in another device now; what the first said stays.
    heir = await room.terminals.register(OPERATING, terminal="truck-8", **(again | {"key": ""}))
    caller = Caller(room)
    assert await caller.shows((await caller.registers("whatever")).token) == 0
    assert room.lines.connected == (heir.terminal,)
    assert (await room.terminals.view(actor(CARRIER), TERMINAL)).phone == PHONE


@pytest.mark.bound("devices.domain.enrolment.WINDOW_MINUTES_MAX")
async def test_only_the_operator_decides_and_only_within_bounds(room, enrolled) -> None:
    carrier = actor(CARRIER)
    for act in (room.enrolments.invite, room.enrolments.suspend, room.enrolments.retire):
        with pytest.raises(Forbidden):
            await act(carrier, TERMINAL)
        with pytest.raises(NotFound):
            await act(OPERATING, "truck-9")
    for minutes in (0, 24 * 60 + 1):
        with pytest.raises(MalformedInput):
            await room.enrolments.invite(OPERATING, TERMINAL, minutes=minutes)
    for minutes in (1, 24 * 60):
        await room.enrolments.invite(OPERATING, TERMINAL, minutes=minutes)


async def test_a_token_from_before_there_were_enrolments_is_good_until_the_next(room) -> None:
    await room.register()
    terminal = await room.vault.terminal(TERMINAL)
    old = Enrolment(TERMINAL, "enrolled", derived=True)
    before = await room.vault.enrolment(TERMINAL)
    await room.vault.change_enrolment(old, (), since=before.version)
    token = room.enrolments.derived(terminal)
    own = Caller(room)
    assert await own.shows(token) == 0
    assert await Caller(room).shows(token[:-1]) == 1
    assert (await Caller(room).registers()).result == 3
    await own.session.leave()
    await room.enrolments.invite(OPERATING, TERMINAL)
    assert await Caller(room).shows(token) == 0
    await Caller(room).enters()
    assert await Caller(room).shows(token) == 1


async def test_of_two_lines_that_show_the_token_first_both_come_in_and_one_locks(room) -> None:
    await room.register()
    token = (await Caller(room).registers()).token
    callers = [Caller(room) for _ in range(4)]
    results = await asyncio.gather(*(each.shows(token) for each in callers))
    assert results == [0, 0, 0, 0]
    assert states(room) == ["invited", "enrolled"]
    assert (await room.vault.enrolment(TERMINAL)).imei == IMEI
    assert room.lines.connected == (TERMINAL,)
    assert sum(each.ended for each in callers) == 3


async def test_nothing_of_a_stranger_is_kept(room, enrolled) -> None:
    attacker = Caller(room, ABROAD)
    await attacker.registers()
    (answer,) = await attacker.said(Unknown(0x0F01, b"\1"))
    assert isinstance(answer, Answered)
    assert answer.result == 1
    assert await room.vault.count_frames(TERMINAL) == 0


def test_what_is_kept_of_a_token_is_not_the_token() -> None:
    from zhidao.devices.domain import enrolment as states

    given = states.given(replace(Enrolment("t"), state="invited"), "a token")
    assert b"a token" not in given.token
    assert given.is_shown("a token")
    assert not given.is_shown("a tokem")
    assert not Enrolment("t").is_shown("")


@pytest.mark.parametrize("imei", ["\x01\x02<b>;x", "86\x00111"])
async def test_a_modem_is_not_known_by_what_nobody_can_read(room, imei: str) -> None:
    await room.register()
    caller = Caller(room)
    token = (await caller.registers()).token
    assert await caller.shows(token, imei) == 1
    assert "wrong_imei" in refusals(room)
    assert (await room.vault.enrolment(TERMINAL)).imei == ""


@pytest.fixture
def told(room) -> list[dict[str, str]]:
    """What the operator is told of terminals whose line somebody else may have."""
    heard: list[dict[str, str]] = []
    room.lines._tell = lambda contested: heard.append(dict(contested))
    return heard


@pytest.mark.parametrize("network", [HOME, ABROAD])
async def test_two_lines_that_register_in_one_window_are_told(room, told, network: str) -> None:
    """Whichever was first: one of the two is not the terminal, and the later has the token."""
    await room.register()
    first, second = Caller(room, HOME), Caller(room, network)
    token = (await first.registers()).token
    assert not told
    later = (await second.registers()).token
    assert later != token
    (contested,) = told
    assert "two lines registered" in contested[TERMINAL]
    assert (await first.shows(token), await second.shows(later)) == (1, 0)
    await room.enrolments.invite(OPERATING, TERMINAL)
    assert told[-1] == {}


async def test_a_terminal_whose_answer_was_lost_is_no_other(room, told) -> None:
    await room.register()
    first = Caller(room)
    await first.registers()
    assert (await first.registers()).result == 0
    await first.session.leave()
    assert (await Caller(room).registers()).result == 0
    # From elsewhere it is told, though the first has hung up.
    assert not told
    await Caller(room, ABROAD).registers()
    assert TERMINAL in told[-1]


async def test_what_was_registered_in_another_window_is_another_matter(room, told) -> None:
    await room.register()
    await Caller(room).registers()
    await room.enrolments.invite(OPERATING, TERMINAL)
    await Caller(room, ABROAD).registers()
    assert not any(told)
