"""Teltonika's frames are read as their layouts say, written back byte by byte, and refused if wrong."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.devices.wire.teltonika.explained import explained, is_of_teltonika
from zhidao.devices.wire.teltonika.packet import (
    DATA_BYTES_MAX,
    KEEP_ALIVE,
    Datagram,
    Deframer,
    Greeting,
    Packet,
    answer,
    crc16,
    decode_datagram,
    decode_frame,
)
from zhidao.devices.wire.teltonika.records import (
    CODEC_8,
    CODEC_8E,
    CODEC_16,
    FORMS,
    RECORD_CODECS,
    WIDE_8,
    Record,
    decode_records,
    encode_records,
    singled,
)

IMEI = "352094081673958"
# Of the shared frames: right ones with records, and those whose length or CRC is wrong.
READ, REFUSED = 19, 4
_CODECS = {"08": CODEC_8, "8e": CODEC_8E, "10": CODEC_16}


def _rows(shared: Path) -> list[dict[str, Any]]:
    text = (shared / "connectivity" / "traccar" / "teltonika.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def _packet(row: dict[str, Any], raw: bytes) -> Packet:
    if row.get("transport") == "udp" or row["standard_fields"].get("type") == "udp":
        return decode_datagram(raw).packet
    return decode_frame(raw)


def _differs(row: dict[str, Any], raw: bytes) -> str:
    """What is wrong with our reading of a right frame; empty if nothing."""
    packet = _packet(row, raw)
    records = decode_records(packet)
    wanted = row["standard_fields"]["records"]
    if len(records) != len(wanted):
        return f"{len(records)} records, not {len(wanted)}"
    for ours, theirs in zip(records, wanted, strict=True):
        io = {str(number): value.hex() for number, value in (*ours.elements, *ours.sized)}
        told = (
            abs(ours.latitude_e7 / 1e7 - theirs["lat"]) < 1e-6,
            abs(ours.longitude_e7 / 1e7 - theirs["lon"]) < 1e-6,
            ours.altitude_m == theirs["alt_m"],
            ours.course_deg == theirs["angle"],
            ours.satellites == theirs["satellites"],
            ours.speed_kmh == theirs["speed_kmh"],
            ours.event == theirs["event_io"],
            str(ours.at)[:19] == theirs["time"][:19],
            io == theirs["io"],
        )
        if not all(told):
            return f"{ours} is not {theirs}: {told}"
    wide = any(len(value) == 16 for each in records for _, value in each.elements)
    forms = [WIDE_8] if wide else [FORMS[packet.codec], *[WIDE_8][packet.codec != CODEC_8 :]]
    if packet not in [encode_records(packet.codec, records, form=form) for form in forms]:
        return "written otherwise"
    return ""


def test_frames_of_real_terminals(shared: Path) -> None:
    """Right ones are read whole and compared, wrong ones are refused, others are not records."""
    read, refused, other, failed = 0, 0, [], []
    for row in _rows(shared):
        fields, raw = row["standard_fields"] or {}, bytes.fromhex(row["frame_hex"])
        if fields.get("codec") not in _CODECS:
            other.append(row["n"])
            continue
        right = fields.get("checksum_ok") is not False and fields.get("length_ok") is not False
        try:
            told = _differs(row, raw)
        except MalformedInput as error:
            refused += 1
            if right:
                failed.append((row["n"], str(error)))
            continue
        read += 1
        if told or not right:
            failed.append((row["n"], told or "a wrong frame was read"))
    sys.stdout.write(
        json.dumps(
            {
                "suite": "teltonika-frames",
                "read": read,
                "refused": refused,
                "no_records": other,
                "failed": failed,
            }
        )
    )
    assert failed == []
    assert (read, refused) == (READ, REFUSED)


@st.composite
def records(draw: st.DrawFn, codec: int) -> Record:
    form = FORMS[codec]
    numbers = st.integers(0, (1 << 8 * form.number) - 1)
    value = st.sampled_from((1, 2, 4, 8)).flatmap(lambda n: st.binary(min_size=n, max_size=n))
    elements = draw(st.lists(st.tuples(numbers, value), max_size=8))
    sized = st.lists(st.tuples(numbers, st.binary(max_size=40)), max_size=4)
    return Record(
        at_ms=draw(st.integers(0, 4_000_000_000_000)),
        priority=draw(st.integers(0, 2)),
        longitude_e7=draw(st.integers(-(1 << 31), (1 << 31) - 1)),
        latitude_e7=draw(st.integers(-(1 << 31), (1 << 31) - 1)),
        altitude_m=draw(st.integers(-32_768, 32_767)),
        course_deg=draw(st.integers(0, 65_535)),
        satellites=draw(st.integers(0, 255)),
        speed_kmh=draw(st.integers(0, 65_535)),
        event=draw(numbers),
        generation=draw(st.integers(0, 7)) if form.has_generation else 0,
        elements=tuple(sorted(elements, key=lambda each: len(each[1]))),
        sized=tuple(draw(sized)) if form.has_sized else (),
    )


@given(
    st.sampled_from(RECORD_CODECS).flatmap(
        lambda c: st.tuples(st.just(c), st.lists(records(c), max_size=4))
    )
)
def test_what_is_written_is_read_again(made) -> None:
    codec, wanted = made
    packet = encode_records(codec, tuple(wanted))
    assert decode_records(packet) == tuple(wanted)
    assert decode_frame(packet.encode()) == packet
    datagram = Datagram(7, 3, IMEI, packet)
    assert decode_datagram(datagram.encode()) == datagram


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_read_or_refused(data, greeted) -> None:
    deframer = Deframer()
    try:
        found = deframer.feed((Greeting(IMEI).encode() if greeted else b"") + data)
        for each in found:
            if isinstance(each, bytes):
                decode_records(decode_frame(each))
    except MalformedInput:
        return
    with pytest.raises(MalformedInput):
        decode_datagram(b"\0\1" + data)


@given(st.binary(max_size=200), st.sampled_from((b"", b"\0\0\0\0", b"\0\x0f352094081673958")))
def test_any_bytes_are_explained_or_said_to_be_no_frame(data, before) -> None:
    for each in explained(before + data):
        assert each.wrong or each.about


def test_what_begins_like_a_greeting_and_is_none_is_said_to_be_no_frame() -> None:
    (told,) = explained(b"\x00\x0f" + b"no IMEI at all " + bytes(9))
    assert "announces 15 bytes" in told.wrong


def test_a_frame_is_explained_field_by_field() -> None:
    raw = Greeting(IMEI).encode() + encode_records(CODEC_8, (_record(),)).encode()
    assert is_of_teltonika(raw)
    greeting, frame = explained(raw)
    assert greeting.fields[0].value == IMEI
    told = {each.name: each.meaning for each in frame.fields}
    assert told["records.1.latitude"] == "43.2000000 degrees"
    assert told["records.1.1"] == "by the model"
    assert frame.about["records"] == 1
    (wrong,) = explained(raw[17:-1] + b"\0")
    assert "CRC" in wrong.wrong


def _record() -> Record:
    return Record(
        1_700_000_000_000, 0, 769_000_000, 432_000_000, 640, 90, 9, 60, 0, 0, ((1, b"\1"),)
    )


def test_a_stream_is_cut_whatever_pieces_it_comes_in() -> None:
    packet = encode_records(CODEC_8E, (_record(), _record()))
    stream = Greeting(IMEI).encode() + packet.encode() + KEEP_ALIVE + packet.encode()
    for size in (1, 2, 7, 1000):
        deframer, out = Deframer(), []
        for at in range(0, len(stream), size):
            out += deframer.feed(stream[at : at + size])
        assert out == [Greeting(IMEI), packet.encode(), packet.encode()]
    assert answer(2) == b"\0\0\0\2"
    assert Datagram(0xCAFE, 5, IMEI, packet).answer(2) == bytes.fromhex("0005cafe010502")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda raw: b"\1" + raw[1:], "bad_preamble"),
        (lambda raw: raw[:-1] + bytes((raw[-1] ^ 1,)), "bad_checksum"),
        (lambda raw: raw[:20] + bytes((raw[20] ^ 1,)) + raw[21:], "bad_checksum"),
        (lambda raw: raw[:7] + bytes((raw[7] + 1,)) + raw[8:], "bad_length"),
    ],
)
def test_a_wrong_frame_is_refused_by_name(change, code: str) -> None:
    raw = encode_records(CODEC_8, (_record(),)).encode()
    with pytest.raises(MalformedInput) as refused:
        decode_frame(change(raw))
    assert refused.value.code == code


def test_numbers_of_records_and_elements_must_agree() -> None:
    data = bytearray(encode_records(CODEC_8, (_record(),)).data)
    data[-1] = 2
    with pytest.raises(MalformedInput, match="1 records before, 2 behind"):
        decode_records(Packet(bytes(data)))
    data[-1] = 1
    data[2 + 24 + 1] = 9  # The number of all elements.
    with pytest.raises(MalformedInput, match="9 elements announced, 1 came"):
        decode_records(Packet(bytes(data)))


def test_what_is_whole_before_a_stream_is_lost_is_given_first() -> None:
    whole = encode_records(CODEC_8, (_record(),)).encode()
    deframer = Deframer()
    assert deframer.feed(Greeting(IMEI).encode() + whole + b"\1" * 8) == [Greeting(IMEI), whole]
    with pytest.raises(MalformedInput) as lost:
        deframer.feed(b"\1")
    assert lost.value.code == "bad_preamble"


def test_each_record_by_itself_is_the_same_beside_whatever_others() -> None:
    first, second = _record(), replace(_record(), at_ms=1_700_000_001_000)
    wide = replace(_record(), elements=((1, b"\1"), (9, bytes(16))))
    for codec, one, form in ((CODEC_8E, first, None), (CODEC_8, wide, WIDE_8)):
        (alone,) = singled(encode_records(codec, (one,), form=form))
        many = singled(encode_records(codec, (second, one, second), form=form))
        assert many[1] == alone
        assert decode_records(alone) == (one,)
    assert singled(encode_records(CODEC_16, ())) == ()


@pytest.mark.bound("devices.wire.teltonika.packet.DATA_BYTES_MAX")
def test_a_frame_has_so_many_bytes_and_no_more() -> None:
    data = bytes((CODEC_8, 0)) + bytes(DATA_BYTES_MAX - 2)
    fine, more = Deframer(), Deframer()
    for each in (fine, more):
        each.feed(Greeting(IMEI).encode())
    (raw,) = fine.feed(Packet(data).encode())
    assert decode_frame(raw) == Packet(data)
    with pytest.raises(MalformedInput) as refused:
        more.feed(Packet(data + b"\0").encode())
    assert refused.value.code == "oversize"


def test_the_checksum_is_the_published_one() -> None:
    assert crc16(b"123456789") == 0xBB3D
