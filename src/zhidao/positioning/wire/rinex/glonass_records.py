"""GLONASS records of RINEX 3 and 4 navigation files. Source: RINEX 3.05 table A10."""

from __future__ import annotations

import math
from typing import Any, Final

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.observables.signals import SYSTEMS
from zhidao.positioning.wire.fixed import Lines
from zhidao.positioning.wire.rinex.records import numbers_of, satellite_and_time

_NS: Final = 1_000_000_000
_GPST_EPOCH_UNIX_S: Final = 315_964_800


def glonass_record(lines: Lines, number: int, *, fourth: bool) -> dict[str, Any]:
    """One ephemeris as a row. fourth: the record has the line that RINEX 3.05 added.

    Raises MalformedInput for a missing element or an impossible orbit.
    """
    text = lines.text(number)
    prn, toe_utc_s = satellite_and_time(text, number)
    v = numbers_of(lines, number, 5 if fourth else 4)
    axes = [v[3:6], v[7:10], v[11:14]]
    if any(math.isnan(value) for value in (v[0], v[1], *axes[0], *axes[1], *axes[2])):
        raise MalformedInput(
            f"{text[:3]}: an element of the orbit is missing", where=f"line {number + 1}"
        )
    place_m = [axis[0] * 1000 for axis in axes]
    if not 2e7 < math.hypot(*place_m) < 3e7:
        raise MalformedInput(f"{text[:3]}: no such orbit", where=f"line {number + 1}")
    # The epoch is UTC, though counted here from the epoch of GPST without leap seconds.
    at = Utc.from_unix_ns((toe_utc_s + _GPST_EPOCH_UNIX_S) * _NS)
    channel = 0 if math.isnan(v[10]) else int(v[10])
    return {
        "satellite": 100 * SYSTEMS.index("R") + prn,
        "toe_ns": Gpst.from_utc(at).ns,
        "clock_s": v[0],
        "clock_rate": v[1],
        "place_m": place_m,
        "velocity_mps": [axis[1] * 1000 for axis in axes],
        "acceleration_mps2": [axis[2] * 1000 for axis in axes],
        "delay_s": v[16] if fourth else math.nan,
        # Some writers count channels below zero from 256 down.
        "channel": channel - 256 if channel > 128 else channel,
        "healthy": v[6] == 0,
    }
