"""A baseline from one epoch alone: no memory, so no cycle slip can hurt.

Each epoch: double differences of code and phase of all signals against the highest satellite of
its system, weighted least squares for baseline and float ambiguities, LAMBDA, tests, fixed
baseline. If the whole set does not pass, ambiguities of the lowest satellites are left out one
after another (partial fixing).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zhidao.positioning.domain.observables.observations import Floats, Observations
from zhidao.positioning.domain.rtk.baselines import (
    Baselines,
    Row,
    RtkReason,
    RtkStatus,
    nothing,
    partners,
    table,
)
from zhidao.positioning.domain.rtk.differences import Common, common_satellites
from zhidao.positioning.domain.rtk.fixing import Judge
from zhidao.positioning.domain.rtk.receivers import tracked_signals
from zhidao.positioning.domain.rtk.rtk_settings import (
    ALL_SIGNALS,
    BDS_SIGNALS,
    INSTANTANEOUS,
    RtkSettings,
)
from zhidao.positioning.domain.satellites.ephemeris import Navigation

__all__ = [
    "ALL_SIGNALS",
    "BDS_SIGNALS",
    "Baselines",
    "RtkSettings",
    "RtkStatus",
    "alone",
    "solve_baselines",
]


def solve_baselines(
    rover: Observations,
    base: Observations,
    navigation: Navigation,
    base_ecef_m: Sequence[float],
    settings: RtkSettings | None = None,
) -> Baselines:
    """The rover's place at each of its epochs, base_ecef_m being exact; by the mode of settings.

    Baselines should be short (some 10 km): the ionosphere is taken to cancel.
    """
    chosen = settings or RtkSettings()
    if chosen.mode != INSTANTANEOUS:
        from zhidao.positioning.domain.rtk.continuous import solve_continuous

        return solve_continuous(rover, base, navigation, base_ecef_m, chosen)
    sights = {
        "rover": tracked_signals(rover, navigation, chosen.signals),
        "base": tracked_signals(base, navigation, chosen.signals),
    }
    partner, age_s = partners(rover.gpst_ns, base.gpst_ns, chosen.base_age_s_max)
    origin_m = np.asarray(base_ecef_m, np.float64)
    judge = Judge(chosen)
    rows = []
    for epoch, other in enumerate(partner.tolist()):
        if other < 0:
            rows.append(nothing(RtkStatus.NO_BASE_EPOCH, RtkReason.NO_BASE_EPOCH))
            continue
        common = common_satellites(sights, epoch, other, origin_m, chosen)
        rows.append(alone(common, origin_m, judge, age_s=float(age_s[epoch])))
    return table(rover.gpst_ns, rows, age_s)


def alone(common: list[Common], origin_m: Floats, judge: Judge, *, age_s: float) -> Row:
    """What one epoch tells by itself. origin_m (3,): the base's place; age_s: of its epoch."""
    return _Epoch(common, origin_m, judge.settings, age_s).solve(judge)


@dataclass(frozen=True, slots=True)
class _Epoch:
    """One epoch of a pair of receivers."""

    common: list[Common]
    origin_m: Floats
    settings: RtkSettings
    age_s: float

    def solve(self, judge: Judge) -> Row:
        """Float, whole-number and partial solutions, in this order."""
        satellites = sum(len(part.elevation) for part in self.common)
        place = self.origin_m.copy()
        for _ in range(self.settings.rounds):
            system = self._system(place)
            if system is None:
                few = RtkReason.TOO_FEW_SATELLITES
                return nothing(RtkStatus.TOO_FEW_SATELLITES, few, satellites)
            estimate, covariance, elevation = system
            place = place + estimate[:3]
        fix, reason = judge.fix(estimate, covariance, elevation)
        if fix is None:
            q = covariance[:3, :3]
            return Row(RtkStatus.FLOAT, reason, place, place, q, satellites=satellites)
        return Row(
            RtkStatus.FIXED,
            reason,
            place + fix.shift_m,
            place,
            fix.covariance_m2,
            fix.found.ratio,
            fix.found.success,
            int(fix.kept.sum()),
            satellites,
        )

    def _system(self, place: Floats) -> tuple[Floats, Floats, Floats] | None:
        """Estimate (3 + n), covariance and elevations of the ambiguities' satellites."""
        groups = [(part, index) for part in self.common for index in range(len(part.wavelength_m))]
        blocks = [b for b in (_differences(part, index, place) for part, index in groups) if b]
        count = sum(len(block.code) for block in blocks if block.whole)
        if sum(len(block.code) for block in blocks) < 4:
            return None
        phase_m = self.settings.phase_m + self.settings.age_mps * self.age_s
        normal, right = np.zeros((3 + count, 3 + count)), np.zeros(3 + count)
        at = 3
        for block in blocks:
            w_code = block.shape / (self.settings.code_m * block.code_noise) ** 2
            normal[:3, :3] += block.toward.T @ w_code @ block.toward
            right[:3] += block.toward.T @ (w_code @ block.code)
            if block.whole:
                rows = slice(at, at + len(block.code))
                at = rows.stop
                _add_phase(normal, right, block, rows, phase_m)
        if np.linalg.matrix_rank(normal[:3, :3]) < 3:
            return None
        covariance: Floats = np.linalg.inv(normal).astype(np.float64)
        elevations = [block.elevation for block in blocks if block.whole]
        return covariance @ right, covariance, np.concatenate(elevations or [np.zeros(0)])


@dataclass(frozen=True, slots=True)
class _Block:
    """One signal's double differences against the highest satellite.

    toward (n, 3): design. shape (n, n): inverse of their correlations. Without whole numbers only
    the codes count: in one epoch a phase with a float ambiguity tells nothing.
    """

    toward: Floats
    code: Floats
    phase: Floats
    wavelength_m: float
    elevation: Floats
    shape: Floats
    code_noise: float

    @property
    def whole(self) -> bool:
        return bool(np.isfinite(self.wavelength_m))


def _add_phase(normal: Floats, right: Floats, block: _Block, rows: slice, phase_m: float) -> None:
    """Adds phases, each with an ambiguity of its own at `rows`, to the normal equations."""
    w_phase = block.shape / phase_m**2
    normal[:3, :3] += block.toward.T @ w_phase @ block.toward
    # An ambiguity counts whole cycles: its column of the design is the wavelength.
    normal[:3, rows] = block.toward.T @ w_phase * block.wavelength_m
    normal[rows, :3] = normal[:3, rows].T
    normal[rows, rows] = w_phase * block.wavelength_m**2
    right[:3] += block.toward.T @ (w_phase @ block.phase)
    right[rows] = w_phase @ block.phase * block.wavelength_m


def _differences(part: Common, index: int, place: Floats) -> _Block | None:
    whole = bool(np.isfinite(part.wavelength_m[index]))
    good = np.isfinite(part.code_m[:, index])
    if whole:
        good &= np.isfinite(part.phase_m[:, index])
    use = np.flatnonzero(good)
    if len(use) < 2:
        return None
    top = use[np.argmax(part.elevation[use])]
    rest = use[use != top]
    computed_m, toward = part.computed(place)
    code = part.code_m[:, index] - computed_m
    phase = part.phase_m[:, index] - computed_m
    spread = part.spread
    return _Block(
        toward[top] - toward[rest],
        code[rest] - code[top],
        phase[rest] - phase[top],
        float(part.wavelength_m[index]),
        part.elevation[rest],
        np.linalg.inv(np.diag(spread[rest]) + spread[top]),
        part.code_noise,
    )
