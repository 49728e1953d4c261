"""The transport of EGTS: a header with CRC-8, what it carries with CRC-16, and a stream of both.

Source: GOST 33465-2015, section 5.6 (tables 3 and 4), as read in a transcript; no printed copy was
at hand.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput

VERSION: Final = 1
# Packet types.
RESPONSE, APPDATA, SIGNED_APPDATA = 0, 1, 2
# Section 5.6.1.2: header, data and checksum together have at most 65535 bytes.
DATA_BYTES_MAX: Final = 65_517
_SHORT, _ROUTED = 11, 16
_CRC_BYTES: Final = 2
# Version, key, flags, header length: enough to know how long the header is.
_KNOWN_AFTER: Final = 4
# Bits of the flags: prefix, route, encryption, compression; the rest is the priority.
_PREFIX, _ROUTE, ENCRYPTED, COMPRESSED = 0xC0, 0x20, 0x18, 0x04
_CRC8_POLYNOMIAL: Final = 0x31
_CRC8_START: Final = 0xFF
_CRC16_START: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class Route:
    """Between platforms: whose packet it is, for whom, and how many may pass it on."""

    peer: int
    recipient: int
    hops: int


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet. `data`: what it carries, by its `kind`.

    `flags` without the bit that says whether there is a route.
    """

    packet_id: int
    kind: int
    data: bytes
    flags: int = 0
    route: Route | None = None
    key_id: int = 0
    encoding: int = 0

    def encode(self) -> bytes:
        """Its bytes, with both checksums."""
        length = _ROUTED if self.route else _SHORT
        flags = self.flags | (_ROUTE if self.route else 0)
        head = bytes((VERSION, self.key_id, flags, length, self.encoding))
        head += _u16(len(self.data)) + _u16(self.packet_id) + bytes((self.kind,))
        if self.route:
            head += _u16(self.route.peer) + _u16(self.route.recipient) + bytes((self.route.hops,))
        checked = _u16(crc16(self.data)) if self.data else b""
        return head + bytes((crc8(head),)) + self.data + checked


@dataclass(frozen=True, slots=True)
class Lost:
    """Where a stream cannot be read on: why, and by which number that packet called itself."""

    packet_id: int
    error: MalformedInput


class Deframer:
    """Cuts a TCP stream into packets; holds one that is unfinished, bounded."""

    def __init__(self) -> None:
        self._rest = b""
        self._is_lost = False

    def feed(self, data: bytes) -> list[bytes | Lost]:
        """The packets that these bytes complete, for `decode_packet`.

        Where a header is wrong nobody knows where the next packet begins: `Lost` is the last item,
        and what comes later is not read.
        """
        out: list[bytes | Lost] = []
        if self._is_lost:
            return out
        self._rest += data
        try:
            while (size := _size_of(self._rest)) and size <= len(self._rest):
                out.append(self._rest[:size])
                self._rest = self._rest[size:]
        except MalformedInput as error:
            out.append(Lost(packet_id_of(self._rest), error))
            self._rest, self._is_lost = b"", True
        return out


def packet_id_of(raw: bytes) -> int:
    """The number in the header of a packet that may be wrong; 0 where it ends before."""
    return int.from_bytes(raw[7:9], "little") if len(raw) >= 9 else 0


def decode_packet(raw: bytes) -> Packet:
    """A whole packet.

    Raises MalformedInput: `bad_preamble` for another version, `bad_header`, `bad_header_checksum`,
    `bad_length`, `oversize`, `bad_checksum`.
    """
    size = _size_of(raw)
    if not size or size != len(raw):
        raise MalformedInput(
            f"EGTS: the packet announces {size or 'more'} bytes, {len(raw)} came", code="bad_length"
        )
    head = raw[3]
    data = raw[head : len(raw) - _CRC_BYTES] if len(raw) > head else b""
    computed, given = crc16(data), int.from_bytes(raw[-_CRC_BYTES:], "little")
    if data and given != computed:
        raise MalformedInput(
            f"EGTS: the CRC-16 is 0x{given:04x}, computed 0x{computed:04x}", code="bad_checksum"
        )
    route = None
    if head == _ROUTED:
        peer, recipient = (int.from_bytes(raw[at : at + 2], "little") for at in (10, 12))
        route = Route(peer, recipient, raw[14])
    return Packet(
        packet_id=packet_id_of(raw),
        kind=raw[9],
        data=data,
        flags=raw[2] & ~_ROUTE,
        route=route,
        key_id=raw[1],
        encoding=raw[4],
    )


def _size_of(raw: bytes) -> int:
    """How long the packet that begins here is; 0 while its header is not whole.

    Raises MalformedInput where the header is wrong.
    """
    head = _head_of(raw)
    if not head or len(raw) < head:
        return 0
    computed = crc8(raw[: head - 1])
    if raw[head - 1] != computed:
        raise MalformedInput(
            f"EGTS: the CRC-8 is 0x{raw[head - 1]:02x}, computed 0x{computed:02x}",
            code="bad_header_checksum",
        )
    size = int.from_bytes(raw[5:7], "little")
    if size > DATA_BYTES_MAX:
        raise MalformedInput(
            f"EGTS: a packet of {size} bytes; at most {DATA_BYTES_MAX} are read", code="oversize"
        )
    return head + size + (_CRC_BYTES if size else 0)


def _head_of(raw: bytes) -> int:
    """How long the header is that begins here; 0 while that is not known."""
    if raw and raw[0] != VERSION:
        raise MalformedInput(f"EGTS: version {raw[0]}, not {VERSION}", code="bad_preamble")
    if len(raw) < _KNOWN_AFTER:
        return 0
    flags, head = raw[2], raw[3]
    if flags & _PREFIX or head != (_ROUTED if flags & _ROUTE else _SHORT):
        raise MalformedInput(
            f"EGTS: a header of {head} bytes with the flags 0x{flags:02x}", code="bad_header"
        )
    return head


def crc8(data: bytes) -> int:
    """CRC-8 of a header: polynomial x8 + x5 + x4 + 1, from all ones.

    >>> hex(crc8(b"123456789"))
    '0xf7'
    """
    value = _CRC8_START
    for byte in data:
        value = _CRC8_TABLE[value ^ byte]
    return value


def crc16(data: bytes) -> int:
    """CRC-16/CCITT of what a packet carries, from all ones.

    >>> hex(crc16(b"123456789"))
    '0x29b1'
    """
    return binascii.crc_hqx(data, _CRC16_START)


def _u16(number: int) -> bytes:
    try:
        return number.to_bytes(2, "little")
    except OverflowError as error:
        raise MalformedInput(f"EGTS: {number} does not fit sixteen bits") from error


def _crc8_of(byte: int) -> int:
    for _ in range(8):
        byte = (byte << 1 ^ _CRC8_POLYNOMIAL if byte & 0x80 else byte << 1) & 0xFF
    return byte


_CRC8_TABLE: Final = tuple(map(_crc8_of, range(256)))
