"""GLONASS ephemerides, message 1020, to rows of the GLONASS table and back.

Source: RTCM 10403.3 table 3.5-22, GLONASS ICD 5.1 tables 4.5 and 4.13 (not at hand; checked on
recorded streams and on a day of navigation records that were encoded and decoded again).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.observables.signals import SYSTEMS
from zhidao.positioning.domain.satellites.glonass import GlonassEphemerides
from zhidao.positioning.wire.bits import Layout
from zhidao.positioning.wire.rtcm.frame import message_number

NUMBER: Final = 1020
_NS: Final = 1_000_000_000
_DAY_S: Final = 86_400
_MOSCOW_S: Final = 3 * 3600
_STEP_S: Final = 900
_SLOTS: Final = 96  # Quarters of an hour in a day.
_DAYS_OF_FOUR_YEARS: Final = 1461
_FIRST_DAY: Final = 9496  # 1996-01-01 in days since 1970-01-01, where counting of N4 starts.
_PLACE_M: Final = 1000 * 2.0**-11
_VELOCITY_MPS: Final = 1000 * 2.0**-20
_ACCELERATION_MPS2: Final = 1000 * 2.0**-30
_TAU_S: Final = 2.0**-30
_GAMMA: Final = 2.0**-40
# An unknown delay between L1 and L2 is all ones but the sign: the greatest negative number.
_DELAY_UNKNOWN: Final = -15
LAYOUT: Final = Layout.of(
    "number:12 slot:6 channel:5 almanac_health:1 almanac_health_known:1 p1:2 tk:12 bn:1 p2:1 tb:7 "
    "xv:s24 x:s27 xa:s5 yv:s24 y:s27 ya:s5 zv:s24 z:s27 za:s5 p3:1 gamma:s11 p:2 ln3:1 tau:s22 "
    "delta_tau:s5 en:5 p4:1 ft:4 nt:11 m:2 more:1 na:11 tau_c:s32 n4:5 tau_gps:s22 ln5:1 "
    "reserved:7"
)


def decode_glonass(payload: bytes, *, near_gpst_ns: int) -> dict[str, Any]:
    """One row for `glonass.glonass_table`.

    near_gpst_ns: within half a day of the message, which settles the day where the message (of an
    old satellite) does not tell it. Raises MalformedInput for another or a cut message, and for a
    time or slot that there is not.
    """
    if message_number(payload) != NUMBER:
        raise MalformedInput(f"RTCM {message_number(payload)} is no 1020")
    return glonass_row(LAYOUT.read(payload), near_gpst_ns=near_gpst_ns)


def glonass_row(v: Mapping[str, int], *, near_gpst_ns: int) -> dict[str, Any]:
    """A row out of the raw whole numbers of a message, by the names of `LAYOUT`.

    Raises MalformedInput for a slot, a channel or a time that there is not.
    """
    if not (1 <= v["slot"] <= 32 and v["tb"] < _SLOTS and v["channel"] <= 20):
        raise MalformedInput("GLONASS: no such slot, channel or time")
    axes = "xyz"
    unknown = v["delta_tau"] == _DELAY_UNKNOWN
    return {
        "satellite": 100 * SYSTEMS.index("R") + v["slot"],
        "toe_ns": _toe_ns(v, near_gpst_ns),
        "clock_s": -v["tau"] * _TAU_S,
        "clock_rate": v["gamma"] * _GAMMA,
        "place_m": [v[axis] * _PLACE_M for axis in axes],
        "velocity_mps": [v[axis + "v"] * _VELOCITY_MPS for axis in axes],
        "acceleration_mps2": [v[axis + "a"] * _ACCELERATION_MPS2 for axis in axes],
        "delay_s": math.nan if unknown else v["delta_tau"] * _TAU_S,
        "channel": v["channel"] - 7,
        "healthy": v["bn"] == 0 and v["ln3"] == 0,
    }


def _toe_ns(v: Mapping[str, int], near_gpst_ns: int) -> int:
    """GPST of tb, a time of the Moscow day."""
    now_s = Gpst(near_gpst_ns).to_utc().unix_ns // _NS + _MOSCOW_S
    if v["nt"] and v["n4"]:
        day = _FIRST_DAY + _DAYS_OF_FOUR_YEARS * (v["n4"] - 1) + v["nt"] - 1
    else:
        day = round((now_s - v["tb"] * _STEP_S) / _DAY_S)
    unix_s = day * _DAY_S + v["tb"] * _STEP_S - _MOSCOW_S
    return Gpst.from_utc(Utc.from_unix_ns(unix_s * _NS)).ns


def encode_glonass(store: GlonassEphemerides, row: int) -> bytes:
    """Message 1020 of one row. Raises MalformedInput where a value does not fit its field."""
    moscow_s = Gpst(int(store.toe_ns[row])).to_utc().unix_ns // _NS + _MOSCOW_S
    day, second = divmod(moscow_s, _DAY_S)
    four_years, day_of_them = divmod(day - _FIRST_DAY, _DAYS_OF_FOUR_YEARS)
    delay_s = float(store.delay_s[row])
    values = {
        "number": NUMBER,
        "slot": int(store.satellite[row]) % 100,
        "channel": int(store.channel[row]) + 7,
        "tk": second // 3600 << 7 | second // 60 % 60 << 1,
        "bn": int(not store.healthy[row]),
        "tb": second // _STEP_S,
        "gamma": round(float(store.clock_rate[row]) / _GAMMA),
        "tau": round(-float(store.clock_s[row]) / _TAU_S),
        "delta_tau": _DELAY_UNKNOWN if math.isnan(delay_s) else round(delay_s / _TAU_S),
        "nt": day_of_them + 1,
        "m": 1,
        "n4": four_years + 1,
    }
    for index, axis in enumerate("xyz"):
        values[axis] = round(float(store.place_m[row, index]) / _PLACE_M)
        values[axis + "v"] = round(float(store.velocity_mps[row, index]) / _VELOCITY_MPS)
        values[axis + "a"] = round(float(store.acceleration_mps2[row, index]) / _ACCELERATION_MPS2)
    return LAYOUT.write(values)
