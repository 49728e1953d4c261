"""Datagrams, pieces, notices and texts: what was written is read, and anything else is refused."""

from __future__ import annotations

import binascii
import random
from contextlib import suppress
from itertools import islice, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.connectivity.domain.erasure import INDEX_MAX, PIECES_MAX, piece_of, whole_of
from zhidao.connectivity.domain.message import MESSAGE_BYTES_MAX, Form, Message
from zhidao.connectivity.domain.notice import (
    TEMPERATURE_DC_MAX,
    TEMPERATURE_DC_MIN,
    Kind,
    Notice,
)
from zhidao.connectivity.domain.observation import Point
from zhidao.connectivity.wire.compact import Track, pack
from zhidao.connectivity.wire.datagram import (
    DATAGRAM_BYTES_MAX,
    NAMES_MAX,
    Names,
    Piece,
    decode,
    encode,
)
from zhidao.connectivity.wire.message_view import datagram_line, line_of, said
from zhidao.connectivity.wire.notices import NOTICES_MAX, pack_notices, unpack_notices
from zhidao.connectivity.wire.texts import pack_text, unpack_text
from zhidao.core.errors import MalformedInput, Refused

POINT = Point(1_800_000_000, 4_335_000, -7_704_000)
points = st.builds(
    Point,
    st.integers(0, (1 << 33) - 1),
    st.integers(-9_000_000, 9_000_000),
    st.integers(-18_000_000, 18_000_000),
)
notices = st.builds(
    Notice,
    st.sampled_from(Kind),
    points,
    st.one_of(st.none(), st.integers(TEMPERATURE_DC_MIN, TEMPERATURE_DC_MAX)),
)
forms = st.sampled_from([form for form in Form if form is not Form.PLAIN])
messages = st.builds(Message, forms, st.binary(min_size=1, max_size=200))
name = st.binary(min_size=5, max_size=5)
names = st.builds(Names, st.lists(name, min_size=1, max_size=NAMES_MAX).map(tuple))


@st.composite
def pieces(draw: st.DrawFn) -> Piece:
    body = draw(st.binary(min_size=1, max_size=300))
    count = draw(st.integers(1, min(PIECES_MAX, len(body))))
    index = draw(st.integers(0, INDEX_MAX))
    data = piece_of(body, count=count, index=index)
    return Piece(draw(forms), draw(name), count, index, len(body), data)


# --- datagrams ----------------------------------------------------------------------------------
@given(st.lists(st.one_of(messages, pieces(), names), max_size=4))
def test_a_datagram_comes_back_as_it_was_sent(records):
    data = encode(records)
    assert decode(data) == tuple(records)
    assert data[0] >> 5 == 2, "compact positions begin with 1"


@given(st.binary(max_size=60))
def test_any_bytes_are_a_datagram_or_malformed(data: bytes):
    body = b"\x40" + data
    for each in (data, body + binascii.crc_hqx(body, 0).to_bytes(2, "big")):
        with suppress(MalformedInput):
            records = decode(each)
            assert decode(encode(records)) == records
            assert isinstance(datagram_line(each), str)


@given(st.lists(messages, min_size=1, max_size=2), st.data())
def test_any_flipped_bit_of_a_datagram_is_noticed(records, data):
    sent = bytearray(encode(records))
    at = data.draw(st.integers(0, 8 * len(sent) - 1))
    sent[at // 8] ^= 1 << at % 8
    with pytest.raises(MalformedInput):
        decode(bytes(sent))


def framed(body: bytes) -> bytes:
    return body + binascii.crc_hqx(body, 0).to_bytes(2, "big")


@pytest.mark.parametrize(
    ("body", "said_of_it"),
    [
        (b"\x40\x3f\x01x", "no form of message is 63"),
        (b"\x40\x00\x01x", "a plain message has no record"),
        (b"\x40\xc1", "no record begins with C1"),
        (b"\x40\x80", "no record begins with 80"),
        (b"\x40\x01\x05abc", "ends too early"),
        (b"\x40\x01\x00", "a message of 0 bytes"),
        (b"\x40\x01\xff\x7f", "1 to 4096 are carried"),
        (b"\x40\x41abcde\x40\x00\x7fx", "in 65 pieces"),
    ],
)
def test_what_no_datagram_holds_is_refused(body: bytes, said_of_it: str):
    with pytest.raises(MalformedInput, match=said_of_it):
        decode(framed(body))


@pytest.mark.bound("connectivity.wire.datagram.DATAGRAM_BYTES_MAX")
@pytest.mark.bound("connectivity.wire.datagram.NAMES_MAX")
@pytest.mark.bound("connectivity.domain.message.MESSAGE_BYTES_MAX")
def test_so_much_is_carried_and_no_more():
    most = Message(Form.TEXT, b"x" * (DATAGRAM_BYTES_MAX - 6))
    assert len(encode((most,))) == DATAGRAM_BYTES_MAX
    with pytest.raises(MalformedInput, match="1751"):
        encode((Message(Form.TEXT, b"x" * (DATAGRAM_BYTES_MAX - 5)),))
    with pytest.raises(MalformedInput, match="1751"):
        decode(b"\x40" * (DATAGRAM_BYTES_MAX + 1))
    encode((Names((b"12345",) * NAMES_MAX),))
    with pytest.raises(MalformedInput, match="64 names"):
        encode((Names((b"12345",) * (NAMES_MAX + 1)),))
    Message(Form.TEXT, b"x" * MESSAGE_BYTES_MAX)
    for size in (0, MESSAGE_BYTES_MAX + 1):
        with pytest.raises(Refused, match="4096"):
            Message(Form.TEXT, b"x" * size)


# --- pieces -------------------------------------------------------------------------------------
@given(st.binary(min_size=1, max_size=700), st.integers(1, 12), st.randoms())
def test_any_so_many_pieces_give_the_whole(data: bytes, count: int, chance: random.Random):
    indices = chance.sample(range(INDEX_MAX + 1), count)
    some = {index: piece_of(data, count=count, index=index) for index in indices}
    assert whole_of(some, count=count, size=len(data)) == data


def test_every_choice_of_pieces_gives_the_whole():
    data = bytes(range(40))
    for indices in islice(permutations(range(9), 4), 3_000):
        some = {index: piece_of(data, count=4, index=index) for index in indices}
        assert whole_of(some, count=4, size=40) == data
    assert (
        whole_of(
            {i: piece_of(data * 20, count=PIECES_MAX, index=i) for i in range(192, 256)},
            count=PIECES_MAX,
            size=800,
        )
        == data * 20
    )


@pytest.mark.bound("connectivity.domain.erasure.PIECES_MAX")
@pytest.mark.bound("connectivity.domain.erasure.INDEX_MAX")
def test_too_few_or_impossible_pieces_are_refused():
    with pytest.raises(Refused, match="3 pieces of a message that needs 4"):
        whole_of(dict.fromkeys(range(3), b"x"), count=4, size=4)
    with pytest.raises(Refused, match="65 pieces"):
        piece_of(b"x" * 100, count=PIECES_MAX + 1, index=0)
    with pytest.raises(Refused, match="piece 256"):
        piece_of(b"x" * 100, count=2, index=INDEX_MAX + 1)


# --- notices and texts --------------------------------------------------------------------------
@given(st.lists(notices, min_size=1, max_size=NOTICES_MAX), st.booleans())
def test_notices_come_back_as_they_were_sent(sent: list[Notice], simulated):
    data = pack_notices(sent, simulated=simulated)
    assert unpack_notices(data) == (tuple(sent), simulated)
    assert len(data) == 1 + 13 * len(sent)


@given(st.binary(max_size=60))
def test_any_bytes_are_notices_or_malformed(data: bytes):
    for each in (data, b"\x20" + data[:13].ljust(13, b"\0")):
        with suppress(MalformedInput):
            known, simulated = unpack_notices(each)
            assert pack_notices(known, simulated=simulated) == each


@pytest.mark.bound("connectivity.wire.notices.NOTICES_MAX")
@pytest.mark.bound("connectivity.domain.notice.TEMPERATURE_DC_MAX")
def test_so_many_notices_and_so_hot_and_no_more():
    one = Notice(Kind.TEMPERATURE, POINT, TEMPERATURE_DC_MAX)
    pack_notices([one] * NOTICES_MAX, simulated=False)
    with pytest.raises(MalformedInput, match="17 notices; a message carries 1 to 16"):
        pack_notices([one] * (NOTICES_MAX + 1), simulated=False)
    for dc in (TEMPERATURE_DC_MAX + 1, TEMPERATURE_DC_MIN - 1):
        with pytest.raises(MalformedInput, match="2046"):
            Notice(Kind.TEMPERATURE, POINT, dc)


@given(st.text("abc 北斗短报文é\n", min_size=1, max_size=50), st.integers(0, (1 << 33) - 1))
def test_texts_come_back_as_they_were_sent(text: str, unix_s: int):
    assert unpack_text(pack_text(text, unix_s=unix_s)) == (text, unix_s)


@given(st.binary(max_size=40))
def test_any_bytes_are_a_text_or_malformed(data: bytes):
    with suppress(MalformedInput):
        text, unix_s = unpack_text(data)
        # GB 18030 writes some characters in two ways; what is read is the same.
        assert unpack_text(pack_text(text, unix_s=unix_s)) == (text, unix_s)


@pytest.mark.bound("connectivity.wire.texts._TIME_MAX")
def test_a_time_past_the_last_is_refused():
    assert unpack_text(((1 << 33) - 1).to_bytes(5, "big") + b"x")[1] == (1 << 33) - 1
    with pytest.raises(MalformedInput, match="without its time"):
        unpack_text((1 << 33).to_bytes(5, "big") + b"x")


def test_what_a_message_says_is_told_by_its_form():
    cut = Message(Form.ALARM, pack_notices([Notice(Kind.SEAL_CUT, POINT, -185)], simulated=True))
    assert said(cut) == {
        "notices": [
            {
                "kind": "seal_cut",
                "at": "2027-01-15T08:00:00Z",
                "place": "43.35000,-77.04000",
                "temperature_c": -18.5,
            }
        ],
        "simulated": True,
    }
    assert line_of(cut).startswith("seal cut 2027-01-15T08:00:00Z at 43.35000,-77.04000, -18.5")
    order = Message(Form.ORDER, pack_text("unseal 4711", unix_s=1_800_000_000))
    assert said(order) == {"text": "unseal 4711", "at": "2027-01-15T08:00:00Z"}
    track = Message(Form.POSITIONS, pack(Track((POINT,), simulated=False)))
    assert line_of(track).startswith("1 positions: 2027-01-15T08:00:00Z at 43.35")
    assert said(Message(Form.ALARM, b"?"))["unread"]
    assert line_of(Message(Form.PLAIN, "北斗".encode("gb2312"))) == "北斗"
    piece = Piece(Form.TEXT, b"12345", 3, 4, 100, b"x" * 34)
    line = datagram_line(encode((cut, piece, Names((b"12345",)))))
    assert "seal cut" in line
    assert "piece 5 (any 3 make 100 bytes)" in line
    assert "acknowledged: 3132333435" in line
