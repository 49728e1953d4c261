"""Precise orbits (SP3) and clocks (RINEX CLK) as tables on one grid of times.

Sources: the SP3-d format of 2016, RINEX clock format 3.04 (not at hand; checked on a day of both).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.observables.observations import Bools, Bytes, Floats, Ints
from zhidao.positioning.domain.observables.signals import SYSTEMS
from zhidao.positioning.domain.satellites.precise import PreciseTable
from zhidao.positioning.wire.compression import plain_text
from zhidao.positioning.wire.fixed import Lines, decimals, integers

BYTES_MAX: Final = 128 * 1024 * 1024
_NS: Final = 1_000_000_000
_GPST_EPOCH: Final = np.datetime64("1980-01-06T00:00:00", "ns")
_UNKNOWN_US: Final = 999_999.0
_RECORD: Final = np.frombuffer(b"AS ", np.uint8)
_BLANK: Final = ord(" ")
_SYSTEM_OF_BYTE: Final = np.array([SYSTEMS.find(chr(byte)) for byte in range(256)])
_CLOCK_WIDTH: Final = 60
# First and last column, least and greatest value of year, month, day, hour and minute.
_TIME_COLUMNS: Final = (
    (8, 12, 1980, 2200), (12, 15, 1, 12), (15, 18, 1, 31), (18, 21, 0, 23), (21, 24, 0, 59),
)  # fmt: skip


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
    records = np.flatnonzero(_is_satellite_clock(lines))
    if not len(records):
        raise MalformedInput("the clock file has no satellite clocks (AS)")
    times, epoch, satellites, column, value = _clock_columns(lines, records)
    clock_s = np.full((len(times), len(satellites)), np.nan)
    clock_s[epoch, column] = value
    places = np.full((*clock_s.shape, 3), np.nan)
    return PreciseTable(times, satellites, places, clock_s)


def _is_satellite_clock(lines: Lines) -> Bools:
    marked: Bools = (lines.block(np.arange(len(lines)), 3) == _RECORD).all(1)
    return marked


def _clock_columns(lines: Lines, records: Ints) -> tuple[Ints, Ints, Ints, Ints, Floats]:
    """Times, index of each record's, satellites, index of each record's, values in seconds.

    Records in the fixed columns of version 3.00 are read all at once, others word by word, which
    also says what is wrong with them.
    """
    block = lines.block(records, _CLOCK_WIDTH)
    at_ns, good = _times_at_once(block)
    satellite, known = _satellites_at_once(block[:, 3:6])
    value, read = _scientific(block[:, 40:59])
    plain = good & known & read & (block[:, 6:8] == _BLANK).all(1) & (block[:, 59] == _BLANK)
    for index in np.flatnonzero(~plain).tolist():
        number = int(records[index])
        parts = lines.text(number).split()
        if len(parts) < 10:
            raise MalformedInput("a clock line is cut", where=f"line {number + 1}")
        at_ns[index] = _time_ns(parts[2:8], number)
        satellite[index] = _satellite(parts[1], number)
        value[index] = _number(parts[9], number)
    times, epoch = np.unique(at_ns, return_inverse=True)
    satellites, column = np.unique(satellite, return_inverse=True)
    return times, epoch, satellites, column, value


def _times_at_once(block: Bytes) -> tuple[Ints, Bools]:
    """Nanoseconds of GPST of records, and which have a time in the columns of version 3.00.

    Records of one instant follow each other, so only the first of each run is read.
    """
    text = np.ascontiguousarray(block[:, 8:34]).view("S26")[:, 0]
    first = np.concatenate(([True], text[1:] != text[:-1]))
    run = np.cumsum(first) - 1
    at_ns, good = _different_times(block[first])
    return at_ns[run], good[run]


def _different_times(block: Bytes) -> tuple[Ints, Bools]:
    good = np.ones(len(block), bool)
    parts = []
    for first, last, least, most in _TIME_COLUMNS:
        number, blank, bad = integers(block[:, first:last])
        good &= ~blank & ~bad & (number >= least) & (number <= most)
        parts.append(np.where(good, number, least))
    second, blank, bad = decimals(block[:, 24:34], 6)
    good &= ~blank & ~bad & (second >= 0) & (second < 61)
    year, month, day, hour, minute = parts
    months = (year - 1970) * 12 + month - 1
    first_day = months.astype("M8[M]").astype("M8[D]")
    good &= day <= ((months + 1).astype("M8[M]").astype("M8[D]") - first_day).astype(np.int64)
    days = (first_day - _GPST_EPOCH.astype("M8[D]")).astype(np.int64) + day - 1
    whole_ns = ((days * 24 + hour) * 60 + minute) * 60 * _NS
    return whole_ns + np.rint(np.where(good, second, 0) * _NS).astype(np.int64), good


def _satellites_at_once(names: Bytes) -> tuple[Ints, Bools]:
    """Numbers of satellites named by three bytes, and which names are good."""
    system = _SYSTEM_OF_BYTE[names[:, 0]]
    prn, blank, bad = integers(names[:, 1:])
    return 100 * system + prn, (system >= 0) & ~blank & ~bad & (prn >= 0)


def _scientific(field: Bytes) -> tuple[Floats, Bools]:
    """Numbers of the form -0.123456789012E-03 (Fortran E19.12), and which of them are such.

    Exact: twelve digits are an integer below 2^53, and powers of ten to 22 are doubles too.
    """
    mantissa, blank, bad = decimals(field[:, :15], 12)
    minus = field[:, 16] == ord("-")
    signed = minus | (field[:, 16] == ord("+"))
    power, empty, wrong = integers(field[:, 17:19])
    fits = np.isin(field[:, 15], (ord("E"), ord("D"))) & signed & ~blank & ~bad & ~empty & ~wrong
    whole = np.rint(mantissa * 1e12)
    # Beyond the exact powers a word is read by itself.
    fits &= np.where(minus, power <= 10, power <= 12) & (np.abs(mantissa) < 10)
    shift = np.where(minus, 12 + power, 12 - power)
    return whole / 10.0 ** np.where(fits, shift, 0), fits


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
