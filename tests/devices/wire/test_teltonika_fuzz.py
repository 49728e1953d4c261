"""A million spoiled Teltonika streams: read or refused by name, never a crash, memory flat."""

from __future__ import annotations

import resource
import sys
import time
from collections import Counter
from random import Random
from uuid import UUID

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.devices.adapters.positions import rows_of
from zhidao.devices.domain.custody import StoredFrame
from zhidao.devices.service.points import reports_of
from zhidao.devices.wire.teltonika.explained import explained
from zhidao.devices.wire.teltonika.packet import (
    Datagram,
    Deframer,
    Greeting,
    Packet,
    decode_datagram,
    decode_frame,
)
from zhidao.devices.wire.teltonika.records import (
    CODEC_8,
    CODEC_8E,
    CODEC_16,
    RECORD_CODECS,
    WIDE_8,
    Record,
    decode_records,
    encode_records,
    kept_id,
    singled,
)
from zhidao.devices.wire.teltonika.texts import (
    CODEC_12,
    CODEC_13,
    CODEC_14,
    TEXT_CODECS,
    Text,
    decode_texts,
    encode_texts,
)

IMEI = "352094081673958"
NOW = Utc.parse("2026-11-24T08:00:00Z")
GROWTH_KIB_MAX = 40 * 1024
_EDGES = (0, 1, 2, 0x7F, 0x80, 0xFF)


def _good() -> list[Packet]:
    """Right packets of each codec, which are spoiled."""
    one = Record(1_700_000_000_000, 0, 769_000_000, 432_000_000, 640, 90, 9, 60, 0)
    rich = Record(
        *(1_700_000_001_000, 2, -769_000_000, -432_000_000, -154, 359, 0, 0, 239),
        elements=((239, b"\1"), (66, b"\x30\x39"), (16, b"\0\1\2\3"), (78, bytes(8))),
    )
    sized = Record(
        *(1_700_000_002_000, 1, 1, 1, 1, 1, 1, 1, 385),
        elements=((239, b"\1"),),
        sized=((385, b"beacon" * 5), (386, b"")),
    )
    wide = Record(1_700_000_003_000, 0, 1, 1, 1, 1, 1, 1, 0, elements=((1, b"\1"), (9, bytes(16))))
    texts = (Text(5, b"getinfo"), Text(6, b"Ver:03.27", at_ms=1_700_000_000_000, imei=IMEI))
    return [
        encode_records(CODEC_8, (one, rich)),
        encode_records(CODEC_8E, (one, sized, rich)),
        encode_records(CODEC_16, (one, rich)),
        encode_records(CODEC_8, (wide,), form=WIDE_8),
        encode_texts(CODEC_12, texts),
        encode_texts(CODEC_13, texts[1:]),
        encode_texts(CODEC_14, texts[1:]),
    ]


def _spoiled(random: Random, good: list[Packet]) -> bytes:
    data = bytearray(random.choice(good).data)
    for _ in range(random.randint(0, 4)):
        at = random.randrange(len(data) + 1)
        match random.randrange(5):
            case 0 if at < len(data):
                data[at] = random.choice((*_EDGES, random.randrange(256)))
            case 1:
                del data[at : at + random.randint(1, 9)]
            case 2:
                data[at:at] = random.randbytes(random.randint(1, 9))
            case 3:
                data[at:] = random.choice(good).data[at:]
            case _:
                data[1:2] = data[-1:] = bytes((random.randrange(6),))
        data = data or bytearray(b"\x08")
    return bytes(data)


def _stream(random: Random, good: list[Packet]) -> bytes:
    raw = Packet(_spoiled(random, good)).encode()
    kind = random.randrange(8)
    if kind == 0:
        raw = raw[:-1] + bytes((raw[-1] ^ 1,))
    elif kind == 1:
        at = random.randrange(len(raw))
        raw = raw[:at] + random.randbytes(2) + raw[at + 2 :]
    elif kind == 2:
        raw = raw[: random.randrange(len(raw))]
    return raw + random.choice((b"", b"\xff", b"\xff\xff", raw))


def _read(raw: bytes, told: Counter[str]) -> None:
    """What a session does with a frame, down to the rows of its positions."""
    packet = decode_frame(raw)
    if packet.codec in TEXT_CODECS:
        texts = decode_texts(packet)
        if packet.codec != CODEC_13:
            assert decode_texts(encode_texts(packet.codec, texts)) == texts
        told["texts"] += 1
        return
    records = decode_records(packet)
    assert packet.codec in RECORD_CODECS
    for number, each in enumerate(singled(packet)):
        assert decode_records(each) == (records[number],)
        digest, plain = bytes(32), each.encode()
        frame = StoredFrame("t", digest, UUID(int=number), NOW, kept_id(each.codec), -1, plain)
        (report,) = reports_of(frame)
        rows_of([report])
    told["records"] += 1


def _one(random: Random, good: list[Packet], told: Counter[str]) -> None:
    stream = _stream(random, good)
    deframer, greeting = Deframer(), Greeting(IMEI).encode()
    data, size = greeting + stream, random.choice((1, 7, 64, 4096))
    try:
        for at in range(0, len(data), size):
            for each in deframer.feed(data[at : at + size]):
                if isinstance(each, bytes):
                    try:
                        _read(each, told)
                    except MalformedInput as error:
                        told[error.code] += 1
    except MalformedInput as error:
        told[error.code] += 1
    for view in explained(stream):
        assert view.wrong or view.about
    datagram = Datagram(7, 3, IMEI, Packet(stream[8:])).encode() if len(stream) > 11 else stream
    try:
        decode_datagram(datagram)
    except MalformedInput as error:
        told[error.code] += 1


@pytest.mark.parametrize(
    "count",
    [5_000, pytest.param(1_000_000, marks=[pytest.mark.long, pytest.mark.timeout(3_600)])],
)
def test_spoiled_streams_are_read_or_refused(count: int) -> None:
    random, good, told = Random(417), _good(), Counter[str]()
    began, before = time.monotonic(), 0
    for number in range(count):
        if number == count // 10:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            _one(random, good, told)
        except MalformedInput:
            raise
        except Exception as error:
            raise AssertionError(f"input {number} of seed 417") from error
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    sys.stderr.write(
        f"{count} streams in {time.monotonic() - began:.0f} s, {grown} KiB more memory: "
        f"{dict(told)}\n"
    )
    assert grown <= GROWTH_KIB_MAX
    # The spoiled ones reach everything, right ones among them.
    assert {"records", "texts", "bad_checksum", "bad_count", "truncated", "bad_preamble"} <= set(
        told
    )
