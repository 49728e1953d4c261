"""The chance that a position lies beyond straight lines, such as the edges of an area.

Taken over the same hypotheses of faults as protection levels, with one-sided tails.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from zhidao.positioning.domain.integrity.fault_hypotheses import (
    ONE_EPOCH,
    Accounting,
    LinearModel,
    case_of,
    covariance_m2,
)
from zhidao.positioning.domain.observables.observations import Floats

# From so many deviations on a tail counts as that one: nothing beside a risk of 1e-9.
_FAR: Final = 8.0
_FAR_TAIL: Final = 6.3e-16


def outside_risk(
    model: LinearModel,
    normals: Floats,
    distance_m: Floats,
    *,
    risk: float,
    alarm: float,
    accounting: Accounting = ONE_EPOCH,
) -> Floats:
    """Chance (e,) that the position lies beyond any of some straight lines, at most.

    normals (e, d, 2): unit vectors east, north towards each line; distance_m (e, d) to it. The sum
    over lines and hypotheses of one-sided tails. `risk` decides only what is tested for; see
    `bound`. One for epochs without a bound.
    """
    case = case_of(model, risk=risk, alarm=alarm, accounting=accounting)
    total = case.unmonitored.copy()
    for each in case.hypotheses:
        gain = each.gain[:, :2]
        centre = (np.abs(normals @ gain) @ model.bias_m[..., None])[..., 0]
        limit = np.where(np.isfinite(each.threshold_m[:, :2]), each.threshold_m[:, :2], 1e9)
        centre += np.einsum("edq,eq->ed", np.abs(normals), limit)
        variance_m2 = np.einsum("edq,eqr,edr->ed", normals, covariance_m2(model, gain), normals)
        away = (distance_m - centre) / np.sqrt(np.maximum(variance_m2, 1e-18))
        tails = np.minimum(accounting.tries * _upper_tail(away).sum(1), 1)
        total += np.minimum(each.chance, 1) * tails
    return np.where(case.unbounded, 1.0, np.minimum(total, 1))


_erfc = np.vectorize(math.erfc, otypes=[float])


def _upper_tail(deviations: Floats) -> Floats:
    """Q of each, never less than it is: far tails, as dear as near ones, are all one value."""
    out = np.full(deviations.shape, _FAR_TAIL)
    near = deviations < _FAR
    out[near] = 0.5 * _erfc(deviations[near] / math.sqrt(2))
    return out
