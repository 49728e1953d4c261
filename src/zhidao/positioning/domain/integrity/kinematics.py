"""Whether ranges, phases, Doppler and clock of a window tell one and the same motion.

Every bound is a quantile of the noise that the error models state, at a chance of a false alarm
shared out over all comparisons of a window, plus what a vehicle may do unseen between two epochs.
`docs/explanation/integrity.md` derives them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from zhidao.positioning.domain.integrity.error_models import position_covariance, total_strain
from zhidao.positioning.domain.integrity.fault_hypotheses import upper_quantile
from zhidao.positioning.domain.integrity.phase_path import PhaseSteps, phase_steps
from zhidao.positioning.domain.integrity.satellite_series import series_of
from zhidao.positioning.domain.integrity.suspicion import Finding, Suspicion
from zhidao.positioning.domain.integrity.velocity import RATE_MPS, Velocities, velocities
from zhidao.positioning.domain.observables.observations import Bools, Floats, Ints, Observations
from zhidao.positioning.domain.observables.signals import SPEED_OF_LIGHT_MPS
from zhidao.positioning.domain.satellites.ephemeris import Navigation
from zhidao.positioning.domain.single_point.geometry import enu_axes
from zhidao.positioning.domain.single_point.rates import Beside
from zhidao.positioning.domain.single_point.solution import Solution
from zhidao.positioning.domain.solver_settings import Settings

_NS: Final = 1_000_000_000
_PPB: Final = 1e-9
_MILLISECOND_M: Final = SPEED_OF_LIGHT_MPS / 1000
# Neither lorry nor goods train nor ship goes faster: 180 km/h.
SPEED_MPS_MAX: Final = 50.0
# Tyres on a road hold one g at most; rail and sea are far below.
_GRIP_MPS2: Final = 9.81
# What manoeuvres between two epochs come to on the average, beside what velocities show of them.
_UNSEEN_MPS: Final = 1.0
# A quartz wanders from its measured drift by 7e-10, one deviation: clocks of three geodetic
# receivers stay within 0.23 m/s over 30 s of what their Doppler says.
_QUARTZ_MPS: Final = 0.2
# Comparisons of one epoch: position and clock against phases, Doppler, and physics.
_COMPARISONS: Final = 20
_DISAGREE_STEPS: Final = 3
_DISAGREE_SHARE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Moved:
    """From each epoch with a position to the next such, (k,) pairs.

    first, last: their epochs; time_s; way_m (k, 3) east, north, up by positions; deviation_m
    (k, 3) of it; doppler_m (k, 3): the way at the mean of both velocities, with doppler_sd_m.
    """

    first: Ints
    last: Ints
    time_s: Floats
    way_m: Floats
    deviation_m: Floats
    doppler_m: Floats
    doppler_sd_m: Floats


def kinematic_findings(
    seen: Observations,
    navigation: Navigation,
    solved: Solution,
    near: Beside,
    settings: Settings,
) -> list[Finding]:
    """All that contradicts one common motion, over the whole window."""
    if solved.solved.sum() < 2:
        return []
    quantile = alarm_quantile(solved, settings)
    covariance = position_covariance(solved, navigation, settings)
    speed = velocities(seen, navigation, solved, settings)
    steps = phase_steps(solved, series_of(solved, near, navigation))
    moved = _moved(solved, covariance, speed)
    return [
        *_positions_against_phases(solved, covariance, steps, quantile),
        *_steps_against_doppler(moved, steps, speed, quantile),
        *_way_against_doppler(moved, quantile),
        *_speeds(moved, speed, quantile),
        *_clocks(solved, covariance, speed, moved, quantile),
        *_disagreements(speed, steps, settings),
    ]


def alarm_quantile(solved: Solution, settings: Settings) -> float:
    """How many deviations honest noise does not exceed in any comparison of a window."""
    comparisons = _COMPARISONS * max(len(solved.gpst_ns), 1)
    return float(upper_quantile(np.array([settings.alarm_ppb * _PPB / (2 * comparisons)]))[0])


def _moved(solved: Solution, covariance: Floats, speed: Velocities) -> Moved:
    epochs = np.flatnonzero(solved.solved)
    first, last = epochs[:-1], epochs[1:]
    time_s = (solved.gpst_ns[last] - solved.gpst_ns[first]) / _NS
    axes = enu_axes(solved.latitude[first], solved.longitude[first])
    way_m = np.einsum("kij,kj->ki", axes, solved.ecef_m[last] - solved.ecef_m[first])
    own = np.einsum("eii->ei", covariance)[:, :3]
    rate = np.einsum("eii->ei", speed.covariance_m2ps2)[:, :3]
    return Moved(
        first,
        last,
        time_s,
        way_m,
        np.sqrt(own[first] + own[last]),
        (speed.enu_mps[first] + speed.enu_mps[last]) / 2 * time_s[:, None],
        np.sqrt(rate[first] + rate[last]) / 2 * time_s[:, None],
    )


def _unseen_m(time_s: Floats) -> Floats:
    """How far a vehicle may be from the way at the mean of both velocities: g t^2 / 4.

    The extreme is full grip forwards for half of the time and backwards for the other half.
    """
    out: Floats = _GRIP_MPS2 * time_s**2 / 4
    return out


def _positions_against_phases(
    solved: Solution, covariance: Floats, steps: PhaseSteps, quantile: float
) -> list[Finding]:
    """Positions and clocks leave the way that phases tell, within a stretch of whole phases."""
    far, worst_m = np.zeros(len(solved.gpst_ns), bool), 0.0
    known = np.isfinite(steps.clock_m)
    for start, stop in _stretches(known):
        epochs = np.arange(start, stop + 1)
        axes = enu_axes(solved.latitude[[start]], solved.longitude[[start]])[0]
        told = (solved.ecef_m[epochs] - solved.ecef_m[start]) @ axes.T
        way = np.concatenate((np.zeros((1, 3)), np.cumsum(steps.enu_m[start:stop], 0)))
        summed = np.concatenate(
            (np.zeros((1, 4)), np.cumsum(_diagonal(steps.covariance_m2[start:stop]), 0))
        )
        own = _diagonal(covariance[epochs])
        off = told - way
        off -= np.median(off, axis=0)
        limit = quantile * np.sqrt(own[:, :3] + summed[:, :3])
        bad = np.asarray((np.abs(off) > limit).any(1), bool)
        clock_m = np.concatenate(([0.0], np.cumsum(steps.clock_m[start:stop])))
        bad |= _clock_leaves(solved.clock_m[epochs] - clock_m[:, None], own, summed, quantile)
        far[epochs] |= bad
        worst_m = max(worst_m, float(np.abs(off[:, :2]).max()))
    if not far.any():
        return []
    return [
        Finding(
            Suspicion.RANGE_AGAINST_PHASE,
            np.flatnonzero(far),
            (),
            f"positions by ranges and the way by carrier phases part by up to {worst_m:.0f} m "
            f"within the window, at {int(far.sum())} epochs",
        )
    ]


def _clock_leaves(off_m: Floats, own: Floats, summed: Floats, quantile: float) -> Bools:
    """Whether a clock leaves that of the phases by anything but whole milliseconds, (k,)."""
    bad = np.zeros(len(off_m), bool)
    for column in range(off_m.shape[1]):
        clock = off_m[:, column]
        if not np.isfinite(clock).any():
            continue
        off = clock - np.nanmedian(clock)
        off -= np.round(np.nan_to_num(off) / _MILLISECOND_M) * _MILLISECOND_M
        limit = quantile * np.sqrt(own[:, 3 + column] + summed[:, 3])
        bad |= np.abs(np.nan_to_num(off)) > limit
    return bad


def _stretches(known: Bools) -> list[tuple[int, int]]:
    """First and last epoch of each run of known steps."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], known, [False])).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _diagonal(covariance: Floats) -> Floats:
    diagonal: Floats = np.einsum("eii->ei", covariance)
    return diagonal


def _steps_against_doppler(
    moved: Moved, steps: PhaseSteps, speed: Velocities, quantile: float
) -> list[Finding]:
    """A step by positions, or by phases, that no vehicle with these velocities makes."""
    found = []
    unseen_m = _unseen_m(moved.time_s)[:, None]
    limit = unseen_m + quantile * np.hypot(moved.deviation_m, moved.doppler_sd_m)
    off: Floats = np.abs(moved.way_m - moved.doppler_m)
    bad: Bools = np.asarray((off > limit).any(1), bool)
    if bad.any():
        found.append(_against_doppler("positions step", moved.last[bad], float(np.nanmax(off))))
    close = np.flatnonzero(moved.last == moved.first + 1)
    first = moved.first[close]
    deviation = np.sqrt(_diagonal(steps.covariance_m2)[first, :3])
    limit = unseen_m[close] + quantile * np.hypot(deviation, moved.doppler_sd_m[close])
    off = np.abs(steps.enu_m[first] - moved.doppler_m[close])
    bad = np.asarray((np.nan_to_num(off) > limit).any(1), bool)
    bad |= _clock_steps_off(steps, first, moved.time_s[close], speed, quantile)
    if bad.any():
        found.append(
            Finding(
                Suspicion.PHASE_AGAINST_DOPPLER,
                first[bad] + 1,
                (),
                f"carrier phases and Doppler tell different motions at {int(bad.sum())} steps",
            )
        )
    return found


def _against_doppler(what: str, epochs: Ints, worst_m: float) -> Finding:
    return Finding(
        Suspicion.POSITION_AGAINST_DOPPLER,
        epochs,
        (),
        f"{what} up to {worst_m:.0f} m otherwise than the velocities by Doppler",
    )


def _clock_steps_off(
    steps: PhaseSteps, first: Ints, time_s: Floats, speed: Velocities, quantile: float
) -> Bools:
    """The clock's step by phases against its drift by Doppler, whole milliseconds apart."""
    drift = (speed.drift_mps[first] + speed.drift_mps[first + 1]) / 2 * time_s
    rate = (speed.covariance_m2ps2[first, 3, 3] + speed.covariance_m2ps2[first + 1, 3, 3]) / 4
    off = np.nan_to_num(steps.clock_m[first] - drift)
    off -= np.round(off / _MILLISECOND_M) * _MILLISECOND_M
    variance = steps.covariance_m2[first, 3, 3] + rate * time_s**2 + (_QUARTZ_MPS * time_s) ** 2
    return np.asarray(np.abs(off) > quantile * np.sqrt(np.nan_to_num(variance)), bool)


def _way_against_doppler(moved: Moved, quantile: float) -> list[Finding]:
    """The whole way by positions against the sum of velocities: what each step alone hides."""
    off = moved.way_m - moved.doppler_m
    known: Bools = np.asarray(np.isfinite(off).all(1), bool)
    if known.sum() < 2:
        return []
    total = np.cumsum(np.where(known[:, None], off, 0), 0)
    # What happens between epochs shows in how much velocities differ from epoch to epoch.
    mean_mps: Floats = moved.doppler_m / moved.time_s[:, None]
    varied = np.nanstd(mean_mps, axis=0) + _UNSEEN_MPS
    hidden = np.minimum(_unseen_m(moved.time_s)[:, None] / 3, varied * moved.time_s[:, None] / 2)
    sums = np.cumsum(np.where(known[:, None], hidden**2 + moved.doppler_sd_m**2, 0), 0)
    limit = quantile * np.sqrt(sums + moved.deviation_m.max(0) ** 2)
    bad = np.asarray((np.abs(total) > limit).any(1), bool)
    if not bad.any():
        return []
    return [_against_doppler("positions go", moved.last[bad], float(np.abs(total).max()))]


def _speeds(moved: Moved, speed: Velocities, quantile: float) -> list[Finding]:
    """Faster than any vehicle, or so by its change of speed."""
    length_m = np.linalg.norm(moved.way_m[:, :2], axis=1)
    spread_m = np.linalg.norm(moved.deviation_m[:, :2], axis=1)
    bad = np.asarray(length_m > SPEED_MPS_MAX * moved.time_s + quantile * spread_m, bool)
    before, after = speed.enu_mps[moved.first], speed.enu_mps[moved.last]
    rate = _diagonal(speed.covariance_m2ps2)[:, :3]
    deviation = np.sqrt(rate[moved.first] + rate[moved.last])
    change = np.abs(after - before) - quantile * np.nan_to_num(deviation)
    bad |= np.asarray((np.nan_to_num(change) > _GRIP_MPS2 * moved.time_s[:, None]).any(1), bool)
    fast = np.linalg.norm(np.nan_to_num(after[:, :2]), axis=1)
    slack = quantile * np.linalg.norm(np.nan_to_num(deviation), axis=1)
    bad |= np.asarray(fast - slack > SPEED_MPS_MAX, bool)
    if not bad.any():
        return []
    worst = float((length_m / moved.time_s)[bad].max())
    return [
        Finding(
            Suspicion.TOO_FAST,
            moved.last[bad],
            (),
            f"the receiver moves or speeds up as no vehicle does, by up to {worst:.0f} m/s between "
            f"positions, {int(bad.sum())} times",
        )
    ]


def _clocks(
    solved: Solution, covariance: Floats, speed: Velocities, moved: Moved, quantile: float
) -> list[Finding]:
    """The clock moves otherwise than its drift by Doppler; by whole milliseconds only if watched.

    A receiver sets its clock by whole milliseconds; where that happens unseen, behind an outage,
    and the place is not just where Doppler leads, it may be the clock of another transmitter.
    """
    own = _diagonal(covariance)
    first, last, time_s = moved.first, moved.last, moved.time_s
    drift = (speed.drift_mps[first] + speed.drift_mps[last]) / 2 * time_s
    rate = (speed.covariance_m2ps2[first, 3, 3] + speed.covariance_m2ps2[last, 3, 3]) / 4
    noise_m = quantile * np.hypot(moved.deviation_m, moved.doppler_sd_m)
    led = np.asarray((np.abs(moved.way_m - moved.doppler_m) <= noise_m).all(1), bool)
    unseen: Bools = (time_s > 1.5 * np.median(time_s)) & ~led
    bad = np.zeros(len(first), bool)
    for column in range(solved.clock_m.shape[1]):
        clock = solved.clock_m[:, column]
        off = np.nan_to_num(clock[last] - clock[first] - drift)
        whole = np.round(off / _MILLISECOND_M)
        variance = own[first, 3 + column] + own[last, 3 + column]
        variance = variance + rate * time_s**2 + (_QUARTZ_MPS * time_s) ** 2
        limit = quantile * np.sqrt(np.nan_to_num(variance))
        bad |= np.asarray(np.abs(off - whole * _MILLISECOND_M) > limit, bool)
        bad |= np.asarray(unseen & (whole != 0), bool)
    if not bad.any():
        return []
    return [
        Finding(
            Suspicion.CLOCK_JUMP,
            last[bad],
            (),
            f"the receiver's clock jumps {int(bad.sum())} times, against its drift by Doppler",
        )
    ]


def _disagreements(speed: Velocities, steps: PhaseSteps, settings: Settings) -> list[Finding]:
    """Doppler, or phases, of different satellites that no common motion explains."""
    rate = _strained(speed.residual_mps, np.full(len(speed.residual_mps), RATE_MPS), settings)
    phase = _strained(steps.residual_m, steps.deviation_m, settings)
    told = (
        (Suspicion.DOPPLER_DISAGREES, rate, "Doppler"),
        (Suspicion.PHASE_DISAGREES, phase, "carrier phases"),
    )
    return [
        Finding(reason, np.flatnonzero(bad), (), f"{what} of the satellites contradict each other")
        for reason, bad, what in told
        if bad.sum() >= _DISAGREE_STEPS and bad.mean() >= _DISAGREE_SHARE
    ]


def _strained(residual: Floats, deviation: Floats, settings: Settings) -> Bools:
    """Whose residuals together are greater than their noise; that of a low satellite is tenfold."""
    used = np.isfinite(residual)
    variance = np.broadcast_to((10 * deviation[:, None]) ** 2, residual.shape)
    alarm, spare = settings.alarm_ppb * _PPB, used.sum(1) - 4
    bad: Bools = total_strain(used, residual, variance, spare, alarm=alarm) > 1
    return bad
