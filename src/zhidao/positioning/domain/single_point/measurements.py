"""Ranges of all epochs side by side, joined with where their satellites were.

Padded form: shape (e, s), s being the most satellites at any epoch; `present` says which cells
hold one. Everything that does not depend on the receiver's place is computed here, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final, TypeVar

import numpy as np

from zhidao.positioning.domain.observables.brief import Brief
from zhidao.positioning.domain.observables.observations import (
    Bools,
    Floats,
    Ints,
    Observations,
    SystemObservations,
)
from zhidao.positioning.domain.observables.signals import (
    SPEED_OF_LIGHT_MPS,
    SYSTEMS,
    glonass_carrier_hz,
)
from zhidao.positioning.domain.satellites.ephemeris import (
    UNKNOWN,
    Ephemerides,
    Navigation,
    choose,
    satellite_number,
)
from zhidao.positioning.domain.satellites.glonass import GlonassEphemerides, choose_glonass
from zhidao.positioning.domain.satellites.glonass_orbits import glonass_states
from zhidao.positioning.domain.satellites.orbits import (
    clock_polynomial_s,
    rotation_radps,
    satellite_states,
)
from zhidao.positioning.domain.single_point.signal_choice import SignalChoice
from zhidao.positioning.domain.solver_settings import Settings

_GLONASS: Final = SYSTEMS.index("R")
_BDS3_PRN_MIN: Final = 19
_RANGE_M: Final = (1e6, 1e8)
_ACCURACY_UNKNOWN_M: Final = 10.0
_WEAK_DB_MAX: Final = 20.0
_Column = TypeVar("_Column", Floats, Ints)


@dataclass(frozen=True, slots=True, repr=False)
class Measurements(Brief):
    """Ranges corrected for satellite clock and group delay, with satellite places; (e, s).

    `gpst_ns` (e,). `observed` (e,) counts ranges before ephemerides were looked for. `system` is
    the column of the receiver clock, an index into `systems`, which names a system for each choice
    of signals: a receiver delays every signal, and so every combination, by an amount of its own.
    A combination free of ionosphere has an infinite carrier, on which every ionosphere is nothing;
    `noise` tells how many times the noise of one range it has.
    """

    gpst_ns: Ints
    observed: Ints
    present: Bools
    satellite: Ints
    system: Ints
    systems: str
    range_m: Floats
    place_m: Floats
    rotation_radps: Floats
    carrier_hz: Floats
    accuracy_m: Floats
    noise: Floats

    def take(self, epochs: Ints) -> Measurements:
        """The given epochs only."""
        columns: dict[str, Any] = {
            column.name: getattr(self, column.name)[epochs]
            for column in fields(self)
            if column.name != "systems"
        }
        return Measurements(**columns, systems=self.systems)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The same before padding: one entry a range, shape (n,); `choice` indexes the choices.

    weakness: how many times the noise of a strong signal the range has.
    """

    epoch: Ints
    satellite: Ints
    system: Ints
    range_m: Floats
    choice: Ints
    weakness: Floats


def measure(seen: Observations, navigation: Navigation, settings: Settings) -> Measurements:
    """Joins the chosen signals with the ephemerides that fit each of them."""
    rows, choices = _chosen(seen, settings)
    rows, letters = _by_generation(rows, choices, settings)
    epochs = len(seen.gpst_ns)
    observed = np.bincount(rows.epoch, minlength=epochs)
    sky = _sky(rows, choices, navigation, seen.gpst_ns[rows.epoch])
    known = np.isfinite(sky.corrected_m)
    rows = _take(rows, known)
    pad = _Padding(rows.epoch, epochs)
    return Measurements(
        gpst_ns=seen.gpst_ns,
        observed=observed,
        present=pad.present,
        satellite=pad(rows.satellite),
        system=pad(rows.system),
        systems=letters,
        range_m=pad(sky.corrected_m[known]),
        place_m=pad(sky.place_m[known]),
        rotation_radps=pad(rotation_radps(rows.satellite)),
        carrier_hz=pad(sky.carrier_hz[known], fill=1.0),
        accuracy_m=pad(sky.accuracy_m[known]),
        noise=pad(np.array([c.noise for c in choices])[rows.choice] * rows.weakness, fill=1.0),
    )


def _by_generation(
    rows: _Rows, choices: Sequence[SignalChoice], settings: Settings
) -> tuple[_Rows, str]:
    """Clocks of their own for BDS-2 and BDS-3 (PRN 19 and up) where B3I takes part.

    Receivers are known to delay their B3I differently; `receiver_delays` joins them again.
    """
    letters = "".join(choice.system for choice in choices)
    if not settings.tie_delays:
        return rows, letters
    system = rows.system.copy()
    for index, choice in enumerate(choices):
        if choice.system == "C" and "C6I" in choice.codes:
            newer = (rows.choice == index) & (rows.satellite % 100 >= _BDS3_PRN_MIN)
            system[newer] = len(letters)
            letters += "C"
    return replace(rows, system=system), letters


@dataclass(frozen=True, slots=True)
class _Sky:
    """What navigation adds to each range, shape (n,); corrected_m is NaN where nothing is known."""

    corrected_m: Floats
    place_m: Floats
    accuracy_m: Floats
    carrier_hz: Floats


def _sky(rows: _Rows, choices: Sequence[SignalChoice], navigation: Navigation, at_ns: Ints) -> _Sky:
    count = len(rows.range_m)
    carriers = np.array([choice.carrier_hz for choice in choices])
    sky = _Sky(
        np.full(count, np.nan),
        np.zeros((count, 3)),
        np.full(count, _ACCURACY_UNKNOWN_M),
        carriers[rows.choice],
    )
    _add_keplerian(sky, rows, choices, navigation.ephemerides, at_ns)
    if navigation.glonass is not None and (rows.satellite // 100 == _GLONASS).any():
        _add_glonass(sky, rows, choices, navigation.glonass, at_ns)
    return sky


def _add_keplerian(
    sky: _Sky, rows: _Rows, choices: Sequence[SignalChoice], store: Ephemerides, at_ns: Ints
) -> None:
    row = choose(store, rows.satellite, at_ns)
    use = np.flatnonzero(row != UNKNOWN)
    # By message, of which there are few, and not by range.
    delays_s = np.array([choice.delay_s(store) for choice in choices])
    delay_s = delays_s[rows.choice[use], row[use]]
    use, delay_s = use[np.isfinite(delay_s)], delay_s[np.isfinite(delay_s)]
    eph = store.take(row[use])
    # The receiver's clock error cancels: its time tag minus its range is the time of sending by
    # the satellite's own clock.
    sent_ns, travel_s = at_ns[use], rows.range_m[use] / SPEED_OF_LIGHT_MPS
    early_s = -travel_s - clock_polynomial_s(eph, sent_ns, -travel_s)
    states = satellite_states(eph, sent_ns, early_s)
    sky.corrected_m[use] = rows.range_m[use] + SPEED_OF_LIGHT_MPS * (states.clock_s - delay_s)
    sky.place_m[use] = states.ecef_m
    known = np.isfinite(eph.accuracy_m)
    sky.accuracy_m[use[known]] = eph.accuracy_m[known]


def _add_glonass(
    sky: _Sky,
    rows: _Rows,
    choices: Sequence[SignalChoice],
    store: GlonassEphemerides,
    at_ns: Ints,
) -> None:
    row = choose_glonass(store, rows.satellite, at_ns)
    for index, choice in enumerate(choices):
        use = np.flatnonzero((row != UNKNOWN) & (rows.choice == index))
        eph = store.take(row[use])
        travel_s = rows.range_m[use] / SPEED_OF_LIGHT_MPS
        states = glonass_states(eph, at_ns[use], -travel_s - eph.clock_s)
        correction_s = states.clock_s - choice.glonass_delay_s(eph)
        sky.corrected_m[use] = rows.range_m[use] + SPEED_OF_LIGHT_MPS * correction_s
        sky.place_m[use] = states.ecef_m
        if len(choice.codes) == 1:
            sky.carrier_hz[use] = glonass_carrier_hz(choice.codes[0], eph.channel)


def _chosen(seen: Observations, settings: Settings) -> tuple[_Rows, list[SignalChoice]]:
    parts, choices = [], []
    for system in settings.systems:
        table = seen.systems.get(system)
        free = np.ones(len(table.prn), bool) if table else np.zeros(0, bool)
        for text in settings.signals[system].split("/"):
            choice = SignalChoice.of(system, text)
            choices.append(choice)
            range_m = choice.range_m(table) if table else None
            if table is None or range_m is None:
                continue
            use = free & (range_m > _RANGE_M[0]) & (range_m < _RANGE_M[1])
            free &= ~use
            count = int(use.sum())
            parts.append(
                _Rows(
                    table.epoch[use],
                    satellite_number(system, table.prn[use]),
                    np.full(count, len(choices) - 1),
                    range_m[use],
                    np.full(count, len(choices) - 1),
                    _weakness(table, choice, settings)[use],
                )
            )
    if not parts:
        none, zero = np.zeros(0, np.int64), np.zeros(0)
        return _Rows(none, none, none, zero, none, zero), choices
    joined = _Rows(
        *(np.concatenate(columns) for columns in zip(*map(_columns, parts), strict=True))
    )
    return _take(joined, np.argsort(joined.epoch, kind="stable")), choices


def _weakness(table: SystemObservations, choice: SignalChoice, settings: Settings) -> Floats:
    """How many times the noise of a strong signal each range has, (n,).

    Code noise goes with the square root of noise over carrier: 20 dB-Hz less is ten times the
    noise (sigma-epsilon model, Hartinger and Brunner, GPS Solutions 2, 1999; not at hand). One
    where the receiver tells no strength.
    """
    ones = np.ones(len(table.prn))
    told = (table.column("S" + code[1:]) for code in choice.codes)
    columns = [column for column in told if column is not None]
    if not settings.strength_mdbhz or not columns:
        return ones
    weakest = np.fmin.reduce([np.where(column > 0, column, np.nan) for column in columns])
    below = settings.strength_mdbhz / 1000 - np.where(np.isfinite(weakest), weakest, np.inf)
    return np.asarray(10 ** (np.clip(below, 0, _WEAK_DB_MAX) / 20) * ones)


def _columns(rows: _Rows) -> tuple[Ints, Ints, Ints, Floats, Ints, Floats]:
    return rows.epoch, rows.satellite, rows.system, rows.range_m, rows.choice, rows.weakness


def _take(rows: _Rows, which: Bools | Ints) -> _Rows:
    return _Rows(*(column[which] for column in _columns(rows)))  # type: ignore[arg-type]


class _Padding:
    """Spreads rows sorted by epoch over a matrix of epochs and slots."""

    def __init__(self, epoch: Ints, epochs: int) -> None:
        count = np.bincount(epoch, minlength=epochs)
        self._epoch = epoch
        self._slot = np.arange(len(epoch)) - np.repeat(np.cumsum(count) - count, count)
        self._shape = (epochs, int(count.max(initial=0)))
        self.present: Bools = np.zeros(self._shape, bool)
        self.present[self._epoch, self._slot] = True

    def __call__(self, column: _Column, fill: float = 0) -> _Column:
        out = np.full((*self._shape, *column.shape[1:]), fill, column.dtype)
        out[self._epoch, self._slot] = column
        padded: _Column = out
        return padded
