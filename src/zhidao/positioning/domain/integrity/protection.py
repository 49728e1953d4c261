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

How the sum is taken is `fault_hypotheses.Accounting`. Since version 4 of the settings:

- a solution on one constellation alone cannot show that this constellation is wrong as a whole, so
  the chance that it is (P_const) is part of `unmonitored` (before, it was assumed not to be, and
  `Bounds.assumed` said so);
- what was put out is one of (n + 1)^m ways that tests could have ended in, n + m ranges being there
  and m put out; the union over all ways bounds the risk whichever was taken, so the chance of each
  hypothesis counts (n + 1)^m times (before: each fault 30 times, a chosen number);
- a question asks of many epochs: a tail counts once a try, since noise may differ at each, and no
  hypothesis more than its whole chance; a fault has a chance that grows with the time looked at.

Not covered: a receiver that is fed false signals (see `authenticity`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from zhidao.core.compiling import ready
from zhidao.positioning.domain.integrity.fault_hypotheses import (
    MISSED,
    ONE_EPOCH,
    Accounting,
    Hypothesis,
    LinearModel,
    case_of,
    deviation_m,
    each_suspected,
    exposed,
    upper_quantile,
    ways_of,
)
from zhidao.positioning.domain.observables.observations import Bools, Floats

_ROUNDS: Final = 33
# In deviations times the root of two: there a tail is less than any number above nought.
_BEYOND: Final = 30
_MISSED_DEVIATIONS: Final = -NormalDist().inv_cdf(MISSED)
_LOADING_PAYS: Final = 1_024


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


def bound(
    model: LinearModel, *, risk: float, alarm: float, accounting: Accounting = ONE_EPOCH
) -> Bounds:
    """Tests and bounds of all epochs; compiled where that is at hand.

    risk: that a level is exceeded unnoticed, of both horizontal ones and of the vertical one each.
    alarm: chance of a false alarm an epoch.
    """
    epochs = len(model.weight)
    if epochs and ready(pays=epochs >= _LOADING_PAYS):
        return compiled_bound(model, risk=risk, alarm=alarm, accounting=accounting)
    return plain_bound(model, risk=risk, alarm=alarm, accounting=accounting)


def compiled_bound(
    model: LinearModel, *, risk: float, alarm: float, accounting: Accounting = ONE_EPOCH
) -> Bounds:
    """The same by `kernels.protection`."""
    from zhidao.positioning.domain.kernels.protection import bound_epochs

    model = exposed(model, accounting)
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
        model.fault * each_suspected(model, accounting)[:, None],
    )
    numbers = (risk, model.usual, float(accounting.whole), _MISSED_DEVIATIONS, accounting.tries)
    bound_epochs(
        np.ascontiguousarray(model.design),
        model.inverse,
        np.stack(columns, -1),
        np.ascontiguousarray(model.common_m),
        model.group,
        model.group_fault,
        ways_of(model, accounting),
        np.array(numbers),
        upper_quantile(alarm / (2 * (1 + np.arange(cells)))),
        cell,
        group_strain,
        levels,
        epoch,
    )
    strain, detectable_m = np.moveaxis(cell, -1, 0)
    unmonitored, alone = epoch.T
    return Bounds(strain, group_strain, levels, unmonitored, alone > 0, detectable_m)


def plain_bound(
    model: LinearModel, *, risk: float, alarm: float, accounting: Accounting = ONE_EPOCH
) -> Bounds:
    """The same in numpy, all epochs at once, one hypothesis after another."""
    case = case_of(model, risk=risk, alarm=alarm, accounting=accounting)
    share = (risk - case.unmonitored) / 2
    levels = _levels(model, case.hypotheses, share, accounting.tries)
    levels[case.unbounded] = np.inf
    return Bounds(
        strain=case.strain,
        group_strain=case.group_strain,
        levels_m=levels,
        unmonitored=case.unmonitored,
        assumed=case.single_group,
        detectable_m=case.detectable_m,
    )


def _levels(
    model: LinearModel, hypotheses: list[Hypothesis], share: Floats, tries: float
) -> Floats:
    """Levels (e, 3), infinite where there is none."""
    chance = np.minimum(np.stack([each.chance for each in hypotheses], 1), 1)
    centre_m = np.stack([_centre_m(model, each) for each in hypotheses], 2)
    spread_m = np.stack([deviation_m(model, each.gain) for each in hypotheses], 2)
    bounded = (share > 0)[:, None] & np.isfinite(centre_m).all(2)
    epoch = np.nonzero(bounded)[0]
    levels_m = np.full(bounded.shape, np.inf)
    levels_m[bounded] = _crossing_m(
        chance[epoch], centre_m[bounded], spread_m[bounded], share[epoch], tries
    )
    return levels_m


def _centre_m(model: LinearModel, each: Hypothesis) -> Floats:
    """What lies between a level and the tail of a hypothesis that is to be counted, (e, 3)."""
    centre: Floats = np.einsum("eqs,es->eq", np.abs(each.gain), model.bias_m) + each.threshold_m
    return centre


def _crossing_m(
    chance: Floats, centre_m: Floats, spread_m: Floats, share: Floats, tries: float
) -> Floats:
    """Where the tails (n, k) make up the share of the risk (n,), found to 1e-9 m."""
    # A hypothesis that does not apply has no deviation, nor a chance.
    scale_m = np.maximum(math.sqrt(2) * spread_m, 1e-9)

    def risk_at(level_m: Floats) -> Floats:
        # The complementary error function is both tails together.
        tails = _erfc((level_m[:, None] - centre_m) / scale_m)
        risk: Floats = (chance * np.minimum(1, tries * tails)).sum(1)
        return risk

    low_m, high_m = np.zeros(len(share)), (centre_m + _BEYOND * scale_m).max(1)
    for _ in range(_ROUNDS):
        middle_m = (low_m + high_m) / 2
        above = risk_at(middle_m) > share
        low_m, high_m = np.where(above, middle_m, low_m), np.where(above, high_m, middle_m)
    # Over what is left, below 1e-3 m, the risk is a straight line but for less than 1e-9 m.
    at_low, at_high = risk_at(low_m), risk_at(high_m)
    level_m: Floats = low_m + (high_m - low_m) * (at_low - share) / (at_low - at_high)
    return level_m


_erfc = np.vectorize(math.erfc, otypes=[float])
