"""Hypotheses of faults in a linear model of ranges: what each would do to a position.

The hypotheses are: one satellite faulty, two of them (once their chance counts), a whole
constellation faulty. To each belongs the solution without what it names, the chance that it holds,
and a threshold of the separation of that solution from the one of all ranges (solution separation,
see `protection`). What is not tested for is summed up as a chance by itself.

How chances are summed up is `Accounting`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from statistics import NormalDist
from typing import Any, Final

import numpy as np

from zhidao.positioning.domain.observables.observations import Bools, Floats, Ints

# A residual whose deviation is this small against its range's cannot show a fault.
BLIND: Final = 1e-6
# A chance of two faults at once above this share of the risk is tested for, not taken off.
PAIRS_FROM: Final = 0.1
# With what chance the test may miss a bias of the size that is called detectable.
MISSED: Final = 1e-6
_SUSPECTED: Final = 30.0


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Linearised epochs in east-north-up axes; padded shapes (e, s), parameters p.

    design (e, s, p); weight (e, s), zero where not used; inverse (e, p, p) = (A' W A)^-1, NaN where
    there is none; residual_m (e, s). variance_m2: of each range for the bound; usual_m2: what it
    mostly is, for thresholds. common_m (e, s, c): what one deviation of each common cause does to
    each range, of which thresholds take the share `usual`. bias_m: greatest nominal bias. fault:
    chance that a range is faulty. group (e, s): its constellation, an index into group_fault (g,).
    suspected (e,): how many ranges were put out at each epoch.
    """

    design: Floats
    weight: Floats
    inverse: Floats
    residual_m: Floats
    variance_m2: Floats
    usual_m2: Floats
    common_m: Floats
    bias_m: Floats
    fault: Floats
    group: Ints
    group_fault: Floats
    suspected: Ints
    usual: float

    def take(self, epochs: Ints | Bools) -> LinearModel:
        """The given epochs only."""
        whole = ("group_fault", "usual")
        columns: dict[str, Any] = {
            c.name: getattr(self, c.name) if c.name in whole else getattr(self, c.name)[epochs]
            for c in fields(self)
        }
        return LinearModel(**columns)

    @property
    def spare(self) -> Ints:
        """Ranges beyond those that a position needs, (e,)."""
        used = self.weight > 0
        clocks = (self.design[..., 3:] * used[..., None]).any(1).sum(1)
        spare: Ints = used.sum(1) - 3 - clocks
        return spare


@dataclass(frozen=True, slots=True)
class Accounting:
    """How chances are summed up; the plain one is that of one epoch before version 4.

    whole: also by the chance that the only constellation is wrong as a whole, and by the number of
    ways in which exclusions could have ended. tries: independent draws of noise that may prove the
    same thing. exposure: how many times the chance of a fault at an instant that of one during the
    time looked at is.
    """

    whole: bool = False
    tries: float = 1.0
    exposure: float = 1.0


ONE_EPOCH: Final = Accounting()


def exposed(model: LinearModel, accounting: Accounting) -> LinearModel:
    """With the chances of faults during the time looked at."""
    if accounting.exposure == 1:
        return model
    return replace(
        model,
        fault=np.minimum(model.fault * accounting.exposure, 1),
        group_fault=np.minimum(model.group_fault * accounting.exposure, 1),
    )


def each_suspected(model: LinearModel, accounting: Accounting) -> Floats:
    """How many times the chance of each fault counts where something was put out, (e,)."""
    return np.where((model.suspected > 0) & (not accounting.whole), _SUSPECTED, 1.0)


def ways_of(model: LinearModel, accounting: Accounting) -> Floats:
    """In how many ways exclusions could have ended, (e,)."""
    if not accounting.whole:
        return np.ones(len(model.weight))
    count = np.asarray(model.suspected, np.float64)
    ways: Floats = ((model.weight > 0).sum(1) + 1 + count) ** count
    return ways


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One hypothesis at all epochs: gain (e, 3, s) without what it names, and its numbers (e, 3).

    chance (e,), zero where it does not apply; threshold_m, separation_m (e, 3).
    """

    gain: Floats
    chance: Floats
    threshold_m: Floats
    separation_m: Floats


@dataclass(frozen=True, slots=True)
class Case:
    """All hypotheses of all epochs with what their tests gave; the first one is that of no fault.

    strain, group_strain, unmonitored, single_group, detectable_m: as in `protection.Bounds`, where
    single_group is called assumed. unbounded (e,): a range that moves the position and that no
    other one checks.
    """

    hypotheses: list[Hypothesis]
    strain: Floats
    group_strain: Floats
    unmonitored: Floats
    single_group: Bools
    detectable_m: Floats
    unbounded: Bools


def case_of(model: LinearModel, *, risk: float, alarm: float, accounting: Accounting) -> Case:
    """Everything that is tested for, and what is not; `risk` decides only which pairs are."""
    model = exposed(model, accounting)
    solvable: Bools = np.asarray(np.isfinite(model.inverse).all((1, 2)), bool)
    used = (model.weight > 0) & solvable[:, None]
    view = _view(model)
    count = used.sum(1)
    quantile = upper_quantile(alarm / (2 * np.maximum(count, 1)))
    strain, threshold, detectable, blind = _single_tests(model, view, used, quantile)
    fault = np.where(used, model.fault, 0) * each_suspected(model, accounting)[:, None]
    ways = ways_of(model, accounting)
    free = np.ones(len(used))
    nothing = np.zeros((len(used), 3))
    hypotheses = [Hypothesis(view.gain[:, :3], free, nothing, nothing)]
    single = fault * ways[:, None]
    hypotheses += [_single(view, used, single, threshold, cell) for cell in range(used.shape[1])]
    groups, group_strain, lost = _groups(model, view, used, quantile, ways)
    hypotheses += groups
    unmonitored, tested = _chances(model, used, fault, ways, risk, whole=accounting.whole)
    if tested.any():
        hypotheses += _pairs(view, fault * tested[:, None], threshold, ways)
    moves = np.abs(view.gain[:, :3]).max(1, initial=0) > 1e-9
    unbounded = np.asarray((blind & moves).any(1), bool) | ~solvable
    single_group = _has(model, used).sum(1) <= 1
    unmonitored = unmonitored + lost
    return Case(hypotheses, strain, group_strain, unmonitored, single_group, detectable, unbounded)


def _chances(
    model: LinearModel, used: Bools, fault: Floats, ways: Floats, risk: float, *, whole: bool
) -> tuple[Floats, Bools]:
    """Chance of what is never tested for (e,), and where pairs of satellites are."""
    first, second = fault.sum(1), (fault**2).sum(1)
    pairs = np.maximum(first**2 - second, 0) / 2 * ways
    triples = first**3 / 6
    present = _has(model, used)
    groups = np.where(present, model.group_fault, 0)
    both = _two_causes(model, fault, groups, whole=whole)
    one = present.sum(1) <= 1
    alone = groups.sum(1) if whole else np.zeros(len(used))
    unmonitored = (triples + np.where(one, alone, both)) * ways
    tested = np.asarray(pairs > PAIRS_FROM * risk, bool)
    return np.where(tested, unmonitored, unmonitored + pairs), tested


def _two_causes(model: LinearModel, fault: Floats, groups: Floats, *, whole: bool) -> Floats:
    """Chance of a constellation and a satellite of another one, or of two constellations, (e,).

    Before version 4 also that of a constellation and one of its own satellites was added.
    """
    all_groups = groups.sum(1)
    if not whole:
        both: Floats = fault.sum(1) * all_groups + all_groups**2 / 2
        return both
    member = model.group[..., None] == np.arange(groups.shape[1])
    own = np.einsum("es,esg->eg", fault, member.astype(float))
    others = fault.sum(1)[:, None] - own
    pairs: Floats = (groups * others).sum(1) + (all_groups**2 - (groups**2).sum(1)) / 2
    return pairs


@dataclass(frozen=True, slots=True)
class _View:
    """gain (e, p, s): parameters from residuals. spread (e, s, s): residuals from range errors.

    Rows of spread mean something for ranges that are used; columns of the others are zero there.
    """

    gain: Floats
    spread: Floats


def _view(model: LinearModel) -> _View:
    weighted = model.design * model.weight[..., None]
    gain = np.nan_to_num(model.inverse) @ np.swapaxes(weighted, 1, 2)
    return _View(gain, np.eye(model.weight.shape[1]) - model.design @ gain)


def deviation_m(model: LinearModel, gain: Floats) -> Floats:
    """Deviation of sums of range errors (e, …, s) for the bound, (e, …)."""
    return _spread_of(gain, model.variance_m2, model.common_m)


def covariance_m2(model: LinearModel, gain: Floats) -> Floats:
    """Covariance for the bound of two sums of range errors (e, 2, s), (e, 2, 2)."""
    total: Floats = (gain * model.variance_m2[:, None]) @ np.swapaxes(gain, 1, 2)
    shared = gain @ model.common_m
    return total + shared @ np.swapaxes(shared, 1, 2)


def usual_deviation_m(model: LinearModel, gain: Floats) -> Floats:
    """The same for thresholds."""
    return _spread_of(gain, model.usual_m2, model.common_m * model.usual)


def _spread_of(gain: Floats, variance_m2: Floats, common_m: Floats) -> Floats:
    total = np.einsum("e...s,es->e...", gain**2, variance_m2)
    for cause in range(common_m.shape[2]):
        total = total + np.einsum("e...s,es->e...", gain, common_m[..., cause]) ** 2
    out: Floats = np.sqrt(np.maximum(total, 0))
    return out


def _single_tests(
    model: LinearModel, view: _View, used: Bools, quantile: Floats
) -> tuple[Floats, Floats, Floats, Bools]:
    """Strain, threshold and detectable bias of each range (e, s), and which have no test."""
    threshold = quantile[:, None] * usual_deviation_m(model, view.spread)
    own = np.einsum("eii->ei", view.spread)
    blind = used & (own < BLIND)
    tested = used & ~blind
    residual = np.abs(np.nan_to_num(model.residual_m))
    strain = np.where(tested, residual / np.maximum(threshold, 1e-9), 0)
    missed = upper_quantile(np.array([MISSED]))[0] * deviation_m(model, view.spread)
    detectable = np.where(tested, (threshold + missed) / np.where(tested, own, 1), np.inf)
    return strain, np.where(tested, threshold, 0), detectable, blind


def _single(view: _View, used: Bools, fault: Floats, threshold: Floats, cell: int) -> Hypothesis:
    """A satellite faulty: leaving it out moves the position by pull * residual."""
    own = view.spread[:, cell, cell]
    live = used[:, cell] & (own >= BLIND)
    pull = view.gain[:, :3, cell] / np.where(live, own, 1)[:, None]
    gain = view.gain[:, :3] - pull[:, :, None] * view.spread[:, None, cell]
    return Hypothesis(
        gain,
        np.where(live, fault[:, cell], 0),
        np.abs(pull) * threshold[:, cell, None],
        np.zeros_like(pull),
    )


def _has(model: LinearModel, used: Bools) -> Bools:
    """Which constellations take part, (e, g)."""
    groups = len(model.group_fault)
    member = model.group[..., None] == np.arange(groups)
    present: Bools = (member & used[..., None]).any(1)
    return present


def _groups(
    model: LinearModel, view: _View, used: Bools, quantile: Floats, ways: Floats
) -> tuple[list[Hypothesis], Floats, Floats]:
    """A constellation faulty: hypotheses, strain (e, g), and chance that nothing remains (e,)."""
    present = _has(model, used)
    several = present.sum(1) > 1
    strain = np.zeros(present.shape)
    lost = np.zeros(len(used))
    found = []
    for index, chance in enumerate(model.group_fault.tolist()):
        asked = several & present[:, index]
        if not asked.any():
            continue
        weight = np.where(model.group == index, 0, model.weight)
        gain, good = _gain_without(model, weight)
        lost += np.where(asked & ~good, chance * ways, 0)
        apart = gain - view.gain[:, :3]
        threshold = quantile[:, None] * usual_deviation_m(model, apart)
        moved = np.einsum("eqs,es->eq", apart, np.nan_to_num(model.residual_m))
        live = asked & good
        ratio = np.abs(moved) / np.maximum(threshold, 1e-9)
        strain[:, index] = np.where(live, ratio.max(1), 0)
        found.append(Hypothesis(gain, np.where(live, chance * ways, 0), threshold, moved))
    return found, strain, lost


def _gain_without(model: LinearModel, weight: Floats) -> tuple[Floats, Bools]:
    """Gain (e, 3, s) with other weights, and where there is one."""
    inverse = inverse_of(model.design, weight)
    good = np.asarray(np.isfinite(inverse).all((1, 2)), bool)
    weighted = np.swapaxes(model.design * weight[..., None], 1, 2)
    return np.nan_to_num(inverse[:, :3]) @ weighted, good


def inverse_of(design: Floats, weight: Floats) -> Floats:
    """(A' W A)^-1 of each epoch (e, p, p), NaN where there is none; idle clocks are held."""
    weighted = design * weight[..., None]
    normal = np.swapaxes(weighted, 1, 2) @ design
    places = np.arange(3, normal.shape[1])
    idle = normal[:, places, places] == 0
    normal[:, places, places] += idle
    scale = np.sqrt(np.maximum(np.einsum("eii->ei", normal), 1e-30))
    scaled = normal / (scale[:, :, None] * scale[:, None, :])
    enough = np.count_nonzero(weight > 0, axis=1) + idle.sum(1) >= normal.shape[1]
    with np.errstate(all="ignore"):
        enough &= np.linalg.slogdet(scaled)[1] > math.log(1e-13)
    scaled[~enough] = np.eye(normal.shape[1])
    inverse: Floats = np.linalg.inv(scaled) / (scale[:, :, None] * scale[:, None, :])
    inverse[~enough] = np.nan
    return inverse


def _pairs(view: _View, fault: Floats, single: Floats, ways: Floats) -> list[Hypothesis]:
    """Two satellites faulty; a pair that cannot be told from the others' errors has no bound."""
    found = []
    for one in range(fault.shape[1]):
        for other in range(one + 1, fault.shape[1]):
            chance = fault[:, one] * fault[:, other] * ways
            if not chance.any():
                continue
            a, b = view.spread[:, one, one], view.spread[:, other, other]
            c, d = view.spread[:, one, other], view.spread[:, other, one]
            determinant = a * b - c * d
            live = determinant > BLIND
            safe = np.where(live, determinant, 1)[:, None]
            first, second = view.gain[:, :3, one], view.gain[:, :3, other]
            pull1 = (first * b[:, None] - second * d[:, None]) / safe
            pull2 = (second * a[:, None] - first * c[:, None]) / safe
            apart = -(
                pull1[..., None] * view.spread[:, None, one]
                + pull2[..., None] * view.spread[:, None, other]
            )
            # No test of its own: both residuals lie within their thresholds, or there is alarm.
            limit = np.abs(pull1) * single[:, one, None] + np.abs(pull2) * single[:, other, None]
            limit = np.where(live[:, None] | (chance == 0)[:, None], limit, np.inf)
            found.append(Hypothesis(view.gain[:, :3] + apart, chance, limit, np.zeros_like(pull1)))
    return found


def upper_quantile(probability: Floats) -> Floats:
    """Q^-1: where the upper tail of the normal distribution has that probability.

    Infinite for 0, 0 for one half and above.
    """
    values, places = np.unique(probability, return_inverse=True)
    normal = NormalDist()
    # The lower tail is asked, since 1 - p would lose a small p.
    table = [-normal.inv_cdf(min(float(p), 0.5)) if p > 0 else np.inf for p in values]
    found: Floats = np.array(table)[places].reshape(np.shape(probability))
    return found
