"""EGTS is read as its layouts say, written back byte by byte, and refused if wrong."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.devices.egts_unit import (
    EPOCH_S,
    packet,
    position,
    record,
    satellites,
    terminal_identity,
)

from zhidao.core.errors import MalformedInput
from zhidao.devices.wire.egts.kept import POSITION_ID, kept_id, kept_record, packed, said
from zhidao.devices.wire.egts.replies import Replies
from zhidao.devices.wire.egts.service_frame import (
    RECORDS_MAX,
    SIGNATURE_BYTES_MAX,
    Record,
    ServiceFrame,
    decode_frame,
    timed,
)
from zhidao.devices.wire.egts.subrecords import (
    AdSensorsData,
    DispatcherIdentity,
    ExtPosData,
    LiquidLevel,
    PosData,
    Raw,
    RecordResponse,
    ResultCode,
    TermIdentity,
    encode_subrecords,
    subrecords_of,
    time_of,
)
from zhidao.devices.wire.egts.transport import (
    DATA_BYTES_MAX,
    Deframer,
    Lost,
    Packet,
    Route,
    crc8,
    crc16,
    decode_packet,
)
from zhidao.devices.wire.egts.views import explained, has_egts_header, resembles_egts

# Of the shared frames: all are right; so many positions stand in them.
READ, POSITIONS = 12, 77
AT_S = 1_700_000_000


def rows(shared: Path) -> list[dict[str, Any]]:
    text = (shared / "connectivity" / "traccar" / "egts.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def _differs(row: dict[str, Any], raw: bytes) -> tuple[str, int]:
    """What is wrong with our reading of a right frame, empty if nothing; how many places it has."""
    whole = decode_packet(raw)
    frame = decode_frame(whole)
    wanted = row["standard_fields"]
    if whole.encode() != raw or frame.encode() != whole.data or frame.kind != whole.kind:
        return "written otherwise", 0
    if frame.answers != wanted.get("response_to") or len(frame.records) != len(wanted["records"]):
        return "another answer or number of records", 0
    places = 0
    for ours, theirs in zip(frame.records, wanted["records"], strict=True):
        found = subrecords_of(ours)
        time = "" if ours.time_s is None else str(time_of(ours.time_s))[:19]
        head = (ours.number, ours.recipient, ours.object_id, time)
        told = (theirs["record"], theirs["service"], theirs.get("object"))
        if head != (*told, theirs.get("time", "")[:19]):
            return f"{head} is not {theirs}", places
        if encode_subrecords(found) != ours.data or len(found) != len(theirs["subrecords"]):
            return "other subrecords", places
        for each, other in zip(found, theirs["subrecords"], strict=True):
            if isinstance(each, PosData):
                places += 1
            if not _is_told(each, other):
                return f"{each} is not {other}", places
    return "", places


def _is_told(each: Any, other: dict[str, Any]) -> bool:
    if other["type"] != 16:
        return each.encode().hex() == other["hex"]
    return (
        each.type_id == other["type"]
        and abs(each.latitude_udeg / 1e6 - other["lat"]) < 1.1e-6
        and abs(each.longitude_udeg / 1e6 - other["lon"]) < 1.1e-6
        and str(each.at)[:19] == other["time"][:19]
        and each.is_valid == other["valid"]
        and bool(each.flags & 0x10) == other["moving"]
        and bool(each.flags & 0x08) == other["from_black_box"]
        and each.speed_tenth_kmh == round(other["speed_kmh"] * 10)
        and each.course_deg == other["course"]
        and each.odometer_tenth_km == round(other["odometer_km"] * 10)
        and f"{each.inputs:02x}" == other["digital_inputs"]
        and each.source == other["source"]
        and each.altitude_m == other.get("alt_m")
    )


def test_frames_of_real_units(shared: Path) -> None:
    """All are read whole, every field of every position is compared, and they are written back."""
    read, places, failed = 0, 0, []
    for row in rows(shared):
        told, many = _differs(row, bytes.fromhex(row["frame_hex"]))
        read, places = read + 1, places + many
        if told or bool(many) != (row["kind"] == "verifyPositions"):
            failed.append((row["n"], told or f"{many} positions"))
    sys.stdout.write(
        json.dumps({"suite": "egts-frames", "read": read, "positions": places, "failed": failed})
    )
    assert failed == []
    assert (read, places) == (READ, POSITIONS)


def test_nothing_unknown_is_read_and_what_is_known_is(shared: Path) -> None:
    found = {
        type(each)
        for row in rows(shared)
        for record_ in decode_frame(decode_packet(bytes.fromhex(row["frame_hex"]))).records
        for each in subrecords_of(record_)
    }
    known = {TermIdentity, DispatcherIdentity, PosData, ExtPosData, AdSensorsData, LiquidLevel}
    assert found == {*known, Raw}


def _u(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, (1 << bits) - 1)


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def _text(size: int) -> st.SearchStrategy[bytes | None]:
    return _maybe(st.binary(min_size=size, max_size=size))


def _numbered(bits: int) -> st.SearchStrategy[tuple[tuple[int, int], ...]]:
    return st.dictionaries(st.integers(1, 8), _u(bits)).map(lambda d: tuple(sorted(d.items())))


POSITIONS_OF = st.builds(
    PosData,
    time_s=_u(32),
    latitude=_u(32),
    longitude=_u(32),
    flags=_u(7),
    speed_tenth_kmh=_u(14),
    course_deg=_u(9),
    odometer_tenth_km=_u(24),
    inputs=_u(8),
    source=_u(8),
    is_below=st.booleans(),
    altitude_m=_maybe(_u(24)),
    source_data=st.binary(max_size=4),
)
TELEDATA = st.one_of(
    POSITIONS_OF,
    st.builds(ExtPosData, *(_maybe(_u(16)) for _ in range(3)), _maybe(_u(8)), _maybe(_u(16))),
    st.builds(AdSensorsData, _u(8), _numbered(8), _numbered(24)),
    st.builds(
        LiquidLevel,
        _u(8).map(lambda flags: flags & ~8),
        _u(16),
        st.binary(min_size=4, max_size=4),
    ),
    st.builds(LiquidLevel, _u(8).map(lambda flags: flags | 8), _u(16), st.binary(max_size=9)),
    st.builds(RecordResponse, _u(16), _u(8)),
    st.builds(Raw, st.integers(30, 255), st.binary(max_size=40)),
)
AUTH = st.one_of(
    st.builds(
        TermIdentity,
        _u(32),
        st.booleans(),
        _maybe(_u(16)),
        *(_text(size) for size in (15, 16, 3, 3)),
        _maybe(_u(16)),
        _text(15),
        st.binary(max_size=3),
    ),
    st.builds(DispatcherIdentity, _u(8), _u(32), st.binary(max_size=20)),
    st.builds(ResultCode, _u(8)),
    st.builds(Raw, st.sampled_from((2, 3, 6, 7, 8)), st.binary(max_size=40)),
)


@st.composite
def services(draw: st.DrawFn) -> tuple[Record, tuple[Any, ...]]:
    service, kinds = draw(st.sampled_from(((1, AUTH), (2, TELEDATA))))
    wanted = tuple(draw(st.lists(kinds, max_size=4)))
    made = Record(
        number=draw(_u(16)),
        source=draw(_u(8)),
        recipient=service,
        data=encode_subrecords(wanted),
        marks=draw(_u(8)) & 0xF8,
        object_id=draw(_maybe(_u(32))),
        event_id=draw(_maybe(_u(32))),
        time_s=draw(_maybe(_u(32))),
    )
    return made, wanted


@given(
    st.lists(services(), max_size=4),
    st.sampled_from(("data", "answer", "signed")),
    st.tuples(_u(16), _u(8), st.binary(max_size=9)),
    _maybe(st.builds(Route, _u(16), _u(16), _u(8))),
)
def test_what_is_written_is_read_again(made, kind, numbers, route) -> None:
    records = tuple(each for each, _ in made)
    frame = {
        "data": ServiceFrame(records),
        "answer": ServiceFrame(records, answers=numbers[0], result=numbers[1]),
        "signed": ServiceFrame(records, signature=numbers[2]),
    }[kind]
    whole = Packet(numbers[0], frame.kind, frame.encode(), numbers[1] & 3, route, numbers[1])
    raw = whole.encode()
    assert decode_packet(raw) == whole
    assert decode_frame(whole) == frame
    assert Deframer().feed(raw * 2) == [raw, raw]
    for each, wanted in made:
        assert subrecords_of(each) == wanted
    (told,) = explained(raw)
    assert not told.wrong
    # Every byte is told once.
    assert b"".join(told.body[field.start : field.end] for field in told.fields) == told.body


@given(st.binary(max_size=200), st.sampled_from((b"", b"\1\0\0\x0b\0", b"\1\0\x20\x10\0")))
def test_any_bytes_are_read_or_refused(data, before) -> None:
    deframer = Deframer()
    for each in deframer.feed(before + data):
        if isinstance(each, Lost):
            assert deframer.feed(b"\1") == []
    for read in (decode_packet, lambda raw: decode_frame(Packet(1, data[:1] == b"a", raw))):
        try:
            read(before + data)
        except MalformedInput:
            continue
    for told in explained(before + data):
        assert told.wrong or told.about


@given(st.binary(max_size=60), st.sampled_from((1, 2, 10)))
def test_any_subrecords_are_read_and_written_back_or_refused(data, service) -> None:
    try:
        found = subrecords_of(Record(1, service, service, data))
    except MalformedInput:
        return
    assert encode_subrecords(found) == data


@given(services(), _u(16), _u(8), _maybe(st.builds(Route, _u(16), _u(16), _u(8))))
def test_a_record_is_kept_by_itself_and_what_became_of_it_is_said(made, number, code, route):
    record_, wanted = made
    assert kept_record(packed(record_)) == record_
    assert kept_id(record_, wanted) >> 16 == 2
    assert (kept_id(record_, wanted) == POSITION_ID) == any(isinstance(s, PosData) for s in wanted)
    again = said(replace(record_, number=number), wanted)
    assert again == said(record_, wanted)
    assert (again is None) == (record_.time_s is None and not any(isinstance(s, PosData) for s in wanted))  # fmt: skip
    told = decode_packet(Replies().response(number, code, [(record_, code)] * 2, route))
    frame = decode_frame(told)
    (answer,) = frame.records
    assert (frame.answers, frame.result) == (number, code)
    assert (answer.source, answer.recipient) == (record_.recipient, record_.source)
    read = subrecords_of(replace(answer, recipient=1))
    assert read == (RecordResponse(record_.number, code),) * 2
    assert told.route == (route and Route(route.recipient, route.peer, route.hops))


def test_the_answer_to_the_most_records_of_all_services_fits_one_packet() -> None:
    records = [Record(n, n & 0xFF, n >> 8, b"") for n in range(RECORDS_MAX)]
    told = Replies().response(1, 0, [(each, 0) for each in records])
    answered = [subrecords_of(each) for each in decode_frame(decode_packet(told)).records]
    assert len(answered) == RECORDS_MAX


def _packet() -> bytes:
    told = record(position(AT_S), satellites(9), number=7, oid=3, time_s=AT_S)
    return packet(told, number=513)


def test_a_unit_that_shares_no_code_is_understood() -> None:
    (read,) = decode_frame(decode_packet(_packet())).records
    where, quality = subrecords_of(read)
    assert (read.number, read.object_id, read.time_s) == (7, 3, AT_S - EPOCH_S)
    assert isinstance(where, PosData)
    assert isinstance(quality, ExtPosData)
    assert (where.latitude_udeg, where.longitude_udeg, where.height_m) == (
        43_200_000,
        76_900_000,
        640,
    )
    assert (where.course_deg, where.speed_tenth_kmh, where.odometer_tenth_km) == (271, 605, 123)
    assert (quality.satellites, quality.systems) == (9, 3)
    south = subrecords_of(Record(1, 2, 2, encode_subrecords([Raw(*position(AT_S, -33.9, -151.2, altitude=-430))])))  # fmt: skip
    (below,) = south
    assert isinstance(below, PosData)
    assert (below.latitude_udeg, below.longitude_udeg, below.height_m) == (
        -33_900_000,
        -151_200_000,
        -430,
    )


def test_a_stream_is_cut_whatever_pieces_it_comes_in() -> None:
    routed = Packet(9, 1, decode_packet(_packet()).data, route=Route(5, 6, 7)).encode()
    answer = packet(b"\1\2\0", kind=0)
    stream = _packet() + routed + answer
    for size in (1, 2, 7, 1000):
        deframer, out = Deframer(), []
        for at in range(0, len(stream), size):
            out += deframer.feed(stream[at : at + size])
        assert out == [_packet(), routed, answer]


def _headed(change) -> bytes:
    """A packet whose header says something else, its checksum right."""
    raw = bytearray(_packet())
    change(raw)
    raw[10] = crc8(bytes(raw[:10]))
    return bytes(raw)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"\2" + _packet()[1:], "bad_preamble"),
        (_headed(lambda raw: raw.__setitem__(2, 0x40)), "bad_header"),
        (_headed(lambda raw: raw.__setitem__(3, 16)), "bad_header"),
        (_packet()[:10] + bytes((_packet()[10] ^ 1,)) + _packet()[11:], "bad_header_checksum"),
        (_packet()[:5] + bytes((_packet()[5] ^ 1,)) + _packet()[6:], "bad_header_checksum"),
        (_packet()[:-1] + bytes((_packet()[-1] ^ 1,)), "bad_checksum"),
        (_packet()[:20] + bytes((_packet()[20] ^ 1,)) + _packet()[21:], "bad_checksum"),
        (_packet() + b"\0", "bad_length"),
        (_packet()[:-1], "bad_length"),
        (_packet()[:5], "bad_length"),
    ],
)
def test_a_wrong_packet_is_refused_by_name(raw: bytes, code: str) -> None:
    with pytest.raises(MalformedInput) as refused:
        decode_packet(raw)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("whole", "code"),
    [
        (Packet(1, 1, b"", flags=0x08), "encrypted"),
        (Packet(1, 1, b"", flags=0x04), "compressed"),
        (Packet(1, 3, b""), "unknown_type"),
        (Packet(1, 0, b"\1"), "truncated"),
        (Packet(1, 1, record(position(AT_S))[:-1]), "truncated"),
    ],
)
def test_what_a_packet_carries_is_refused_by_name(whole: Packet, code: str) -> None:
    with pytest.raises(MalformedInput) as refused:
        decode_frame(whole)
    assert refused.value.code == code


@pytest.mark.parametrize("made", [(2, position(AT_S)), (1, terminal_identity(1, "35"))])
def test_a_position_or_an_identity_that_is_not_whole_is_no_raw_subrecord(made) -> None:
    """Kept raw it would be acknowledged, and nobody would ever see it."""
    service, (kind, data) = made
    cut = encode_subrecords([Raw(kind, data[:-4])])
    with pytest.raises(MalformedInput):
        subrecords_of(Record(1, service, service, cut))
    assert subrecords_of(Record(1, 9, 9, cut)) == (Raw(kind, data[:-4]),)


def test_what_is_whole_before_a_stream_is_lost_is_given_first() -> None:
    deframer = Deframer()
    first, lost = deframer.feed(_packet() + b"\1\0\0\x0b\0\0\0\x05\1\1\0")
    assert first == _packet()
    assert isinstance(lost, Lost)
    assert (lost.packet_id, lost.error.code) == (0x0105, "bad_header_checksum")
    assert deframer.feed(_packet()) == []


def test_a_time_stands_for_all_records_of_its_object() -> None:
    first = Record(1, 2, 2, b"", object_id=5, time_s=9)
    same, other = replace(first, number=2, time_s=None), Record(3, 2, 2, b"", object_id=6)
    assert list(timed([other, first, same, other])) == [
        other,
        first,
        replace(same, time_s=9),
        other,
    ]


@pytest.mark.parametrize(
    ("text", "imei"),
    [
        (b"352094081673958", "352094081673958"),
        (b"865905".ljust(15, b"\0"), "865905"),
        (b"0" * 15, ""),
        (b"35209408167395x", ""),
        (None, ""),
    ],
)
def test_an_imei_is_digits_that_tell_a_unit_from_others(text, imei) -> None:
    assert TermIdentity(1, imei_text=text).imei == imei


def test_a_packet_is_explained_field_by_field() -> None:
    raw = _packet()
    assert has_egts_header(raw)
    (told,) = explained(raw)
    by_name = {each.name: each for each in told.fields}
    where = by_name["records.1.1.POS_DATA.latitude"]
    assert where.meaning == "43.200000 degrees"
    assert told.body[where.start : where.end] == raw[11 + where.start : 11 + where.end]
    assert int.from_bytes(told.body[where.start : where.end], "little") == where.value
    assert by_name["records.1.2.EXT_POS_DATA.satellites"].value == 9
    assert told.about == {"packet": 513, "priority": 0, "bytes": len(raw) - 13, "records": 1}
    (wrong,) = explained(raw[:-1] + bytes((raw[-1] ^ 1,)))
    assert "CRC-16" in wrong.wrong
    (short,) = explained(raw[:-1])
    assert "not all of it" in short.wrong
    assert resembles_egts(b"\1\0\0\x0b")
    assert not has_egts_header(b"\1\0\0\x0b")


@pytest.mark.bound("devices.wire.egts.transport.DATA_BYTES_MAX")
def test_a_packet_has_so_many_bytes_and_no_more() -> None:
    fine, more = (Packet(1, 1, bytes(DATA_BYTES_MAX + n)).encode() for n in (0, 1))
    assert Deframer().feed(fine) == [fine]
    (lost,) = Deframer().feed(more)
    assert isinstance(lost, Lost)
    assert lost.error.code == "oversize"


@pytest.mark.bound("devices.wire.egts.service_frame.RECORDS_MAX")
def test_a_packet_has_so_many_records_and_no_more() -> None:
    one = Record(1, 2, 2, b"").encode()
    assert len(decode_frame(Packet(1, 1, one * RECORDS_MAX)).records) == RECORDS_MAX
    with pytest.raises(MalformedInput) as refused:
        decode_frame(Packet(1, 1, one * (RECORDS_MAX + 1)))
    assert refused.value.code == "bad_count"


@pytest.mark.bound("devices.wire.egts.service_frame.SIGNATURE_BYTES_MAX")
def test_a_signature_has_so_many_bytes_and_no_more() -> None:
    signed = ServiceFrame(signature=bytes(SIGNATURE_BYTES_MAX))
    assert decode_frame(Packet(1, 2, signed.encode())) == signed
    with pytest.raises(MalformedInput) as refused:
        decode_frame(Packet(1, 2, ServiceFrame(signature=bytes(SIGNATURE_BYTES_MAX + 1)).encode()))
    assert refused.value.code == "bad_length"


def test_the_checksums_are_the_published_ones() -> None:
    assert (crc8(b"123456789"), crc16(b"123456789")) == (0xF7, 0x29B1)
