"""Fault detection and protection levels by solution separation over many hypotheses.

Form: Blanch et al., "Baseline advanced RAIM user algorithm and possible improvements", IEEE Trans.
AES 51(1), 2015, and "Advanced RAIM user algorithm description", ION GNSS 2012 (not at hand; the
method is public in several descriptions). For direction q (east, north, up) the level L solves

    2 Q((L - b0) / s0) + sum_k p_k min(1, 2 Q((L - T_k - b_k) / s_k)) = (risk - unmonitored) / 2

over the hypotheses k: one satellite faulty, two of them (once their chance counts), a whole
constellation faulty. s_k, b_k: deviation and greatest nominal bias of the position without what k
names; T_k = K d_k: threshold of the separation of both positions, d_k its deviation by what errors
mostly are. Q is taken on both sides under a fault, too, so the sum bounds the risk for a bias of
either sign. `unmonitored` is the chance of everything that is not tested for: three satellites at
once, a satellite and a constellation, a constellation without which nothing can be solved.

Errors of ranges are independent apart from `common_m`, errors that one cause makes in all of them
at once (ionosphere, troposphere), which no rule of independent errors would bound.

A solution on one constellation alone cannot show that this constellation is wrong as a whole: its
levels hold if it is not, as those of RAIM always did, and `Bounds.assumed` says so.

An excluded satellite shows that there was a fault; that the wrong one was put out pays with
`_SUSPECTED` times the chance of a fault in each of the others.

Not covered: a receiver that is fed false signals (see `authenticity`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from statistics import NormalDist
from typing import Any, Final

import numpy as np

from zhidao.core.compiling import ready
from zhidao.positioning.domain.observations import Bools, Floats, Ints

# A residual whose deviation is this small against its range's cannot show a fault.
BLIND: Final = 1e-6
# A chance of two faults at once above this share of the risk is tested for, not taken off.
PAIRS_FROM: Final = 0.1
# With what chance the test may miss a bias of the size that is called detectable.
MISSED: Final = 1e-6
_SUSPECTED: Final = 30.0
_ROUNDS: Final = 60
_STEP_M: Final = 1e-9
_LOADING_PAYS: Final = 1_024
# From so many deviations on a tail counts as that one: nothing beside a risk of 1e-9.
_FAR: Final = 8.0
_FAR_TAIL: Final = 6.3e-16


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Linearised epochs in east-north-up axes; padded shapes (e, s), parameters p.

    design (e, s, p); weight (e, s), zero where not used; inverse (e, p, p) = (A' W A)^-1, NaN where
    there is none; residual_m (e, s). variance_m2: of each range for the bound; usual_m2: what it
    mostly is, for thresholds. common_m (e, s, c): what one deviation of each common cause does to
    each range, of which thresholds take the share `usual`. bias_m: greatest nominal bias. fault:
    chance that a range is faulty. group (e, s): its constellation, an index into group_fault (g,).
    suspected (e,): epochs where something was excluded.
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
    suspected: Bools
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
class Bounds:
    """Tests and levels of each epoch.

    strain (e, s): |residual| over its threshold, above 1 = alarm. group_strain (e, g): the same of
    the separation when a constellation is left out. levels_m (e, 3) east, north, up, infinite where
    there is none. unmonitored (e,): chance of what is not tested for. assumed (e,): whether the
    levels stand on one constellation that is taken to be right as a whole. detectable_m (e, s):
    a bias of one range that the test misses with a chance of 1e-6 at most, infinite if no test.
    """

    strain: Floats
    group_strain: Floats
    levels_m: Floats
    unmonitored: Floats
    assumed: Bools
    detectable_m: Floats

    @property
    def horizontal_m(self) -> Floats:
        """Horizontal protection level."""
        return np.hypot(self.levels_m[:, 0], self.levels_m[:, 1])

    @property
    def vertical_m(self) -> Floats:
        """Vertical protection level."""
        return self.levels_m[:, 2]


def bound(model: LinearModel, *, risk: float, alarm: float, alone: bool = True) -> Bounds:
    """Tests and bounds of all epochs; compiled where that is at hand.

    risk: that a level is exceeded unnoticed, of both horizontal ones and of the vertical one each.
    alarm: chance of a false alarm an epoch. alone: whether one constellation alone may be bounded.
    """
    epochs = len(model.weight)
    if epochs and ready(pays=epochs >= _LOADING_PAYS):
        return compiled_bound(model, risk=risk, alarm=alarm, alone=alone)
    return plain_bound(model, risk=risk, alarm=alarm, alone=alone)


def compiled_bound(model: LinearModel, *, risk: float, alarm: float, alone: bool = True) -> Bounds:
    """The same by `kernels.protection`."""
    from zhidao.positioning.domain.kernels.protection import bound_epochs

    epochs, cells = model.weight.shape
    groups = len(model.group_fault)
    cell = np.zeros((epochs, cells, 2))
    group_strain, levels = np.zeros((epochs, groups)), np.empty((epochs, 3))
    epoch = np.zeros((epochs, 2))
    columns = (
        model.weight,
        np.nan_to_num(model.residual_m),
        model.variance_m2,
        model.usual_m2,
        model.bias_m,
        model.fault * suspicion(model)[:, None],
    )
    bound_epochs(
        np.ascontiguousarray(model.design),
        model.inverse,
        np.stack(columns, -1),
        np.ascontiguousarray(model.common_m),
        model.group,
        model.group_fault,
        np.array((risk, model.usual, float(alone), upper_quantile(np.array([MISSED]))[0])),
        upper_quantile(alarm / (2 * np.maximum(np.arange(cells + 1), 1))),
        cell,
        group_strain,
        levels,
        epoch,
    )
    return Bounds(cell[..., 0], group_strain, levels, epoch[:, 0], epoch[:, 1] > 0, cell[..., 1])


def suspicion(model: LinearModel) -> Floats:
    """How many times the chance of a fault counts, (e,)."""
    return np.where(model.suspected, _SUSPECTED, 1.0)


@dataclass(frozen=True, slots=True)
class _Hypothesis:
    """One hypothesis at all epochs: gain (e, 3, s) without what it names, and its numbers (e, 3).

    chance (e,), zero where it does not apply; threshold_m, separation_m (e, 3).
    """

    gain: Floats
    chance: Floats
    threshold_m: Floats
    separation_m: Floats


@dataclass(frozen=True, slots=True)
class _Case:
    """All hypotheses of all epochs with what their tests gave; the first one is that of no fault.

    unbounded (e,): a range that moves the position and that no other one checks.
    """

    bounds: Bounds
    hypotheses: list[_Hypothesis]
    unbounded: Bools


def plain_bound(model: LinearModel, *, risk: float, alarm: float, alone: bool = True) -> Bounds:
    """The same in numpy, all epochs at once, one hypothesis after another."""
    case = _case(model, risk=risk, alarm=alarm, alone=alone)
    share = (risk - case.bounds.unmonitored) / 2
    levels = _levels(model, case.hypotheses, share)
    levels[case.unbounded] = np.inf
    return replace(case.bounds, levels_m=levels)


def outside_risk(
    model: LinearModel, normals: Floats, distance_m: Floats, *, risk: float, alarm: float
) -> Floats:
    """Chance (e,) that the position lies beyond any of some straight lines, at most.

    normals (e, d, 2): unit vectors east, north towards each line; distance_m (e, d) to it. The sum
    over lines and hypotheses of one-sided tails. `risk` decides only what is tested for; see
    `bound`. One for epochs without a bound.
    """
    case = _case(model, risk=risk, alarm=alarm, alone=True)
    total = case.bounds.unmonitored.copy()
    for each in case.hypotheses:
        gain = each.gain[:, :2]
        centre = (np.abs(normals @ gain) @ model.bias_m[..., None])[..., 0]
        limit = np.where(np.isfinite(each.threshold_m[:, :2]), each.threshold_m[:, :2], 1e9)
        centre += np.einsum("edq,eq->ed", np.abs(normals), limit)
        variance_m2 = np.einsum("edq,eqr,edr->ed", normals, _covariance_m2(model, gain), normals)
        away = (distance_m - centre) / np.sqrt(np.maximum(variance_m2, 1e-18))
        tails = np.minimum(_upper_tail(away).sum(1), 1)
        total += each.chance * tails
    total[case.unbounded] = 1
    return np.minimum(total, 1)


def _case(model: LinearModel, *, risk: float, alarm: float, alone: bool) -> _Case:
    solvable: Bools = np.asarray(np.isfinite(model.inverse).all((1, 2)), bool)
    used = (model.weight > 0) & solvable[:, None]
    view = _view(model, used)
    count = used.sum(1)
    quantile = upper_quantile(alarm / (2 * np.maximum(count, 1)))
    strain, threshold, detectable, blind = _single_tests(model, view, used, quantile)
    fault = np.where(used, model.fault, 0) * suspicion(model)[:, None]
    free = np.ones(len(used))
    nothing = np.zeros((len(used), 3))
    hypotheses = [_Hypothesis(view.gain[:, :3], free, nothing, nothing)]
    hypotheses += [_single(view, used, fault, threshold, cell) for cell in range(used.shape[1])]
    groups, group_strain, lost = _groups(model, view, used, quantile)
    hypotheses += groups
    unmonitored, tested = _chances(model, used, fault, risk, alone=alone)
    if tested.any():
        hypotheses += _pairs(view, used, fault * tested[:, None], threshold)
    moves = np.abs(view.gain[:, :3]).max(1, initial=0) > 1e-9
    unbounded = np.asarray((blind & moves).any(1), bool) | ~solvable
    single_group = _has(model, used).sum(1) <= 1
    infinite = np.full((len(used), 3), np.inf)
    bounds = Bounds(strain, group_strain, infinite, unmonitored + lost, single_group, detectable)
    return _Case(bounds, hypotheses, unbounded)


def _chances(
    model: LinearModel, used: Bools, fault: Floats, risk: float, *, alone: bool
) -> tuple[Floats, Bools]:
    """Chance of what is never tested for (e,), and where pairs of satellites are."""
    first, second = fault.sum(1), (fault**2).sum(1)
    pairs = np.maximum(first**2 - second, 0) / 2
    triples = first**3 / 6
    present = _has(model, used)
    group_fault = np.where(present, model.group_fault, 0).sum(1)
    one = present.sum(1) <= 1
    several = triples + first * group_fault + group_fault**2 / 2
    unmonitored = np.where(one, triples, several)
    tested = np.asarray(pairs > PAIRS_FROM * risk, bool)
    unmonitored = np.where(tested, unmonitored, unmonitored + pairs)
    if not alone:
        unmonitored = np.where(one & used.any(1), 1.0, unmonitored)
    return unmonitored, tested


@dataclass(frozen=True, slots=True)
class _View:
    """gain (e, p, s): parameters from residuals. spread (e, s, s): residuals from range errors."""

    gain: Floats
    spread: Floats


def _view(model: LinearModel, used: Bools) -> _View:
    weighted = model.design * model.weight[..., None]
    gain = np.nan_to_num(model.inverse) @ np.swapaxes(weighted, 1, 2)
    spread = np.eye(used.shape[1]) - model.design @ gain
    # Rows and columns of what is not used would only hold rests of the padding.
    spread *= used[:, :, None] & used[:, None, :]
    return _View(gain, spread)


def _deviation(model: LinearModel, gain: Floats) -> Floats:
    """Deviation of sums of range errors (e, …, s) for the bound, (e, …)."""
    return _spread_of(gain, model.variance_m2, model.common_m)


def _covariance_m2(model: LinearModel, gain: Floats) -> Floats:
    """Covariance for the bound of two sums of range errors (e, 2, s), (e, 2, 2)."""
    total: Floats = (gain * model.variance_m2[:, None]) @ np.swapaxes(gain, 1, 2)
    shared = gain @ model.common_m
    return total + shared @ np.swapaxes(shared, 1, 2)


def _usual_deviation(model: LinearModel, gain: Floats) -> Floats:
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
    threshold = quantile[:, None] * _usual_deviation(model, view.spread)
    own = np.einsum("eii->ei", view.spread)
    blind = used & (own < BLIND)
    tested = used & ~blind
    residual = np.abs(np.nan_to_num(model.residual_m))
    strain = np.where(tested, residual / np.maximum(threshold, 1e-9), 0)
    missed = upper_quantile(np.array([MISSED]))[0] * _deviation(model, view.spread)
    detectable = np.where(tested, (threshold + missed) / np.where(tested, own, 1), np.inf)
    return strain, np.where(tested, threshold, 0), detectable, blind


def _single(view: _View, used: Bools, fault: Floats, threshold: Floats, cell: int) -> _Hypothesis:
    """A satellite faulty: leaving it out moves the position by pull * residual."""
    own = view.spread[:, cell, cell]
    live = used[:, cell] & (own >= BLIND)
    pull = view.gain[:, :3, cell] / np.where(live, own, 1)[:, None]
    gain = view.gain[:, :3] - pull[:, :, None] * view.spread[:, None, cell]
    return _Hypothesis(
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
    model: LinearModel, view: _View, used: Bools, quantile: Floats
) -> tuple[list[_Hypothesis], Floats, Floats]:
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
        lost += np.where(asked & ~good, chance, 0)
        apart = gain - view.gain[:, :3]
        threshold = quantile[:, None] * _usual_deviation(model, apart)
        moved = np.einsum("eqs,es->eq", apart, np.nan_to_num(model.residual_m))
        live = asked & good
        ratio = np.abs(moved) / np.maximum(threshold, 1e-9)
        strain[:, index] = np.where(live, ratio.max(1), 0)
        found.append(_Hypothesis(gain, np.where(live, chance, 0), threshold, moved))
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


def _pairs(view: _View, used: Bools, fault: Floats, single: Floats) -> list[_Hypothesis]:
    """Two satellites faulty; a pair that cannot be told from the others' errors has no bound."""
    found = []
    for one in range(used.shape[1]):
        for other in range(one + 1, used.shape[1]):
            both = used[:, one] & used[:, other]
            chance = np.where(both, fault[:, one] * fault[:, other], 0)
            if not chance.any():
                continue
            a, b = view.spread[:, one, one], view.spread[:, other, other]
            c, d = view.spread[:, one, other], view.spread[:, other, one]
            determinant = a * b - c * d
            live = both & (determinant > BLIND)
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
            found.append(_Hypothesis(view.gain[:, :3] + apart, chance, limit, np.zeros_like(pull1)))
    return found


def _levels(model: LinearModel, hypotheses: list[_Hypothesis], share: Floats) -> Floats:
    """Levels (e, 3) by bisection."""
    terms = [(h.chance, *_numbers(model, h.gain, h.threshold_m)) for h in hypotheses]
    chance = np.stack([t[0] for t in terms], 1)[:, None]
    centre = np.stack([t[1] for t in terms], 2)
    deviation = np.maximum(np.stack([t[2] for t in terms], 2), 1e-9)
    hopeless = (share <= 0)[:, None] | (~np.isfinite(centre) & (chance > 0)).any(2)
    hopeless = hopeless | np.zeros((1, 3), bool)
    centre = np.where(np.isfinite(centre), centre, 0)
    target = np.maximum(share, 1e-300)[:, None]
    live = chance > 0
    low = np.zeros(hopeless.shape)
    high = np.where(live, centre + 40 * deviation, 0).max(2)
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        # The complementary error function is both tails together.
        tails = _erfc((middle[..., None] - centre) / (deviation * math.sqrt(2)))
        risk = (chance * np.minimum(1, tails)).sum(2)
        above = risk > target
        low, high = np.where(above, middle, low), np.where(above, high, middle)
        if (high - low).max(initial=0) < _STEP_M * 10:
            break
    return np.where(hopeless, np.inf, high)


def _numbers(model: LinearModel, gain: Floats, threshold_m: Floats) -> tuple[Any, Any]:
    """Centre and deviation of a tail, (e, 3)."""
    bias = np.einsum("eqs,es->eq", np.abs(gain), model.bias_m)
    return bias + threshold_m, _deviation(model, gain)


_erfc = np.vectorize(math.erfc, otypes=[float])


def _upper_tail(deviations: Floats) -> Floats:
    """Q of each, never less than it is: far tails, as dear as near ones, are all one value."""
    out = np.full(deviations.shape, _FAR_TAIL)
    near = deviations < _FAR
    out[near] = 0.5 * _erfc(deviations[near] / math.sqrt(2)) if near.any() else 0.0
    return out


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
