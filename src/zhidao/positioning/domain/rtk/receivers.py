"""What one receiver saw, satellite by satellite, with the satellites at its own transmit times.

Both receivers of a pair must do this apart: their clocks differ by up to a millisecond, in which a
satellite moves four metres; with one position for both no ambiguity is a whole number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zhidao.positioning.domain.ephemeris import UNKNOWN, Navigation, choose, satellite_number
from zhidao.positioning.domain.observations import Floats, Ints, Observations, SystemObservations
from zhidao.positioning.domain.orbits import (
    clock_polynomial_s,
    rotation_radps,
    satellite_states,
)
from zhidao.positioning.domain.signals import SPEED_OF_LIGHT_MPS, carrier_hz


@dataclass(frozen=True, slots=True)
class Sightings:
    """One row a satellite and epoch of one system: satellite places and all signals' observations.

    code_m, phase_m (n, k): NaN where not observed or of lost lock with an open half cycle.
    place_m (n, 3), clock_m (n,): satellite place at the time of sending and its clock as length.
    wavelength_m (k,). rotation_radps: the Earth's, by the system.
    """

    system: str
    signals: tuple[str, ...]
    epoch: Ints
    satellite: Ints
    code_m: Floats
    phase_m: Floats
    place_m: Floats
    clock_m: Floats
    wavelength_m: Floats
    rotation_radps: float


def sightings(
    seen: Observations, navigation: Navigation, signals: Mapping[str, Sequence[str]]
) -> dict[str, Sightings]:
    """Sightings by system. signals: codes such as C2I by system letter; absent ones are ignored."""
    out = {}
    for system, wanted in signals.items():
        table = seen.systems.get(system)
        if table is None:
            continue
        present = tuple(code for code in wanted if code in table.codes)
        if present:
            out[system] = _sightings(seen, table, navigation, present)
    return out


def _sightings(
    seen: Observations,
    table: SystemObservations,
    navigation: Navigation,
    signals: tuple[str, ...],
) -> Sightings:
    code_m = np.stack([_column(table, code) for code in signals], 1)
    hertz = np.array([carrier_hz(table.system, code) for code in signals])
    wavelength_m = SPEED_OF_LIGHT_MPS / hertz
    phase_m = np.stack([_phase(table, "L" + code[1:]) for code in signals], 1) * wavelength_m
    first = np.argmax(np.isfinite(code_m), axis=1)
    range_m = code_m[np.arange(len(code_m)), first]
    satellite = satellite_number(table.system, table.prn)
    store = navigation.ephemerides
    row = choose(store, satellite, seen.gpst_ns[table.epoch])
    use = np.flatnonzero((row != UNKNOWN) & (range_m > 1e6) & (range_m < 1e8))
    eph = store.take(row[use])
    at_ns = seen.gpst_ns[table.epoch[use]]
    travel_s = range_m[use] / SPEED_OF_LIGHT_MPS
    states = satellite_states(eph, at_ns, -travel_s - clock_polynomial_s(eph, at_ns, -travel_s))
    return Sightings(
        table.system,
        signals,
        table.epoch[use],
        satellite[use],
        code_m[use],
        phase_m[use],
        states.ecef_m,
        states.clock_s * SPEED_OF_LIGHT_MPS,
        wavelength_m,
        float(rotation_radps(satellite[:1])[0]) if len(satellite) else 0.0,
    )


def _column(table: SystemObservations, code: str) -> Floats:
    values = table.column(code)
    return np.full(len(table.prn), np.nan) if values is None else values


def _phase(table: SystemObservations, code: str) -> Floats:
    """Cycles; NaN where half a cycle is open, RINEX 3.05 table A3 (bit 1 of the lock digit)."""
    values = _column(table, code)
    if code not in table.codes:
        return values
    half = table.lost_lock[:, table.codes.index(code)] & 2
    return np.where(half > 0, np.nan, values)
