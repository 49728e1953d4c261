"""The terminal's side of the conversation: what it sends is read, what it hears never breaks it."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st
from tests.spoiling import BOUNDED, spoiled

from zhidao.core.errors import MalformedInput
from zhidao.devices.wire.client import Answered, ClientSession, TokenAnswer
from zhidao.devices.wire.jt808.frame import Edition
from zhidao.devices.wire.jt808.messages import (
    PlatformAnswer,
    RegistrationAnswer,
    Transparent,
    decode_message,
    encode_message,
    message_id,
)
from zhidao.devices.wire.jt808.packets import frames_of

PHONE, EDITION = "13800000001", Edition.E2019


def said(message: PlatformAnswer | RegistrationAnswer) -> bytes:
    frames = frames_of(message, phone=PHONE.zfill(20), edition=EDITION, serial=0)
    return b"".join(frame.encode() for frame in frames)


serials = st.integers(0, 0xFFFF)


@BOUNDED
@given(st.lists(st.tuples(serials, serials, st.integers(0, 4)), max_size=4), st.integers(1, 9))
def test_answers_are_heard_as_given_however_the_bytes_are_cut(
    answers: list[tuple[int, int, int]], step: int
) -> None:
    data = b"".join(said(PlatformAnswer(*each)) for each in answers)
    session, heard = ClientSession(PHONE), []
    for at in range(0, len(data), step):
        heard += session.hear(data[at : at + step])
    assert heard == [Answered(*each) for each in answers]


@BOUNDED
@given(
    spoiled(said(PlatformAnswer(1, 2, 0)) + said(RegistrationAnswer(1, 0, "token"))), st.binary()
)
def test_any_bytes_are_heard_or_malformed(changed: bytes, data: bytes) -> None:
    assert ClientSession(PHONE).hear(said(RegistrationAnswer(1, 0, "t"))) == [TokenAnswer(0, "t")]
    for told in (changed, data, b"\x7e" + data + b"\x7e"):
        with contextlib.suppress(MalformedInput):
            ClientSession(PHONE).hear(told)


@BOUNDED
@given(st.lists(st.binary(min_size=1, max_size=3_000), min_size=1, max_size=3))
def test_frames_are_numbered_on_and_hold_what_was_said(contents: list[bytes]) -> None:
    session, serial = ClientSession(PHONE), 0
    for content in contents:
        message = Transparent(0xF1, content)
        frames = session.frames(message)
        assert [frame.header.serial for frame in frames] == list(
            range(serial, serial + len(frames))
        )
        serial += len(frames)
        body = b"".join(frame.body for frame in frames)
        assert body == encode_message(message, EDITION)
        assert decode_message(message_id(message), body, EDITION) == message
