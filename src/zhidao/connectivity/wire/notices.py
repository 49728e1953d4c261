"""Notices of a terminal in 13 bytes each: alarms and gates with time, place and temperature.

Layout, most significant bit first: version 1 (3 bits) | simulated (1) | notices - 1 (4) | for each:
Unix seconds (33), latitude (25) and longitude (26) as two's complement on the grid of 1e-5 degree,
kind (6), temperature in tenths of a degree Celsius as two's complement (12; 7FF: none measured),
zero bits to the byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from zhidao.connectivity.domain.notice import Kind, Notice
from zhidao.connectivity.domain.observation import Point
from zhidao.core.errors import MalformedInput
from zhidao.core.versions import check_version

NOTICES_MAX: Final = 16
_VERSION: Final = 1
_BITS: Final = (33, 25, 26, 6, 12)
_RECORD_BYTES: Final = -(-sum(_BITS) // 8)
_SPARE: Final = 8 * _RECORD_BYTES - sum(_BITS)
_NONE: Final = 0x7FF


def pack_notices(notices: Sequence[Notice], *, simulated: bool) -> bytes:
    """The bytes of 1 to 16 notices. Raises MalformedInput for another number."""
    if not 1 <= len(notices) <= NOTICES_MAX:
        raise MalformedInput(f"{len(notices)} notices; a message carries 1 to {NOTICES_MAX}")
    head = _VERSION << 5 | int(simulated) << 4 | (len(notices) - 1)
    return bytes((head,)) + b"".join(map(_packed, notices))


def unpack_notices(data: bytes) -> tuple[tuple[Notice, ...], bool]:
    """The notices, and whether they are simulated. Raises MalformedInput for anything else."""
    if not data:
        raise MalformedInput("notices of no bytes", code="truncated")
    check_version(data[0] >> 5, form="notices", known=(_VERSION,), where="byte 0")
    count = (data[0] & 0x0F) + 1
    if len(data) != 1 + count * _RECORD_BYTES:
        raise MalformedInput(
            f"{count} notices in {len(data)} bytes, not {1 + count * _RECORD_BYTES}",
            code="truncated",
        )
    rows = (data[at : at + _RECORD_BYTES] for at in range(1, len(data), _RECORD_BYTES))
    return tuple(map(_unpacked, rows)), bool(data[0] & 0x10)


def _packed(notice: Notice) -> bytes:
    point = notice.point
    temperature = _NONE if notice.temperature_dc is None else notice.temperature_dc
    row = (point.unix_s, point.latitude_e5, point.longitude_e5, notice.kind, temperature)
    value = 0
    for number, bits in zip(row, _BITS, strict=True):
        value = value << bits | (number & ((1 << bits) - 1))
    return (value << _SPARE).to_bytes(_RECORD_BYTES, "big")


def _unpacked(data: bytes) -> Notice:
    value = int.from_bytes(data, "big")
    if value & ((1 << _SPARE) - 1):
        raise MalformedInput("notices: bits that are not zero behind a notice", code="trailing")
    value >>= _SPARE
    row = []
    for bits in reversed(_BITS):
        row.append(value & ((1 << bits) - 1))
        value >>= bits
    temperature, kind, longitude, latitude, unix_s = row
    try:
        known = Kind(kind)
    except ValueError as error:
        raise MalformedInput(f"notices: no kind of notice is {kind}") from error
    point = Point(unix_s, _signed(latitude, 25), _signed(longitude, 26))
    return Notice(known, point, None if temperature == _NONE else _signed(temperature, 12))


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value
