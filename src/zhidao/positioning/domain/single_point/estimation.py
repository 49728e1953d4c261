"""Updates of an estimate by linear observations with independent noise."""

from __future__ import annotations

import numpy as np

from zhidao.core.compiling import ready
from zhidao.positioning.domain.observables.observations import Floats, Ints


def absorb(
    state: Floats,
    covariance: Floats,
    alive: Ints,
    *,
    columns: Ints,
    factors: Floats,
    values: Floats,
    variances: Floats,
) -> None:
    """Changes state (n,) and covariance (n, n) in place by rows values = factors . state[columns].

    alive: indices of the states in use; the others are neither read nor changed. columns, factors
    (m, k), column -1 for an unused place. A row of infinite variance is left out. Compiled where
    that is at hand.
    """
    if ready(pays=True):
        from zhidao.positioning.domain.kernels.estimation import absorb_rows

        absorb_rows(state, covariance, alive, columns, factors, values, variances)
    else:
        plain_absorb(
            state,
            covariance,
            alive,
            columns=columns,
            factors=factors,
            values=values,
            variances=variances,
        )


def plain_absorb(
    state: Floats,
    covariance: Floats,
    alive: Ints,
    *,
    columns: Ints,
    factors: Floats,
    values: Floats,
    variances: Floats,
) -> None:
    """The numpy twin: all rows at once."""
    use = np.flatnonzero(np.isfinite(variances))
    design = np.zeros((len(use), len(state)))
    for k in range(columns.shape[1]):
        there = columns[use, k] >= 0
        np.add.at(design, (np.flatnonzero(there), columns[use[there], k]), factors[use[there], k])
    design = design[:, alive]
    block = covariance[np.ix_(alive, alive)]
    across = design @ block
    gain = np.linalg.solve(across @ design.T + np.diag(variances[use]), across).T
    state[alive] += gain @ (values[use] - design @ state[alive])
    block = block - gain @ across
    covariance[np.ix_(alive, alive)] = (block + block.T) / 2


def restart(covariance: Floats, index: int, variance: float) -> None:
    """Forgets what is known of one state and all that it was correlated with."""
    covariance[index, :] = 0.0
    covariance[:, index] = 0.0
    covariance[index, index] = variance
