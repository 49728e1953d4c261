"""Doppler and strengths beside the ranges of a solution, cell by cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from zhidao.positioning.domain.observables.observations import (
    Floats,
    Ints,
    Observations,
    SystemObservations,
)
from zhidao.positioning.domain.observables.signals import (
    SPEED_OF_LIGHT_MPS,
    SYSTEMS,
    carrier_hz,
    glonass_carrier_hz,
)
from zhidao.positioning.domain.satellites.ephemeris import (
    UNKNOWN,
    Navigation,
    choose,
    satellite_number,
)
from zhidao.positioning.domain.satellites.glonass import choose_glonass
from zhidao.positioning.domain.satellites.glonass_orbits import glonass_velocity_mps
from zhidao.positioning.domain.satellites.orbits import satellite_states
from zhidao.positioning.domain.single_point.measurements import Measurements
from zhidao.positioning.domain.solver_settings import Settings

_HALF_S: Final = 0.5
_GLONASS: Final = SYSTEMS.index("R")
_KEYS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside ranges: shapes (e, s), NaN where nothing does.

    rate_mps: change of the range by Doppler; strength_dbhz; code_m: the raw range of that signal;
    phase_m: its carrier phase in metres; slipped: 1 where the receiver says that it lost lock of
    it since the epoch before, NaN where there is no phase.
    """

    rate_mps: Floats
    strength_dbhz: Floats
    code_m: Floats
    phase_m: Floats
    slipped: Floats


def beside(
    seen: Observations, data: Measurements, settings: Settings, navigation: Navigation
) -> Beside:
    """Doppler, strength and range of the first signal that each satellite has, for every cell."""
    keys, columns = [], []
    for system, text in settings.signals.items():
        table = seen.systems.get(system)
        if table is None:
            continue
        free = np.ones(len(table.prn), bool)
        for code in dict.fromkeys(part.split("+")[0] for part in text.split("/")):
            code_m = table.column(code)
            if code_m is None:
                continue
            satellite = satellite_number(system, table.prn)
            wave_m = SPEED_OF_LIGHT_MPS / _carriers(
                system, code, satellite, seen.gpst_ns[table.epoch], navigation
            )
            part = _signal(table, code, code_m, wave_m)
            use = free & np.isfinite(code_m)
            free &= ~use
            keys.append((table.epoch * _KEYS + satellite)[use])
            columns.append(part[use])
    return Beside(*_spread(data, keys, columns))


def _signal(table: SystemObservations, code: str, code_m: Floats, wave_m: Floats) -> Floats:
    """Rate, strength, range, phase and slip of one signal, (n, 5)."""
    nothing = np.full(len(code_m), np.nan)
    doppler, strength = table.column("D" + code[1:]), table.column("S" + code[1:])
    phase = table.column("L" + code[1:])
    slipped = nothing
    if phase is not None:
        # Bit 0 of the indicator: lock was lost since the epoch before (RINEX 3.05 table 13).
        lost = table.lost_lock[:, table.codes.index("L" + code[1:])] & 1
        slipped = np.where(np.isfinite(phase), lost, np.nan)
    return np.stack(
        (
            nothing if doppler is None else -doppler * wave_m,
            nothing if strength is None else np.where(strength > 0, strength, np.nan),
            code_m,
            nothing if phase is None else phase * wave_m,
            slipped,
        ),
        1,
    )


def _carriers(
    system: str, code: str, satellite: Ints, at_ns: Ints, navigation: Navigation
) -> Floats:
    if system != "R":
        return np.full(len(satellite), carrier_hz(system, code))
    store = navigation.glonass
    if store is None:
        return np.full(len(satellite), np.nan)
    row = choose_glonass(store, satellite, at_ns)
    found = glonass_carrier_hz(code, store.channel[np.maximum(row, 0)])
    return np.where(row == UNKNOWN, np.nan, found)


def _spread(
    data: Measurements, keys: list[Ints], columns: list[Floats]
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    out = np.full((*data.present.shape, 5), np.nan)
    if keys:
        key, values = np.concatenate(keys), np.concatenate(columns)
        order = np.argsort(key, kind="stable")
        asked = np.arange(len(data.gpst_ns))[:, None] * _KEYS + data.satellite
        place = np.minimum(np.searchsorted(key[order], asked), len(key) - 1)
        row = order[place]
        known = data.present & (key[row] == asked)
        out[known] = values[row[known]]
    return out[..., 0], out[..., 1], out[..., 2], out[..., 3], out[..., 4]


@dataclass(frozen=True, slots=True)
class Motion:
    """Velocities of satellites in the Earth-fixed frame (e, s, 3) and drifts of clocks (e, s)."""

    velocity_mps: Floats
    drift: Floats


def motion(data: Measurements, navigation: Navigation) -> Motion:
    """How satellites move when they send; NaN where that is unknown.

    By a central difference over one second, of GLONASS by the velocity that its steps carry.
    """
    velocity = np.full((*data.present.shape, 3), np.nan)
    drift = np.full(data.present.shape, np.nan)
    epoch, cell = np.nonzero(data.present)
    satellite, at = data.satellite[epoch, cell], data.gpst_ns[epoch]
    early_s = -data.range_m[epoch, cell] / SPEED_OF_LIGHT_MPS
    row = choose(navigation.ephemerides, satellite, at)
    use = np.flatnonzero(row != UNKNOWN)
    eph = navigation.ephemerides.take(row[use])
    ends = [satellite_states(eph, at[use], early_s[use] + h) for h in (-_HALF_S, _HALF_S)]
    velocity[epoch[use], cell[use]] = ends[1].ecef_m - ends[0].ecef_m
    drift[epoch[use], cell[use]] = ends[1].clock_s - ends[0].clock_s
    store = navigation.glonass
    mine = np.flatnonzero(satellite // 100 == _GLONASS)
    if store is not None and len(mine):
        row = choose_glonass(store, satellite[mine], at[mine])
        use = mine[row != UNKNOWN]
        known = store.take(row[row != UNKNOWN])
        velocity[epoch[use], cell[use]] = glonass_velocity_mps(known, at[use], early_s[use])
        drift[epoch[use], cell[use]] = known.clock_rate
    return Motion(velocity, drift)
