"""Broadcast ephemerides with corrections such as PPP-B2b: the ephemeris that each names, corrected.

PPP-B2b corrects B-CNAV-1 of BDS by its IODC and LNAV of GPS by its IODC, of which IODE is the lower
eight bits. Source: BDS-SIS-ICD-PPP-B2b 1.0 section 6.2.2 (not at hand; checked on an hour of real
frames, where issues and orbits fit).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from zhidao.positioning.domain.observables.observations import Floats, Ints
from zhidao.positioning.domain.observables.signals import SYSTEMS
from zhidao.positioning.domain.satellites.corrections import CorrectionSeries, without
from zhidao.positioning.domain.satellites.ephemeris import AGE_S_MAX, UNKNOWN, Ephemerides
from zhidao.positioning.domain.satellites.orbits import (
    SatelliteStates,
    rotation_radps,
    satellite_states,
)

_GPS: Final = SYSTEMS.index("G")
_HALF_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class CorrectedProducts:
    """Ephemerides of one message a system, corrected by what held at each instant."""

    ephemerides: Ephemerides
    corrections: CorrectionSeries

    @property
    def code_bias_m(self) -> Mapping[tuple[int, str], float]:
        """What is taken off a code. See `Products`."""
        return self.corrections.code_bias_m

    def states(self, satellite: Ints, gpst_ns: Ints, fraction_s: Floats) -> SatelliteStates:
        """Antenna places and clocks; NaN without a correction or without its ephemeris."""
        place_m, clock_s = np.full((len(satellite), 3), np.nan), np.full(len(satellite), np.nan)
        iodn, orbit_m, clock_m = self.corrections.at(satellite, gpst_ns)
        row = choose_issue(self.ephemerides, satellite, gpst_ns, iodn)
        use = np.flatnonzero((row != UNKNOWN) & np.isfinite(clock_m))
        if not len(use):
            return SatelliteStates(place_m, clock_s)
        eph = self.ephemerides.take(row[use])
        states, velocity_mps = broadcast_motion(eph, gpst_ns[use], fraction_s[use])
        found = without(states, velocity_mps, orbit_m=orbit_m[use], clock_m=clock_m[use])
        place_m[use], clock_s[use] = found.ecef_m, found.clock_s
        return SatelliteStates(place_m, clock_s)


def broadcast_motion(
    eph: Ephemerides, gpst_ns: Ints, fraction_s: Floats
) -> tuple[SatelliteStates, Floats]:
    """States, and inertial velocities (n, 3) in the Earth-fixed axes of the instant."""
    here = satellite_states(eph, gpst_ns, fraction_s)
    after = satellite_states(eph, gpst_ns, fraction_s + _HALF_S)
    before = satellite_states(eph, gpst_ns, fraction_s - _HALF_S)
    velocity = (after.ecef_m - before.ecef_m) / (2 * _HALF_S)
    turn = rotation_radps(eph.satellite)
    velocity[:, 0] -= turn * here.ecef_m[:, 1]
    velocity[:, 1] += turn * here.ecef_m[:, 0]
    return here, velocity


def choose_issue(store: Ephemerides, satellite: Ints, gpst_ns: Ints, iodn: Ints) -> Ints:
    """Row of the healthy ephemeris of the named issue, or UNKNOWN; shape (n,).

    Issues come back after days; one whose reference time is too far away is another one.
    """
    out = np.full(len(satellite), UNKNOWN, np.int64)
    for number in np.unique(satellite).tolist():
        first, last = np.searchsorted(store.satellite, (number, number + 1))
        mask = 0xFF if number // 100 == _GPS else 0x3FF
        age_ns = AGE_S_MAX.get(SYSTEMS[number // 100], 0) * 1_000_000_000
        rows = np.flatnonzero((satellite == number) & (iodn >= 0))
        for index in range(int(first), int(last)):
            named = (iodn[rows] & mask) == (store.issue[index] & mask)
            near = np.abs(store.toe_ns[index] - gpst_ns[rows]) <= age_ns
            if store.healthy[index]:
                out[rows[named & near]] = index
    return out
