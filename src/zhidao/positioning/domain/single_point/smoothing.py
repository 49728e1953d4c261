"""Ranges smoothed by carrier phases (Hatch), with slips detected; divergence-free on two bands.

    s(k) = P(k)/n + (n-1)/n (s(k-1) + F(k) - F(k-1)),   n up to window / step

F is the phase in metres. The ionosphere delays code and advances phase, so on one band s drifts
from P by twice its change, and the window stays short. With a second phase F = F1 + 2 (F1 - F2)
f2^2 / (f1^2 - f2^2) moves as the code does, and the window may be long.
Source: Hatch, "The synergism of GPS code and carrier measurements", 1982; Hwang et al., "Enhanced
differential GPS carrier-smoothed code processing using dual-frequency measurements", NAVIGATION
46(2), 1999 (neither at hand; formulas derived from the delays' signs).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

import numpy as np

from zhidao.core.compiling import ready
from zhidao.positioning.domain.observables.brief import Brief
from zhidao.positioning.domain.observables.observations import (
    Bools,
    Bytes,
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
from zhidao.positioning.domain.satellites.ephemeris import UNKNOWN, Navigation, satellite_number
from zhidao.positioning.domain.satellites.glonass import choose_glonass

_LOADING_PAYS: Final = 50_000
_DUAL_SHARE: Final = 0.5


class Restart(IntEnum):
    """Why smoothing starts anew at a range; NONE where it goes on."""

    NONE = 0
    FIRST_OR_GAP = 1
    LOST_LOCK = 2
    DOPPLER = 3
    GEOMETRY_FREE = 4
    MELBOURNE_WUEBBENA = 5
    CODE = 6
    NO_PHASE = 7


@dataclass(frozen=True, slots=True)
class SmoothingSettings:
    """Windows in seconds, limits in metres, and in metres a second where they grow with time.

    single_s, dual_s: windows without and with a second phase. gap_s: a longer silence starts anew.
    Slips: doppler_m against Doppler, free_m of the geometry-free phase, wide_m of the
    Melbourne-Wuebbena combination (code noise of two bands is in it). code_m: a code that is so far
    from what smoothing predicts is not averaged into it.
    """

    single_s: float = 100.0
    dual_s: float = 600.0
    gap_s: float = 65.0
    doppler_m: float = 0.5
    doppler_mps: float = 0.15
    free_m: float = 0.05
    free_mps: float = 0.002
    wide_m: float = 2.5
    code_m: float = 15.0


@dataclass(frozen=True, slots=True, repr=False)
class Smoothed(Brief):
    """Observations with smoothed codes, and why smoothing started anew, by system (n,)."""

    seen: Observations
    restarts: Mapping[str, Bytes]


def smoothed(
    seen: Observations,
    codes: Mapping[str, tuple[str, str]],
    settings: SmoothingSettings | None = None,
    navigation: Navigation | None = None,
) -> Smoothed:
    """Replaces one code of each named system by its smoothed form.

    codes: system to the code and the second band's signal, such as `{"C": ("C2I", "C6I")}`; an
    empty second one smooths on one band. GLONASS needs `navigation` for its channels.
    """
    chosen = settings or SmoothingSettings()
    tables, restarts = dict(seen.systems), {}
    for system, (code, second) in codes.items():
        table = tables.get(system)
        if table is None or table.column(code) is None:
            continue
        smooth, reason = _table(seen, table, code, second, chosen, navigation)
        values = table.values.copy()
        values[:, table.codes.index(code)] = smooth
        tables[system] = replace(table, values=values)
        restarts[system] = reason
    return Smoothed(replace(seen, systems=tables), restarts)


def _table(
    seen: Observations,
    table: SystemObservations,
    code: str,
    second: str,
    settings: SmoothingSettings,
    navigation: Navigation | None,
) -> tuple[Floats, Bytes]:
    at_s = (seen.gpst_ns - (seen.gpst_ns[0] if len(seen.gpst_ns) else 0)) * 1e-9
    columns = _columns(seen, table, code, second, navigation, settings)
    lost = _lost(seen, table, code, second)
    order = np.lexsort((table.epoch, table.prn))
    limits = np.array(
        (
            settings.gap_s,
            settings.doppler_m,
            settings.doppler_mps,
            settings.free_m,
            settings.free_mps,
            settings.wide_m,
            settings.code_m,
        )
    )
    rows = (table.prn[order], at_s[table.epoch[order]], columns[order], lost[order])
    compiled = ready(pays=len(order) >= _LOADING_PAYS)
    smooth, reason = (compiled_rows if compiled else plain_rows)(*rows, limits)
    out, why = np.empty(len(order)), np.empty(len(order), np.uint8)
    out[order], why[order] = smooth, reason
    return out, why


def _columns(
    seen: Observations,
    table: SystemObservations,
    code: str,
    second: str,
    navigation: Navigation | None,
    settings: SmoothingSettings,
) -> Floats:
    """Code, phase, rate, geometry-free, Melbourne-Wuebbena and window (n, 6).

    A satellite that mostly has no second phase is smoothed on one band.
    """
    f1 = _carriers(seen, table, code, navigation)
    nothing = np.full(len(f1), np.nan)
    range_m = _column(table, code)
    phase1 = _column(table, "L" + code[1:]) * SPEED_OF_LIGHT_MPS / f1
    rate = -_column(table, "D" + code[1:]) * SPEED_OF_LIGHT_MPS / f1
    phase2 = nothing
    if second:
        f2 = _carriers(seen, table, second, navigation)
        phase2 = _column(table, "L" + second[1:]) * SPEED_OF_LIGHT_MPS / f2
    known = np.isfinite(phase2)
    share = np.bincount(table.prn, known) / np.maximum(np.bincount(table.prn), 1)
    dual = share[table.prn] > _DUAL_SHARE
    single = np.full(len(f1), settings.single_s)
    alone = np.stack((range_m, phase1, rate, nothing, nothing, single), 1)
    if not dual.any():
        return alone
    free = phase1 - phase2
    code2 = _column(table, second)
    wide = (f1 * phase1 - f2 * phase2) / (f1 - f2) - (f1 * range_m + f2 * code2) / (f1 + f2)
    even = phase1 + 2 * free * f2**2 / (f1**2 - f2**2)
    both = np.stack((range_m, even, rate, free, wide, np.full(len(f1), settings.dual_s)), 1)
    return np.where(dual[:, None], both, alone)


def _column(table: SystemObservations, code: str) -> Floats:
    found = table.column(code)
    return np.full(len(table.prn), np.nan) if found is None else found


def _carriers(
    seen: Observations, table: SystemObservations, code: str, navigation: Navigation | None
) -> Floats:
    if table.system != "R":
        return np.full(len(table.prn), carrier_hz(table.system, code))
    store = navigation.glonass if navigation else None
    if store is None:
        return np.full(len(table.prn), np.nan)
    satellite = satellite_number("R", table.prn)
    row = choose_glonass(store, satellite, seen.gpst_ns[table.epoch])
    found = glonass_carrier_hz(code, store.channel[np.maximum(row, 0)])
    return np.where(row == UNKNOWN, np.nan, found)


def _lost(seen: Observations, table: SystemObservations, code: str, second: str) -> Bools:
    """Where the receiver itself says that it lost a phase, or lost power."""
    lost: Bools = seen.power_failed[table.epoch].copy()
    for signal in (code, second):
        name = "L" + signal[1:]
        if signal and name in table.codes:
            lost |= (table.lost_lock[:, table.codes.index(name)] & 1).astype(bool)
    return lost


def compiled_rows(
    satellite: Ints, second: Floats, columns: Floats, lost: Bools, limits: Floats
) -> tuple[Floats, Bytes]:
    """By `kernels.smoothing`; rows sorted by satellite and time."""
    from zhidao.positioning.domain.kernels.smoothing import smooth_rows

    smooth, reason = np.empty(len(satellite)), np.empty(len(satellite), np.uint8)
    smooth_rows(satellite, second, np.ascontiguousarray(columns), lost, limits, smooth, reason)
    return smooth, reason


def plain_rows(
    satellite: Ints, second: Floats, columns: Floats, lost: Bools, limits: Floats
) -> tuple[Floats, Bytes]:
    """The same in numpy: all satellites at once, one row of each after another."""
    first = np.flatnonzero(np.diff(satellite, prepend=-1) != 0)
    length = np.diff(np.append(first, len(satellite)))
    smooth = columns[:, 0].copy()
    reason = np.zeros(len(satellite), np.uint8)
    reason[first] = np.where(np.isfinite(columns[first, 1]), Restart.FIRST_OR_GAP, Restart.NO_PHASE)
    count = np.ones(len(first))
    for step in range(1, int(length.max(initial=1))):
        live = np.flatnonzero(length > step)
        row = first[live] + step
        step_s = second[row] - second[row - 1]
        why = _reasons(columns[row], columns[row - 1], step_s, lost[row], limits)
        predicted = smooth[row - 1] + columns[row, 1] - columns[row - 1, 1]
        away = ~(np.abs(columns[row, 0] - predicted) <= limits[6])
        why = np.where((why == 0) & away, Restart.CODE, why)
        many = np.minimum(count[live] + 1, np.maximum(columns[row, 5] / step_s, 1))
        many = np.where(why > 0, 1.0, many)
        mixed = columns[row, 0] / many + (many - 1) / many * predicted
        smooth[row] = np.where(why > 0, columns[row, 0], mixed)
        reason[row], count[live] = why, many
    return smooth, reason


def _reasons(now: Floats, before: Floats, step_s: Floats, lost: Bools, limits: Floats) -> Ints:
    """The first reason to start anew, 0 where there is none; comparisons with NaN are false."""
    told = (now[:, 2] + before[:, 2]) / 2 * step_s
    moved = now[:, 1] - before[:, 1]
    conditions = (
        (~np.isfinite(now[:, 1]), Restart.NO_PHASE),
        (~np.isfinite(before[:, 1]) | (step_s > limits[0]), Restart.FIRST_OR_GAP),
        (lost, Restart.LOST_LOCK),
        (np.abs(moved - told) > limits[1] + limits[2] * step_s, Restart.DOPPLER),
        (
            np.abs(now[:, 3] - before[:, 3]) > limits[3] + limits[4] * step_s,
            Restart.GEOMETRY_FREE,
        ),
        (np.abs(now[:, 4] - before[:, 4]) > limits[5], Restart.MELBOURNE_WUEBBENA),
    )
    found: Ints = np.select([c for c, _ in conditions], [int(r) for _, r in conditions], 0)
    return found
