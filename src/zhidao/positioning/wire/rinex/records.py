"""Lines of navigation records: numbers, satellite and time, shared by all message types."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from zhidao.core.errors import MalformedInput
from zhidao.positioning.wire.fixed import Lines

_GPST_EPOCH_DAY: Final = np.datetime64("1980-01-06", "D")
# RINEX 3.05 writes .999999999999E+09 where a value is not known; no real value is near it.
_SENTINEL: Final = 9.9e8
BLANK: Final = math.nan


def refuse_cut(lines: Lines, number: int, last: int) -> None:
    """Raises MalformedInput where the file ends before line `last` of a record."""
    if last > len(lines):
        raise MalformedInput(
            "the file ends inside a navigation record",
            where=f"line {number + 1}",
            remedy="send the whole file",
        )


def numbers_of(lines: Lines, number: int, count: int) -> list[float]:
    """The numbers of a record: three of its first line, then four a line; NaN where blank."""
    out: list[float] = []
    for offset in range(count):
        text = lines.text(number + offset)
        starts = (23, 42, 61) if offset == 0 else (4, 23, 42, 61)
        out += [number_of(text[start : start + 19], number + offset, BLANK) for start in starts]
    return out


def number_of(text: str, number: int, blank: float) -> float:
    """One number of a field; `blank` for an empty one, NaN for the mark of an unknown value.

    number: the line, for the message of MalformedInput.
    """
    # Nearly all fields are plain numbers: they need one conversion and no other look.
    try:
        value = float(text)
    except ValueError:
        value = BLANK
    if -_SENTINEL < value < _SENTINEL and "_" not in text:
        return value
    stripped = text.strip()
    if not stripped:
        return blank
    try:
        value = float(stripped.replace("D", "E").replace("d", "e"))
    except ValueError:
        raise MalformedInput(f"not a number: {text[:24]!r}", where=f"line {number + 1}") from None
    if "_" in stripped or not math.isfinite(value):
        raise MalformedInput(f"not a number: {text[:24]!r}", where=f"line {number + 1}")
    return BLANK if abs(value) > _SENTINEL else value


def satellite_and_time(text: str, number: int) -> tuple[int, int]:
    """PRN and seconds of the system's time since 1980-01-06 of a record's first line."""
    try:
        prn = int(text[1:3])
    except ValueError:
        prn = 0
    if prn < 1:
        raise MalformedInput(f"no satellite and time: {text[:23]!r}", where=f"line {number + 1}")
    return prn, clock_time(text, number)


def clock_time(text: str, number: int) -> int:
    """Seconds of the system's time since 1980-01-06 at the usual place of a record's first line.

    Raises MalformedInput naming the line `number`, counted from 0.
    """
    try:
        year, month, day, hour, minute, second = (
            int(text[start:stop])
            for start, stop in ((4, 8), (9, 11), (12, 14), (15, 17), (18, 20), (21, 23))
        )
        date = np.datetime64(f"{year:04d}-{month:02d}-{day:02d}", "D")
    except ValueError:
        raise MalformedInput(
            f"no satellite and time: {text[:23]!r}", where=f"line {number + 1}"
        ) from None
    days = int((date - _GPST_EPOCH_DAY).astype(np.int64))
    if not (0 <= days < 80_000 and 0 <= hour < 24 and 0 <= minute < 60):
        raise MalformedInput(f"no such time: {text[:23]!r}", where=f"line {number + 1}")
    if not 0 <= second <= 60:
        raise MalformedInput(f"no such time: {text[:23]!r}", where=f"line {number + 1}")
    return ((days * 24 + hour) * 60 + minute) * 60 + second
