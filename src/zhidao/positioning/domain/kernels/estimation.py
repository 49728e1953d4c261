"""One range after another into an estimate, compiled; twin: `estimation.absorb`."""

from __future__ import annotations

import numpy as np

from zhidao.core.compiling import kernel
from zhidao.positioning.domain.observables.observations import Floats, Ints


@kernel
def _projected(
    covariance: Floats, alive: Ints, columns: Ints, factors: Floats, gain: Floats
) -> float:
    """Fills gain (w,) with covariance times one row of factors; returns the row's own variance."""
    gain[:] = 0.0
    for k in range(len(columns)):
        if columns[k] >= 0:
            for i in range(len(alive)):
                gain[i] += factors[k] * covariance[columns[k], alive[i]]
    spread = 0.0
    for k in range(len(columns)):
        for i in range(len(alive)):
            if columns[k] == alive[i]:
                spread += factors[k] * gain[i]
    return spread


@kernel
def absorb_rows(
    state: Floats,
    covariance: Floats,
    alive: Ints,
    columns: Ints,
    factors: Floats,
    values: Floats,
    variances: Floats,
) -> None:
    """Kalman updates of state (n,) and covariance (n, n) in place, one scalar row after another.

    alive: the states that may be correlated with anything. columns, factors (m, k): the few states
    that a row depends on, column -1 for none. A variance that is infinite leaves its row out.
    """
    width = len(alive)
    gain = np.zeros(width)
    for row in range(len(values)):
        if not np.isfinite(variances[row]):
            continue
        off = values[row]
        for k in range(columns.shape[1]):
            if columns[row, k] >= 0:
                off -= factors[row, k] * state[columns[row, k]]
        spread = variances[row]
        spread += _projected(covariance, alive, columns[row], factors[row], gain)
        for i in range(width):
            share = gain[i] / spread
            state[alive[i]] += share * off
            for j in range(i + 1):
                covariance[alive[i], alive[j]] -= share * gain[j]
                covariance[alive[j], alive[i]] = covariance[alive[i], alive[j]]
