"""RINEX 4 records of the modern BDS messages B-CNAV-1, B-CNAV-2 and B-CNAV-3.

Source: RINEX 4.00 tables A14 to A16 (not at hand; checked on a day of real records, whose orbits
agree with those of D1).
"""

from __future__ import annotations

import math
from typing import Any, Final

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.observables.signals import SYSTEMS
from zhidao.positioning.domain.satellites.ephemeris import MESSAGES
from zhidao.positioning.wire.fixed import Lines
from zhidao.positioning.wire.rinex.records import numbers_of, satellite_and_time

_NS: Final = 1_000_000_000
_WEEK_S: Final = 604_800
_BDT_BEHIND_GPST_S: Final = 14
CIVIL_LINES: Final = {"CNV1": 10, "CNV2": 10, "CNV3": 9}
_PLACES: Final = {
    "clock_bias_s": 0,
    "clock_drift": 1,
    "clock_drift_rate": 2,
    "axis_rate_mps": 3,
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
    "mean_motion_rate": 20,
}


def civil_record(lines: Lines, number: int, message: str) -> dict[str, Any]:
    """One ephemeris as a row. Raises MalformedInput for a missing or impossible element."""
    text = lines.text(number)
    prn, toc_s = satellite_and_time(text, number)
    v = numbers_of(lines, number, CIVIL_LINES[message])
    row: dict[str, Any] = {name: v[place] for name, place in _PLACES.items()}
    if any(math.isnan(value) for value in row.values()):
        raise MalformedInput(
            f"{text[:3]}: an element of the orbit is missing", where=f"line {number + 1}"
        )
    toe_s = row["toe_of_week_s"]
    if not (0 <= v[8] < 0.5 and 1000 < v[10] < 10_000 and 0 <= toe_s <= _WEEK_S):
        raise MalformedInput(f"{text[:3]}: no such orbit", where=f"line {number + 1}")
    # The record has no week: toe is the one nearest to toc.
    week_s = toc_s // _WEEK_S * _WEEK_S
    week_s += round((toc_s - week_s - toe_s) / _WEEK_S) * _WEEK_S
    delays = _delays(v, message)
    return row | {
        "satellite": 100 * SYSTEMS.index("C") + prn,
        "toc_ns": (toc_s + _BDT_BEHIND_GPST_S) * _NS,
        "toe_ns": (week_s + _BDT_BEHIND_GPST_S) * _NS + round(toe_s * _NS),
        "delay1_s": delays[0],
        "delay2_s": delays[1],
        "delay3_s": delays[2],
        # SISAI is an index of a table of its own, which is no range accuracy: left unknown.
        "accuracy_m": math.nan,
        "healthy": _is_healthy(message, v),
        "issue": 0 if message == "CNV3" or math.isnan(v[38]) else int(v[38]),
        "message": MESSAGES.index(message),
    }


def _delays(v: list[float], message: str) -> tuple[float, float, float]:
    if message == "CNV3":
        return v[30], math.nan, math.nan
    return v[29], v[30], v[27] if message == "CNV1" else v[28]


def _is_healthy(message: str, v: list[float]) -> bool:
    """Health 0, and none of the integrity flags (data, signal, accuracy) set where told."""
    health, flags = (v[28], v[29]) if message == "CNV3" else (v[32], v[33])
    return health == 0 and not flags > 0
