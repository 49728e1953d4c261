"""STO, EOP and ION records of RINEX 4 navigation files, and TIME SYSTEM CORR of RINEX 3 headers.

Source: RINEX 4.00 tables A31 to A36 (not at hand; read from a day of merged records).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.observables.system_records import (
    EarthOrientation,
    IonosphereTerms,
    SystemRecords,
    TimeOffset,
)
from zhidao.positioning.wire.fixed import Lines
from zhidao.positioning.wire.rinex.records import (
    BLANK,
    clock_time,
    number_of,
    numbers_of,
    refuse_cut,
)
from zhidao.positioning.wire.rinex.times import gpst_ns_of

_NS: Final = 1_000_000_000
_WEEK_S: Final = 604_800
_SCALE: Final = {"C": "BDT", "R": "GLO"}
# Numbers of an ION record by message: of the first line on, three and then four a line.
ION_TERMS: Final = {"LNAV": 8, "D1D2": 8, "CNVX": 9, "IFNV": 4, "L1NV": 8}


def system_records(lines: Lines, first: int) -> SystemRecords:
    """All STO, EOP and ION records behind the header of `first` lines.

    Raises MalformedInput for a cut record or a field that is no number.
    """
    offsets, orientation, ionosphere = [], [], []
    starts = np.flatnonzero(lines.lead(slice(first, len(lines))) == ord(">")) + first
    for number in starts.tolist():
        kind, satellite, message, region, *_ = [
            *lines.text(number)[1:].split(),
            *([""] * 4),
        ]
        if kind == "STO":
            offsets.append(_offset(lines, number, satellite, message))
        elif kind == "EOP":
            orientation.append(_orientation(lines, number, satellite, message))
        elif kind == "ION":
            ionosphere.append(_ionosphere(lines, number, satellite, message, region))
    return SystemRecords(tuple(offsets), tuple(orientation), tuple(ionosphere))


def _at(lines: Lines, number: int, satellite: str) -> int:
    """GPST of the first line of a record, which tells the system's own time."""
    told_s = clock_time(lines.text(number), number)
    scale = _SCALE.get(satellite[:1], "GPS")
    return int(gpst_ns_of(np.array([told_s * _NS], np.int64), scale)[0])


def _offset(lines: Lines, number: int, satellite: str, message: str) -> TimeOffset:
    refuse_cut(lines, number + 1, number + 3)
    text = lines.text(number + 1)
    values = [
        number_of(lines.text(number + 2)[start : start + 19], number + 2, 0.0)
        for start in (4, 23, 42, 61)
    ]
    words = (text[24:42].strip(), text[43:61].strip(), text[62:80].strip())
    if len(words[0]) != 4 or not words[0].isalpha():
        raise MalformedInput(f"no pair of time scales: {words[0]!r}", where=f"line {number + 2}")
    at_ns = _at(lines, number + 1, satellite)
    a0, a1, a2 = values[1:]
    return TimeOffset(words[0], at_ns, (a0, a1, a2), satellite, message, values[0], *words[1:])


def _orientation(lines: Lines, number: int, satellite: str, message: str) -> EarthOrientation:
    refuse_cut(lines, number + 1, number + 4)
    v = [0.0 if math.isnan(value) else value for value in numbers_of(lines, number + 1, 3)]
    at_ns = _at(lines, number + 1, satellite)
    x, y, ut1 = (v[0], v[1], v[2]), (v[4], v[5], v[6]), (v[8], v[9], v[10])
    return EarthOrientation(at_ns, x, y, ut1, satellite, message, v[7])


def _ionosphere(
    lines: Lines, number: int, satellite: str, message: str, region: str
) -> IonosphereTerms:
    count = 9 if message == "CNVX" and satellite[:1] == "C" else ION_TERMS.get(message, 8)
    if message == "CNVX" and satellite[:1] != "C":
        count = 8
    rows = 1 + -(-(count - 3) // 4)
    refuse_cut(lines, number + 1, number + 1 + rows)
    terms = tuple(numbers_of(lines, number + 1, rows)[:count])
    return IonosphereTerms(
        _at(lines, number + 1, satellite), terms, satellite, message, region.strip()
    )


def header_offset(content: str, number: int) -> TimeOffset:
    """A TIME SYSTEM CORR line of a RINEX 3 header, its week being that of GPST or of BDT.

    Raises MalformedInput for a field that is no number.
    """
    a0 = number_of(content[5:22], number, BLANK)
    a1 = number_of(content[22:38], number, BLANK)
    second = number_of(content[38:45].strip(), number, 0.0)
    week = number_of(content[45:50].strip(), number, 0.0)
    if not (0 <= second <= _WEEK_S and 0 <= week < 10_000 and week.is_integer()):
        raise MalformedInput(f"no such time: {content[38:50]!r}", where=f"line {number + 1}")
    shift_s = 14 + 1356 * _WEEK_S if content[:2] == "BD" else 0
    at_ns = (int(week) * _WEEK_S + int(second) + shift_s) * _NS
    sbas, utc = content[51:56].strip(), content[57:59].strip()
    return TimeOffset(content[:4], at_ns, (a0, a1, 0.0), sbas=sbas, utc=utc)
