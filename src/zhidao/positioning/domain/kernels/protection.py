"""Tests and protection levels by solution separation, epoch by epoch. Twin: `domain.protection`.

Formulas and their sources stand with the twin; a test holds both together to 1e-6 m.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from zhidao.core.compiling import kernel
from zhidao.positioning.domain.kernels.single_point import _invert
from zhidao.positioning.domain.observables.observations import Bools, Floats, Ints

_BLIND: Final = 1e-6
_PAIRS_FROM: Final = 0.1
_ROUNDS: Final = 80
# Newton's method doubles the digits, so a step of this size is the last.
_STEP_M: Final = 1e-6
_ROOT_2: Final = math.sqrt(2.0)
_ROOT_2_OVER_PI: Final = math.sqrt(2.0 / math.pi)
_LOG_2_PI: Final = math.log(2 * math.pi)
# Tails beyond this many deviations (1e-23) add nothing to any risk that is asked for.
_FAR: Final = 10.0


@kernel
def _matrices(
    design: Floats, inverse: Floats, cells: Floats, at: Ints, gain: Floats, spread: Floats
) -> None:
    """Gain (p, n) and spread (n, n) of the used cells."""
    count, size = len(at), design.shape[1]
    for i in range(count):
        weight = cells[at[i], 0]
        for p in range(size):
            total = 0.0
            for q in range(size):
                total += inverse[p, q] * design[at[i], q]
            gain[p, i] = total * weight
    for i in range(count):
        for j in range(count):
            total = 1.0 if i == j else 0.0
            for p in range(size):
                total -= design[at[i], p] * gain[p, j]
            spread[i, j] = total


@kernel
def _deviation(
    row: Floats, at: Ints, cells: Floats, common: Floats, which: int, share: float
) -> float:
    """Deviation of a sum of range errors; which: column of the variances."""
    total = 0.0
    for j in range(len(at)):
        total += row[j] * row[j] * cells[at[j], which]
    for cause in range(common.shape[1]):
        part = 0.0
        for j in range(len(at)):
            part += row[j] * common[at[j], cause]
        total += (share * part) ** 2
    return math.sqrt(max(total, 0.0))


@kernel
def _bias(row: Floats, at: Ints, cells: Floats) -> float:
    total = 0.0
    for j in range(len(at)):
        total += abs(row[j]) * cells[at[j], 4]
    return total


@kernel
def _risk(terms: Floats, count: int, level: float, tries: float) -> tuple[float, float]:
    """Risk at a level, and its derivative. terms (h, 3): chance, centre, deviation."""
    total, slope = 0.0, 0.0
    for k in range(count):
        away = (level - terms[k, 1]) / terms[k, 2]
        if away >= _FAR:
            continue
        tail = tries * math.erfc(away / _ROOT_2)
        if tail >= 1:
            total += terms[k, 0]
        else:
            total += terms[k, 0] * tail
            steep = tries * _ROOT_2_OVER_PI * math.exp(-0.5 * away * away)
            slope -= terms[k, 0] * steep / terms[k, 2]
    return total, slope


@kernel
def _first_guess(terms: Floats, count: int, target: float, tries: float) -> float:
    """A level that no single term lets go much below."""
    guess = 0.0
    for k in range(count):
        if target >= 0.6 * terms[k, 0]:
            continue
        tail = target / terms[k, 0] / 2 / tries
        twice = -2 * math.log(tail)
        away = math.sqrt(max(twice - math.log(twice) - _LOG_2_PI, 0.0))
        guess = max(guess, terms[k, 1] + terms[k, 2] * away)
    return guess


@kernel
def _level(terms: Floats, count: int, target: float, tries: float) -> float:
    """Where the risk of all terms together is the target. Puts the terms that count in front."""
    high = 0.0
    for k in range(count):
        if terms[k, 0] > 0:
            high = max(high, terms[k, 1] + 40 * terms[k, 2])
    level = _first_guess(terms, count, target, tries)
    kept = 0
    for k in range(count):
        away = (level - terms[k, 1]) / terms[k, 2]
        # What adds less than 1e-10 of the risk where levels begin adds less still further out.
        bound = terms[k, 0]
        if away > 0:
            bound *= min(1.0, tries * math.exp(-0.5 * away * away))
        if bound > 1e-10 * target:
            for i in range(3):
                terms[kept, i] = terms[k, i]
            kept += 1
    low = 0.0
    for _ in range(_ROUNDS):
        total, slope = _risk(terms, kept, level, tries)
        if total > target:
            low = level
        else:
            high = level
        after = (low + high) / 2
        if total > 0 and slope < 0:
            step = -math.log(total / target) * total / slope
            if low <= level + step <= high:
                after = level + step
        if abs(after - level) < _STEP_M:
            return after
        level = after
    return level


@kernel
def _single_tests(
    spread: Floats, at: Ints, cells: Floats, common: Floats, numbers: Floats, quantile: float,
    threshold: Floats, cell: Floats,
) -> None:  # fmt: skip
    """Thresholds of the residuals, strains and detectable biases."""
    for i in range(len(at)):
        own = spread[i, i]
        threshold[i] = 0.0
        cell[at[i], 1] = np.inf
        if own < _BLIND:
            continue
        threshold[i] = quantile * _deviation(spread[i], at, cells, common, 3, numbers[1])
        cell[at[i], 0] = abs(cells[at[i], 1]) / max(threshold[i], 1e-9)
        missed = numbers[3] * _deviation(spread[i], at, cells, common, 2, 1.0)
        cell[at[i], 1] = (threshold[i] + missed) / own


@kernel
def _add_term(
    terms: Floats, q: int, place: int, chance: float, row: Floats, threshold: float, at: Ints,
    cells: Floats, common: Floats,
) -> None:  # fmt: skip
    terms[q, place, 0] = min(chance, 1.0)
    terms[q, place, 1] = threshold + _bias(row, at, cells)
    terms[q, place, 2] = max(_deviation(row, at, cells, common, 2, 1.0), 1e-9)


@kernel
def _group_terms(
    design: Floats, weight: Floats, cells: Floats, common: Floats, at: Ints, gain: Floats,
    chance: float, quantile: float, share: float, terms: Floats, place: int,
) -> float:  # fmt: skip
    """A constellation left out (weight is zero there): its terms, and strain; -1 if unsolvable."""
    size, count = design.shape[1], len(at)
    normal, without = np.zeros((size, size)), np.zeros((size, size))
    used = 0
    for i in range(count):
        if weight[i] <= 0:
            continue
        used += 1
        for p in range(size):
            part = weight[i] * design[at[i], p]
            for q in range(p + 1):
                normal[p, q] += part * design[at[i], q]
    if not _invert(normal, used, without):
        return -1.0
    row, apart = np.empty(count), np.empty(count)
    strain = 0.0
    for q in range(3):
        moved = 0.0
        for i in range(count):
            total = 0.0
            if weight[i] > 0:
                for p in range(size):
                    total += without[q, p] * design[at[i], p]
            row[i] = total * weight[i]
            apart[i] = row[i] - gain[q, i]
            moved += apart[i] * cells[at[i], 1]
        threshold = quantile * _deviation(apart, at, cells, common, 3, share)
        strain = max(strain, abs(moved) / max(threshold, 1e-9))
        _add_term(terms, q, place, chance, row, threshold, at, cells, common)
    return strain


@kernel
def _pair_terms(
    one: int, other: int, gain: Floats, spread: Floats, cells: Floats, common: Floats, at: Ints,
    threshold: Floats, ways: float, terms: Floats, place: int,
) -> bool:  # fmt: skip
    """Two satellites left out; False if the rest cannot tell them from its own errors."""
    a, b = spread[one, one], spread[other, other]
    c, d = spread[one, other], spread[other, one]
    determinant = a * b - c * d
    if determinant <= _BLIND:
        return False
    count = len(at)
    row, apart = np.empty(count), np.empty(count)
    chance = cells[at[one], 5] * cells[at[other], 5] * ways
    for q in range(3):
        pull1 = (gain[q, one] * b - gain[q, other] * d) / determinant
        pull2 = (gain[q, other] * a - gain[q, one] * c) / determinant
        for j in range(count):
            apart[j] = -(pull1 * spread[one, j] + pull2 * spread[other, j])
            row[j] = gain[q, j] + apart[j]
        limit = abs(pull1) * threshold[one] + abs(pull2) * threshold[other]
        _add_term(terms, q, place, chance, row, limit, at, cells, common)
    return True


@kernel
def _satellite_terms(
    gain: Floats, spread: Floats, threshold: Floats, cells: Floats, common: Floats, at: Ints,
    ways: float, terms: Floats,
) -> int:  # fmt: skip
    """Terms of no fault and of each satellite's; how many, negative where one has no bound."""
    count = len(at)
    row = np.empty(count)
    bounded = True
    filled = 1
    for q in range(3):
        _add_term(terms, q, 0, 1.0, gain[q], 0.0, at, cells, common)
    for i in range(count):
        blind = spread[i, i] < _BLIND
        for q in range(3):
            if blind:
                # A fault that no residual shows is harmless only if it moves nothing.
                bounded = bounded and abs(gain[q, i]) <= 1e-9
                continue
            pull = gain[q, i] / spread[i, i]
            for j in range(count):
                row[j] = gain[q, j] - pull * spread[i, j]
            chance, limit = cells[at[i], 5] * ways, abs(pull) * threshold[i]
            _add_term(terms, q, filled, chance, row, limit, at, cells, common)
        if not blind:
            filled += 1
    return filled if bounded else -filled


@kernel
def _all_groups(
    design: Floats, gain: Floats, cells: Floats, common: Floats, at: Ints, group: Ints,
    present: Bools, group_fault: Floats, ways: float, quantile: float, share: float,
    terms: Floats, filled: int, group_strain: Floats,
) -> tuple[int, float]:  # fmt: skip
    """Terms of all constellations; how many terms there are then, and the chance without one."""
    weight = np.empty(len(at))
    lost = 0.0
    for g in range(len(group_fault)):
        if not present[g]:
            continue
        for i in range(len(at)):
            weight[i] = 0.0 if group[at[i]] == g else cells[at[i], 0]
        chance = group_fault[g] * ways
        strain = _group_terms(
            design, weight, cells, common, at, gain, chance, quantile, share, terms, filled
        )
        if strain < 0:
            lost += chance
        else:
            group_strain[g] = strain
            filled += 1
    return filled, lost


@kernel
def _all_pairs(
    gain: Floats, spread: Floats, cells: Floats, common: Floats, at: Ints, threshold: Floats,
    ways: float, terms: Floats, filled: int,
) -> tuple[int, bool]:  # fmt: skip
    """Terms of all pairs; how many terms there are then, and whether each had one."""
    bounded = True
    for i in range(len(at)):
        for j in range(i + 1, len(at)):
            if cells[at[i], 5] * cells[at[j], 5] == 0:
                continue
            if _pair_terms(i, j, gain, spread, cells, common, at, threshold, ways, terms, filled):
                filled += 1
            else:
                bounded = False
    return filled, bounded


@kernel
def _chances(
    cells: Floats, at: Ints, group: Ints, present: Bools, group_fault: Floats, ways: float,
    risk: float, whole: float,
) -> tuple[float, float, bool]:  # fmt: skip
    """Chance that is never tested for, that of two satellites, and whether pairs are tested for.

    whole: 1 for `Accounting.whole`, else 0.
    """
    first, second, faults, both = 0.0, 0.0, 0.0, 0.0
    for i in range(len(at)):
        first += cells[at[i], 5]
        second += cells[at[i], 5] ** 2
    for g in range(len(group_fault)):
        if present[g]:
            faults += group_fault[g]
    unmonitored = first**3 / 6
    if present.sum() > 1:
        both = first * faults + faults * faults / 2
        if whole > 0:
            # A satellite of a constellation that is wrong as a whole is no second cause.
            for i in range(len(at)):
                both -= cells[at[i], 5] * group_fault[group[at[i]]]
            for g in range(len(group_fault)):
                both -= group_fault[g] ** 2 / 2 if present[g] else 0.0
        unmonitored += both
    elif whole > 0:
        unmonitored += faults
    pairs = max(first * first - second, 0.0) / 2 * ways
    return unmonitored * ways, pairs, pairs > _PAIRS_FROM * risk


@kernel
def _bound_epoch(
    design: Floats, inverse: Floats, cells: Floats, common: Floats, group: Ints,
    group_fault: Floats, ways: float, numbers: Floats, quantile: float, at: Ints, cell: Floats,
    group_strain: Floats, levels: Floats, epoch: Floats,
) -> None:  # fmt: skip
    """One epoch: at (n,) its used cells."""
    count, size = len(at), design.shape[1]
    gain, spread = np.empty((size, count)), np.empty((count, count))
    _matrices(design, inverse, cells, at, gain, spread)
    threshold = np.empty(count)
    _single_tests(spread, at, cells, common, numbers, quantile, threshold, cell)
    present = np.zeros(len(group_fault), np.bool_)
    for i in range(count):
        present[group[at[i]]] = True
    several = present.sum() > 1
    unmonitored, pairs, tested = _chances(
        cells, at, group, present, group_fault, ways, numbers[0], numbers[2]
    )
    places = 1 + count + len(group_fault)
    if tested:
        places += count * (count - 1) // 2
    terms = np.empty((3, places, 3))
    filled = _satellite_terms(gain, spread, threshold, cells, common, at, ways, terms)
    bounded = filled > 0
    filled = abs(filled)
    if several:
        filled, lost = _all_groups(
            design, gain, cells, common, at, group, present, group_fault, ways, quantile,
            numbers[1], terms, filled, group_strain,
        )  # fmt: skip
        unmonitored += lost
    if tested:
        filled, good = _all_pairs(gain, spread, cells, common, at, threshold, ways, terms, filled)
        bounded = bounded and good
    else:
        unmonitored += pairs
    epoch[0] = unmonitored
    epoch[1] = 0.0 if several else 1.0
    share = (numbers[0] - unmonitored) / 2
    if bounded and share > 0:
        for q in range(3):
            levels[q] = _level(terms[q], filled, share, numbers[4])


@kernel
def bound_epochs(
    design: Floats,
    inverse: Floats,
    cells: Floats,
    common: Floats,
    group: Ints,
    group_fault: Floats,
    ways: Floats,
    numbers: Floats,
    quantiles: Floats,
    cell: Floats,
    group_strain: Floats,
    levels: Floats,
    epoch: Floats,
) -> None:
    """Tests and bounds all epochs.

    cells (e, s, 6): weight, residual, variance for the bound, usual variance, bias, chance of a
    fault. ways (e,): how many times each hypothesis counts. numbers: risk, share of common errors
    in thresholds, `Accounting.whole`, quantile of a missed detection, `Accounting.tries`.
    quantiles (s,): of the test with one range and more.
    Out: cell (e, s, 2): strain, detectable bias; group_strain (e, g); levels (e, 3); epoch (e, 2):
    chance that is not tested for, whether on one constellation.
    """
    room = np.empty(design.shape[1], np.int64)
    for e in range(len(design)):
        cell[e, :, 1] = np.inf
        levels[e] = np.inf
        count = 0
        for i in range(design.shape[1]):
            if cells[e, i, 0] > 0:
                room[count] = i
                count += 1
        epoch[e, 1] = 1.0
        if not np.isfinite(inverse[e, 0, 0]) or count == 0:
            continue
        _bound_epoch(
            design[e], inverse[e], cells[e], common[e], group[e], group_fault, ways[e], numbers,
            quantiles[count - 1], room[:count], cell[e], group_strain[e], levels[e], epoch[e],
        )  # fmt: skip
