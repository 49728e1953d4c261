"""RINEX 4 records of the CNAV and CNAV-2 messages of GPS and QZSS.

Source: RINEX 4.00 tables A9 and A10 (not at hand; checked on a day of real records, whose orbits
agree with those of LNAV). Group delays: IS-GPS-200 section 30.3.3.3.1.1.
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
# CNAV-2 has one more line, with the corrections of L1C.
GPS_CIVIL_LINES: Final = {"CNAV": 9, "CNV2": 10}
PLACES: Final = {
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
HEALTH, TGD, ISC_L1CA, ISC_L2C, ISC_L5Q = 24, 25, 27, 28, 30


def gps_civil_record(lines: Lines, number: int, message: str) -> dict[str, Any]:
    """One ephemeris as a row. Raises MalformedInput for a missing or impossible element."""
    text = lines.text(number)
    prn, toc_s = satellite_and_time(text, number)
    v = numbers_of(lines, number, GPS_CIVIL_LINES[message])
    row: dict[str, Any] = {name: v[place] for name, place in PLACES.items()}
    if any(math.isnan(value) for value in row.values()):
        raise MalformedInput(
            f"{text[:3]}: an element of the orbit is missing", where=f"line {number + 1}"
        )
    if not (0 <= v[8] < 0.5 and 1000 < v[10] < 10_000):
        raise MalformedInput(f"{text[:3]}: no such orbit", where=f"line {number + 1}")
    # Three bits say which of L1, L2 and L5 is unhealthy (IS-GPS-200 section 30.3.3.1.1.2): without
    # L1 or L2 the message is; without L5 its delay is left unknown, so that nobody ranges on it.
    health = 7 if math.isnan(v[HEALTH]) else int(v[HEALTH])
    return row | {
        "satellite": 100 * SYSTEMS.index(text[0]) + prn,
        # The message has one reference time for orbit and clock.
        "toc_ns": toc_s * _NS,
        "toe_ns": toc_s * _NS,
        "toe_of_week_s": float(toc_s % _WEEK_S),
        "delay1_s": v[TGD] - v[ISC_L1CA],
        "delay2_s": v[TGD] - v[ISC_L2C],
        "delay3_s": math.nan if health & 1 else v[TGD] - v[ISC_L5Q],
        # URA of CNAV is an index of elevation and non-elevation parts: left unknown.
        "accuracy_m": math.nan,
        "healthy": health & 0b110 == 0,
        "issue": 0,
        "message": MESSAGES.index("CNAV"),
    }
