"""Whether whole numbers are believed: all of them, or all but those of the lowest satellites."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from zhidao.positioning.domain.observables.observations import Bools, Floats
from zhidao.positioning.domain.rtk.ambiguities import Resolution, ratio_threshold, resolve
from zhidao.positioning.domain.rtk.baselines import RtkReason
from zhidao.positioning.domain.rtk.rtk_settings import FAILURE_RATE, RtkSettings

_SAMPLES_MAX: Final = 4_000
# A model that promises everything still does not know of reflections: never less than this.
_RATIO_LEAST: Final = 2.0


@dataclass(frozen=True, slots=True)
class Fix:
    """Whole numbers of the kept ambiguities (n,), and the place moved by them.

    shift_m (3,): what they add to the float place; covariance_m2 (3, 3) is what they leave.
    """

    found: Resolution
    kept: Bools
    shift_m: Floats
    covariance_m2: Floats


@dataclass(slots=True)
class Judge:
    """Decides by the settings; keeps thresholds of the failure rate, since simulation is slow."""

    settings: RtkSettings
    thresholds: dict[tuple[int, int], float] = field(default_factory=dict)

    def fix(
        self, estimate: Floats, covariance: Floats, elevation: Floats
    ) -> tuple[Fix | None, RtkReason]:
        """The fix, or why there is none: what spoke against the whole set.

        estimate (3 + n,): place and float ambiguities in cycles, with their covariance; elevation
        (n,) of the ambiguities' satellites. If the whole set does not pass, ambiguities of the
        lowest satellites are left out one part after another.
        """
        order = np.argsort(-elevation, kind="stable")
        reason = RtkReason.TOO_FEW_AMBIGUITIES
        least = self.settings.partial_min
        for count in range(len(order), least - 1, -max(1, len(order) // 8)):
            rows = np.sort(order[:count]) + 3
            q_aa = covariance[np.ix_(rows, rows)]
            q_aa = (q_aa + q_aa.T) / 2
            found = resolve(estimate[rows], q_aa)
            doubt = self._doubt(found, q_aa)
            if count == len(order):
                reason = doubt
            if doubt == RtkReason.OK:
                kept = np.zeros(len(order), bool)
                kept[rows - 3] = True
                gain = np.linalg.solve(q_aa, covariance[rows, :3]).T
                shift_m = -gain @ (estimate[rows] - found.integers)
                left_m2 = covariance[:3, :3] - gain @ covariance[rows, :3]
                return Fix(found, kept, shift_m, left_m2), doubt
        return None, reason

    def _doubt(self, found: Resolution, q_aa: Floats) -> RtkReason:
        if not found.ended:
            return RtkReason.SEARCH_NOT_ENDED
        if found.success < self.settings.success_min:
            return RtkReason.SUCCESS_TOO_LOW
        if found.norms[0] > self.settings.fit_max * len(q_aa):
            return RtkReason.FIT_TOO_POOR
        if found.ratio < self._threshold(found, q_aa):
            return RtkReason.RATIO_TOO_LOW
        return RtkReason.OK

    def _threshold(self, found: Resolution, q_aa: Floats) -> float:
        if self.settings.test != FAILURE_RATE:
            return self.settings.ratio_min
        # Rounding step by step is never better than the search, so this bounds its failure.
        failure = 1 - found.success
        if failure <= self.settings.failure_rate:
            return _RATIO_LEAST
        # The threshold depends on the number of ambiguities and on how often the search fails.
        key = len(q_aa), round(4 * math.log10(max(failure, 1e-12)))
        if key not in self.thresholds:
            samples = min(_SAMPLES_MAX, math.ceil(4 / self.settings.failure_rate))
            chance = np.random.default_rng(key[0])
            limit = ratio_threshold(
                q_aa, self.settings.failure_rate, samples=samples, chance=chance
            )
            self.thresholds[key] = max(limit, _RATIO_LEAST)
        return self.thresholds[key]
