"""RINEX 2, 3 and 4 navigation files: ephemerides of all systems but SBAS and NavIC.

RINEX 4 adds the modern messages and records of time, Earth and ionosphere.
Source: RINEX 3.05 tables A5, A6, A8, A12, A14; RINEX 4.00 section 5.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.observables.signals import SYSTEMS
from zhidao.positioning.domain.observables.system_records import SystemRecords, TimeOffset
from zhidao.positioning.domain.satellites.ephemeris import (
    MESSAGES,
    Bdgim,
    Klobuchar,
    Navigation,
    table_of,
)
from zhidao.positioning.domain.satellites.glonass import glonass_table
from zhidao.positioning.wire.compression import plain_text
from zhidao.positioning.wire.fixed import Lines
from zhidao.positioning.wire.rinex.bds_civil import CIVIL_LINES, civil_record
from zhidao.positioning.wire.rinex.glonass_records import glonass_record
from zhidao.positioning.wire.rinex.gps_civil import GPS_CIVIL_LINES, gps_civil_record
from zhidao.positioning.wire.rinex.header import header_lines, version_and_type
from zhidao.positioning.wire.rinex.records import (
    BLANK,
    number_of,
    numbers_of,
    refuse_cut,
    satellite_and_time,
)
from zhidao.positioning.wire.rinex.rinex2_navigation import as_version3
from zhidao.positioning.wire.rinex.rinex4_records import header_offset, system_records

NAVIGATION_BYTES_MAX: Final = 64 * 1024 * 1024
_NS: Final = 1_000_000_000
_GLONASS: Final = SYSTEMS.index("R")
_WEEK_S: Final = 604_800
_BDT_BEHIND_GPST_S: Final = 14
_BDT_WEEK_OFFSET: Final = 1356  # BDT week 0 began in GPS week 1356
# Lines of a record after its first, by system; RINEX 3.05 appendix tables.
_FOLLOW: Final = {"G": 7, "E": 7, "C": 7, "J": 7, "R": 3, "S": 3, "I": 7}
LEGACY: Final[Mapping[str, tuple[str, ...]]] = {
    "G": ("LNAV",), "E": ("INAV",), "C": ("D1", "D2", "D1D2"), "J": ("LNAV",),
}  # fmt: skip


WITH_GLONASS: Final = {**LEGACY, "R": ("FDMA",)}


@dataclass(slots=True)
class _Header:
    """What the lines before the records tell; `first_record` is the line behind them."""

    first_record: int = 1
    ionosphere: dict[str, tuple[float, ...]] = field(default_factory=dict)
    offsets: list[TimeOffset] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)


def _read_header(lines: Lines) -> _Header:
    out = _Header()
    for number, content, label in header_lines(lines):
        out.first_record = number + 2
        if label == "IONOSPHERIC CORR" and content[:3] in ("GPS", "BDS"):
            found = _header_coefficients(content, number)
            # With several BDS sets (one an hour and satellite) the first stands for the file.
            out.ionosphere.setdefault(content[:4], found)
        elif label == "TIME SYSTEM CORR":
            out.offsets.append(header_offset(content, number))
        elif label == "COMMENT":
            out.comments.append(content.rstrip())
    return out


def read_navigation(
    data: bytes,
    *,
    messages: Mapping[str, tuple[str, ...]] = LEGACY,
    bytes_max: int = NAVIGATION_BYTES_MAX,
) -> Navigation:
    """What a RINEX 2, 3 or 4 navigation file tells, plain or gzipped.

    messages: which messages of each system are wanted, such as {"C": ("CNV1",)} for the signals
    B1C and B2a; only one family a system should be, since a table holds one clock a satellite.
    Raises MalformedInput with the line for anything that is not such a file.
    """
    lines = Lines(plain_text(data, bytes_max=bytes_max))
    version, kind = version_and_type(lines)
    if version.startswith("2"):
        lines, kind = as_version3(lines, kind), "N"
    if kind != "N":
        raise MalformedInput(f"a RINEX file of type {kind!r}, not navigation", where="line 1")
    header = _read_header(lines)
    first = header.first_record
    fourth = version.startswith("4")
    reader = _records4 if fourth else _records3
    rows, ionosphere = reader(lines, first, header.ionosphere, messages)
    glonass = [row for row in rows if row["satellite"] // 100 == _GLONASS]
    rows = [row for row in rows if row["satellite"] // 100 != _GLONASS]
    return Navigation(
        ephemerides=table_of(rows),
        klobuchar=_klobuchar(ionosphere),
        bdgim=_bdgim(ionosphere),
        glonass=glonass_table(glonass) if "R" in messages else None,
        records=system_records(lines, first) if fourth else SystemRecords(tuple(header.offsets)),
        simulated=any("SIMULATED" in text.upper() for text in header.comments),
        comments=tuple(header.comments),
    )


def _header_coefficients(content: str, number: int) -> tuple[float, ...]:
    return tuple(number_of(content[start : start + 12], number, BLANK) for start in (5, 17, 29, 41))


def _klobuchar(ionosphere: dict[str, tuple[float, ...]]) -> Klobuchar | None:
    for name in ("BDS", "GPS"):
        alpha, beta = ionosphere.get(name + "A"), ionosphere.get(name + "B")
        if alpha and beta and all(map(math.isfinite, alpha + beta)):
            return Klobuchar(alpha[:4], beta[:4], bds=name == "BDS")  # type: ignore[arg-type]
    return None


def _bdgim(ionosphere: dict[str, tuple[float, ...]]) -> Bdgim | None:
    terms = ionosphere.get("BDGIM", ())
    return Bdgim(terms) if len(terms) == 9 and all(map(math.isfinite, terms)) else None


def _records3(
    lines: Lines,
    first: int,
    ionosphere: dict[str, tuple[float, ...]],
    messages: Mapping[str, tuple[str, ...]],
) -> tuple[list[dict[str, Any]], dict[str, tuple[float, ...]]]:
    rows = []
    number = first
    while number < len(lines):
        text = lines.text(number)
        if not text.strip():
            number += 1
            continue
        system = text[0]
        if system not in _FOLLOW:
            raise MalformedInput(f"no satellite: {text[:23]!r}", where=f"line {number + 1}")
        last = number + 1 + _FOLLOW[system]
        refuse_cut(lines, number, last)
        fourth = system == "R" and last < len(lines) and lines.text(last).startswith("    ")
        last += fourth  # RINEX 3.05 added a fourth line to GLONASS records.
        if system == "R" and system in messages:
            rows.append(glonass_record(lines, number, fourth=fourth))
        elif system in messages:
            row = _record(lines, number, system, messages[system])
            if row:
                rows.append(row)
        number = last
    return rows, ionosphere


def _records4(
    lines: Lines,
    first: int,
    ionosphere: dict[str, tuple[float, ...]],
    messages: Mapping[str, tuple[str, ...]],
) -> tuple[list[dict[str, Any]], dict[str, tuple[float, ...]]]:
    rows = []
    starts = np.flatnonzero(lines.lead(slice(first, len(lines))) == ord(">")) + first
    for number in starts.tolist():
        kind, name, message, *_ = [*lines.text(number)[1:].split(), "", "", ""]
        system = name[:1]
        if kind == "EPH" and message in messages.get(system, ()):
            row = _record4(lines, number + 1, system, message, messages[system])
            if row:
                rows.append(row)
        elif kind == "ION":
            _ionosphere4(lines, number + 1, system, message, ionosphere)
    return rows, ionosphere


def _record4(
    lines: Lines, number: int, system: str, message: str, messages: tuple[str, ...]
) -> dict[str, Any] | None:
    """An ephemeris of RINEX 4, whose second line has this number; None for one not taken."""
    if system in "GJ" and message in GPS_CIVIL_LINES:
        refuse_cut(lines, number, number + GPS_CIVIL_LINES[message])
        return gps_civil_record(lines, number, message)
    if message in CIVIL_LINES:
        refuse_cut(lines, number, number + CIVIL_LINES[message])
        return civil_record(lines, number, message)
    if message == "FDMA":
        refuse_cut(lines, number, number + 5)
        return glonass_record(lines, number, fourth=True)
    refuse_cut(lines, number, number + 1 + _FOLLOW[system])
    return _record(lines, number, system, messages)


def _ionosphere4(
    lines: Lines, number: int, system: str, message: str, found: dict[str, tuple[float, ...]]
) -> None:
    """Values of an ION record, whose second line has this number; the first of a kind counts."""
    if system == "C" and message == "CNVX":
        refuse_cut(lines, number, number + 3)
        found.setdefault("BDGIM", (*numbers_of(lines, number, 3)[:9],))
    elif system in ("G", "C") and message in ("LNAV", "D1D2"):
        refuse_cut(lines, number, number + 3)
        eight = numbers_of(lines, number, 3)
        # The first line of an ION record holds a time and three values, the next ones four.
        name = "BDS" if message == "D1D2" else "GPS"
        found.setdefault(name + "A", (*eight[:4],))
        found.setdefault(name + "B", (*eight[4:8],))


def _check_orbit(satellite: str, v: Sequence[float], week: float, *, where: str) -> None:
    """Raises MalformedInput where an element is missing, or is that of no navigation satellite."""
    if any(math.isnan(v[index]) for index in (*range(3), *range(4, 20), 21)):
        raise MalformedInput(f"{satellite}: an element of the orbit is missing", where=where)
    eccentricity, root_a, toe_s = v[8], v[10], v[11]
    if not (0 <= eccentricity < 0.5 and 1000 < root_a < 10_000 and 0 <= toe_s <= _WEEK_S):
        raise MalformedInput(f"{satellite}: no such orbit", where=where)
    if not (0 < week < 10_000 and week.is_integer()):
        raise MalformedInput(f"{satellite}: week {v[21]}", where=where)


def _record(
    lines: Lines, number: int, system: str, messages: tuple[str, ...]
) -> dict[str, Any] | None:
    """One ephemeris as a row, or None for a message that single-frequency users do not take."""
    text = lines.text(number)
    prn, toc_s = satellite_and_time(text, number)
    v = numbers_of(lines, number, 8)
    week = v[21] + (_BDT_WEEK_OFFSET if system == "C" else 0)
    _check_orbit(text[:3], v, week, where=f"line {number + 1}")
    shift_s = _BDT_BEHIND_GPST_S if system == "C" else 0
    message = _message(system, prn, v[20])
    if system == "E" and message not in messages:
        return None
    row = {name: v[index] for name, index in _ORBIT.items()}
    return row | {
        "satellite": 100 * SYSTEMS.index(system) + prn,
        "toc_ns": (toc_s + shift_s) * _NS,
        "toe_ns": (int(week) * _WEEK_S + shift_s) * _NS + round(v[11] * _NS),
        "healthy": _is_healthy(system, v[24]),
        "accuracy_m": v[23] if v[23] > 0 else BLANK,
        "delay1_s": v[25],
        "delay2_s": v[26] if system in "CE" else BLANK,
        "issue": 0 if math.isnan(v[3]) else int(v[3]),
        "message": MESSAGES.index(message),
    }


# Place of each element among the values of a record.
_ORBIT: Final = {
    "clock_bias_s": 0,
    "clock_drift": 1,
    "clock_drift_rate": 2,
    "crs": 4,
    "mean_motion_difference": 5,
    "mean_anomaly": 6,
    "cuc": 7,
    "eccentricity": 8,
    "cus": 9,
    "root_a": 10,
    "toe_of_week_s": 11,
    "cic": 12,
    "node": 13,
    "cis": 14,
    "inclination": 15,
    "crc": 16,
    "perigee": 17,
    "node_rate": 18,
    "inclination_rate": 19,
}


def _message(system: str, prn: int, sources: float) -> str:
    """Which message a record holds. Galileo data sources: RINEX 3.05 table A8.

    Bits 0 and 2 say I/NAV and bit 1 F/NAV; bit 8 is the clock of E5a and E1, bit 9 of E5b and E1.
    """
    if system == "E":
        bits = 0 if math.isnan(sources) else int(sources)
        if bits & 0b101 and not bits & 0x100:
            return "INAV"
        return "FNAV" if bits & 0b010 else ""
    if system == "C":
        return "D2" if prn <= 5 or prn >= 59 else "D1"
    return "LNAV"


def _is_healthy(system: str, health: float) -> bool:
    if math.isnan(health):
        return False
    # Galileo: bits 0 to 2 are E1-B data validity and signal health, RINEX 3.05 table A8.
    return int(health) & 7 == 0 if system == "E" else health == 0
