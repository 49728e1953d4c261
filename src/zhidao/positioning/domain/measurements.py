"""Ranges of all epochs side by side, joined with where their satellites were.

Padded form: shape (e, s), s being the most satellites at any epoch; `present` says which cells
hold one. Everything that does not depend on the receiver's place is computed here, once.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final, TypeVar

import numpy as np

from zhidao.positioning.domain.ephemeris import (
    UNKNOWN,
    Ephemerides,
    Navigation,
    choose,
    satellite_number,
)
from zhidao.positioning.domain.observations import Bools, Floats, Ints, Observations
from zhidao.positioning.domain.orbits import clock_polynomial_s, rotation_radps, satellite_states
from zhidao.positioning.domain.settings import Settings
from zhidao.positioning.domain.signals import SPEED_OF_LIGHT_MPS, SYSTEMS, carrier_hz

_RANGE_M: Final = (1e6, 1e8)
_ACCURACY_UNKNOWN_M: Final = 10.0
_Column = TypeVar("_Column", Floats, Ints)


@dataclass(frozen=True, slots=True)
class Measurements:
    """Ranges corrected for satellite clock and group delay, with satellite places; (e, s).

    `gpst_ns` (e,). `observed` (e,) counts ranges before ephemerides were looked for. `system` is
    the column of the receiver clock, an index into `systems`.
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
    """The same before padding: one entry a range, shape (n,)."""

    epoch: Ints
    satellite: Ints
    system: Ints
    range_m: Floats
    carrier_hz: Floats


def measure(seen: Observations, navigation: Navigation, settings: Settings) -> Measurements:
    """Joins the chosen signals with the ephemerides that fit each of them."""
    rows = _chosen(seen, settings)
    store = navigation.ephemerides
    row = choose(store, rows.satellite, seen.gpst_ns[rows.epoch])
    epochs = len(seen.gpst_ns)
    observed = np.bincount(rows.epoch, minlength=epochs)
    known = row != UNKNOWN
    delay_s = np.zeros(len(row))
    eph = store.take(row[known])
    delay_s[known] = _group_delay_s(eph, settings)
    known &= np.isfinite(delay_s)
    rows, delay_s = _take(rows, known), delay_s[known]
    eph = store.take(row[known])
    # The receiver's clock error cancels: its time tag minus its range is the time of sending by
    # the satellite's own clock.
    sent_ns = seen.gpst_ns[rows.epoch]
    travel_s = rows.range_m / SPEED_OF_LIGHT_MPS
    early_s = -travel_s - clock_polynomial_s(eph, sent_ns, -travel_s)
    states = satellite_states(eph, sent_ns, early_s)
    corrected_m = rows.range_m + SPEED_OF_LIGHT_MPS * (states.clock_s - delay_s)
    accuracy_m = np.where(np.isfinite(eph.accuracy_m), eph.accuracy_m, _ACCURACY_UNKNOWN_M)
    pad = _Padding(rows.epoch, epochs)
    return Measurements(
        gpst_ns=seen.gpst_ns,
        observed=observed,
        present=pad.present,
        satellite=pad(rows.satellite),
        system=pad(rows.system),
        systems=settings.systems,
        range_m=pad(corrected_m),
        place_m=pad(states.ecef_m),
        rotation_radps=pad(rotation_radps(rows.satellite)),
        carrier_hz=pad(rows.carrier_hz, fill=1.0),
        accuracy_m=pad(accuracy_m),
    )


def _chosen(seen: Observations, settings: Settings) -> _Rows:
    parts = []
    for column, system in enumerate(settings.systems):
        table = seen.systems.get(system)
        range_m = table.column(settings.signals[system]) if table else None
        if table is None or range_m is None:
            continue
        use = (range_m > _RANGE_M[0]) & (range_m < _RANGE_M[1])
        count = int(use.sum())
        parts.append(
            _Rows(
                table.epoch[use],
                satellite_number(system, table.prn[use]),
                np.full(count, column),
                range_m[use],
                np.full(count, carrier_hz(system, settings.signals[system])),
            )
        )
    if not parts:
        none, zero = np.zeros(0, np.int64), np.zeros(0)
        return _Rows(none, none, none, zero, zero)
    joined = _Rows(
        *(np.concatenate(columns) for columns in zip(*map(_columns, parts), strict=True))
    )
    return _take(joined, np.argsort(joined.epoch, kind="stable"))


def _columns(rows: _Rows) -> tuple[Ints, Ints, Ints, Floats, Floats]:
    return rows.epoch, rows.satellite, rows.system, rows.range_m, rows.carrier_hz


def _take(rows: _Rows, which: Bools | Ints) -> _Rows:
    return _Rows(*(column[which] for column in _columns(rows)))  # type: ignore[arg-type]


def _group_delay_s(eph: Ephemerides, settings: Settings) -> Floats:
    """What the satellite's clock message leaves to subtract for the chosen signal, in seconds.

    BDS clocks refer to B3I: TGD1 takes them to B1I, TGD2 to B2I (BDS-SIS-ICD-B1I 3.0 section
    5.2.4.10). GPS: TGD for L1. Galileo I/NAV: BGD(E1,E5b) for E1. NaN for signals without a term.
    """
    out = np.full(len(eph), np.nan)
    for system, code in settings.signals.items():
        rows = eph.satellite // 100 == SYSTEMS.index(system)
        match system + code[1:2]:
            case "C2" | "G1" | "J1":
                out[rows] = eph.delay1_s[rows]
            case "C7" | "E1":
                out[rows] = eph.delay2_s[rows]
            case "C6":
                out[rows] = 0.0
            case _:
                pass
    return out


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
