"""Precise orbits (SP3) and clocks (RINEX CLK) as tables on one grid of times.

Sources: the SP3-d format of 2016, RINEX clock format 3.04 (not at hand; checked on a day of both).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.precise import PreciseTable
from zhidao.positioning.domain.signals import SYSTEMS
from zhidao.positioning.wire.compression import plain_text
from zhidao.positioning.wire.fixed import Lines

BYTES_MAX: Final = 128 * 1024 * 1024
_NS: Final = 1_000_000_000
_GPST_EPOCH: Final = np.datetime64("1980-01-06T00:00:00", "ns")
_UNKNOWN_US: Final = 999_999.0


def read_sp3(data: bytes) -> PreciseTable:
    """Satellite places (and clocks) of an SP3 file in GPST, plain or gzipped.

    Raises MalformedInput with the line for anything else.
    """
    lines = Lines(plain_text(data, bytes_max=BYTES_MAX))
    first = lines.text(0) if len(lines) else ""
    if first[:2] not in ("#a", "#b", "#c", "#d"):
        raise MalformedInput("this is no SP3 file: line 1 does not start with # and a version")
    times: list[int] = []
    cells: dict[int, dict[int, tuple[float, float, float, float]]] = {}
    for number in range(1, len(lines)):
        text = lines.text(number)
        if text.startswith("%c") and text[9:12].strip() not in ("", "GPS", "ccc"):
            raise MalformedInput(f"SP3 time system {text[9:12]!r} is not read", where="header")
        if text.startswith("*"):
            times.append(_time_ns(text[1:].split(), number))
            if len(times) > 1 and times[-1] <= times[-2]:
                raise MalformedInput("SP3 epochs do not rise", where=f"line {number + 1}")
        elif text.startswith("P") and times:
            satellite = _satellite(text[1:4], number)
            values = [_number(text[start : start + 14], number) for start in (4, 18, 32, 46)]
            cells.setdefault(satellite, {})[len(times) - 1] = (
                values[0] * 1000,
                values[1] * 1000,
                values[2] * 1000,
                math.nan if values[3] >= _UNKNOWN_US else values[3] * 1e-6,
            )
    return _table(times, cells)


def _table(
    times: list[int], cells: dict[int, dict[int, tuple[float, float, float, float]]]
) -> PreciseTable:
    if not times:
        raise MalformedInput("the SP3 file has no epochs")
    satellites = np.array(sorted(cells), np.int64)
    values = np.full((len(times), len(satellites), 4), np.nan)
    for column, satellite in enumerate(satellites.tolist()):
        for epoch, cell in cells[satellite].items():
            # A place of three zeros means that it is not known.
            if any(cell[:3]):
                values[epoch, column] = cell
    return PreciseTable(np.array(times, np.int64), satellites, values[..., :3], values[..., 3])


def read_clocks(data: bytes) -> PreciseTable:
    """Satellite clocks of a RINEX CLK file in GPST; places are NaN.

    Raises MalformedInput with the line for anything else.
    """
    lines = Lines(plain_text(data, bytes_max=BYTES_MAX))
    if "RINEX VERSION / TYPE" not in (lines.text(0) if len(lines) else ""):
        raise MalformedInput("this is no RINEX clock file")
    rows: list[tuple[int, int, float]] = []
    for number in np.flatnonzero(lines.lead(slice(0, len(lines))) == ord("A")).tolist():
        text = lines.text(number)
        if not text.startswith("AS "):
            continue
        parts = text.split()
        if len(parts) < 10:
            raise MalformedInput("a clock line is cut", where=f"line {number + 1}")
        at = _time_ns(parts[2:8], number)
        rows.append((at, _satellite(parts[1], number), _number(parts[9], number)))
    if not rows:
        raise MalformedInput("the clock file has no satellite clocks (AS)")
    times, epoch = np.unique([row[0] for row in rows], return_inverse=True)
    satellites, column = np.unique([row[1] for row in rows], return_inverse=True)
    clock_s = np.full((len(times), len(satellites)), np.nan)
    clock_s[epoch, column] = [row[2] for row in rows]
    places = np.full((*clock_s.shape, 3), np.nan)
    return PreciseTable(times.astype(np.int64), satellites.astype(np.int64), places, clock_s)


def _time_ns(parts: list[str], number: int) -> int:
    try:
        year, month, day, hour, minute = (int(part) for part in parts[:5])
        second = float(parts[5])
        date = np.datetime64(f"{year:04d}-{month:02d}-{day:02d}", "ns")
    except (ValueError, IndexError):
        raise MalformedInput("no such time", where=f"line {number + 1}") from None
    if not (1980 <= year <= 2200 and 0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 61):
        raise MalformedInput("no such time", where=f"line {number + 1}")
    days_ns = int((date - _GPST_EPOCH).astype(np.int64))
    return days_ns + (hour * 60 + minute) * 60 * _NS + round(second * _NS)


def _satellite(text: str, number: int) -> int:
    name = text.strip()
    if len(name) != 3 or name[0] not in SYSTEMS or not name[1:].replace(" ", "0").isdecimal():
        raise MalformedInput(f"no satellite: {text[:8]!r}", where=f"line {number + 1}")
    return 100 * SYSTEMS.index(name[0]) + int(name[1:].replace(" ", "0"))


def _number(text: str, number: int) -> float:
    try:
        value = float(text.replace("D", "E"))
    except ValueError:
        raise MalformedInput(f"not a number: {text[:20]!r}", where=f"line {number + 1}") from None
    if not math.isfinite(value):
        raise MalformedInput(f"not a number: {text[:20]!r}", where=f"line {number + 1}")
    return value
