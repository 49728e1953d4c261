"""All checks of a window since version 4 of the settings, and what a window lacks for them.

What was left out of a window is no assurance: an observable that is missing names itself.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Final

import numpy as np

from zhidao.positioning.domain.integrity.authenticity import (
    ranges_against_doppler,
    strength_steps,
)
from zhidao.positioning.domain.integrity.kinematics import (
    SPEED_MPS_MAX,
    alarm_quantile,
    kinematic_findings,
)
from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.integrity.suspicion import Finding, Suspicion
from zhidao.positioning.domain.observables.observations import Bools, Floats, Ints, Observations
from zhidao.positioning.domain.satellites.ephemeris import Navigation
from zhidao.positioning.domain.single_point.rates import Beside, beside
from zhidao.positioning.domain.single_point.solution import Reason, Solution
from zhidao.positioning.domain.solver_settings import Settings

_NS: Final = 1_000_000_000
# Four give a velocity, a fifth one checks it.
_SATELLITES_MIN: Final = 5
_SHARE_MIN: Final = 0.7
# Simulators radiate all signals alike. Honest deviations of strengths: never under 2.2 dB with
# three constellations, 1.1 with B1I alone and 0.5 with four satellites of a phone.
_ALIKE_DBHZ: Final = 1.6
_ALIKE_FEW_DBHZ: Final = 1.05
_MANY_SATELLITES: Final = 6
_WIDE: Final = float(np.deg2rad(30))
_ALIKE_SHARE: Final = 0.5


def check_window(
    seen: Observations, navigation: Navigation, solved: Solution, settings: Settings
) -> list[Finding]:
    """All that speaks against the signals of a window, over the whole of it."""
    near = beside(seen, solved.measurements, settings, navigation)
    return [
        *kinematic_findings(seen, navigation, solved, near, settings),
        *ranges_against_doppler(solved, near),
        *_constellations(solved),
        *_places(seen, navigation, solved, settings),
        *_alike(solved, near),
        *strength_steps(solved, near),
    ]


def unchecked(
    seen: Observations,
    navigation: Navigation,
    solved: Solution,
    settings: Settings,
    stretch: tuple[int, int],
) -> str:
    """The first of code, phase, Doppler and strength that the window lacks, or an empty word.

    Of the satellites that a position stands on, most must have each: over the window, and at each
    epoch of the stretch that is to prove something; phases must run on from epoch to epoch.
    """
    if not solved.measurements.observed.any():
        return "code"
    near = beside(seen, solved.measurements, settings, navigation)
    for what, values in (
        ("phase", near.phase_m),
        ("doppler", near.rate_mps),
        ("strength", near.strength_dbhz),
    ):
        if not _known(solved, np.asarray(np.isfinite(values), bool), stretch):
            return what
    runs_on = np.asarray(near.slipped == 0, bool)
    first, last = stretch
    inner = np.zeros(len(runs_on), bool)
    inner[first + 1 : last + 1] = True
    enough = _enough(solved.used, runs_on)
    return "" if enough[inner].all() else "phase"


def _enough(used: Bools, known: Bools) -> Bools:
    """Epochs at which enough of the used satellites are known."""
    have, of = (used & known).sum(1), used.sum(1)
    enough: Bools = (have >= _SATELLITES_MIN) & (have >= _SHARE_MIN * of)
    return enough


def _known(solved: Solution, known: Bools, stretch: tuple[int, int]) -> bool:
    used = solved.used
    whole = (used & known).sum() >= _SHARE_MIN * max(int(used.sum()), 1)
    first, last = stretch
    return bool(whole and _enough(used, known)[first : last + 1].all())


def apart(before: Solution, solved: Solution, settings: Settings) -> list[Finding]:
    """The last position of the window before lies further off than any vehicle has come since."""
    earlier, later = np.flatnonzero(before.solved), np.flatnonzero(solved.solved)
    if not len(earlier) or not len(later):
        return []
    last, first = earlier[-1], later[0]
    time_s = float(solved.gpst_ns[first] - before.gpst_ns[last]) / _NS
    if time_s <= 0:
        # Windows that overlap, or came in another order: nothing to hold against each other.
        return []
    way_m = float(np.linalg.norm(solved.ecef_m[first] - before.ecef_m[last]))
    spread_m = np.sqrt(np.trace(solved.covariance_m2[first]) + np.trace(before.covariance_m2[last]))
    if way_m <= SPEED_MPS_MAX * time_s + alarm_quantile(solved, settings) * float(spread_m):
        return []
    return [
        Finding(
            Suspicion.APART_FROM_LAST_WINDOW,
            np.array([first]),
            (),
            f"the terminal's window before ended {way_m:.0f} m away, {time_s:.0f} s earlier",
        )
    ]


def grid_count(at_ns: Ints, spacing_s: int) -> int:
    """How many epochs it takes that every stretch of a length holds one of them.

    Each next one is the last epoch within the spacing, or the next one behind a gap: so a stretch
    that proves something wrongly is wrong at one of these.
    """
    count, index = 0, 0
    while index < len(at_ns):
        count += 1
        reach = at_ns[index] + spacing_s * _NS
        index = max(int(np.searchsorted(at_ns, reach, side="right")) - 1, index + 1)
        if index == len(at_ns) - 1 and at_ns[index] < reach:
            break
    return max(count, 1)


def _constellations(solved: Solution) -> list[Finding]:
    """A constellation that was put out as a whole, with a position by the others."""
    data = solved.measurements
    letters = np.array(list(data.systems))[data.system] if data.systems else data.system
    epochs, names = np.zeros(len(data.gpst_ns), bool), []
    for letter in sorted(set(data.systems)):
        mine = data.present & (letters == letter) & np.isfinite(solved.elevation)
        out = (mine & solved.excluded).sum(1)
        gone = solved.solved & (out >= 2) & ~(mine & solved.used).any(1)
        if gone.any():
            epochs |= gone
            names.append(letter)
    if not names:
        return []
    return [
        Finding(
            Suspicion.CONSTELLATIONS_DISAGREE,
            np.flatnonzero(epochs),
            tuple(names),
            f"the constellations {', '.join(names)} and the others tell different places",
        )
    ]


def _places(
    seen: Observations, navigation: Navigation, solved: Solution, settings: Settings
) -> list[Finding]:
    """Where no exclusion settles it: constellations that each alone tell another place."""
    torn = np.flatnonzero(solved.reason == Reason.FAULT_NOT_EXCLUDED)
    if not len(torn) or len(settings.signals) < 2:
        return []
    alone = {
        system: solve(seen, navigation, replace(settings, signals={system: signal}))
        for system, signal in settings.signals.items()
    }
    quantile = alarm_quantile(solved, settings)
    epochs, names = np.zeros(len(solved.gpst_ns), bool), set()
    for one, other in combinations(sorted(alone), 2):
        left, right = alone[one], alone[other]
        apart_m = np.linalg.norm(left.ecef_m - right.ecef_m, axis=1)
        spread_m2 = sum(np.trace(each.covariance_m2, axis1=1, axis2=2) for each in (left, right))
        # Weights know noise and reflections; orbits and air add as much again.
        far = np.nan_to_num(apart_m) > 2 * quantile * np.sqrt(np.nan_to_num(spread_m2, nan=np.inf))
        far &= solved.reason == Reason.FAULT_NOT_EXCLUDED
        if far.any():
            epochs |= far
            names |= {one, other}
    if not names:
        return []
    told = ", ".join(sorted(names))
    sentence = f"the constellations {told} tell different places, each by itself"
    reason = Suspicion.CONSTELLATIONS_DISAGREE
    return [Finding(reason, np.flatnonzero(epochs), tuple(sorted(names)), sentence)]


def _alike(solved: Solution, near: Beside) -> list[Finding]:
    """All satellites equally strong, few ones and those of a narrow sky too."""
    strength = np.where(solved.used, near.strength_dbhz, np.nan)
    count = np.isfinite(strength).sum(1)
    known = count >= 4
    if not known.any():
        return []
    spread = np.nanstd(strength[known], axis=1, ddof=1)
    limit = _limits(solved, near, count)[known]
    alike = spread < limit
    if alike.mean() < _ALIKE_SHARE:
        return []
    return [
        Finding(
            Suspicion.STRENGTHS_ALIKE,
            np.flatnonzero(known)[alike],
            (),
            f"satellites are received equally strong, within {float(np.median(spread[alike])):.1f} "
            "dB: they may come from one antenna",
        )
    ]


def _limits(solved: Solution, near: Beside, count: Ints) -> Floats:
    up = np.where(solved.used & np.isfinite(near.strength_dbhz), solved.elevation, np.nan)
    seen = np.isfinite(up)
    span = np.where(seen, up, -np.inf).max(1, initial=-np.inf) - np.where(seen, up, np.inf).min(
        1, initial=np.inf
    )
    wide = (count >= _MANY_SATELLITES) & (span > _WIDE)
    return np.where(wide, _ALIKE_DBHZ, _ALIKE_FEW_DBHZ)
