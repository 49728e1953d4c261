"""Doppler and strengths beside the ranges of a solution, cell by cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from zhidao.positioning.domain.ephemeris import UNKNOWN, Navigation, choose, satellite_number
from zhidao.positioning.domain.glonass import choose_glonass
from zhidao.positioning.domain.glonass_orbits import glonass_states
from zhidao.positioning.domain.measurements import Measurements
from zhidao.positioning.domain.observations import Floats, Ints, Observations
from zhidao.positioning.domain.orbits import satellite_states
from zhidao.positioning.domain.settings import Settings
from zhidao.positioning.domain.signals import (
    SPEED_OF_LIGHT_MPS,
    SYSTEMS,
    carrier_hz,
    glonass_carrier_hz,
)

_HALF_S: Final = 0.5
_GLONASS: Final = SYSTEMS.index("R")
_KEYS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside ranges: shapes (e, s), NaN where nothing does.

    rate_mps: change of the range by Doppler; strength_dbhz; code_m: the raw range of that signal.
    """

    rate_mps: Floats
    strength_dbhz: Floats
    code_m: Floats


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
            nothing = np.full(len(code_m), np.nan)
            doppler, strength = table.column("D" + code[1:]), table.column("S" + code[1:])
            rate = nothing if doppler is None else -doppler * wave_m
            part = np.stack((rate, nothing if strength is None else strength, code_m), 1)
            use = free & np.isfinite(code_m)
            free &= ~use
            keys.append((table.epoch * _KEYS + satellite)[use])
            columns.append(part[use])
    return Beside(*_spread(data, keys, columns))


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
) -> tuple[Floats, Floats, Floats]:
    out = np.full((*data.present.shape, 3), np.nan)
    if keys:
        key, values = np.concatenate(keys), np.concatenate(columns)
        order = np.argsort(key, kind="stable")
        asked = np.arange(len(data.gpst_ns))[:, None] * _KEYS + data.satellite
        place = np.minimum(np.searchsorted(key[order], asked), len(key) - 1)
        row = order[place]
        known = data.present & (key[row] == asked)
        out[known] = values[row[known]]
    return out[..., 0], out[..., 1], out[..., 2]


@dataclass(frozen=True, slots=True)
class Motion:
    """Velocities of satellites in the Earth-fixed frame (e, s, 3) and drifts of clocks (e, s)."""

    velocity_mps: Floats
    drift: Floats


def motion(data: Measurements, navigation: Navigation) -> Motion:
    """How satellites move when they send, by a central difference over one second; NaN unknown."""
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
        pair = [glonass_states(known, at[use], early_s[use] + h) for h in (-_HALF_S, _HALF_S)]
        velocity[epoch[use], cell[use]] = pair[1].ecef_m - pair[0].ecef_m
        drift[epoch[use], cell[use]] = pair[1].clock_s - pair[0].clock_s
    return Motion(velocity, drift)
