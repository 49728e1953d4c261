"""Messages: every one comes back as it was sent, and no bytes crash the decoder."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.devices.wire.jt808.frame import Edition
from zhidao.devices.wire.jt808.messages import (
    Authentication,
    Heartbeat,
    Logout,
    Message,
    PlatformAnswer,
    Registration,
    RegistrationAnswer,
    ResendRequest,
    TerminalAnswer,
    Transparent,
    TransparentDown,
    decode_message,
    encode_message,
    message_id,
)
from zhidao.devices.wire.jt808.packets import Reassembler, frames_of
from zhidao.devices.wire.jt808.position import (
    Item,
    PositionBatch,
    PositionReport,
    time_from_bcd,
    time_to_bcd,
)

editions = st.sampled_from([Edition.E2013, Edition.E2019])
word = st.integers(0, 0xFFFF)
byte = st.integers(0, 255)
text = st.text("ABCxyz019-_粤京", max_size=3)
reports = st.builds(
    PositionReport,
    alarm=st.integers(0, 2**32 - 1),
    status=st.integers(0, 2**32 - 1),
    latitude_udeg=st.integers(0, 2**32 - 1),
    longitude_udeg=st.integers(0, 2**32 - 1),
    altitude_m=word,
    speed_tenth_kmh=word,
    course_deg=word,
    time_bcd=st.binary(min_size=6, max_size=6),
    items=st.lists(st.builds(Item, byte, st.binary(max_size=20)), max_size=4).map(tuple),
)
messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(TerminalAnswer, word, word, byte),
    st.builds(PlatformAnswer, word, word, byte),
    st.just(Heartbeat()),
    st.just(Logout()),
    st.builds(Registration, word, word, text.map(lambda t: t[:2]), text, text, byte, text),
    st.builds(RegistrationAnswer, word, byte, text),
    reports,
    st.builds(PositionBatch, byte, st.lists(reports, max_size=4).map(tuple)),
    st.builds(Transparent, byte, st.binary(max_size=3000)),
    st.builds(TransparentDown, byte, st.binary(max_size=100)),
    st.builds(ResendRequest, word, st.lists(word, max_size=200).map(tuple)),
)


@given(messages, editions)
def test_a_message_comes_back_as_it_was_sent(message: Message, edition: Edition):
    body = encode_message(message, edition)
    assert decode_message(message_id(message), body, edition) == message


@given(text, st.text("0123456789", max_size=15))
def test_an_authentication_of_2019_brings_imei_and_firmware(token: str, imei: str):
    message = Authentication(token, imei, "v1.2")
    body = encode_message(message, Edition.E2019)
    assert decode_message(0x0102, body, Edition.E2019) == message


@given(
    st.sampled_from(
        [1, 2, 3, 0x100, 0x102, 0x200, 0x704, 0x900, 0x8001, 0x8003, 0x8100, 0x8900, 0x777]
    ),
    st.binary(max_size=200),
    editions,
)
def test_any_body_is_a_message_or_malformed(number: int, body: bytes, edition: Edition):
    try:
        message = decode_message(number, body, edition)
    except MalformedInput:
        return
    assert message_id(message) == number


@given(messages, editions, word, st.randoms(use_true_random=False))
def test_sub_packets_in_any_order_and_twice_give_one_message(message, edition, serial, random):
    frames = frames_of(
        message,
        phone="1" * (20 if edition is Edition.E2019 else 12),
        edition=edition,
        serial=serial,
    )
    shuffled = frames + frames[: len(frames) - 1]
    random.shuffle(shuffled)
    whole = Reassembler()
    bodies = [body for frame in shuffled if (body := whole.add(frame)) is not None]
    assert decode_message(frames[0].header.message_id, bodies[0], edition) == message


def test_missing_sub_packets_are_asked_for_three_times_and_then_given_up():
    frames = frames_of(
        Transparent(1, bytes(3000)), phone="0" * 20, edition=Edition.E2019, serial=65535
    )
    whole = Reassembler()
    whole.add(frames[1])
    for _ in range(3):
        (gap,) = whole.gaps()
        assert (gap.message_id, gap.first_serial, gap.packets) == (0x0900, 65535, (1, 3))
    assert whole.gaps() == []
    assert not whole.pending


def test_a_changed_total_ends_the_message():
    frames = frames_of(Transparent(1, bytes(3000)), phone="0" * 20, edition=Edition.E2019, serial=7)
    other = frames_of(Transparent(1, bytes(4000)), phone="0" * 20, edition=Edition.E2019, serial=7)
    whole = Reassembler()
    whole.add(frames[0])
    with pytest.raises(MalformedInput, match="changed"):
        whole.add(other[1])


def test_terminal_time_is_eight_hours_ahead_of_utc():
    at = Utc.parse("2026-11-24T20:15:01Z")
    assert time_to_bcd(at).hex() == "261125041501"
    assert time_from_bcd(bytes.fromhex("261125041501")) == at


@pytest.mark.parametrize("digits", ["261301000000", "260230000000", "26010124000a", "2601"])
def test_a_time_that_does_not_exist_is_malformed(digits: str):
    with pytest.raises(MalformedInput):
        time_from_bcd(bytes.fromhex(digits))


def test_hemispheres_stand_in_the_status():
    report = PositionReport(0, 0b1110, 10, 20, 0, 0, 0, bytes(6))
    assert (report.signed_latitude_udeg, report.signed_longitude_udeg) == (-10, -20)
