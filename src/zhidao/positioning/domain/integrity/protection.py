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
from typing import Any, Final

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

_ROUNDS: Final = 60
_MISSED_DEVIATIONS: Final = -NormalDist().inv_cdf(MISSED)
_STEP_M: Final = 1e-9
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
        upper_quantile(alarm / (2 * np.maximum(np.arange(cells + 1), 1))),
        cell,
        group_strain,
        levels,
        epoch,
    )
    return Bounds(cell[..., 0], group_strain, levels, epoch[:, 0], epoch[:, 1] > 0, cell[..., 1])


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
    """Levels (e, 3) by bisection."""
    terms = [(h.chance, *_numbers(model, h.gain, h.threshold_m)) for h in hypotheses]
    chance = np.minimum(np.stack([t[0] for t in terms], 1)[:, None], 1)
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
        risk = (chance * np.minimum(1, tries * tails)).sum(2)
        above = risk > target
        low, high = np.where(above, middle, low), np.where(above, high, middle)
        if (high - low).max(initial=0) < _STEP_M * 10:
            break
    return np.where(hopeless, np.inf, high)


def _numbers(model: LinearModel, gain: Floats, threshold_m: Floats) -> tuple[Any, Any]:
    """Centre and deviation of a tail, (e, 3)."""
    bias = np.einsum("eqs,es->eq", np.abs(gain), model.bias_m)
    return bias + threshold_m, deviation_m(model, gain)


_erfc = np.vectorize(math.erfc, otypes=[float])
