"""The RTCM 3 transport layer: preamble, length, message, CRC-24Q; found again after any damage.

Source: RTCM 10403.3 section 4 (not at hand; checked on recorded streams).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zhidao.core.errors import MalformedInput

PREAMBLE: Final = 0xD3
PAYLOAD_BYTES_MAX: Final = 1023
_CRC_POLYNOMIAL: Final = 0x1864CFB  # CRC-24Q


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= _CRC_POLYNOMIAL
        table.append(crc)
    return tuple(table)


CRC_TABLE: Final = _crc_table()


# Up to this many bytes a loop is quicker than a call of numpy.
_LOOP_BYTES: Final = 32
_FRAME_BYTES_MAX: Final = PAYLOAD_BYTES_MAX + 3


@cache
def _shares() -> NDArray[np.int64]:
    """What a byte adds to the CRC, by how many bytes stand behind it: shape (1026, 256)."""
    table = np.array(CRC_TABLE, np.int64)
    shares = [table]
    for _ in range(_FRAME_BYTES_MAX - 1):
        before = shares[-1]
        shares.append((before << 8) & 0xFFFFFF ^ table[before >> 16])
    return np.stack(shares)


def crc24q(data: bytes) -> int:
    """CRC-24Q of the bytes. It is linear: the CRC is the sum without carry of each byte's share."""
    size = len(data)
    if _LOOP_BYTES < size <= _FRAME_BYTES_MAX:
        behind = np.arange(size - 1, -1, -1)
        shares = _shares()[behind, np.frombuffer(data, np.uint8)]
        return int(np.bitwise_xor.reduce(shares))
    crc = 0
    for byte in data:
        crc = (crc << 8) & 0xFFFFFF ^ CRC_TABLE[crc >> 16 ^ byte]
    return crc


def frame(payload: bytes) -> bytes:
    """A payload in its frame. Raises MalformedInput beyond 1023 bytes."""
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise MalformedInput(f"{len(payload)} bytes; an RTCM frame takes {PAYLOAD_BYTES_MAX}")
    body = bytes((PREAMBLE, len(payload) >> 8, len(payload) & 0xFF)) + payload
    return body + crc24q(body).to_bytes(3, "big")


def message_number(payload: bytes) -> int:
    """The first twelve bits; 0 for a payload without them."""
    return payload[0] << 4 | payload[1] >> 4 if len(payload) > 1 else 0


@dataclass(slots=True)
class FrameReader:
    """Takes a byte stream in pieces and gives its whole frames.

    After damage the search goes on at the byte behind the false preamble, so that a good frame
    that follows, or lies inside a false one, is not lost. `skipped` counts bytes of no frame,
    `broken` preambles whose CRC failed.
    """

    skipped: int = 0
    broken: int = 0
    _rest: bytes = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The payloads of frames that are complete now."""
        stream = self._rest + data
        at = 0
        while True:
            found = stream.find(PREAMBLE, at)
            if found < 0:
                self.skipped += len(stream) - at
                self._rest = b""
                return
            self.skipped += found - at
            at = found
            if len(stream) - at < 3:
                break
            length = (stream[at + 1] & 3) << 8 | stream[at + 2]
            end = at + length + 6
            if stream[at + 1] & 0xFC == 0:
                if len(stream) < end:
                    break
                if crc24q(stream[at : end - 3]) == int.from_bytes(stream[end - 3 : end], "big"):
                    yield stream[at + 3 : end - 3]
                    at = end
                    continue
                self.broken += 1
            self.skipped += 1
            at += 1
        self._rest = stream[at:]

    def close(self) -> Iterator[bytes]:
        """The stream has ended: frames that stood behind a false, unfinished one."""
        while self._rest:
            rest, self._rest = self._rest[1:], b""
            self.skipped += 1
            yield from self.feed(rest)


def payloads(data: bytes) -> list[bytes]:
    """Payloads of all good frames in a recording."""
    reader = FrameReader()
    return [*reader.feed(data), *reader.close()]
