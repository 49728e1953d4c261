"""What one short message carries: whole messages, a piece of one, names of those that came.

Layout: 0x40 (version 2 in the three highest bits, where compact positions have 1) | records |
CRC-16/XMODEM. A record begins with a byte, its kind in the two highest bits: 0 a whole message (low
bits its form), then length and body; 1 a piece, then name (5), pieces less one (1), index (1),
length of the whole, and the bytes of the piece; 2 names that came (low bits how many), 5 bytes
each. Lengths are 7 bits a byte, the lowest first, the highest bit set where another follows.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from zhidao.connectivity.domain.erasure import PIECES_MAX, piece_bytes
from zhidao.connectivity.domain.message import MESSAGE_BYTES_MAX, NAME_BYTES, Form, Message
from zhidao.core.errors import MalformedInput

HEAD: Final = 0x40
# Head and checksum.
FRAME_BYTES: Final = 3
# What a piece has beside its bytes, with the longest length.
PIECE_HEAD_BYTES: Final = 1 + NAME_BYTES + 2 + 2
NAMES_MAX: Final = 63
# A regional message has 14,000 bits.
DATAGRAM_BYTES_MAX: Final = 1750
_WHOLE, _PIECE, _NAMES = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Piece:
    """Piece `index` of the message `name` of `size` bytes in `count` pieces."""

    form: Form
    name: bytes
    count: int
    index: int
    size: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Names:
    """Names of messages that came whole."""

    names: tuple[bytes, ...]


Record: TypeAlias = Message | Piece | Names


def is_datagram(data: bytes) -> bool:
    """Whether it begins like one."""
    return data[:1] == bytes((HEAD,))


def encode(records: Sequence[Record]) -> bytes:
    """The bytes of a short message. Raises MalformedInput if they are too many."""
    body = bytes((HEAD,)) + b"".join(map(encode_record, records))
    data = body + binascii.crc_hqx(body, 0).to_bytes(2, "big")
    if len(data) > DATAGRAM_BYTES_MAX:
        raise MalformedInput(f"a datagram of {len(data)} bytes; {DATAGRAM_BYTES_MAX} are carried")
    return data


def encode_record(record: Record) -> bytes:
    """The bytes of one record."""
    match record:
        case Message(form, body):
            return bytes((_WHOLE << 6 | form,)) + _length(len(body)) + body
        case Piece():
            head = bytes((_PIECE << 6 | record.form,)) + record.name
            place = bytes((record.count - 1, record.index))
            return head + place + _length(record.size) + record.data
        case Names(names):
            if not 1 <= len(names) <= NAMES_MAX:
                raise MalformedInput(f"{len(names)} names in a record; it takes 1 to {NAMES_MAX}")
            return bytes((_NAMES << 6 | len(names),)) + b"".join(names)


def decode(data: bytes) -> tuple[Record, ...]:
    """The records of a short message. Raises MalformedInput for anything that is none."""
    if len(data) > DATAGRAM_BYTES_MAX:
        raise MalformedInput(f"a datagram of {len(data)} bytes; {DATAGRAM_BYTES_MAX} are read")
    if not is_datagram(data) or len(data) < FRAME_BYTES:
        raise MalformedInput("not a datagram: it does not begin with 40")
    body, crc = data[:-2], int.from_bytes(data[-2:], "big")
    if binascii.crc_hqx(body, 0) != crc:
        raise MalformedInput("datagram: wrong checksum", code="bad_checksum")
    return tuple(_records(_Bytes(body[1:])))


def _records(read: _Bytes) -> Iterator[Record]:
    while read.left:
        head = read.byte()
        kind, low = head >> 6, head & 0x3F
        if kind == _WHOLE:
            form = _form(low)
            yield Message(form, read.take(_size(read)))
        elif kind == _PIECE:
            yield _piece(_form(low), read)
        elif kind == _NAMES and low:
            yield Names(tuple(read.take(NAME_BYTES) for _ in range(low)))
        else:
            raise MalformedInput(f"datagram: no record begins with {head:02X}")


def _piece(form: Form, read: _Bytes) -> Piece:
    name, count, index, size = read.take(NAME_BYTES), read.byte() + 1, read.byte(), _size(read)
    if count > PIECES_MAX or count > size:
        raise MalformedInput(f"datagram: {size} bytes in {count} pieces; at most {PIECES_MAX}")
    return Piece(form, name, count, index, size, read.take(piece_bytes(size, count)))


def _form(value: int) -> Form:
    try:
        form = Form(value)
    except ValueError as error:
        raise MalformedInput(f"datagram: no form of message is {value}") from error
    if form is Form.PLAIN:
        raise MalformedInput("datagram: a plain message has no record")
    return form


def _length(value: int) -> bytes:
    return bytes((value,)) if value < 0x80 else bytes((value & 0x7F | 0x80, value >> 7))


def _size(read: _Bytes) -> int:
    low = read.byte()
    value = low if low < 0x80 else low & 0x7F | read.byte() << 7
    if not 1 <= value <= MESSAGE_BYTES_MAX:
        raise MalformedInput(
            f"datagram: a message of {value} bytes; 1 to {MESSAGE_BYTES_MAX} are carried"
        )
    return value


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise MalformedInput("datagram ends too early", code="truncated")
        self._at += count
        return self._data[self._at - count : self._at]

    def byte(self) -> int:
        return self.take(1)[0]
