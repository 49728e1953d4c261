"""Frames: escape, checksum, both headers, and a stream that cannot fill the memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.devices.wire.jt808.frame import (
    ESCAPED_BYTES_MAX,
    Deframer,
    Edition,
    Frame,
    Header,
    checksum,
    decode_frame,
    escape,
    unescape,
)

digits = st.text("0123456789", min_size=20, max_size=20)


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    edition = draw(st.sampled_from([Edition.E2013, Edition.E2019]))
    total = draw(st.integers(0, 5))
    header = Header(
        message_id=draw(st.integers(0, 0xFFFF)),
        phone=draw(digits)[: 20 if edition is Edition.E2019 else 12],
        serial=draw(st.integers(0, 0xFFFF)),
        edition=edition,
        protocol_version=draw(st.integers(0, 255)) if edition is Edition.E2019 else 0,
        encryption=draw(st.integers(0, 7)),
        packets_total=total,
        packet_number=draw(st.integers(1, total)) if total else 0,
        reserved=draw(st.booleans()),
    )
    return Frame(header, draw(st.binary(max_size=1023)))


@given(frames(), st.integers(1, 40))
def test_a_frame_comes_back_whole_however_the_stream_is_cut(frame: Frame, step: int):
    line = frame.encode() + frame.encode()[1:]  # The second frame shares its first delimiter.
    deframer = Deframer()
    got = [
        decode_frame(raw)
        for i in range(0, len(line), step)
        for raw in deframer.feed(line[i : i + step])
    ]
    assert got == [frame, frame]


@given(st.binary(max_size=300))
def test_escape_is_undone_and_leaves_no_delimiter(plain: bytes):
    assert unescape(escape(plain)) == plain
    assert b"\x7e" not in escape(plain)


@given(st.binary(max_size=1100))
def test_any_bytes_are_a_frame_or_malformed(data: bytes):
    try:
        frame = decode_frame(data)
    except MalformedInput:
        return
    assert escape(frame.encode_plain()) == data or unescape(data) == frame.encode_plain()


@given(st.binary(max_size=100))
def test_the_folded_checksum_is_the_byte_by_byte_one(data: bytes):
    expected = 0
    for byte in data:
        expected ^= byte
    assert checksum(data) == expected


@given(frames(), st.data())
def test_any_single_flipped_bit_is_noticed(frame: Frame, data: st.DataObject):
    plain = bytearray(frame.encode_plain())
    bit = data.draw(st.integers(0, len(plain) * 8 - 1))
    plain[bit // 8] ^= 1 << bit % 8
    with pytest.raises(MalformedInput):
        decode_frame(escape(bytes(plain)))


def test_a_frame_of_one_megabyte_is_refused_and_not_kept():
    deframer = Deframer()
    with pytest.raises(MalformedInput) as caught:
        deframer.feed(b"\x7e" + b"a" * 1_000_000)
    assert caught.value.code == "oversize"
    assert deframer._rest == b""


def test_a_trickle_without_delimiter_is_refused_at_the_bound():
    deframer = Deframer()
    for _ in range(ESCAPED_BYTES_MAX):
        deframer.feed(b"a")
    with pytest.raises(MalformedInput):
        deframer.feed(b"a")


def test_noise_before_the_first_delimiter_is_dropped():
    frame = Frame(Header(2, "0" * 20, 1), b"")
    assert [decode_frame(raw) for raw in Deframer().feed(b"noise" + frame.encode())] == [frame]


def test_7d_followed_by_another_byte_is_malformed():
    with pytest.raises(MalformedInput) as caught:
        unescape(b"\x00\x7d\x03")
    assert caught.value.code == "bad_escape"
