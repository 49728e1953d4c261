"""What one receiver saw, satellite by satellite, with the satellites at its own transmit times.

Both receivers of a pair must do this apart: their clocks differ by up to a millisecond, in which a
satellite moves four metres; with one position for both no ambiguity is a whole number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from zhidao.positioning.domain.observables.observations import (
    Bools,
    Floats,
    Ints,
    Observations,
    SystemObservations,
)
from zhidao.positioning.domain.observables.signals import (
    SPEED_OF_LIGHT_MPS,
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
from zhidao.positioning.domain.satellites.glonass_orbits import glonass_states
from zhidao.positioning.domain.satellites.orbits import (
    SatelliteStates,
    clock_polynomial_s,
    rotation_radps,
    satellite_states,
)

# What no receiver near the Earth measures; a phase may have begun at any number.
_RANGE_M: Final = (1e6, 1e8)
_CYCLES_MAX: Final = 1e11


@dataclass(frozen=True, slots=True)
class TrackedSignals:
    """One row a satellite and epoch of one system: satellite places and all signals' observations.

    code_m, phase_m (n, k): NaN where not observed or of lost lock with an open half cycle.
    place_m (n, 3), clock_m (n,): satellite place at the time of sending and its clock as length.
    wavelength_m (k,): NaN for GLONASS, whose ambiguities are no whole numbers between channels.
    rotation_radps: the Earth's, by the system. slipped (n, k): the receiver lost lock. Rows come by
    epoch.
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
    slipped: Bools

    def rows(self, epoch: int) -> Ints:
        """Rows of one epoch."""
        first, last = np.searchsorted(self.epoch, (epoch, epoch + 1))
        return np.arange(first, last)


def tracked_signals(
    seen: Observations, navigation: Navigation, signals: Mapping[str, Sequence[str]]
) -> dict[str, TrackedSignals]:
    """Tracked signals, by system. signals: codes such as C2I by system; absent: ignored."""
    out = {}
    for system, wanted in signals.items():
        table = seen.systems.get(system)
        if table is None:
            continue
        present = tuple(code for code in wanted if code in table.codes)
        if present:
            out[system] = _tracked(seen, table, navigation, present)
    return out


def _tracked(
    seen: Observations,
    table: SystemObservations,
    navigation: Navigation,
    signals: tuple[str, ...],
) -> TrackedSignals:
    code_m = np.stack([_column(table, code) for code in signals], 1)
    code_m = np.where((code_m > _RANGE_M[0]) & (code_m < _RANGE_M[1]), code_m, np.nan)
    cycles, slipped = zip(*(_phase(table, "L" + code[1:]) for code in signals), strict=True)
    first = np.argmax(np.isfinite(code_m), axis=1)
    range_m = code_m[np.arange(len(code_m)), first]
    satellite = satellite_number(table.system, table.prn)
    at_ns = seen.gpst_ns[table.epoch]
    near = np.isfinite(range_m)
    if table.system == "R":
        use, states, wave_m = _glonass(navigation, satellite, at_ns, range_m, near, signals)
        whole_m = np.full(len(signals), np.nan)
    else:
        use, states = _keplerian(navigation, satellite, at_ns, range_m, near)
        hertz = np.array([carrier_hz(table.system, code) for code in signals])
        wave_m = whole_m = SPEED_OF_LIGHT_MPS / hertz
    return TrackedSignals(
        table.system,
        signals,
        table.epoch[use],
        satellite[use],
        code_m[use],
        np.stack(cycles, 1)[use] * wave_m,
        states.ecef_m,
        states.clock_s * SPEED_OF_LIGHT_MPS,
        whole_m,
        float(rotation_radps(satellite[:1])[0]) if len(satellite) else 0.0,
        np.stack(slipped, 1)[use],
    )


def _keplerian(
    navigation: Navigation, satellite: Ints, at_ns: Ints, range_m: Floats, near: Bools
) -> tuple[Ints, SatelliteStates]:
    """Rows with an ephemeris, and states at their times of sending."""
    store = navigation.ephemerides
    row = choose(store, satellite, at_ns)
    use = np.flatnonzero((row != UNKNOWN) & near)
    eph = store.take(row[use])
    travel_s = range_m[use] / SPEED_OF_LIGHT_MPS
    early_s = -travel_s - clock_polynomial_s(eph, at_ns[use], -travel_s)
    return use, satellite_states(eph, at_ns[use], early_s)


def _glonass(
    navigation: Navigation,
    satellite: Ints,
    at_ns: Ints,
    range_m: Floats,
    near: Bools,
    signals: tuple[str, ...],
) -> tuple[Ints, SatelliteStates, Floats]:
    """The same for GLONASS, with the wavelengths of each satellite's channel, (n, k)."""
    store = navigation.glonass
    if store is None or not len(store):
        none = np.zeros(0, np.int64)
        zero = SatelliteStates(np.zeros((0, 3)), np.zeros(0))
        return none, zero, np.zeros((0, len(signals)))
    row = choose_glonass(store, satellite, at_ns)
    use = np.flatnonzero((row != UNKNOWN) & near)
    eph = store.take(row[use])
    states = glonass_states(eph, at_ns[use], -range_m[use] / SPEED_OF_LIGHT_MPS - eph.clock_s)
    hertz = np.stack([glonass_carrier_hz(code, eph.channel) for code in signals], 1)
    return use, states, SPEED_OF_LIGHT_MPS / hertz


def _column(table: SystemObservations, code: str) -> Floats:
    values = table.column(code)
    return np.full(len(table.prn), np.nan) if values is None else values


def _phase(table: SystemObservations, code: str) -> tuple[Floats, Bools]:
    """Cycles, NaN where half a cycle is open, and whether lock was lost: the lock digit's bits.

    Source: RINEX 3.05 table A3.
    """
    values = _column(table, code)
    if code not in table.codes:
        return values, np.zeros(len(values), bool)
    digit = table.lost_lock[:, table.codes.index(code)]
    good = (digit & 2 == 0) & (np.abs(values) < _CYCLES_MAX)
    return np.where(good, values, np.nan), (digit & 1).astype(bool)
