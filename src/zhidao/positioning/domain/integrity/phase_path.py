"""The way that a receiver went from epoch to epoch by its carrier phases alone.

Between two epochs the phase of a satellite grows by what its range grew, to a centimetre:

    d(phase) + d(satellite clock) - d(range from the place before) = -u dx + d(receiver clock)

so four satellites give the step. No range, no ionosphere to speak of and no earlier place takes
part, and reflections reach phases with centimetres where they reach ranges with metres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from zhidao.positioning.domain.integrity.satellite_series import Series
from zhidao.positioning.domain.integrity.velocity import fitted
from zhidao.positioning.domain.observables.observations import Bools, Floats, Ints
from zhidao.positioning.domain.observables.signals import SPEED_OF_LIGHT_MPS
from zhidao.positioning.domain.single_point.geometry import enu_axes
from zhidao.positioning.domain.single_point.solution import Solution

_NS: Final = 1_000_000_000
# Deviation of a step of phase: noise and reflections of two phases, and what ionosphere and
# troposphere change in a second at a low elevation (steps of 1 Hz recordings: 0.03 to 0.045 m).
_STEP_M: Final = 0.03
_STEP_MPS: Final = 0.005
# An ephemeris that takes over from another moves its satellite by more than this.
_TAKEN_OVER_M: Final = 0.3


@dataclass(frozen=True, slots=True)
class PhaseSteps:
    """Steps to the next epoch, (e - 1, …): enu_m (…, 3), clock_m, NaN where there is none.

    covariance_m2 (…, 4, 4); satellites (…,): how many took part; residual_m (…, n); deviation_m
    (…,): of one phase at the zenith.
    """

    enu_m: Floats
    clock_m: Floats
    covariance_m2: Floats
    satellites: Ints
    residual_m: Floats
    deviation_m: Floats


def phase_steps(solved: Solution, series: Series) -> PhaseSteps:
    """The step between each two epochs that follow each other and both have a position."""
    here_m = np.nan_to_num(solved.ecef_m[:-1])
    step_s = np.diff(solved.gpst_ns) / _NS
    grown_m = np.diff(series.phase_m, axis=0) + _clock_change(series, step_s)
    grown_m -= _range_change(series, here_m, step_s)
    axes = enu_axes(np.nan_to_num(solved.latitude[:-1]), np.nan_to_num(solved.longitude[:-1]))
    between = series.place_m[:-1] - here_m[:, None]
    toward = between / np.linalg.norm(between, axis=2)[..., None]
    local = np.einsum("eij,esj->esi", axes, np.nan_to_num(toward))
    known = _continuous(solved, series) & np.isfinite(grown_m)
    design = np.concatenate((-local, np.ones((*known.shape, 1))), 2)
    deviation_m = _STEP_M + _STEP_MPS * step_s
    found = fitted(
        design, np.where(known, grown_m, 0), known, local[..., 2], deviation=deviation_m[:, None]
    )
    return PhaseSteps(
        found.enu_mps,
        found.drift_mps,
        found.covariance_m2ps2,
        known.sum(1),
        found.residual_mps,
        deviation_m,
    )


def _continuous(solved: Solution, series: Series) -> Bools:
    """Satellites whose phase runs on from an epoch to the next one, (e - 1, n)."""
    both = solved.solved[:-1] & solved.solved[1:]
    seen = series.used[:-1] & series.used[1:] & (series.slipped[1:] == 0)
    known: Bools = seen & both[:, None]
    return known


def _sent_s(series: Series, step_s: Floats) -> Floats:
    """Time between the sendings of two signals that arrive a step apart, (e - 1, n)."""
    sent: Floats = step_s[:, None] - np.diff(series.code_m, axis=0) / SPEED_OF_LIGHT_MPS
    return sent


def _taken_over(series: Series, step_s: Floats) -> tuple[Bools, Floats]:
    """Where another ephemeris tells the place than before, and the way at the mean velocity."""
    mean = (series.velocity_mps[1:] + series.velocity_mps[:-1]) / 2
    smooth_m = mean * _sent_s(series, step_s)[..., None]
    off_m = np.linalg.norm(np.diff(series.place_m, axis=0) - smooth_m, axis=2)
    # The mean of both velocities is short of the way by the change of acceleration.
    allowed_m = _TAKEN_OVER_M + 1e-5 * step_s[:, None] ** 3
    return np.asarray(off_m > allowed_m, bool), smooth_m


def _clock_change(series: Series, step_s: Floats) -> Floats:
    told_m = np.diff(series.clock_m, axis=0)
    smooth_m = (series.drift_mps[1:] + series.drift_mps[:-1]) / 2 * step_s[:, None]
    over, _ = _taken_over(series, step_s)
    return np.where(over, smooth_m, told_m)


def _range_change(series: Series, here_m: Floats, step_s: Floats) -> Floats:
    """How much further each satellite gets from a place that stands still."""
    over, smooth_m = _taken_over(series, step_s)
    later_m = np.where(over[..., None], series.place_m[:-1] + smooth_m, series.place_m[1:])
    return _range(later_m, here_m, series) - _range(series.place_m[:-1], here_m, series)


def _range(place_m: Floats, here_m: Floats, series: Series) -> Floats:
    """Ranges with the Earth's turn on the way; see `least_squares`."""
    straight_m = np.linalg.norm(place_m - here_m[:, None], axis=2)
    cross = place_m[..., 0] * here_m[:, None, 1] - place_m[..., 1] * here_m[:, None, 0]
    turned: Floats = straight_m + series.rotation_radps[:-1] / SPEED_OF_LIGHT_MPS * cross
    return turned
