"""Whether signals behave as satellites' do: what jamming, spoofing or a bad receiver leaves behind.

Each check gives findings with a reason code. None is a proof: a spoofer that is good enough passes
all that looks at signals, and only the network, which is another witness, contradicts it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from zhidao.core.geo import Circle, Geodetic
from zhidao.positioning.domain.integrity.suspicion import Finding, Suspicion
from zhidao.positioning.domain.integrity.velocity import velocities
from zhidao.positioning.domain.observables.observations import Floats, Ints, Observations
from zhidao.positioning.domain.observables.signals import (
    SPEED_OF_LIGHT_MPS,
    SYSTEMS,
    satellite_name,
)
from zhidao.positioning.domain.satellites.ephemeris import Navigation
from zhidao.positioning.domain.single_point.measurements import Measurements
from zhidao.positioning.domain.single_point.rates import Beside, beside
from zhidao.positioning.domain.single_point.solution import Solution
from zhidao.positioning.domain.solver_settings import Settings

_NS: Final = 1_000_000_000
_MILLISECOND_M: Final = SPEED_OF_LIGHT_MPS / 1000
# Clocks of receivers are set in whole milliseconds; what else jumps so far is no quartz.
_CLOCK_M: Final = 50.0
_CLOCK_MPS: Final = 5.0
# Code of a phone is good to some ten metres; Doppler to half a metre a second.
_STEP_M: Final = 40.0
_STEP_MPS: Final = 1.0
_STEP_S_MAX: Final = 60.0
_STEPS_MIN: Final = 3
_SHARE_MIN: Final = 0.05
# From the zenith to the horizon an antenna loses more than this, and satellites differ by as much.
_ALIKE_DBHZ: Final = 0.8
_ALIKE_SATELLITES: Final = 6
_ALIKE_SHARE: Final = 0.5
_LOUDER_DBHZ: Final = 6.0
_QUIETER_DBHZ: Final = 8.0
_GAIN_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Gain:
    """Automatic gain of a receiver as it tells it (UBX MON-RF): gpst_ns (n,), share (n,) of 1."""

    gpst_ns: Ints
    share: Floats


def findings(
    seen: Observations,
    navigation: Navigation,
    solved: Solution,
    settings: Settings,
    *,
    circle: Circle | None = None,
    gain: Gain | None = None,
) -> list[Finding]:
    """All that speaks against the signals of a window, in the order of the checks.

    circle: where a network places the receiver. gain: what the receiver tells of its front end.
    """
    near = beside(seen, solved.measurements, settings, navigation)
    found = [
        *ranges_against_doppler(solved, near),
        *_clock_jumps(seen, navigation, solved, settings),
        *_strengths(solved, near),
    ]
    if circle is not None:
        found += _outside(solved, circle)
    if gain is not None:
        found += _gains(gain)
    return found


def _seconds(solved: Solution) -> Floats:
    return np.diff(solved.gpst_ns) / _NS


def ranges_against_doppler(solved: Solution, near: Beside) -> list[Finding]:
    """A satellite whose range moves otherwise than its own Doppler says, and than the others'."""
    data = solved.measurements
    step_s = _seconds(solved)
    numbers = np.unique(data.satellite[data.present])
    code, rate = _series(data, near, numbers)
    moved = np.diff(code, axis=0) - (rate[1:] + rate[:-1]) / 2 * step_s[:, None]
    off = np.where(step_s[:, None] <= _STEP_S_MAX, moved, np.nan)
    systems = numbers // 100
    for system in np.unique(systems):
        mine = systems == system
        # A clock that is set moves all ranges of a system alike.
        off[:, mine] -= _middle(off[:, mine])[:, None]
    known = np.isfinite(off)
    bad = known & (np.abs(np.nan_to_num(off)) > _STEP_M + _STEP_MPS * step_s[:, None])
    count, of = bad.sum(0), np.maximum(known.sum(0), 1)
    guilty = np.flatnonzero((count >= _STEPS_MIN) & (count / of >= _SHARE_MIN))
    if not len(guilty):
        return []
    names = tuple(_name(int(numbers[c])) for c in guilty)
    size = float(np.median(np.abs(off[bad])))
    epochs = np.flatnonzero(bad[:, guilty].any(1)) + 1
    return [
        Finding(
            Suspicion.RANGE_AGAINST_DOPPLER,
            epochs,
            names,
            f"ranges of {', '.join(names)} jump by about {size:.0f} m against their own Doppler, "
            f"{int(count[guilty].sum())} times in {int(known[:, guilty].sum())} steps",
        )
    ]


def _series(data: Measurements, near: Beside, numbers: Ints) -> tuple[Floats, Floats]:
    """Range and rate of each satellite over all epochs (e, n), NaN where it is missing."""
    known = data.present & np.isfinite(near.code_m) & np.isfinite(near.rate_mps)
    epoch, slot = np.nonzero(known)
    column = np.searchsorted(numbers, data.satellite[epoch, slot])
    code, rate = np.full((2, len(known), len(numbers)), np.nan)
    code[epoch, column] = near.code_m[epoch, slot]
    rate[epoch, column] = near.rate_mps[epoch, slot]
    return code, rate


def _middle(values: Floats) -> Floats:
    """Lower median of each row, one of its values; 0 for a row of NaN."""
    known = np.isfinite(values).sum(1)
    if not values.size:
        return np.zeros(len(values))
    # Sorting puts NaN last; numpy's own percentile goes row by row where there are any.
    middle = np.take_along_axis(np.sort(values, 1), np.maximum(known - 1, 0)[:, None] // 2, 1)
    return np.where(known > 0, middle[:, 0], 0.0)


def _clock_jumps(
    seen: Observations, navigation: Navigation, solved: Solution, settings: Settings
) -> list[Finding]:
    """The receiver's clock moves otherwise than its drift by Doppler, not by whole milliseconds."""
    if len(solved.gpst_ns) < 2:
        return []
    drift = velocities(seen, navigation, solved, settings).drift_mps
    step_s = _seconds(solved)
    bad = np.zeros(len(step_s), bool)
    for column in range(solved.clock_m.shape[1]):
        clock = solved.clock_m[:, column]
        off = np.diff(clock) - (drift[1:] + drift[:-1]) / 2 * step_s
        off -= np.round(np.nan_to_num(off) / _MILLISECOND_M) * _MILLISECOND_M
        limit = _CLOCK_M + _CLOCK_MPS * step_s
        bad |= (step_s <= _STEP_S_MAX) & (np.abs(np.nan_to_num(off)) > limit)
    epochs = np.flatnonzero(bad) + 1
    if not len(epochs):
        return []
    return [
        Finding(
            Suspicion.CLOCK_JUMP,
            epochs,
            (),
            f"the receiver's clock jumps {len(epochs)} times, against its drift by Doppler and "
            "not by whole milliseconds",
        )
    ]


def _strengths(solved: Solution, near: Beside) -> list[Finding]:
    """All satellites equally strong, or all at once much stronger or weaker."""
    strength = np.where(solved.used, near.strength_dbhz, np.nan)
    known = np.isfinite(strength).sum(1)
    enough = known >= _ALIKE_SATELLITES
    found: list[Finding] = []
    if not enough.any():
        return found
    spread = np.nanstd(strength[enough], axis=1)
    up = np.where(solved.used & np.isfinite(near.strength_dbhz), solved.elevation, np.nan)[enough]
    wide = np.nanmax(up, axis=1) - np.nanmin(up, axis=1) > np.deg2rad(30)
    alike = (spread < _ALIKE_DBHZ) & wide
    if alike.mean() >= _ALIKE_SHARE:
        found.append(
            Finding(
                Suspicion.STRENGTHS_ALIKE,
                np.flatnonzero(enough)[alike],
                (),
                f"satellites high and low are received equally strong, within "
                f"{float(np.median(spread[alike])):.1f} dB: they may come from one antenna",
            )
        )
    return found + _steps_of_strength(strength)


def strength_steps(solved: Solution, near: Beside) -> list[Finding]:
    """All satellites at once much stronger or weaker: what informs and does not block."""
    return _steps_of_strength(np.where(solved.used, near.strength_dbhz, np.nan))


def _steps_of_strength(strength: Floats) -> list[Finding]:
    found = []
    step = _common_step(strength)
    for reason, epochs, word in (
        (Suspicion.STRENGTHS_RISE, np.flatnonzero(step > _LOUDER_DBHZ) + 1, "stronger"),
        (Suspicion.STRENGTHS_FALL, np.flatnonzero(step < -_QUIETER_DBHZ) + 1, "weaker"),
    ):
        if len(epochs):
            sentence = f"all satellites become {word} at once, {len(epochs)} times"
            found.append(Finding(reason, epochs, (), sentence))
    return found


def _common_step(strength: Floats) -> Floats:
    """Change of the middle strength from epoch to epoch (e - 1,), 0 where too few are seen."""
    known = np.isfinite(strength).sum(1) >= _ALIKE_SATELLITES
    level = np.full(len(strength), np.nan)
    level[known] = np.nanmedian(strength[known], axis=1) if known.any() else np.nan
    return np.nan_to_num(np.diff(level))


def _outside(solved: Solution, circle: Circle) -> list[Finding]:
    """Positions whose whole bound lies outside of where a network places the receiver."""
    epochs = []
    for index in np.flatnonzero(solved.solved & np.isfinite(solved.horizontal_m)).tolist():
        point = Geodetic(
            float(np.rad2deg(solved.latitude[index])), float(np.rad2deg(solved.longitude[index]))
        )
        if _far(circle, point) or circle.spare_m(point) < -float(solved.horizontal_m[index]):
            epochs.append(index)
    if not epochs:
        return []
    sentence = f"{len(epochs)} positions lie with their bounds outside of the network's circle"
    return [Finding(Suspicion.OUTSIDE_NETWORK_CIRCLE, np.array(epochs), (), sentence)]


def _far(circle: Circle, point: Geodetic) -> bool:
    """Nearly antipodal points have no computed geodesic; they are outside all the same."""
    turn = abs((point.longitude_deg - circle.centre.longitude_deg + 180) % 360 - 180)
    return turn > 90 or abs(point.latitude_deg - circle.centre.latitude_deg) > 10


def _gains(gain: Gain) -> list[Finding]:
    """The gain falls to half of what it was: something strong reaches the antenna."""
    if len(gain.share) < 2:
        return []
    usual = float(np.median(gain.share[: max(len(gain.share) // 4, 1)]))
    low = np.flatnonzero(gain.share < usual * _GAIN_SHARE)
    if not len(low):
        return []
    sentence = f"the receiver's gain falls below half of {usual:.2f} in {len(low)} of its messages"
    return [Finding(Suspicion.GAIN_FALLS, low, (), sentence)]


def _name(number: int) -> str:
    return satellite_name(SYSTEMS[number // 100], number % 100)
