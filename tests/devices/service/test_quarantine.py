"""One terminal whose rows cannot be read does not stop the recording of all others."""

from __future__ import annotations

import asyncio

import pytest
from tests.devices.device_room import CARRIER, OPERATING

from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.core.timescale import Utc
from zhidao.devices.domain.custody import Claim, Nonce
from zhidao.devices.events import PositionsRecorded
from zhidao.devices.service.quarantine import RETRY_S, Quarantine
from zhidao.devices.service.session import Session
from zhidao.devices.service.tracks import NoSink, Tracks
from zhidao.devices.service.windows import Windows
from zhidao.devices.wire.client import ClientSession, TokenAnswer
from zhidao.devices.wire.jt808.frame import Deframer, Edition
from zhidao.devices.wire.jt808.messages import Authentication, Registration
from zhidao.simulation.terminal import position_report

NAMES = ("van-1", "van-2", "van-3")


async def _report(room, name: str, phone: str) -> None:
    """One position of a terminal that has no key, stored."""
    await room.terminals.register(
        OPERATING, terminal=name, phone="+86" + phone, number="0" + phone, owner=CARRIER
    )
    session, client = Session(room.services), ClientSession(phone, list(Edition)[-1])

    async def say(message) -> list[object]:
        deframer = Deframer()
        raw = [one for frame in client.frames(message) for one in deframer.feed(frame.encode())]
        return [heard for answer in await session.receive(raw) for heard in client.hear(answer)]

    (answer,) = await say(Registration(44, 300, "MAKER", "T-360", phone[-7:], 2, "A12345"))
    assert isinstance(answer, TokenAnswer)
    await say(Authentication(answer.token))
    at = Utc.parse("2026-11-24T08:00:00Z")
    await say(position_report(at=at, latitude_deg=43.2, longitude_deg=76.9, satellites=9))


@pytest.fixture
async def three(room):
    writing = asyncio.create_task(room.services.writer.run())
    for number, name in enumerate(NAMES):
        async with asyncio.timeout(10):
            await _report(room, name, f"1380013800{number}")
    writing.cancel()
    return room


class _Spoiled:
    """The room's vault with one terminal whose row cannot be read."""

    def __init__(self, vault, error: Exception) -> None:
        self._vault = vault
        self.error: Exception | None = error

    def __getattr__(self, name: str):
        return getattr(self._vault, name)

    async def terminal(self, terminal: str):
        if terminal == "van-2" and self.error:
            raise self.error
        return await self._vault.terminal(terminal)


class _Aside:
    def __init__(self) -> None:
        self.now_s = 0.0
        self.told: list[dict[str, str]] = []
        self.quarantine = Quarantine(lambda reasons: self.told.append(dict(reasons)), self.clock)

    def clock(self) -> float:
        return self.now_s


def _tracks(room, vault, aside: _Aside) -> Tracks:
    journal, ids = room.services.terminal_journal, room.services.ids
    return Tracks(vault, room.terminals, journal, ids, NoSink(), aside.quarantine)


def _recorded(room) -> list[str]:
    said = [event for event in room.events if event.type == PositionsRecorded.TYPE]
    return [PositionsRecorded.of(event).terminal for event in said]


@pytest.mark.parametrize("error", [MalformedInput("no such multikey"), ValueError("not hex")])
async def test_the_others_are_recorded_and_the_bad_one_is_named(three, error):
    vault, aside = _Spoiled(three.vault, error), _Aside()
    tracks = _tracks(three, vault, aside)
    assert await tracks.record() == 2
    assert _recorded(three) == ["van-1", "van-3"]
    assert aside.told == [{"van-2": f"{type(error).__name__}: {error}"}]
    # It is passed over for a while, tried again then, and taken back once it can be read.
    assert await tracks.record() == 0
    assert len(aside.told) == 1
    aside.now_s = RETRY_S
    assert await tracks.record() == 0
    assert len(aside.told) == 2
    vault.error, aside.now_s = None, 2 * RETRY_S
    assert await tracks.record() == 1
    assert _recorded(three)[-1] == "van-2"
    assert aside.told[-1] == {}


async def test_a_database_that_is_away_sets_nobody_aside(three):
    aside = _Aside()
    tracks = _tracks(three, _Spoiled(three.vault, Unavailable("away")), aside)
    with pytest.raises(Unavailable):
        await tracks.record()
    assert aside.told == []


async def test_who_waits_longest_is_recorded_first(room):
    writing = asyncio.create_task(room.services.writer.run())
    for number, name in enumerate(("van-9", "van-1", "van-5")):
        async with asyncio.timeout(10):
            await _report(room, name, f"1380013801{number}")
    writing.cancel()
    assert await room.vault.unbatched(2, ()) == ("van-9", "van-1")
    assert await room.vault.unbatched(2, ("van-9",)) == ("van-1", "van-5")


async def test_a_window_of_a_spoiled_terminal_does_not_stop_the_others(three):
    clock, vault = three.clock, _Spoiled(three.vault, ValueError("not hex"))
    states = [
        Nonce(
            terminal=name,
            nonce=bytes([number]) * 16,
            expires_at=clock.now(),
            claim=Claim(window=b"w", total=2, simulated=False),
        )
        for number, name in enumerate(NAMES)
    ]

    async def claims():
        return tuple(states)

    vault.open_claims = claims
    finished: list[str] = []

    async def advance(terminal, nonce) -> bool:
        finished.append(terminal.terminal)
        return True

    aside = _Aside()
    windows = Windows(vault, None, None, clock, None, aside.quarantine)
    windows.advance = advance
    await windows.tend()
    assert finished == ["van-1", "van-3"]
    assert aside.told == [{"van-2": "ValueError: not hex"}]
