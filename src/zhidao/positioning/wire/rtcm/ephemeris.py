"""Ephemeris messages 1019, 1042, 1044, 1045 and 1046 to rows of the ephemeris table, and back.

Source: RTCM 10403.3 tables 3.5-21 and following (not at hand; checked on recorded streams, and on
navigation files that were encoded and decoded again).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.observables.signals import SYSTEMS
from zhidao.positioning.domain.satellites.ephemeris import Ephemerides
from zhidao.positioning.wire.bits import Layout
from zhidao.positioning.wire.rtcm.frame import message_number

_NS: Final = 1_000_000_000
_WEEK_S: Final = 604_800
_BDT_BEHIND_GPST_S: Final = 14
_BDT_WEEK: Final = 1356
_GST_WEEK: Final = 1024
_PI: Final = 3.1415926535898  # IS-GPS-200 and BDS-SIS-ICD fix their semicircles by this value.
# User range accuracy in metres by index as RINEX writers print it, RINEX 3.05 section 6.
_URA_M: Final = (2.0, 2.8, 4.0, 5.7, 8.0, 11.3, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)


@dataclass(frozen=True, slots=True)
class _Message:
    """How one message number stores a system's ephemeris."""

    system: str
    layout: Layout
    scale: Mapping[str, float]
    week_bits: int
    week_zero: int
    time_step_s: int


_ANGLES: Final = {
    "inclination_rate": 2**-43 * _PI,
    "mean_motion_difference": 2**-43 * _PI,
    "mean_anomaly": 2**-31 * _PI,
    "node": 2**-31 * _PI,
    "inclination": 2**-31 * _PI,
    "perigee": 2**-31 * _PI,
    "node_rate": 2**-43 * _PI,
    "eccentricity": 2**-33,
    "root_a": 2**-19,
}
_GPS_SCALE: Final = _ANGLES | {
    "clock_drift_rate": 2**-55,
    "clock_drift": 2**-43,
    "clock_bias_s": 2**-31,
    "crs": 2**-5,
    "crc": 2**-5,
    **dict.fromkeys(("cuc", "cus", "cic", "cis"), 2**-29),
    "delay1_s": 2**-31,
}
_GALILEO_SCALE: Final = _GPS_SCALE | {
    "clock_drift_rate": 2**-59,
    "clock_drift": 2**-46,
    "clock_bias_s": 2**-34,
    "delay1_s": 2**-32,
    "delay2_s": 2**-32,
}
_BDS_SCALE: Final = _ANGLES | {
    "clock_drift_rate": 2**-66,
    "clock_drift": 2**-50,
    "clock_bias_s": 2**-33,
    "crs": 2**-6,
    "crc": 2**-6,
    **dict.fromkeys(("cuc", "cus", "cic", "cis"), 2**-31),
    "delay1_s": 1e-10,
    "delay2_s": 1e-10,
}
_ORBIT: Final = (
    "crs:i{0} mean_motion_difference:i16 mean_anomaly:i32 cuc:i{0} eccentricity:32 cus:i{0} "
    "root_a:32 toe:{1} cic:i{0} node:i32 cis:i{0} inclination:i32 crc:i{0} perigee:i32 "
    "node_rate:i24 "
)
_GALILEO: Final = (
    "number:12 prn:6 week:12 issue:10 accuracy:8 inclination_rate:i14 toc:14 "
    "clock_drift_rate:i6 clock_drift:i21 clock_bias_s:i31 " + _ORBIT.format(16, 14)
)
_MESSAGES: Final = {
    1019: _Message(
        "G",
        Layout.of(
            "number:12 prn:6 week:10 accuracy:4 l2_code:2 inclination_rate:i14 issue:8 toc:16 "
            "clock_drift_rate:i8 clock_drift:i16 clock_bias_s:i22 iodc:10 "
            + _ORBIT.format(16, 16)
            + "delay1_s:i8 health:6 l2p:1 fit:1"
        ),
        _GPS_SCALE,
        10,
        0,
        16,
    ),
    1044: _Message(
        "J",
        Layout.of(
            "number:12 prn:4 toc:16 clock_drift_rate:i8 clock_drift:i16 clock_bias_s:i22 issue:8 "
            + _ORBIT.format(16, 16)
            + "inclination_rate:i14 l2_code:2 week:10 accuracy:4 health:6 delay1_s:i8 iodc:10 fit:1"
        ),
        _GPS_SCALE,
        10,
        0,
        16,
    ),
    1042: _Message(
        "C",
        Layout.of(
            "number:12 prn:6 week:13 accuracy:4 inclination_rate:i14 issue:5 toc:17 "
            "clock_drift_rate:i11 clock_drift:i22 clock_bias_s:i24 aodc:5 "
            + _ORBIT.format(18, 17)
            + "delay1_s:i10 delay2_s:i10 health:1"
        ),
        _BDS_SCALE,
        13,
        _BDT_WEEK,
        8,
    ),
    1045: _Message(
        "E",
        Layout.of(_GALILEO + "delay1_s:i10 health:2 invalid:1 reserved:7"),
        _GALILEO_SCALE,
        12,
        _GST_WEEK,
        60,
    ),
    1046: _Message(
        "E",
        Layout.of(
            _GALILEO + "delay1_s:i10 delay2_s:i10 e5b_health:2 e5b_invalid:1 health:2 invalid:1 "
            "reserved:2"
        ),
        _GALILEO_SCALE,
        12,
        _GST_WEEK,
        60,
    ),
}
NUMBERS: Final = frozenset(_MESSAGES)
_NUMBER_OF: Final = {"G": 1019, "J": 1044, "C": 1042, "E": 1046}


def decode_ephemeris(payload: bytes, *, near_gpst_ns: int) -> dict[str, Any]:
    """One row for `ephemeris.table_of`.

    near_gpst_ns: any instant within half of the message's week cycle (ten bits for GPS: 19.6
    years), which settles the week. Raises MalformedInput for another or a cut message.
    """
    number = message_number(payload)
    form = _MESSAGES.get(number)
    if form is None:
        raise MalformedInput(f"RTCM {number} is no ephemeris that is read here")
    return row_of(form.system, form.layout.read(payload), near_gpst_ns=near_gpst_ns, number=number)


def row_of(
    system: str, v: Mapping[str, int], *, near_gpst_ns: int, number: int | None = None
) -> dict[str, Any]:
    """A row for `ephemeris.table_of` out of the raw whole numbers of a broadcast message.

    v: by the names of the RTCM layouts, whose scales are those of the messages from the sky.
    """
    form = _MESSAGES[number or _NUMBER_OF[system]]
    shift_s = _BDT_BEHIND_GPST_S if form.system == "C" else 0
    week = _nearest_week(v["week"] + form.week_zero, 1 << form.week_bits, near_gpst_ns)
    toe_s, toc_s = v["toe"] * form.time_step_s, v["toc"] * form.time_step_s
    # The week belongs to toe; toc may lie across its edge.
    toc_shift_s = round((toe_s - toc_s) / _WEEK_S) * _WEEK_S
    row: dict[str, Any] = {name: v[name] * scale for name, scale in form.scale.items() if name in v}
    row.setdefault("delay2_s", math.nan)
    return row | {
        "satellite": 100 * SYSTEMS.index(form.system) + v["prn"],
        "toe_ns": (week * _WEEK_S + toe_s + shift_s) * _NS,
        "toc_ns": (week * _WEEK_S + toc_s + toc_shift_s + shift_s) * _NS,
        "toe_of_week_s": float(toe_s),
        "accuracy_m": _accuracy_m(form.system, v["accuracy"]),
        "healthy": v["health"] == 0 and not v.get("invalid", 0),
        "issue": v["issue"],
    }


def raw_of(payload: bytes) -> dict[str, int]:
    """The raw whole numbers of an ephemeris message by name. Raises MalformedInput for others."""
    form = _MESSAGES.get(message_number(payload))
    if form is None:
        raise MalformedInput("no RTCM ephemeris that is read here")
    return form.layout.read(payload)


def _nearest_week(week: int, cycle: int, near_gpst_ns: int) -> int:
    now = near_gpst_ns // (_WEEK_S * _NS)
    return week + round((now - week) / cycle) * cycle


def _accuracy_m(system: str, index: int) -> float:
    if system != "E":
        return _URA_M[index] if index < len(_URA_M) else math.nan
    # Galileo OS SIS ICD section 5.1.12.
    if index <= 49:
        return index * 0.01
    if index <= 74:
        return 0.5 + (index - 50) * 0.02
    if index <= 99:
        return 1 + (index - 75) * 0.04
    return 2 + (index - 100) * 0.16 if index <= 125 else math.nan


def encode_ephemeris(store: Ephemerides, row: int) -> bytes:
    """The message of one row: 1019, 1042, 1044 or 1046 by its system.

    Raises MalformedInput where a value does not fit its field. The issue of clock is written as
    the issue of the ephemeris, since the table holds one.
    """
    system = SYSTEMS[int(store.satellite[row]) // 100]
    if system not in _NUMBER_OF:
        raise MalformedInput(f"no RTCM ephemeris of ours for the system {system}")
    number = _NUMBER_OF[system]
    form = _MESSAGES[number]
    shift_ns = _BDT_BEHIND_GPST_S * _NS if system == "C" else 0
    week_s, toe_s = divmod((int(store.toe_ns[row]) - shift_ns) // _NS, _WEEK_S)
    toc_s = (int(store.toc_ns[row]) - shift_ns) // _NS % _WEEK_S
    values = {}
    for name, scale in form.scale.items():
        value = float(getattr(store, name)[row])
        values[name] = 0 if math.isnan(value) else round(value / scale)
    issue_bits = next(f.width for f in form.layout.fields if f.name == "issue")
    issue = int(store.issue[row]) & ((1 << issue_bits) - 1)
    values |= {
        "number": number,
        "prn": int(store.satellite[row]) % 100,
        "week": (week_s - form.week_zero) % (1 << form.week_bits),
        "toe": toe_s // form.time_step_s,
        "toc": toc_s // form.time_step_s,
        "accuracy": _accuracy_index(system, float(store.accuracy_m[row])),
        "health": 0 if store.healthy[row] else 1,
        "issue": issue,
        "iodc": issue,
        "aodc": issue,
    }
    return form.layout.write(values)


def _accuracy_index(system: str, accuracy_m: float) -> int:
    top = 255 if system == "E" else 15
    indexes = range(126) if system == "E" else range(15)
    if math.isnan(accuracy_m):
        return top
    fitting = [i for i in indexes if _accuracy_m(system, i) >= accuracy_m - 1e-6]
    return fitting[0] if fitting else top
