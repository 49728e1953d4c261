"""A receiver's delays between signals of one system, held constant over a window.

Every signal, and so every combination of two, passes a receiver with a delay of its own, and some
receivers delay BDS-2 and BDS-3 satellites differently on B3I (1.9 m in the station-day that this
was looked at on, 3.9 m in its B1I/B3I combination). A clock for each of them costs satellites that
are not there: so their difference is estimated over all epochs that can, and taken off.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from zhidao.positioning.domain.observables.observations import Bools, Floats
from zhidao.positioning.domain.satellites.ephemeris import Navigation
from zhidao.positioning.domain.single_point.least_squares import Fit, fit_with_model
from zhidao.positioning.domain.single_point.measurements import Measurements
from zhidao.positioning.domain.solver_settings import Settings

# Fewer epochs than this say too little, and every clock stays on its own.
_EPOCHS_MIN: Final = 5
# So many, spread over the window, tell as much as all of a day at one a second.
_EPOCHS_MAX: Final = 3_000
_DEVIATION_M_MAX: Final = 3.0
# Errors of multipath and ionosphere last for about so long: so much time is one independent look.
_LOOK_NS: Final = 600 * 1_000_000_000
# A difference that fits worse than this is no constant.
_DIFFERENCE_M_MAX: Final = 1_000.0


def tied(data: Measurements, navigation: Navigation, settings: Settings) -> Measurements:
    """The same ranges with one clock a system, as far as delays between its signals can be told.

    What is uncertain about a delay is added to the accuracy of the ranges that it was taken off.
    """
    columns = [
        [c for c, letter in enumerate(data.systems) if letter == system]
        for system in sorted(set(data.systems))
    ]
    several = [seen for mine in columns if len(seen := _present(data, mine)) > 1]
    if not several:
        return _compact(data)
    some = data.take(np.arange(0, len(data.gpst_ns), 1 + len(data.gpst_ns) // _EPOCHS_MAX))
    some = some.take(np.flatnonzero(_compared(some, several)))
    found = fit_with_model(some, some.present, navigation, settings)
    range_m, accuracy_m = data.range_m.copy(), data.accuracy_m.copy()
    system = data.system.copy()
    for mine in several:
        reference = max(mine, key=lambda c: int((data.present & (data.system == c)).sum()))
        for column in mine:
            known = _difference(some, found, column, reference)
            if column == reference or known is None:
                continue
            cells = data.present & (data.system == column)
            range_m[cells] -= known[0]
            accuracy_m[cells] = np.hypot(accuracy_m[cells], known[1])
            system[cells] = reference
    return _compact(replace(data, range_m=range_m, accuracy_m=accuracy_m, system=system))


def _present(data: Measurements, columns: list[int]) -> list[int]:
    return [c for c in columns if (data.present & (data.system == c)).any()]


def _compared(data: Measurements, several: list[list[int]]) -> Bools:
    """Epochs (e,) that have two clocks of one system; all others say nothing about differences."""
    told = np.zeros(len(data.gpst_ns), bool)
    for mine in several:
        heard = [(data.present & (data.system == column)).any(1) for column in mine]
        told |= np.sum(heard, axis=0) > 1
    return told


def _difference(
    data: Measurements, found: Fit, column: int, reference: int
) -> tuple[float, float] | None:
    """How much longer one clock's ranges are than another's, and its deviation; None if unknown."""
    at = (3 + column, 3 + reference)
    used = found.weight > 0
    both = np.ones(len(used), bool)
    for place in at:
        both &= np.asarray((used & (data.system == place - 3)).any(1), bool)
    both &= found.converged
    inverse = found.inverse
    variance = inverse[:, at[0], at[0]] + inverse[:, at[1], at[1]] - 2 * inverse[:, at[0], at[1]]
    both &= np.nan_to_num(variance, nan=np.inf) < _DEVIATION_M_MAX**2
    if int(both.sum()) < _EPOCHS_MIN:
        return None
    apart = (found.clock_m[:, column] - found.clock_m[:, reference])[both]
    weight = 1 / np.maximum(variance[both], 1e-4)
    middle = _weighted_median(apart, weight)
    spread = 1.4826 * _weighted_median(np.abs(apart - middle), weight)
    looks = max(len(np.unique(data.gpst_ns[both] // _LOOK_NS)), 1)
    deviation = max(spread, float(np.sqrt(np.median(variance[both])))) / np.sqrt(looks)
    if abs(middle) > _DIFFERENCE_M_MAX or deviation > _DEVIATION_M_MAX:
        return None
    return middle, float(deviation)


def _weighted_median(values: Floats, weight: Floats) -> float:
    order = np.argsort(values)
    along = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(along, along[-1] / 2)])


def _compact(data: Measurements) -> Measurements:
    """Without clocks that no range has any more."""
    kept = [c for c in range(len(data.systems)) if (data.present & (data.system == c)).any()]
    if len(kept) == len(data.systems) or not kept:
        return data
    place = np.zeros(len(data.systems), np.int64)
    place[kept] = np.arange(len(kept))
    return replace(data, system=place[data.system], systems="".join(data.systems[c] for c in kept))
