"""Satellite places and clocks of precise products, and what they are between their times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from zhidao.core.compiling import ready
from zhidao.positioning.domain.observables.brief import Brief
from zhidao.positioning.domain.observables.observations import Floats, Ints
from zhidao.positioning.domain.observables.signals import SPEED_OF_LIGHT_MPS
from zhidao.positioning.domain.satellites.orbits import SatelliteStates

# Places around an instant that a polynomial runs through: degree 10, as is usual for 15 minutes.
_POINTS: Final = 11
_ROTATION_RADPS: Final = 7.2921151467e-5
# From this many rows on, the import of numba costs less than it saves.
_LOADING_PAYS: Final = 20_000


@dataclass(frozen=True, slots=True, repr=False)
class PreciseTable(Brief):
    """gpst_ns (t,) rising, satellite (s,) numbers, place_m (t, s, 3), clock_s (t, s); NaN = none.

    Places are of the centre of mass in SP3 files.
    """

    gpst_ns: Ints
    satellite: Ints
    place_m: Floats
    clock_s: Floats

    def followed_by(self, later: PreciseTable) -> PreciseTable:
        """Both tables in one; where both have a time the later table counts."""
        times = np.union1d(self.gpst_ns, later.gpst_ns)
        satellites = np.union1d(self.satellite, later.satellite)
        place_m = np.full((len(times), len(satellites), 3), np.nan)
        clock_s = np.full((len(times), len(satellites)), np.nan)
        for part in (self, later):
            rows = np.searchsorted(times, part.gpst_ns)
            columns = np.searchsorted(satellites, part.satellite)
            place_m[np.ix_(rows, columns)] = part.place_m
            clock_s[np.ix_(rows, columns)] = part.clock_s
        return PreciseTable(times, satellites, place_m, clock_s)


def precise_places_m(
    table: PreciseTable, satellite: Ints, gpst_ns: Ints, fraction_s: Floats
) -> Floats:
    """Places (n, 3) at gpst_ns + fraction_s in the Earth-fixed frame of that instant; NaN outside.

    Interpolated by Newton's divided differences over eleven times, after turning all of them into
    the frame of the instant asked for, since in the turning frame orbits bend more.
    """
    out = np.full((len(satellite), 3), np.nan)
    if len(table.gpst_ns) < _POINTS:
        return out
    column = np.searchsorted(table.satellite, satellite)
    column = np.minimum(column, len(table.satellite) - 1)
    first = np.searchsorted(table.gpst_ns, gpst_ns) - (_POINTS + 1) // 2
    first = np.clip(first, 0, len(table.gpst_ns) - _POINTS)
    rows = first[:, None] + np.arange(_POINTS)
    inside = (gpst_ns >= table.gpst_ns[0]) & (gpst_ns <= table.gpst_ns[-1])
    known = (table.satellite[column] == satellite) & inside
    t = (table.gpst_ns[rows] - gpst_ns[:, None]) * 1e-9 - fraction_s[:, None]
    place = table.place_m[rows, column[:, None]]
    sine, cosine = np.sin(_ROTATION_RADPS * t), np.cos(_ROTATION_RADPS * t)
    x = cosine * place[..., 0] - sine * place[..., 1]
    y = sine * place[..., 0] + cosine * place[..., 1]
    values = np.stack((x, y, place[..., 2]), -1)
    out[known] = _at_zero(t[known], values[known])
    return out


def _at_zero(t: Floats, values: Floats) -> Floats:
    """Polynomials through values (n, k, 3) at t (n, k), at zero, by Neville's scheme."""
    work = values.copy()
    count = t.shape[1]
    for step in range(1, count):
        left, right = t[:, : count - step, None], t[:, step:, None]
        work = (left * work[:, 1:] - right * work[:, :-1]) / (left - right)
    result: Floats = work[:, 0]
    return result


def precise_clocks_s(
    table: PreciseTable, satellite: Ints, gpst_ns: Ints, fraction_s: Floats
) -> Floats:
    """Clocks (n,) by straight lines between neighbouring times; NaN where one is missing."""
    if len(table.gpst_ns) < 2:
        return np.full(len(satellite), np.nan)
    column = np.minimum(np.searchsorted(table.satellite, satellite), len(table.satellite) - 1)
    low = np.clip(
        np.searchsorted(table.gpst_ns, gpst_ns, side="right") - 1, 0, len(table.gpst_ns) - 2
    )
    span_s = (table.gpst_ns[low + 1] - table.gpst_ns[low]) * 1e-9
    part = ((gpst_ns - table.gpst_ns[low]) * 1e-9 + fraction_s) / span_s
    inside = (part >= -0.1) & (part <= 1.1) & (table.satellite[column] == satellite)
    a, b = table.clock_s[low, column], table.clock_s[low + 1, column]
    return np.where(inside, a + part * (b - a), np.nan)


def precise_motion(
    table: PreciseTable, satellite: Ints, gpst_ns: Ints, fraction_s: Floats
) -> tuple[Floats, Floats]:
    """Places (n, 3) and inertial velocities (n, 3), both in the Earth-fixed axes of the instant.

    Compiled where that is at hand and pays; NaN outside of the table.
    """
    if len(table.gpst_ns) < _POINTS or not ready(pays=len(satellite) >= _LOADING_PAYS):
        return _plain_motion(table, satellite, gpst_ns, fraction_s)
    from zhidao.positioning.domain.kernels.precise_orbits import interpolate

    column = np.minimum(np.searchsorted(table.satellite, satellite), len(table.satellite) - 1)
    column = np.where(table.satellite[column] == satellite, column, -1)
    found = np.full((len(satellite), 6), np.nan)
    interpolate(
        table.gpst_ns,
        np.ascontiguousarray(table.place_m),
        column,
        np.ascontiguousarray(gpst_ns),
        np.ascontiguousarray(fraction_s),
        _POINTS,
        _ROTATION_RADPS,
        found,
    )
    return found[:, :3], found[:, 3:]


def _plain_motion(
    table: PreciseTable, satellite: Ints, gpst_ns: Ints, fraction_s: Floats
) -> tuple[Floats, Floats]:
    """The same by differences over a second of places, turned into one frame."""
    half_s = 0.5
    here = precise_places_m(table, satellite, gpst_ns, fraction_s)
    after = precise_places_m(table, satellite, gpst_ns, fraction_s + half_s)
    before = precise_places_m(table, satellite, gpst_ns, fraction_s - half_s)
    turn = np.array((-1.0, 1.0)) * _ROTATION_RADPS
    velocity = (after - before) / (2 * half_s)
    velocity[:, :2] += turn * here[:, 1::-1]
    return here, velocity


def precise_states(
    orbits: PreciseTable, clocks: PreciseTable, satellite: Ints, gpst_ns: Ints, fraction_s: Floats
) -> SatelliteStates:
    """Places and clocks with the relativistic term that precise clocks leave to the user."""
    here, velocity_mps = precise_motion(orbits, satellite, gpst_ns, fraction_s)
    pace = np.einsum("ni,ni->n", here, velocity_mps)
    clock_s = precise_clocks_s(clocks, satellite, gpst_ns, fraction_s)
    return SatelliteStates(here, clock_s - 2 * pace / SPEED_OF_LIGHT_MPS**2)
