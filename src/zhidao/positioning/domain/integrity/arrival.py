"""Whether a window of positions proves that somebody arrived at a place in time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from zhidao.core.geo import Circle, Geodetic, bound_in_words
from zhidao.core.polygon import Polygon
from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.integrity.area_risk import Inside
from zhidao.positioning.domain.integrity.suspicion import INFORMING, Finding, Suspicion
from zhidao.positioning.domain.observables.observations import Bools, Floats, Ints
from zhidao.positioning.domain.single_point.solution import Reason, Solution
from zhidao.positioning.domain.solver_settings import Settings

_NS: Final = 1_000_000_000


class Decision(StrEnum):
    """What the positions alone say; the values are those of `ArrivalNotProven.reason`."""

    INSIDE = "inside"
    OUTSIDE = "outside"
    BOUND_TOO_WIDE = "bound_too_wide"
    TOO_FEW_SATELLITES = "too_few_satellites"
    FAULT_NOT_EXCLUDED = "fault_not_excluded"
    NOT_FIXED = "not_fixed"
    NO_NAVIGATION = "no_navigation"
    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"
    SIGNALS_SUSPECT = "signals_suspect"
    STRETCH_BROKEN = "stretch_broken"
    UNCHECKED_CODE = "unchecked_code"
    UNCHECKED_PHASE = "unchecked_phase"
    UNCHECKED_DOPPLER = "unchecked_doppler"
    UNCHECKED_STRENGTH = "unchecked_strength"


@dataclass(frozen=True, slots=True)
class ArrivalCriteria:
    """Where and when somebody is expected."""

    site: Circle | Polygon
    not_before: Utc
    not_after: Utc


@dataclass(frozen=True, slots=True)
class Outcome:
    """The decision and the epoch that shows it; `epoch` is -1 where no epoch has a position.

    `stretch`: first and last epoch of the proving stretch, both -1 unless inside. `sentence` says
    it for a person.
    """

    decision: Decision
    epoch: int
    stretch: tuple[int, int]
    sentence: str


def decide(
    solved: Solution, criteria: ArrivalCriteria, settings: Settings, found: Inside | None = None
) -> Outcome:
    """The arrival is proven by the first stretch of epochs that is long enough and wholly inside.

    An epoch is inside if its time is within [not_before, not_after] and its chance to be outside of
    the site, as `found` tells it, is at most the asked risk. Without `found` (up to version 2 of
    the settings, and for baselines): if its position lies inside the site, at least its horizontal
    protection level plus `boundary_mm` away from the nearest edge (of a circle: from the radius).
    Epochs of a stretch follow each other within `gap_s_max`,
    and an epoch that is not inside ends it.
    The deciding epoch is the one that completes the stretch. Up to version 3 the risk is that of
    one epoch; since then `found` holds that of the best of all stretches (`window_checks`).
    """
    spare_m = spare(solved, criteria.site)
    bound_m = np.nan_to_num(solved.horizontal_m, nan=np.inf, posinf=np.inf)
    edge_m = settings.boundary_mm / 1000
    low, high = Gpst.from_utc(criteria.not_before).ns, Gpst.from_utc(criteria.not_after).ns
    at = solved.gpst_ns
    in_time: Bools = (at >= low) & (at <= high)
    inside: Bools = spare_m - bound_m >= edge_m if found is None else found.proven
    stretch = _first_stretch(at, inside & in_time, settings)
    if stretch:
        first, last = stretch
        seconds = (at[last] - at[first]) / _NS
        return Outcome(
            Decision.INSIDE,
            last,
            stretch,
            f"{last - first + 1} epochs over {seconds:.0f} s lie inside {_surely(found, stretch)}; "
            f"the position is {_placed(criteria.site, spare_m[last], solved.horizontal_m[last])}",
        )
    wrong_time = _wrong_time(at, inside, low, high, settings)
    pool = solved.solved & in_time
    if wrong_time is not None or not pool.any():
        pool = solved.solved
    epoch = _nearest(pool, spare_m - bound_m, spare_m)
    decision = wrong_time or _why_not(solved, in_time, spare_m, inside, edge_m)
    if wrong_time is None and settings.version > 3 and (inside & in_time).any():
        sentence = _broken(solved, inside & in_time, in_time, settings)
        return Outcome(Decision.STRETCH_BROKEN, epoch, (-1, -1), sentence)
    return Outcome(decision, epoch, (-1, -1), _sentence(decision, solved, epoch, spare_m, criteria))


def _broken(solved: Solution, inside: Bools, in_time: Bools, settings: Settings) -> str:
    """What ended the stretches of epochs that were inside, for a person."""
    runs = _runs(solved.gpst_ns, inside, settings.gap_s_max)
    longest_s = max((solved.gpst_ns[b] - solved.gpst_ns[a]) / _NS for a, b in runs)
    lacking = [
        f"{int((solved.reason[in_time & ~inside] == reason).sum())} {word}"
        for reason, word in _LACKING
        if (solved.reason[in_time & ~inside] == reason).any()
    ]
    return (
        f"{int(inside.sum())} epochs lie inside, but no stretch of {settings.stretch_s_min} s and "
        f"{settings.stretch_epochs_min} epochs without a gap of over {settings.gap_s_max} s is "
        f"whole: the longest lasts {longest_s:.0f} s; of the other epochs "
        f"{', '.join(lacking) or 'there are none'}"
    )


_LACKING: Final = (
    (Reason.OK, "reach out of the site with their bounds"),
    (Reason.FAULT_NOT_EXCLUDED, "have ranges that contradict each other"),
    (Reason.TOO_FEW_SATELLITES, "have too few satellites"),
    (Reason.NO_NAVIGATION, "have no fresh ephemerides"),
    (Reason.NOT_FIXED, "have no certain baseline"),
    (Reason.WEAK_GEOMETRY, "have satellites in too small a part of the sky"),
)


def _runs(at: Ints, good: Bools, gap_s: int) -> list[tuple[int, int]]:
    """First and last epoch of each run of good epochs without a longer gap."""
    found: list[tuple[int, int]] = []
    for index in np.flatnonzero(good).tolist():
        if found and found[-1][1] == index - 1 and at[index] - at[index - 1] <= gap_s * _NS:
            found[-1] = (found[-1][0], index)
        else:
            found.append((index, index))
    return found


def _surely(found: Inside | None, stretch: tuple[int, int]) -> str:
    if found is None:
        return "with their bounds"
    most = found.outside[stretch[0] : stretch[1] + 1].max()
    return f"with a chance of at most {max(float(most), 1e-15):.1e} to be outside"


def spare(solved: Solution, site: Circle | Polygon) -> Floats:
    """How far inside the edge each position lies, (e,); negative outside, -inf without one."""
    spare_m = np.full(len(solved.gpst_ns), -np.inf)
    latitude, longitude = np.rad2deg(solved.latitude), np.rad2deg(solved.longitude)
    for index in np.flatnonzero(solved.solved).tolist():
        spare_m[index] = _spare_m(site, Geodetic(float(latitude[index]), float(longitude[index])))
    return spare_m


def _spare_m(site: Circle | Polygon, point: Geodetic) -> float:
    if isinstance(site, Polygon):
        return site.spare_m(point)
    centre = site.centre
    near = abs(point.latitude_deg - centre.latitude_deg) < 10
    # Nearly antipodal points have no computed geodesic; nobody needs one to be outside.
    if not near or abs((point.longitude_deg - centre.longitude_deg + 180) % 360 - 180) > 90:
        return -math.inf
    return site.spare_m(point)


def _placed(site: Circle | Polygon, spare_m: float, bound_m: float) -> str:
    """Where a position lies, for a person: `12.1 m from the centre, its bound …`."""
    if isinstance(site, Circle):
        return (
            f"{site.radius_m - spare_m:.1f} m from the centre, "
            f"its bound {bound_in_words(bound_m)}, the radius {site.radius_m:.1f} m"
        )
    if not math.isfinite(spare_m):
        return f"far outside of the site, its bound {bound_in_words(bound_m)}"
    side = "inside" if spare_m >= 0 else "outside"
    return f"{abs(spare_m):.1f} m {side} the nearest edge, its bound {bound_in_words(bound_m)}"


# What may happen to an honest receiver on its way (a hall, a tunnel) only informs.
_BLOCKING: Final = frozenset(
    (
        Suspicion.RANGE_AGAINST_DOPPLER,
        Suspicion.CLOCK_JUMP,
        Suspicion.STRENGTHS_ALIKE,
        Suspicion.OUTSIDE_NETWORK_CIRCLE,
    )
)


def doubted(outcome: Outcome, found: Sequence[Finding]) -> Outcome:
    """An arrival is not proven by a stretch in which the signals themselves are suspect."""
    if outcome.decision is not Decision.INSIDE:
        return outcome
    first, last = outcome.stretch
    against = [
        each
        for each in found
        if each.reason in _BLOCKING and ((each.epochs >= first) & (each.epochs <= last)).any()
    ]
    if not against:
        return outcome
    reasons = ", ".join(each.reason.value for each in against)
    return Outcome(
        Decision.SIGNALS_SUSPECT,
        outcome.epoch,
        (-1, -1),
        f"the signals do not behave as those of satellites ({reasons}): {against[0].sentence}",
    )


def suspect(outcome: Outcome, found: Sequence[Finding], before: Sequence[Finding] = ()) -> Outcome:
    """Since version 4 a finding anywhere in the window, or in the one before it, blocks."""
    if outcome.decision is not Decision.INSIDE:
        return outcome
    against = [each for each in found if each.reason not in INFORMING]
    earlier = [each for each in before if each.reason not in INFORMING]
    if not against and not earlier:
        return outcome
    reasons = ", ".join(dict.fromkeys(each.reason.value for each in (*against, *earlier)))
    first = against[0].sentence if against else f"in the window before, {earlier[0].sentence}"
    sentence = f"the signals do not behave as those of satellites ({reasons}): {first}"
    return Outcome(Decision.SIGNALS_SUSPECT, outcome.epoch, (-1, -1), sentence)


def lacking(outcome: Outcome, what: str) -> Outcome:
    """An arrival is not proven by a window that lacks what its checks need."""
    if outcome.decision is not Decision.INSIDE or not what:
        return outcome
    word = {"phase": "carrier phases that run on", "strength": "signal strengths"}.get(what, what)
    return Outcome(
        Decision(f"unchecked_{what}"),
        outcome.epoch,
        (-1, -1),
        f"the position lies inside, but the window holds no {word} of most satellites, so what "
        "they would show was not checked",
    )


def _first_stretch(at: Ints, good: Bools, settings: Settings) -> tuple[int, int] | None:
    """First and completing epoch of the first stretch that is long enough, or None."""
    start = -1
    for index in range(len(at)):
        if not good[index]:
            start = -1
            continue
        if start < 0 or at[index] - at[index - 1] > settings.gap_s_max * _NS:
            start = index
        long_enough = at[index] - at[start] >= settings.stretch_s_min * _NS
        if long_enough and index - start + 1 >= settings.stretch_epochs_min:
            return start, index
    return None


def _wrong_time(
    at: Ints, inside: Bools, low: int, high: int, settings: Settings
) -> Decision | None:
    """Whether the place would do and only the time does not."""
    if not len(at):
        return None
    if at[-1] < low:
        return Decision.TOO_EARLY
    if at[0] > high:
        return Decision.TOO_LATE
    if _first_stretch(at, inside & (at >= low), settings):
        return Decision.TOO_LATE
    if _first_stretch(at, inside & (at <= high), settings):
        return Decision.TOO_EARLY
    return None


def _why_not(
    solved: Solution, in_time: Bools, spare_m: Floats, inside: Bools, edge_m: float
) -> Decision:
    fixed = solved.solved & in_time
    if not fixed.any():
        reasons = solved.reason[in_time]
        if (reasons == Reason.FAULT_NOT_EXCLUDED).any():
            return Decision.FAULT_NOT_EXCLUDED
        if (reasons == Reason.NOT_FIXED).any():
            return Decision.NOT_FIXED
        if len(reasons) and (reasons == Reason.NO_NAVIGATION).mean() > 0.5:
            return Decision.NO_NAVIGATION
        return Decision.TOO_FEW_SATELLITES
    near = fixed & (spare_m >= edge_m)
    if (near & ~inside).any():
        return Decision.BOUND_TOO_WIDE
    if near.any() and (solved.reason[in_time] == Reason.FAULT_NOT_EXCLUDED).any():
        return Decision.FAULT_NOT_EXCLUDED
    return Decision.OUTSIDE


def _nearest(pool: Bools, left_m: Floats, spare_m: Floats) -> int:
    """The epoch that comes nearest to being inside, bounded ones first; -1 if the pool is empty."""
    if not pool.any():
        return -1
    measure = np.where(np.isfinite(left_m), -left_m, 1e9 - spare_m)
    return int(np.where(pool, np.minimum(measure, 1e12), np.inf).argmin())


def _sentence(
    decision: Decision, solved: Solution, epoch: int, spare_m: Floats, criteria: ArrivalCriteria
) -> str:
    where = ""
    if epoch >= 0:
        placed = _placed(criteria.site, spare_m[epoch], solved.horizontal_m[epoch])
        where = f"; the nearest position is {placed}"
    match decision:
        case Decision.TOO_EARLY:
            return f"the window was observed before {criteria.not_before}{where}"
        case Decision.TOO_LATE:
            return f"the window was observed after {criteria.not_after}{where}"
        case Decision.OUTSIDE:
            return f"no stretch of positions lies inside the site for long enough{where}"
        case Decision.BOUND_TOO_WIDE:
            return f"positions lie inside, but their bounds reach out of the site{where}"
        case Decision.FAULT_NOT_EXCLUDED:
            return f"the ranges contradict each other and no exclusion settles it{where}"
        case Decision.NOT_FIXED:
            return "beside the base the whole wavelengths to the satellites are not certain"
        case Decision.NO_NAVIGATION:
            return "no fresh broadcast ephemerides are known for the satellites in the window"
        case _:
            return "too few satellites were received for a position"
