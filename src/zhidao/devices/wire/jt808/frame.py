"""JT/T 808 frames: delimiter, escape, checksum and the two header layouts.

Written from public implementations and vectors, since no copy of the standard was at hand; where
its text differs, the text wins (not checked).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from zhidao.core.errors import MalformedInput

DELIMITER: Final = 0x7E
_ESCAPE: Final = b"\x7d"
BODY_BYTES_MAX: Final = 1023  # ten bits of the properties word
_HEADER_2013_BYTES: Final = 12
_HEADER_2019_BYTES: Final = 17
_PACKET_BYTES: Final = 4
# Header, sub-packet words, body and checksum; every byte may have been escaped into two.
_PLAIN_BYTES_MAX: Final = _HEADER_2019_BYTES + _PACKET_BYTES + BODY_BYTES_MAX + 1
ESCAPED_BYTES_MAX: Final = 2 * _PLAIN_BYTES_MAX
_HEX: Final = frozenset("0123456789abcdef")


class Edition(IntEnum):
    """The year of the standard that a terminal speaks. 2011 and 2013 share one header."""

    E2011 = 2011
    E2013 = 2013
    E2019 = 2019


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the body.

    `phone` is the terminal's number as the header's digits (12 or, from 2019, 20; some vendors put
    hexadecimal there). `packets_total` is 0 when the message is not divided; else `packet_number`
    counts from 1. `encryption` is the three-bit field: 0 none, 1 RSA.
    """

    message_id: int
    phone: str
    serial: int
    edition: Edition = Edition.E2019
    protocol_version: int = 1
    encryption: int = 0
    packets_total: int = 0
    packet_number: int = 0
    reserved: bool = False

    def __post_init__(self) -> None:
        if len(self.phone) != self.phone_digits or not set(self.phone) <= _HEX:
            raise MalformedInput(
                f"a {self.edition.value} header holds {self.phone_digits} digits of the terminal's "
                f"number, not {self.phone[:24]!r}"
            )

    @property
    def is_2019(self) -> bool:
        """Whether the header has the layout of 2019."""
        return self.edition is Edition.E2019

    @property
    def phone_digits(self) -> int:
        """How many digits the terminal's number takes in this layout."""
        return 20 if self.is_2019 else 12


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: header and body after unescaping, checksum verified."""

    header: Header
    body: bytes

    def encode_plain(self) -> bytes:
        """Header, body and checksum before escaping: what is kept and hashed."""
        plain = _encode_header(self.header, len(self.body)) + self.body
        return plain + bytes((checksum(plain),))

    def encode(self) -> bytes:
        """The bytes on the line, with both delimiters."""
        return b"\x7e" + escape(self.encode_plain()) + b"\x7e"


class Deframer:
    """Cuts a stream into frames; holds at most one unfinished frame of bounded size."""

    def __init__(self) -> None:
        self._rest = b""
        self._synchronised = False

    def feed(self, data: bytes) -> list[bytes]:
        """The escaped frames that these bytes complete, without delimiters.

        Two frames may share a delimiter or have two between them. Bytes before the first delimiter
        are noise of a connection's start and dropped. Raises MalformedInput with code `oversize`
        when more bytes than any frame has come without a delimiter; the stream is then lost.
        """
        *segments, self._rest = (self._rest + data).split(b"\x7e")
        if segments and not self._synchronised:
            segments = segments[1:]
            self._synchronised = True
        if any(len(part) > ESCAPED_BYTES_MAX for part in (*segments, self._rest)):
            self._rest = b""
            raise MalformedInput(
                f"JT/T 808: more than {ESCAPED_BYTES_MAX} bytes without a delimiter",
                code="oversize",
                remedy="close the connection",
            )
        return [segment for segment in segments if segment]


def checksum(data: bytes) -> int:
    """Exclusive or of all bytes."""
    # Folding halves as integers takes a few operations where a loop takes one per byte.
    size = 1 << max(len(data) - 1, 0).bit_length()
    value = int.from_bytes(data, "big")
    while size > 1:
        size //= 2
        value = (value >> (8 * size)) ^ (value & ((1 << (8 * size)) - 1))
    return value


def escape(plain: bytes) -> bytes:
    """7D becomes 7D 01 and 7E becomes 7D 02.

    >>> escape(bytes.fromhex("307e087d55")).hex()
    '307d02087d0155'
    """
    return plain.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02")


def unescape(escaped: bytes) -> bytes:
    """The inverse of `escape`. Raises MalformedInput with code `bad_escape` for 7D and another."""
    first, *others = escaped.split(_ESCAPE)
    out = [first]
    for part in others:
        if part[:1] == b"\x01":
            out.append(_ESCAPE + part[1:])
        elif part[:1] == b"\x02":
            out.append(b"\x7e" + part[1:])
        else:
            raise MalformedInput(
                f"JT/T 808: 7D is followed by {part[:1].hex() or 'nothing'}, not by 01 or 02",
                code="bad_escape",
            )
    return b"".join(out)


def decode_frame(escaped: bytes) -> Frame:
    """A frame from the bytes between its delimiters.

    Raises MalformedInput: `bad_escape`, `bad_checksum`, `bad_length`, or too short.
    """
    frame = decode_kept(unescape(escaped))
    head = frame.header
    if head.packets_total and not head.packet_number:
        raise MalformedInput(f"JT/T 808: sub-packet 0 of {head.packets_total}", code="bad_packet")
    return frame


def encode_whole(header: Header, body: bytes) -> bytes:
    """A divided message put together, as it is kept: packet number 0, which no line ever bears.

    `header`: of any of its parts. The length in it is 0, since ten bits cannot tell it.
    """
    plain = _encode_header(replace(header, packet_number=0), 0) + body
    return plain + bytes((checksum(plain),))


def decode_kept(plain: bytes) -> Frame:
    """A frame without its escapes, or a message put together (`encode_whole`).

    Raises MalformedInput: `bad_checksum`, `bad_length`, or too short.
    """
    if len(plain) < _HEADER_2013_BYTES + 1:
        raise MalformedInput(f"JT/T 808: a frame of {len(plain)} bytes is too short")
    given, computed = plain[-1], checksum(plain[:-1])
    if given != computed:
        raise MalformedInput(
            f"JT/T 808: checksum is 0x{given:02X}, computed 0x{computed:02X}",
            code="bad_checksum",
            remedy="send the frame again",
        )
    header, start, body_bytes = _decode_header(plain)
    body = plain[start:-1]
    whole = header.packets_total and not header.packet_number
    if not whole and len(body) != body_bytes:
        raise MalformedInput(
            f"JT/T 808: the header announces {body_bytes} bytes of body, {len(body)} came",
            code="bad_length",
        )
    return Frame(header, body)


def _decode_header(plain: bytes) -> tuple[Header, int, int]:
    message_id = int.from_bytes(plain[:2], "big")
    properties = int.from_bytes(plain[2:4], "big")
    is_2019 = bool(properties & 0x4000)
    divided = bool(properties & 0x2000)
    end = _HEADER_2019_BYTES if is_2019 else _HEADER_2013_BYTES
    if len(plain) < end + _PACKET_BYTES * divided + 1:
        raise MalformedInput("JT/T 808: the frame ends inside its header", code="bad_length")
    total = int.from_bytes(plain[end : end + 2], "big") if divided else 0
    number = int.from_bytes(plain[end + 2 : end + 4], "big") if divided else 0
    if divided and not number <= total:
        raise MalformedInput(f"JT/T 808: sub-packet {number} of {total}", code="bad_packet")
    header = Header(
        message_id=message_id,
        phone=(plain[5:15] if is_2019 else plain[4:10]).hex(),
        serial=int.from_bytes(plain[end - 2 : end], "big"),
        edition=Edition.E2019 if is_2019 else Edition.E2013,
        protocol_version=plain[4] if is_2019 else 0,
        encryption=properties >> 10 & 7,
        packets_total=total,
        packet_number=number,
        reserved=bool(properties & 0x8000),
    )
    return header, end + _PACKET_BYTES * divided, properties & 0x3FF


def _encode_header(header: Header, body_bytes: int) -> bytes:
    if body_bytes > BODY_BYTES_MAX:
        raise MalformedInput(
            f"JT/T 808: a body of {body_bytes} bytes; one frame holds {BODY_BYTES_MAX}",
            remedy="divide the message into sub-packets",
        )
    properties = (
        body_bytes
        | header.encryption << 10
        | 0x2000 * bool(header.packets_total)
        | 0x4000 * header.is_2019
        | 0x8000 * header.reserved
    )
    out = header.message_id.to_bytes(2, "big") + properties.to_bytes(2, "big")
    if header.is_2019:
        out += bytes((header.protocol_version,))
    out += bytes.fromhex(header.phone) + header.serial.to_bytes(2, "big")
    if header.packets_total:
        out += header.packets_total.to_bytes(2, "big") + header.packet_number.to_bytes(2, "big")
    return out
