"""Packets of Teltonika terminals: the greeting, the frame with its CRC, the datagram.

Written from the frame layouts that the maker publishes (Teltonika wiki, "Teltonika Data Sending
Protocols"), as read for the vectors; no copy of that page was at hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput

_PREAMBLE: Final = bytes(4)
_IMEI_DIGITS: Final = 15
# The maker's own bound is 1280 bytes of records; some firmwares send more.
DATA_BYTES_MAX: Final = 16 * 1024
_CRC_BYTES: Final = 4
_CRC_POLYNOMIAL: Final = 0xA001  # CRC-16/IBM, reflected.
ACCEPTED, REFUSED = b"\x01", b"\x00"
KEEP_ALIVE: Final = b"\xff"


@dataclass(frozen=True, slots=True)
class Greeting:
    """The first word of a terminal on TCP: its IMEI."""

    imei: str

    def encode(self) -> bytes:
        """Its bytes."""
        return len(self.imei).to_bytes(2, "big") + self.imei.encode()


@dataclass(frozen=True, slots=True)
class Packet:
    """What stands between length and CRC: codec, records, and their number on both sides."""

    data: bytes

    @property
    def codec(self) -> int:
        """Which codec wrote it."""
        return self.data[0]

    def encode(self) -> bytes:
        """The frame on TCP."""
        size = len(self.data).to_bytes(4, "big")
        return _PREAMBLE + size + self.data + crc16(self.data).to_bytes(_CRC_BYTES, "big")


@dataclass(frozen=True, slots=True)
class Datagram:
    """A packet over UDP: with two numbers that its answer repeats, and the IMEI before it."""

    packet_id: int
    avl_id: int
    imei: str
    packet: Packet

    def encode(self) -> bytes:
        """The datagram."""
        imei = self.imei.encode()
        inner = self.packet_id.to_bytes(2, "big") + b"\x01" + self.avl_id.to_bytes(1, "big")
        inner += len(imei).to_bytes(2, "big") + imei + self.packet.data
        return len(inner).to_bytes(2, "big") + inner

    def answer(self, count: int) -> bytes:
        """So many records were taken."""
        inner = self.packet_id.to_bytes(2, "big") + b"\x01" + self.avl_id.to_bytes(1, "big")
        inner += count.to_bytes(1, "big")
        return len(inner).to_bytes(2, "big") + inner


def answer(count: int) -> bytes:
    """The answer to a frame on TCP: so many records were taken."""
    return count.to_bytes(4, "big")


class Deframer:
    """Cuts a TCP stream into the greeting and frames; holds one unfinished frame, bounded."""

    def __init__(self) -> None:
        self._rest = b""
        self._greeted = False

    def feed(self, data: bytes) -> list[Greeting | bytes]:
        """What these bytes complete: the greeting, and frames for `decode_frame`.

        Raises MalformedInput where the stream is lost: `bad_greeting`, `bad_preamble`, `oversize`.
        What is whole before that is given first; the next call raises.
        """
        self._rest += data
        out: list[Greeting | bytes] = []
        try:
            while (each := self._next()) is not None:
                out.append(each)
        except MalformedInput:
            if not out:
                raise
        return out

    def _next(self) -> Greeting | bytes | None:
        self._rest = self._rest.lstrip(KEEP_ALIVE) if self._rest[:1] == KEEP_ALIVE else self._rest
        if not self._greeted:
            return self._greeting()
        if len(self._rest) < 8:
            return None
        if self._rest[:4] != _PREAMBLE:
            raise MalformedInput("Teltonika: a frame begins with four zeros", code="bad_preamble")
        size = int.from_bytes(self._rest[4:8], "big")
        if not 3 <= size <= DATA_BYTES_MAX:
            raise MalformedInput(
                f"Teltonika: a frame of {size} bytes; at most {DATA_BYTES_MAX} are read",
                code="oversize",
            )
        end = 8 + size + _CRC_BYTES
        if len(self._rest) < end:
            return None
        raw, self._rest = self._rest[:end], self._rest[end:]
        return raw

    def _greeting(self) -> Greeting | None:
        if len(self._rest) < 2:
            return None
        if int.from_bytes(self._rest[:2], "big") != _IMEI_DIGITS:
            raise MalformedInput("Teltonika: the first word is not an IMEI", code="bad_greeting")
        if len(self._rest) < 2 + _IMEI_DIGITS:
            return None
        word, self._rest = self._rest[2 : 2 + _IMEI_DIGITS], self._rest[2 + _IMEI_DIGITS :]
        self._greeted = True
        return Greeting(_imei(word))


def greeting_of(raw: bytes) -> Greeting:
    """A whole greeting. Raises MalformedInput (`bad_greeting`)."""
    if int.from_bytes(raw[:2], "big") != _IMEI_DIGITS or len(raw) != 2 + _IMEI_DIGITS:
        raise MalformedInput("Teltonika: the first word is not an IMEI", code="bad_greeting")
    return Greeting(_imei(raw[2:]))


def decode_frame(raw: bytes) -> Packet:
    """A whole frame of TCP. Raises MalformedInput: `bad_preamble`, `bad_length`, `bad_checksum`."""
    if raw[:4] != _PREAMBLE or len(raw) < 8:
        raise MalformedInput("Teltonika: a frame begins with four zeros", code="bad_preamble")
    size = int.from_bytes(raw[4:8], "big")
    data, given = raw[8:-_CRC_BYTES], raw[-_CRC_BYTES:]
    if size != len(data) or size < 3:
        raise MalformedInput(
            f"Teltonika: the frame announces {size} bytes, {len(data)} came", code="bad_length"
        )
    computed = crc16(data)
    if int.from_bytes(given, "big") != computed:
        raise MalformedInput(
            f"Teltonika: the CRC is 0x{given.hex()}, computed 0x{computed:08x}",
            code="bad_checksum",
        )
    return Packet(data)


def decode_datagram(raw: bytes) -> Datagram:
    """A datagram. Raises MalformedInput (`bad_length`, `bad_greeting`)."""
    size = int.from_bytes(raw[:2], "big")
    if size != len(raw) - 2 or len(raw) < 8:
        raise MalformedInput(
            f"Teltonika: the datagram announces {size} bytes, {max(len(raw) - 2, 0)} came",
            code="bad_length",
        )
    imei_bytes = int.from_bytes(raw[6:8], "big")
    data = raw[8 + imei_bytes :]
    if imei_bytes != _IMEI_DIGITS or len(data) < 3:
        raise MalformedInput("Teltonika: the datagram bears no IMEI", code="bad_greeting")
    return Datagram(
        int.from_bytes(raw[2:4], "big"), raw[5], _imei(raw[8 : 8 + imei_bytes]), Packet(data)
    )


def crc16(data: bytes) -> int:
    """CRC-16/IBM.

    >>> hex(crc16(b"123456789"))
    '0xbb3d'
    """
    value = 0
    for byte in data:
        value = _CRC_TABLE[(value ^ byte) & 0xFF] ^ value >> 8
    return value


def _imei(word: bytes) -> str:
    if not word.isdigit():
        raise MalformedInput("Teltonika: an IMEI has 15 digits", code="bad_greeting")
    return word.decode("ascii")


def _crc_of(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ _CRC_POLYNOMIAL if byte & 1 else byte >> 1
    return byte


_CRC_TABLE: Final = tuple(map(_crc_of, range(256)))
