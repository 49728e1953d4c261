"""A tracker that has no key is heard, and can carry no proof."""

from __future__ import annotations

import asyncio

import pytest
from tests.devices.device_room import CARRIER, OPERATING, actor

from zhidao.core.errors import Refused
from zhidao.core.timescale import Utc
from zhidao.devices.service.session import Session
from zhidao.devices.wire.chunk import Chunk
from zhidao.devices.wire.client import Answered, ClientSession, NonceGiven, TokenAnswer
from zhidao.devices.wire.jt808.frame import Deframer, Edition
from zhidao.devices.wire.jt808.messages import Authentication, Message, Registration
from zhidao.simulation.terminal import position_report

NUMBER = "13800138001"


async def _said(session: Session, client: ClientSession, message: Message) -> list[object]:
    deframer = Deframer()
    raw = [each for frame in client.frames(message) for each in deframer.feed(frame.encode())]
    return [heard for answer in await session.receive(raw) for heard in client.hear(answer)]


async def _keyless(room):
    return await room.terminals.register(
        OPERATING, terminal="van-3", phone="+8613800138001", number="0" + NUMBER, owner=CARRIER
    )


@pytest.mark.parametrize("edition", list(Edition))
async def test_its_position_is_taken_and_no_nonce_is_given(room, edition):
    await _keyless(room)
    session, client = Session(room.services), ClientSession(NUMBER, edition)
    register = Registration(44, 300, "MAKER", "T-360", "0138001", 2, "A12345")
    (answer,) = await _said(session, client, register)
    assert isinstance(answer, TokenAnswer)
    heard = await _said(session, client, Authentication(answer.token))
    assert session.authenticated
    assert not [each for each in heard if isinstance(each, NonceGiven)]
    at = Utc.parse("2026-11-24T08:00:00Z")
    report = position_report(at=at, latitude_deg=43.2, longitude_deg=76.9, satellites=9)
    writing = asyncio.create_task(room.services.writer.run())
    (taken,) = await asyncio.wait_for(_said(session, client, report), 5)
    writing.cancel()
    assert isinstance(taken, Answered)
    assert taken.result == 0
    (point,) = await room.tracks.points(actor(CARRIER), "van-3", 5)
    assert point.valid


async def test_its_windows_are_refused(room):
    terminal = await _keyless(room)
    chunk = Chunk.__new__(Chunk)  # Nothing of it is read: whoever has no key is refused first.
    with pytest.raises(Refused) as refused:
        await room.windows.judge(terminal, chunk)
    assert refused.value.code == "no_key"
