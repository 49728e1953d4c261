"""Positions in a short message: points packed bit by bit, with a checksum.

Layout, most significant bit first: version 1 (3 bits) | simulated (1) | points - 1 (6) |
first point: Unix seconds (33), latitude (25) and longitude (26) as two's complement on the grid of
1e-5 degree | with two points or more: the first step in time, latitude and longitude, each as its
Rice parameter (5) and its Rice code | with three or more: Rice parameters of time, latitude and
longitude (5 each), then the three second differences of each further point, zigzag and Rice coded |
zero bits to the byte | CRC-16/XMODEM (2 bytes).
A truck moves evenly, so the difference of two steps is small: some 15 bits a point, one a minute.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from zhidao.connectivity.domain.observation import Point
from zhidao.core.errors import MalformedInput
from zhidao.core.versions import check_version

POINTS_MAX: Final = 64
# Civil BDS-2 cards commonly carry 628 bits; one byte goes to the mark of mixed coding.
CARD_BYTES: Final = 78
_BYTES_MAX: Final = 1750
_VERSION: Final = 1
_HEAD: Final = ((3, "version"), (1, "simulated"), (6, "points"))
_FIRST_BITS: Final = (33, 25, 26)
_RICE_BITS: Final = 5
_RICE_MAX: Final = 31
# A longer run of ones is no number that this encoder writes: the decoder stops there.
_UNARY_MAX: Final = 48


@dataclass(frozen=True, slots=True)
class Track:
    """Points in the order of time; `simulated` if no receiver made them."""

    points: tuple[Point, ...]
    simulated: bool


def pack(track: Track) -> bytes:
    """The bytes of 1 to 64 points. Raises MalformedInput for another number of points."""
    points = track.points
    if not 1 <= len(points) <= POINTS_MAX:
        raise MalformedInput(f"{len(points)} points; a message carries 1 to {POINTS_MAX}")
    out = _Writer()
    out.put(_VERSION, 3)
    out.put(int(track.simulated), 1)
    out.put(len(points) - 1, 6)
    for value, bits in zip(_axes(points[0]), _FIRST_BITS, strict=True):
        out.put(value & ((1 << bits) - 1), bits)
    residuals = _residuals(points)
    _put_rows(out, residuals[:1])
    _put_rows(out, residuals[1:])
    body = out.bytes()
    return body + binascii.crc_hqx(body, 0).to_bytes(2, "big")


def unpack(data: bytes) -> Track:
    """The points of a message. Raises MalformedInput for anything that `pack` does not make."""
    if not 3 <= len(data) <= _BYTES_MAX:
        raise MalformedInput(f"compact positions of {len(data)} bytes; 3 to {_BYTES_MAX} are read")
    body, crc = data[:-2], int.from_bytes(data[-2:], "big")
    if binascii.crc_hqx(body, 0) != crc:
        raise MalformedInput("compact positions: wrong checksum", code="bad_checksum")
    read = _Reader(body)
    version, simulated, more = (read.take(bits) for bits, _ in _HEAD)
    check_version(version, form="compact positions", known=(_VERSION,), where="byte 0")
    first = [_signed(read.take(bits), bits) for bits in _FIRST_BITS]
    # Time counts from 1970 and has no sign.
    first[0] &= (1 << _FIRST_BITS[0]) - 1
    steps = [*_take_rows(read, min(more, 1)), *_take_rows(read, max(more - 1, 0))]
    read.end()
    return Track(tuple(_summed(first, steps)), bool(simulated))


def _axes(point: Point) -> tuple[int, int, int]:
    return point.unix_s, point.latitude_e5, point.longitude_e5


def _residuals(points: Sequence[Point]) -> list[tuple[int, int, int]]:
    rows = [_axes(point) for point in points]
    steps = [tuple(b - a for a, b in zip(one, two, strict=True)) for one, two in pairwise(rows)]
    before = (0, 0, 0)
    out = []
    for step in steps:
        time, latitude, longitude = (s - b for s, b in zip(step, before, strict=True))
        out.append((time, latitude, longitude))
        before = step  # type: ignore[assignment]
    return out


def _put_rows(out: _Writer, rows: Sequence[tuple[int, int, int]]) -> None:
    """Rows under Rice parameters of their own; no rows take no bits."""
    if not rows:
        return
    parameters = [_parameter(column) for column in zip(*rows, strict=True)]
    for parameter in parameters:
        out.put(parameter, _RICE_BITS)
    for row in rows:
        for value, parameter in zip(row, parameters, strict=True):
            out.rice(value, parameter)


def _take_rows(read: _Reader, count: int) -> list[list[int]]:
    parameters = [read.take(_RICE_BITS) for _ in range(3)] if count else []
    return [[read.rice(parameter) for parameter in parameters] for _ in range(count)]


def _summed(first: Sequence[int], rows: Sequence[Sequence[int]]) -> Iterator[Point]:
    place, step = list(first), [0, 0, 0]
    yield Point(*place)
    for row in rows:
        step = [s + r for s, r in zip(step, row, strict=True)]
        place = [p + s for p, s in zip(place, step, strict=True)]
        yield Point(*place)


def _parameter(column: Sequence[int]) -> int:
    """The Rice parameter with the fewest bits for these numbers that keeps every run short."""
    numbers = [_zigzag(value) for value in column]
    usable = (k for k in range(_RICE_MAX + 1) if max(numbers) >> k <= _UNARY_MAX)
    return min(usable, key=lambda k: sum((n >> k) + 1 + k for n in numbers))


def _zigzag(value: int) -> int:
    return value * 2 if value >= 0 else -value * 2 - 1


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


class _Writer:
    def __init__(self) -> None:
        self._value = 0
        self._bits = 0

    def put(self, value: int, bits: int) -> None:
        self._value = self._value << bits | value
        self._bits += bits

    def rice(self, value: int, parameter: int) -> None:
        number = _zigzag(value)
        ones = number >> parameter
        self.put((1 << ones) - 1, ones)
        self.put(number & ((1 << parameter) - 1), parameter + 1)

    def bytes(self) -> bytes:
        spare = -self._bits % 8
        return (self._value << spare).to_bytes((self._bits + spare) // 8, "big")


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, bits: int) -> int:
        if bits > self._left:
            raise MalformedInput("compact positions end too early", code="truncated")
        self._left -= bits
        return self._value >> self._left & ((1 << bits) - 1)

    def rice(self, parameter: int) -> int:
        ones = 0
        while self.take(1):
            ones += 1
            if ones > _UNARY_MAX:
                raise MalformedInput("compact positions: a number without end")
        number = ones << parameter | self.take(parameter)
        return -(number + 1) // 2 if number & 1 else number // 2

    def end(self) -> None:
        if self._left >= 8 or self.take(self._left):
            raise MalformedInput("compact positions: bits too many", code="trailing")
