"""Orbit and clock corrections as they come, and the states of satellites with them applied.

A clock counts only together with the orbit of the same issue (IOD Corr) and mask (IODP), an orbit
only for the ephemeris that it names (IODN): all else would mix two solutions.
Source: BDS-SIS-ICD-PPP-B2b 1.0 section 7 (not at hand).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from zhidao.positioning.domain.observations import Bools, Floats
from zhidao.positioning.domain.orbits import SatelliteStates
from zhidao.positioning.domain.signals import SPEED_OF_LIGHT_MPS

# How long a correction holds, in seconds: ICD section 6.2, by message type.
ORBIT_AGE_S_MAX: Final = 96
CLOCK_AGE_S_MAX: Final = 12
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Correction:
    """What is known of one satellite: radial, along, cross and clock in metres, and the issue."""

    iodn: int
    orbit_m: tuple[float, float, float]
    clock_m: float
    accuracy_m: float


@dataclass(slots=True)
class CorrectionStore:
    """Corrections by satellite number. Seconds are BDT seconds of day."""

    mask: dict[int, tuple[int, ...]] = field(default_factory=dict)
    orbits: dict[int, tuple[int, int, int, tuple[float, float, float], float]] = field(
        default_factory=dict
    )
    clocks: dict[int, list[tuple[int, int, float]]] = field(default_factory=dict)

    def set_mask(self, iodp: int, satellites: Sequence[int]) -> None:
        """Takes a mask; clocks of message 4 are places in the mask of the same IODP."""
        self.mask[iodp] = tuple(satellites)

    def set_orbit(
        self,
        satellite: int,
        *,
        second: int,
        iodn: int,
        iod_corr: int,
        orbit_m: tuple[float, float, float],
        accuracy_m: float,
    ) -> None:
        """Takes an orbit correction."""
        self.orbits[satellite] = (second, iodn, iod_corr, orbit_m, accuracy_m)

    def set_clock(
        self, *, iodp: int | None, place: int, satellite: int, second: int, iod_corr: int,
        clock_m: float,
    ) -> None:  # fmt: skip
        """Takes a clock by its place in a known mask, or by its satellite where that is given."""
        if not satellite:
            known = self.mask.get(-1 if iodp is None else iodp, ())
            if place >= len(known):
                return
            satellite = known[place]
        # The last of each of two issues: an orbit of the next issue may come before its clock.
        kept = [c for c in self.clocks.get(satellite, ()) if c[1] != iod_corr][-1:]
        self.clocks[satellite] = [*kept, (second, iod_corr, clock_m)]

    def at(self, satellite: int, second: int) -> Correction | None:
        """What holds for a satellite at a second of day, or None."""
        found = self.orbits.get(satellite)
        if found is None or _age(second, found[0]) > ORBIT_AGE_S_MAX:
            return None
        _, iodn, iod_corr, orbit_m, accuracy_m = found
        for at, issue, clock_m in self.clocks.get(satellite, ()):
            fresh = _age(second, at) <= CLOCK_AGE_S_MAX
            if issue == iod_corr and fresh and np.isfinite((clock_m, *orbit_m)).all():
                return Correction(iodn, orbit_m, clock_m, accuracy_m)
        return None


def _age(now: int, then: int) -> int:
    """Seconds from `then` to `now`, over midnight too; corrections from the future are too old."""
    return (now - then) % _DAY_S


def corrected_states(
    states: SatelliteStates,
    velocity_mps: Floats,
    corrections: Sequence[Correction | None],
) -> tuple[SatelliteStates, Bools]:
    """Broadcast states with corrections taken off, and which rows had one.

    velocity_mps (n, 3): inertial velocities in the axes of the Earth-fixed frame. The correction is
    subtracted along (radial, along, cross), and the clock's is subtracted as length.
    """
    rows = np.array([correction is not None for correction in corrections], bool)
    deltas = np.array([c.orbit_m if c else (0.0, 0.0, 0.0) for c in corrections]).reshape(-1, 3)
    clock_m = np.array([c.clock_m if c else 0.0 for c in corrections])
    radial = states.ecef_m / np.linalg.norm(states.ecef_m, axis=1, keepdims=True)
    normal = np.cross(states.ecef_m, velocity_mps)
    cross = normal / np.linalg.norm(normal, axis=1, keepdims=True)
    axes = np.stack((radial, np.cross(cross, radial), cross), 1)
    place_m = states.ecef_m - np.einsum("nij,ni->nj", axes, deltas)
    return SatelliteStates(place_m, states.clock_s - clock_m / SPEED_OF_LIGHT_MPS), rows
