"""Whole numbers behind float ambiguities, and whether to believe them.

Tests: the ratio test, and a fixed failure rate, that is the ratio threshold at which a wrong vector
is accepted as rarely as asked, found by simulation for the very geometry (Verhagen and Teunissen,
"The ratio test for future GNSS ambiguity resolution", GPS Solutions 17, 2013; not at hand).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from zhidao.core.compiling import ready
from zhidao.positioning.domain.observables.observations import Floats


@dataclass(frozen=True, slots=True)
class Resolution:
    """The best whole-number vector, (n,). `norms` squared distances of the best two.

    `success`: chance that rounding one after the other (bootstrapping), which is never better than
    this search, is right if the covariance is. `ended`: whether the search ended in its limit.
    """

    integers: Floats
    second: Floats
    norms: tuple[float, float]
    success: float
    ended: bool

    @property
    def ratio(self) -> float:
        """Second best over best squared distance; infinite for a perfect fit, 0 if not ended."""
        best, second = self.norms
        if not self.ended:
            return 0.0
        return second / best if best > 0 else math.inf


def resolve(values: Floats, covariance: Floats) -> Resolution:
    """Integer least squares by LAMBDA. values (n,) in cycles, covariance (n, n) in cycles^2."""
    # Compiling pays always: a search takes the interpreter two hundred times as long.
    ready(pays=True)
    from zhidao.positioning.domain.kernels.integer_search import nearest

    found, norms, conditional, ended = nearest(values, np.ascontiguousarray(covariance), 2)
    return Resolution(
        found[0], found[1], (float(norms[0]), float(norms[1])), success_rate(conditional), ended
    )


def success_rate(conditional: Floats) -> float:
    """Product of the chances that each rounding is right. Source: Teunissen, J. Geodesy 72, 1998.

    conditional (n,): conditional variances in cycles^2.
    """
    if not (conditional > 0).all():
        return 0.0
    return float(np.prod([math.erf(0.5 / math.sqrt(2 * v)) for v in conditional.tolist()]))


def ratio_threshold(
    covariance: Floats, failure_rate: float, *, samples: int, chance: np.random.Generator
) -> float:
    """The ratio from which on wrong vectors are accepted at most at the failure rate.

    Simulated: float vectors about zero; a wrong fix is any other best vector than zero. One where
    even accepting all of them keeps the rate.
    """
    root = np.linalg.cholesky(covariance)
    wrong = []
    for _ in range(samples):
        found = resolve(root @ chance.standard_normal(len(covariance)), covariance)
        if found.integers.any():
            wrong.append(found.ratio)
    allowed = int(failure_rate * samples)
    if len(wrong) <= allowed:
        return 1.0
    return float(sorted(wrong, reverse=True)[allowed])
