"""Integer least squares: decorrelation and search of the LAMBDA method, compiled.

Sources: Teunissen, "The least-squares ambiguity decorrelation adjustment", J. Geodesy 70, 1995;
Chang, Yang and Zhou, "MLAMBDA: a modified LAMBDA method", J. Geodesy 79, 2005 (papers not at hand;
checked against enumeration and an independent implementation). Without numba the same code runs
in the interpreter.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from zhidao.core.compiling import kernel
from zhidao.positioning.domain.observables.observations import Floats

_STEPS_MAX: Final = 100_000
# A share of the variance: strong geometries have variances that are far below one cycle's.
_GAIN_MIN: Final = 1e-6


@kernel
def factorize(covariance: Floats) -> tuple[Floats, Floats, bool]:
    """Unit lower L and diagonal d with covariance = L' diag(d) L; False if not positive."""
    size = len(covariance)
    rest = covariance.copy()
    lower = np.zeros((size, size))
    diagonal = np.zeros(size)
    for i in range(size - 1, -1, -1):
        diagonal[i] = rest[i, i]
        if not diagonal[i] > 0:
            return lower, diagonal, False
        for j in range(i + 1):
            lower[i, j] = rest[i, j] / diagonal[i]
        for j in range(i):
            for k in range(j + 1):
                rest[j, k] -= lower[i, j] * lower[i, k] * diagonal[i]
    return lower, diagonal, True


@kernel
def _reduce_entry(lower: Floats, change: Floats, back: Floats, i: int, j: int) -> None:
    """Makes L[i, j] at most one half by an integer step of column j."""
    steps = np.rint(lower[i, j])
    if steps != 0:
        for k in range(i, len(lower)):
            lower[k, j] -= steps * lower[k, i]
        for k in range(len(lower)):
            change[k, j] -= steps * change[k, i]
            back[k, i] += steps * back[k, j]


@kernel
def _swap(
    lower: Floats, diagonal: Floats, change: Floats, back: Floats, j: int, first: float
) -> None:
    """Exchanges ambiguities j and j + 1; `first` is the new conditional variance of j + 1."""
    size = len(lower)
    eta = diagonal[j] / first
    tie = diagonal[j + 1] * lower[j + 1, j] / first
    old = lower[j + 1, j]
    diagonal[j] = eta * diagonal[j + 1]
    diagonal[j + 1] = first
    for k in range(j):
        upper, under = lower[j, k], lower[j + 1, k]
        lower[j, k] = under - old * upper
        lower[j + 1, k] = eta * upper + tie * under
    lower[j + 1, j] = tie
    for k in range(j + 2, size):
        lower[k, j], lower[k, j + 1] = lower[k, j + 1], lower[k, j]
    for k in range(size):
        change[k, j], change[k, j + 1] = change[k, j + 1], change[k, j]
        back[k, j], back[k, j + 1] = back[k, j + 1], back[k, j]


@kernel
def decorrelate(lower: Floats, diagonal: Floats) -> tuple[Floats, Floats]:
    """Integer change of ambiguities that evens out their conditional variances; in place.

    Returns Z and its inverse transposed, (n, n) of whole numbers; decorrelated ambiguities are
    Z' a, and back.
    """
    size = len(diagonal)
    change, back = np.eye(size), np.eye(size)
    j = size - 2
    reduced = size - 2
    while j >= 0:
        if j <= reduced:
            for i in range(j + 1, size):
                _reduce_entry(lower, change, back, i, j)
        first = diagonal[j] + lower[j + 1, j] ** 2 * diagonal[j + 1]
        if first < (1 - _GAIN_MIN) * diagonal[j + 1]:
            _swap(lower, diagonal, change, back, j, first)
            reduced = j
            j = size - 2
        else:
            j -= 1
    return change, back


@kernel
def _side(value: float) -> float:
    return 1.0 if value >= 0 else -1.0


@kernel
def search(lower: Floats, diagonal: Floats, wanted: Floats, found: Floats, norms: Floats) -> bool:
    """The integer vectors nearest to `wanted` in the metric of L'DL; False if it takes too long.

    found (m, n) and norms (m,) are filled, best first.
    """
    size, many = len(wanted), len(norms)
    norms[:] = np.inf
    count, worst, limit = 0, 0, np.inf
    sums = np.zeros((size, size))
    distance = np.zeros(size + 1)
    centre, whole, step = np.zeros(size), np.zeros(size), np.zeros(size)
    level = size - 1
    centre[level] = wanted[level]
    whole[level] = np.rint(centre[level])
    step[level] = _side(centre[level] - whole[level])
    for _ in range(_STEPS_MAX):
        off = centre[level] - whole[level]
        total = distance[level + 1] + off * off / diagonal[level]
        if total < limit and level > 0:
            distance[level] = total
            level -= 1
            # What the levels above have fixed moves the centre of this one.
            for k in range(level + 1):
                sums[level, k] = (
                    sums[level + 1, k]
                    + (whole[level + 1] - centre[level + 1]) * lower[level + 1, k]
                )
            centre[level] = wanted[level] + sums[level, level]
            whole[level] = np.rint(centre[level])
            step[level] = _side(centre[level] - whole[level])
            continue
        if total < limit:
            if count < many:
                worst = count
                count += 1
            found[worst] = whole
            norms[worst] = total
            if count == many:
                worst = int(np.argmax(norms))
                limit = norms[worst]
        elif level == size - 1:
            order = np.argsort(norms)
            found[:] = found[order]
            norms[:] = norms[order]
            return count == many
        else:
            level += 1
        whole[level] += step[level]
        step[level] = -step[level] - _side(step[level])
    return False


@kernel
def nearest(values: Floats, covariance: Floats, many: int) -> tuple[Floats, Floats, Floats, bool]:
    """The `many` integer vectors nearest to float ambiguities, their squared norms, best first.

    Also the conditional variances after decorrelation, and whether the search ended.
    """
    size = len(values)
    found = np.zeros((many, size))
    norms = np.full(many, np.inf)
    lower, diagonal, good = factorize(covariance)
    if not good or not np.isfinite(values).all():
        return found, norms, diagonal, False
    change, back = decorrelate(lower, diagonal)
    base = np.rint(values)
    # Only the fractions are searched: great numbers would lose digits in the products.
    wanted = np.zeros(size)
    for i in range(size):
        for k in range(size):
            wanted[i] += change[k, i] * (values[k] - base[k])
    nearby = np.zeros((many, size))
    good = search(lower, diagonal, wanted, nearby, norms)
    for index in range(many):
        found[index] = base
        for i in range(size):
            for k in range(size):
                found[index, i] += back[i, k] * nearby[index, k]
    return found, norms, diagonal, good
