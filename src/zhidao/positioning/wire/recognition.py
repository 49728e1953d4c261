"""Which kind of file some bytes are, by their first bytes and never by their name."""

from __future__ import annotations

import zlib
from enum import Enum
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.positioning.wire.nmea import sentences
from zhidao.positioning.wire.rtcm.frame import payloads
from zhidao.positioning.wire.ubx import ubx_messages

_HEAD_BYTES: Final = 8_192
_STREAM_BYTES: Final = 65_536


class FileKind(Enum):
    """What is read here, by the name shown to people."""

    OBSERVATIONS = "RINEX observations"
    NAVIGATION = "RINEX navigation"
    CLOCKS = "RINEX clocks"
    ORBITS = "SP3 orbits"
    RTCM = "RTCM 3 stream"
    UBX = "UBX stream"
    NMEA = "NMEA 0183 sentences"


def kind_of(data: bytes) -> FileKind:
    """The kind of a file, plain or gzipped.

    Raises MalformedInput where it is none of FileKind.
    """
    head = _head(data)
    first = head.split(b"\n", 1)[0]
    label = first[60:80].strip()
    if b"CRINEX VERS   / TYPE" in first:
        return FileKind.OBSERVATIONS
    if label == b"RINEX VERSION / TYPE":
        letter = first[20:21]
        if letter == b"O":
            return FileKind.OBSERVATIONS
        if letter in (b"N", b"G", b"H"):
            return FileKind.NAVIGATION
        if letter == b"C":
            return FileKind.CLOCKS
    # CLK 3.04 moved its labels to column 66.
    if first[65:85].strip() == b"RINEX VERSION / TYPE":
        return FileKind.CLOCKS
    if head[:2] in (b"#a", b"#b", b"#c", b"#d"):
        return FileKind.ORBITS
    part = data[:_STREAM_BYTES]
    found = (
        (FileKind.RTCM, sum(map(len, payloads(part)))),
        (FileKind.UBX, sum(len(message.payload) for message in ubx_messages(part))),
        (FileKind.NMEA, sum(len("".join(s.fields)) for s in sentences(part))),
    )
    kind, most = max(found, key=lambda item: item[1])
    if not most:
        raise MalformedInput(
            "this is no file that positioning reads",
            code="unknown_file",
            remedy="send RINEX (also Compact or gzipped), SP3, CLK, RTCM 3, UBX or NMEA",
        )
    return kind


def _head(data: bytes) -> bytes:
    if not data.startswith(b"\x1f\x8b"):
        return data[:_HEAD_BYTES]
    try:
        return zlib.decompressobj(wbits=31).decompress(data, _HEAD_BYTES)
    except zlib.error as error:
        raise MalformedInput(f"damaged gzip data: {error}") from error
