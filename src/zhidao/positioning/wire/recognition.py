"""Which kind of file some bytes are, by their first bytes and never by their name."""

from __future__ import annotations

import re
import zlib
from enum import Enum
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.positioning.wire.receivers.nmea import sentences
from zhidao.positioning.wire.receivers.ubx import ubx_messages
from zhidao.positioning.wire.rtcm.frame import payloads

_HEAD_BYTES: Final = 8_192
_STREAM_BYTES: Final = 65_536
# Week, second, satellite, type, length and the frame as hexadecimal digits.
_B2B_LINE: Final = re.compile(
    rb"\s*\d{1,4}\s+\d{1,6}\s+\d{1,2}\s+\d{1,2}\s+\d{1,3}\s+[0-9A-Fa-f]{8,256}\s*\Z"
)


class FileKind(Enum):
    """What is read here, by the name shown to people."""

    OBSERVATIONS = "RINEX observations"
    NAVIGATION = "RINEX navigation"
    CLOCKS = "RINEX clocks"
    ORBITS = "SP3 orbits"
    RTCM = "RTCM 3 stream"
    UBX = "UBX stream"
    NMEA = "NMEA 0183 sentences"
    ANTENNAS = "ANTEX antennas"
    B2B = "PPP-B2b frames"


# By the letter of the first line: G and H are navigation files of RINEX 2.
_RINEX: Final = {
    b"O": FileKind.OBSERVATIONS,
    b"N": FileKind.NAVIGATION,
    b"G": FileKind.NAVIGATION,
    b"H": FileKind.NAVIGATION,
    b"C": FileKind.CLOCKS,
}


def kind_of(data: bytes) -> FileKind:
    """The kind of a file, plain or gzipped.

    Raises MalformedInput where it is none of FileKind.
    """
    head = _head(data)
    first = head.split(b"\n", 1)[0]
    text = _text_kind(head, first)
    if text is not None:
        return text
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


def _text_kind(head: bytes, first: bytes) -> FileKind | None:
    """The kind of a text file by its first line, or None."""
    label = first[60:80].strip()
    if b"CRINEX VERS   / TYPE" in first:
        return FileKind.OBSERVATIONS
    if label == b"RINEX VERSION / TYPE" and first[20:21] in _RINEX:
        return _RINEX[first[20:21]]
    if label == b"ANTEX VERSION / SYST":
        return FileKind.ANTENNAS
    # CLK 3.04 moved its labels to column 66.
    if first[65:85].strip() == b"RINEX VERSION / TYPE":
        return FileKind.CLOCKS
    if head[:2] in (b"#a", b"#b", b"#c", b"#d"):
        return FileKind.ORBITS
    return FileKind.B2B if _B2B_LINE.match(first) else None


def _head(data: bytes) -> bytes:
    if not data.startswith(b"\x1f\x8b"):
        return data[:_HEAD_BYTES]
    try:
        return zlib.decompressobj(wbits=31).decompress(data, _HEAD_BYTES)
    except zlib.error as error:
        raise MalformedInput(f"damaged gzip data: {error}") from error
