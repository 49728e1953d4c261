"""Orbit and clock corrections as they come, and the states of satellites with them applied.

A clock counts only together with the orbit of the same issue (IOD Corr) and mask (IODP), an orbit
only for the ephemeris that it names (IODN): all else would mix two solutions.
Source: BDS-SIS-ICD-PPP-B2b 1.0 section 7 (not at hand).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from zhidao.core.timescale import BDT_BEHIND_GPST_S
from zhidao.positioning.domain.observables.observations import Floats, Ints
from zhidao.positioning.domain.observables.signals import SPEED_OF_LIGHT_MPS
from zhidao.positioning.domain.satellites.orbits import SatelliteStates

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
    orbits: dict[int, list[tuple[int, int, int, tuple[float, float, float], float]]] = field(
        default_factory=dict
    )
    clocks: dict[int, list[tuple[int, int, float]]] = field(default_factory=dict)
    code_bias_m: dict[tuple[int, str], float] = field(default_factory=dict)

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
        # The last of each of two issues: clocks of the last one count until those of the next come.
        kept = [o for o in self.orbits.get(satellite, ()) if o[2] != iod_corr][-1:]
        self.orbits[satellite] = [*kept, (second, iodn, iod_corr, orbit_m, accuracy_m)]

    def set_clock(
        self, *, iodp: int | None, place: int, satellite: int, second: int, iod_corr: int,
        clock_m: float,
    ) -> None:  # fmt: skip
        """Takes a clock by its place in a known mask, or by its satellite where that is given."""
        if not satellite:
            known = self.mask.get(-1 if iodp is None else iodp, ())
            if not 0 <= place < len(known):
                return
            satellite = known[place]
        # The last of each of two issues: an orbit of the next issue may come before its clock.
        kept = [c for c in self.clocks.get(satellite, ()) if c[1] != iod_corr][-1:]
        self.clocks[satellite] = [*kept, (second, iod_corr, clock_m)]

    def at(self, satellite: int, second: int) -> Correction | None:
        """What holds for a satellite at a second of day, or None."""
        for sent, iodn, iod_corr, orbit_m, accuracy_m in reversed(self.orbits.get(satellite, ())):
            if _age(second, sent) > ORBIT_AGE_S_MAX:
                continue
            for at, issue, clock_m in self.clocks.get(satellite, ()):
                fresh = _age(second, at) <= CLOCK_AGE_S_MAX
                if issue == iod_corr and fresh and np.isfinite((clock_m, *orbit_m)).all():
                    return Correction(iodn, orbit_m, clock_m, accuracy_m)
        return None


def _age(now: int, then: int) -> int:
    """Seconds from `then` to `now`, over midnight too; corrections from the future are too old."""
    return (now - then) % _DAY_S


def orbit_axes(place_m: Floats, velocity_mps: Floats) -> Floats:
    """Radial, along and cross as rows, (n, 3, 3)."""
    radial = place_m / np.linalg.norm(place_m, axis=1, keepdims=True)
    normal = np.cross(place_m, velocity_mps)
    cross = normal / np.linalg.norm(normal, axis=1, keepdims=True)
    return np.stack((radial, np.cross(cross, radial), cross), 1)


def without(
    states: SatelliteStates, velocity_mps: Floats, *, orbit_m: Floats, clock_m: Floats
) -> SatelliteStates:
    """States less orbit_m (n, 3) along radial, along and cross, and less clock_m (n,) as length."""
    axes = orbit_axes(states.ecef_m, velocity_mps)
    place_m = states.ecef_m - np.einsum("nij,ni->nj", axes, orbit_m)
    return SatelliteStates(place_m, states.clock_s - clock_m / SPEED_OF_LIGHT_MPS)


@dataclass(frozen=True, slots=True)
class CorrectionSeries:
    """What held at each instant: gpst_ns (t,) rising, satellite (s,) rising numbers.

    iodn (t, s): issue of the ephemeris to correct, -1 where nothing holds. orbit_m (t, s, 3),
    clock_m (t, s): NaN there. code_bias_m: by satellite and signal such as 1P, of the last message.
    """

    gpst_ns: Ints
    satellite: Ints
    iodn: Ints
    orbit_m: Floats
    clock_m: Floats
    code_bias_m: Mapping[tuple[int, str], float]

    def at(self, satellite: Ints, gpst_ns: Ints) -> tuple[Ints, Floats, Floats]:
        """Issue, orbit and clock for each row, by the last instant that is not later."""
        if not len(self.gpst_ns) or not len(self.satellite):
            count = len(satellite)
            return np.full(count, -1), np.full((count, 3), np.nan), np.full(count, np.nan)
        row = np.searchsorted(self.gpst_ns, gpst_ns, side="right") - 1
        column = np.minimum(np.searchsorted(self.satellite, satellite), len(self.satellite) - 1)
        fresh = gpst_ns - self.gpst_ns[np.maximum(row, 0)] <= CLOCK_AGE_S_MAX * 1_000_000_000
        good = (row >= 0) & fresh & (self.satellite[column] == satellite)
        row = np.maximum(row, 0)
        iodn = np.where(good, self.iodn[row, column], -1)
        return iodn, self.orbit_m[row, column], self.clock_m[row, column]


def snapshots(
    steps: Iterable[tuple[int, CorrectionStore]], satellites: Sequence[int]
) -> CorrectionSeries:
    """A series from (GPST nanoseconds, the store as it stood then); the store may be one object."""
    names = sorted(satellites)
    times: list[int] = []
    issues, orbits, clocks = [], [], []
    biases: dict[tuple[int, str], float] = {}
    for gpst_ns, store in steps:
        second = (gpst_ns // 1_000_000_000 - BDT_BEHIND_GPST_S) % _DAY_S
        found = [store.at(satellite, second) for satellite in names]
        times.append(gpst_ns)
        issues.append([c.iodn if c else -1 for c in found])
        orbits.append([c.orbit_m if c else (np.nan,) * 3 for c in found])
        clocks.append([c.clock_m if c else np.nan for c in found])
        biases = dict(store.code_bias_m)
    shape = (len(times), len(names))
    return CorrectionSeries(
        np.array(times, np.int64),
        np.array(names, np.int64),
        np.array(issues, np.int64).reshape(shape),
        np.array(orbits, np.float64).reshape((*shape, 3)),
        np.array(clocks, np.float64).reshape(shape),
        biases,
    )
