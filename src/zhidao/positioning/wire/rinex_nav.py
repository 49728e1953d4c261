"""RINEX 2, 3 and 4 navigation files: ephemerides of all systems but SBAS and NavIC.

RINEX 4 adds the modern messages and records of time, Earth and ionosphere.
Source: RINEX 3.05 tables A5, A6, A8, A12, A14; RINEX 4.00 section 5.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.ephemeris import MESSAGES, Bdgim, Klobuchar, Navigation, table_of
from zhidao.positioning.domain.glonass import glonass_table
from zhidao.positioning.domain.signals import SYSTEMS
from zhidao.positioning.domain.system_records import SystemRecords, TimeOffset
from zhidao.positioning.wire.compression import plain_text
from zhidao.positioning.wire.fixed import Lines
from zhidao.positioning.wire.rinex2_nav import as_version3
from zhidao.positioning.wire.rinex4_records import header_offset, system_records
from zhidao.positioning.wire.rinex_civil import CIVIL_LINES, civil_record
from zhidao.positioning.wire.rinex_civil_gps import GPS_CIVIL_LINES, gps_civil_record
from zhidao.positioning.wire.rinex_glonass import glonass_record
from zhidao.positioning.wire.rinex_header import header_lines, version_and_type
from zhidao.positioning.wire.rinex_records import (
    BLANK,
    number_of,
    numbers_of,
    refuse_cut,
    satellite_and_time,
)

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
    ionosphere: dict[str, tuple[float, ...]] = {}
    comments: list[str] = []
    offsets: list[TimeOffset] = []
    first = 1
    for number, content, label in header_lines(lines):
        first = number + 2
        if label == "IONOSPHERIC CORR" and content[:3] in ("GPS", "BDS"):
            found = _header_coefficients(content, number)
            # With several BDS sets (one an hour and satellite) the first stands for the file.
            ionosphere.setdefault(content[:4], found)
        elif label == "TIME SYSTEM CORR":
            offsets.append(header_offset(content, number))
        elif label == "COMMENT":
            comments.append(content.rstrip())
    fourth = version.startswith("4")
    reader = _records4 if fourth else _records3
    rows, ionosphere = reader(lines, first, ionosphere, messages)
    glonass = [row for row in rows if row["satellite"] // 100 == _GLONASS]
    rows = [row for row in rows if row["satellite"] // 100 != _GLONASS]
    return Navigation(
        ephemerides=table_of(rows),
        klobuchar=_klobuchar(ionosphere),
        bdgim=_bdgim(ionosphere),
        glonass=glonass_table(glonass) if "R" in messages else None,
        records=system_records(lines, first) if fourth else SystemRecords(tuple(offsets)),
        simulated=any("SIMULATED" in text.upper() for text in comments),
        comments=tuple(comments),
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
        wanted = message in messages.get(name[:1], ())
        if kind == "EPH" and wanted and name[:1] in "GJ" and message in GPS_CIVIL_LINES:
            refuse_cut(lines, number + 1, number + 1 + GPS_CIVIL_LINES[message])
            rows.append(gps_civil_record(lines, number + 1, message))
        elif kind == "EPH" and wanted and message in CIVIL_LINES:
            refuse_cut(lines, number + 1, number + 1 + CIVIL_LINES[message])
            rows.append(civil_record(lines, number + 1, message))
        elif kind == "EPH" and wanted and message == "FDMA":
            refuse_cut(lines, number + 1, number + 6)
            rows.append(glonass_record(lines, number + 1, fourth=True))
        elif kind == "EPH" and wanted:
            refuse_cut(lines, number + 1, number + 2 + _FOLLOW[name[0]])
            row = _record(lines, number + 1, name[0], messages[name[0]])
            if row:
                rows.append(row)
        elif kind == "ION" and name[:1] == "C" and message == "CNVX":
            refuse_cut(lines, number + 1, number + 4)
            ionosphere.setdefault("BDGIM", (*numbers_of(lines, number + 1, 3)[:9],))
        elif kind == "ION" and name[:1] in "GC" and message in ("LNAV", "D1D2"):
            refuse_cut(lines, number + 1, number + 4)
            eight = numbers_of(lines, number + 1, 3)
            # The first line of an ION record holds a time and three values, the next ones four.
            system = "BDS" if message == "D1D2" else "GPS"
            ionosphere.setdefault(system + "A", (*eight[:4],))
            ionosphere.setdefault(system + "B", (*eight[4:8],))
    return rows, ionosphere


def _record(
    lines: Lines, number: int, system: str, messages: tuple[str, ...]
) -> dict[str, Any] | None:
    """One ephemeris as a row, or None for a message that single-frequency users do not take."""
    text = lines.text(number)
    prn, toc_s = satellite_and_time(text, number)
    v = numbers_of(lines, number, 8)
    if any(math.isnan(v[index]) for index in (*range(3), *range(4, 20), 21)):
        raise MalformedInput(
            f"{text[:3]}: an element of the orbit is missing", where=f"line {number + 1}"
        )
    if not (0 <= v[8] < 0.5 and 1000 < v[10] < 10_000 and 0 <= v[11] <= _WEEK_S):
        raise MalformedInput(f"{text[:3]}: no such orbit", where=f"line {number + 1}")
    week = v[21] + (_BDT_WEEK_OFFSET if system == "C" else 0)
    if not (0 < week < 10_000 and week.is_integer()):
        raise MalformedInput(f"{text[:3]}: week {v[21]}", where=f"line {number + 1}")
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
