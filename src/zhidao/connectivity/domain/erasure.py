"""Pieces of which any so many give the whole: a systematic Reed-Solomon erasure code.

Over GF(256) with x^8 + x^4 + x^3 + x^2 + 1; parity rows are those of a Cauchy matrix, every square
part of which can be inverted, so that any `count` different pieces suffice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from zhidao.core.errors import Refused

PIECES_MAX: Final = 64
INDEX_MAX: Final = 255
_POLYNOMIAL: Final = 0x11D


def _tables() -> tuple[bytes, bytes]:
    powers, logarithms = bytearray(510), bytearray(256)
    value = 1
    for at in range(255):
        powers[at] = powers[at + 255] = value
        logarithms[value] = at
        value <<= 1
        if value & 0x100:
            value ^= _POLYNOMIAL
    return bytes(powers), bytes(logarithms)


_POWERS, _LOGARITHMS = _tables()


def piece_of(data: bytes, *, count: int, index: int) -> bytes:
    """Piece `index` of the data in `count` pieces: the first are the data, the rest is parity."""
    _check(count, index)
    parts = _parts(data, count)
    if index < count:
        return parts[index]
    out = bytes(len(parts[0]))
    for at, part in enumerate(parts):
        out = _added(out, part, _inverse(index ^ at))
    return out


def whole_of(pieces: Mapping[int, bytes], *, count: int, size: int) -> bytes:
    """The data from any `count` pieces of equal length. Raises Refused if there are fewer."""
    if len(pieces) < count:
        raise Refused(
            f"{len(pieces)} pieces of a message that needs {count}", code="pieces_missing"
        )
    rows = [_equation(index, count, pieces[index]) for index in sorted(pieces)[:count]]
    for column in range(count):
        pivot = next(at for at in range(column, count) if rows[at][0][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        rows[column] = _scaled(rows[column], _inverse(rows[column][0][column]))
        for at in range(count):
            if at != column and rows[at][0][column]:
                rows[at] = _cleared(rows[at], rows[column], rows[at][0][column])
    return b"".join(data for _, data in rows)[:size]


def _equation(index: int, count: int, data: bytes) -> tuple[bytes, bytes]:
    _check(count, index)
    return _row(index, count), data


def _scaled(row: tuple[bytes, bytes], factor: int) -> tuple[bytes, bytes]:
    return _added(bytes(len(row[0])), row[0], factor), _added(bytes(len(row[1])), row[1], factor)


def _cleared(row: tuple[bytes, bytes], by: tuple[bytes, bytes], factor: int) -> tuple[bytes, bytes]:
    return _added(row[0], by[0], factor), _added(row[1], by[1], factor)


def piece_bytes(size: int, count: int) -> int:
    """How long each piece is."""
    return -(-size // count)


def _check(count: int, index: int) -> None:
    if not 1 <= count <= PIECES_MAX:
        raise Refused(
            f"a message of {count} pieces; at most {PIECES_MAX}", code="short_message_size"
        )
    if not 0 <= index <= INDEX_MAX:
        raise Refused(f"piece {index} of a message; at most {INDEX_MAX}", code="short_message_size")


def _parts(data: bytes, count: int) -> list[bytes]:
    size = piece_bytes(len(data), count)
    padded = data.ljust(size * count, b"\0")
    return [padded[at * size : (at + 1) * size] for at in range(count)]


def _row(index: int, count: int) -> bytes:
    if index < count:
        return bytes(int(at == index) for at in range(count))
    return bytes(_inverse(index ^ at) for at in range(count))


def _inverse(value: int) -> int:
    return _POWERS[255 - _LOGARITHMS[value]]


def _added(one: bytes, two: bytes, factor: int) -> bytes:
    """One and the multiple of two, byte by byte."""
    shift = _LOGARITHMS[factor]
    return bytes(
        a ^ _POWERS[_LOGARITHMS[b] + shift] if b else a for a, b in zip(one, two, strict=True)
    )
