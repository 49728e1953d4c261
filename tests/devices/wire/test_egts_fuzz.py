"""A million spoiled EGTS streams: read or refused by name, never a crash, memory flat."""

from __future__ import annotations

import resource
import sys
import time
from collections import Counter
from random import Random

import pytest
from tests.devices.egts_unit import (
    dispatcher_identity,
    packet,
    position,
    record,
    satellites,
    terminal_identity,
)

from zhidao.core.errors import MalformedInput
from zhidao.devices.wire.egts.service_frame import decode_frame, timed
from zhidao.devices.wire.egts.subrecords import PosData, encode_subrecords, subrecords_of
from zhidao.devices.wire.egts.transport import Deframer, Lost, Packet, decode_packet
from zhidao.devices.wire.egts.views import explained

AT_S = 1_795_521_600
GROWTH_KIB_MAX = 40 * 1024
_EDGES = (0, 1, 2, 0x7F, 0x80, 0xFF)


def _good() -> list[bytes]:
    """What right packets of each kind carry, which is spoiled."""
    where = record(position(AT_S), satellites(9), (18, b"\x03\0\x01\1\2\3\4\5"), oid=5, time_s=AT_S)
    south = record(position(AT_S, -1, -1, altitude=-3), (27, b"\x01\0\0\1\2\3\4"), (19, b"\0"))
    raw = record((27, b"\x08\0\0level"), (250, b"maker"), number=9)
    who = record(terminal_identity(5, "352094081673958"), service=1)
    platform = record(dispatcher_identity(), service=1)
    confirmed = record((0, b"\1\0\0"), service=1)
    return [
        where,
        where + south + raw,
        who,
        platform + where,
        b"\1\0\0" + confirmed,
        b"\4\0sign" + where,
    ]


def _spoiled(random: Random, good: list[bytes]) -> bytes:
    data = bytearray(random.choice(good))
    for _ in range(random.randint(0, 4)):
        at = random.randrange(len(data) + 1)
        match random.randrange(4):
            case 0 if at < len(data):
                data[at] = random.choice((*_EDGES, random.randrange(256)))
            case 1:
                del data[at : at + random.randint(1, 9)]
            case 2:
                data[at:at] = random.randbytes(random.randint(1, 9))
            case _:
                data[at:] = random.choice(good)[at:]
    return bytes(data)


def _stream(random: Random, good: list[bytes]) -> bytes:
    data, kind = _spoiled(random, good), random.choice((0, 1, 1, 1, 2, 3))
    flags = random.choice((0, 0, 0, 0, 0, 3, 4, 8, 0x40))
    raw = Packet(random.randrange(65_536), kind, data, flags).encode()
    match random.randrange(8):
        case 0:
            raw = raw[:-1] + bytes((raw[-1] ^ 1,))
        case 1:
            at = random.randrange(len(raw))
            raw = raw[:at] + random.randbytes(2) + raw[at + 2 :]
        case 2:
            raw = raw[: random.randrange(len(raw))]
    behind = random.choice((b"", b"\1", raw, None))
    return raw + (packet(data) if behind is None else behind)


def _read(raw: bytes, told: Counter[str]) -> None:
    """What a session does with a packet; what was read is written back byte by byte."""
    whole = decode_packet(raw)
    frame = decode_frame(whole)
    assert whole.encode() == raw
    assert frame.encode() == whole.data
    told["packets"] += 1
    for each in timed(frame.records):
        found = subrecords_of(each)
        assert encode_subrecords(found) == each.data
        told["records"] += 1
        for one in found:
            if isinstance(one, PosData):
                told["positions"] += 1
                one.at  # noqa: B018 (it is read, or refused by name)


def _one(random: Random, good: list[bytes], told: Counter[str]) -> None:
    stream = _stream(random, good)
    deframer, size = Deframer(), random.choice((1, 7, 64, 4096))
    for at in range(0, len(stream), size):
        for each in deframer.feed(stream[at : at + size]):
            try:
                if isinstance(each, Lost):
                    raise each.error
                _read(each, told)
            except MalformedInput as error:
                told[error.code] += 1
    for view in explained(stream):
        assert view.wrong or view.about


@pytest.mark.parametrize(
    "count",
    [
        5_000,
        pytest.param(100_000, marks=[pytest.mark.slow, pytest.mark.timeout(900)]),
        pytest.param(1_000_000, marks=[pytest.mark.long, pytest.mark.timeout(3_600)]),
    ],
)
def test_spoiled_streams_are_read_or_refused(count: int) -> None:
    random, good, told = Random(33_472), _good(), Counter[str]()
    began, before = time.monotonic(), 0
    for number in range(count):
        if number == count // 10:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            _one(random, good, told)
        except Exception as error:
            raise AssertionError(f"input {number} of seed 33472") from error
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    sys.stderr.write(
        f"{count} streams in {time.monotonic() - began:.0f} s, {grown} KiB more memory: "
        f"{dict(told)}\n"
    )
    assert grown <= GROWTH_KIB_MAX
    # The spoiled ones reach everything, right ones among them.
    reached = {"packets", "records", "positions", "truncated", "encrypted", "compressed"}
    reached |= {"bad_checksum", "bad_header", "bad_header_checksum", "bad_preamble", "unknown_type"}
    assert reached <= set(told)
