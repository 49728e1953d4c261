from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zhidao.core.geo import Circle, Geodetic, destination
from zhidao.core.polygon import Polygon
from zhidao.positioning.domain.integrity.area_risk import inside
from zhidao.positioning.domain.integrity.arrival import ArrivalCriteria, Decision, decide
from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.single_point.solution import Reason
from zhidao.positioning.domain.solver_settings import Settings

SETTINGS = Settings()


@pytest.fixture(scope="module")
def solved(afternoon):
    return solve(afternoon.seen, afternoon.navigation)


def _criteria(
    solved, centre: Geodetic | None = None, radius_m: float = 60.0, **times
) -> ArrivalCriteria:
    at = [Gpst_utc(ns) for ns in solved.gpst_ns.tolist()]
    here = Geodetic(float(np.rad2deg(solved.latitude[0])), float(np.rad2deg(solved.longitude[0])))
    return ArrivalCriteria(
        Circle(centre or here, radius_m),
        times.get("not_before", at[0]),
        times.get("not_after", at[-1]),
    )


def Gpst_utc(ns: int):
    from zhidao.core.timescale import Gpst

    return Gpst(ns).to_utc()


def test_a_minute_inside_with_its_bounds_proves_the_arrival(solved):
    outcome = decide(solved, _criteria(solved), SETTINGS)
    assert outcome.decision is Decision.INSIDE
    assert outcome.stretch == (0, 2)
    assert outcome.epoch == 2


def test_a_millimetre_decides(solved):
    criteria = _criteria(solved)
    reach = []
    for epoch in range(40):
        point = Geodetic(
            float(np.rad2deg(solved.latitude[epoch])), float(np.rad2deg(solved.longitude[epoch]))
        )
        reach.append(
            criteria.site.radius_m - criteria.site.spare_m(point) + solved.horizontal_m[epoch]
        )
    needed = max(reach[:3]) + 0.001
    first = decide(solved, _criteria(solved, radius_m=needed + 1e-6), SETTINGS)
    assert first.stretch == (0, 2)
    assert decide(solved, _criteria(solved, radius_m=needed - 1e-6), SETTINGS).stretch != (0, 2)


def test_outside_is_outside(solved):
    away = destination(_criteria(solved).site.centre, azimuth_deg=50, distance_m=500)
    assert decide(solved, _criteria(solved, away), SETTINGS).decision is Decision.OUTSIDE
    elsewhere = Geodetic(-30.0, -60.0)
    assert decide(solved, _criteria(solved, elsewhere), SETTINGS).decision is Decision.OUTSIDE


def test_a_bound_that_reaches_out_of_the_site_proves_nothing(solved):
    outcome = decide(solved, _criteria(solved, radius_m=12.0), SETTINGS)
    assert outcome.decision is Decision.BOUND_TOO_WIDE
    assert outcome.epoch >= 0


def test_too_early_and_too_late_are_told_apart(solved):
    first, last = Gpst_utc(int(solved.gpst_ns[0])), Gpst_utc(int(solved.gpst_ns[-1]))
    hour = 3600 * 10**9
    late = _criteria(solved, not_before=first.plus_ns(-2 * hour), not_after=first.plus_ns(-hour))
    assert decide(solved, late, SETTINGS).decision is Decision.TOO_LATE
    early = _criteria(solved, not_before=last.plus_ns(hour), not_after=last.plus_ns(2 * hour))
    assert decide(solved, early, SETTINGS).decision is Decision.TOO_EARLY
    half_minute = first.plus_ns(30 * 10**9)
    assert decide(solved, _criteria(solved, not_after=half_minute), SETTINGS).decision is (
        Decision.TOO_LATE
    )


def test_a_stretch_with_a_hole_starts_again(solved):
    reason = solved.reason.copy()
    reason[1::3] = Reason.FAULT_NOT_EXCLUDED
    level = np.where(reason == 0, solved.horizontal_m, np.nan)
    holed = replace(solved, reason=reason, horizontal_m=level)
    earlier = decide(holed, _criteria(solved), Settings.of_version_3())
    assert earlier.decision is Decision.FAULT_NOT_EXCLUDED
    outcome = decide(holed, _criteria(solved), SETTINGS)
    assert outcome.decision is Decision.STRETCH_BROKEN
    assert "27 epochs lie inside" in outcome.sentence
    assert "the longest lasts 30 s" in outcome.sentence
    assert "13 have ranges that contradict each other" in outcome.sentence


def test_a_gap_in_time_breaks_a_stretch(solved):
    sparse = replace(solved, measurements=replace(solved.measurements, gpst_ns=solved.gpst_ns * 1))
    asked = Settings(gap_s_max=29)
    assert decide(sparse, _criteria(solved), asked).decision is not Decision.INSIDE


def test_reasons_without_any_position(solved):
    nothing = np.full(40, np.nan)
    for reason, decision in (
        (Reason.NO_NAVIGATION, Decision.NO_NAVIGATION),
        (Reason.TOO_FEW_SATELLITES, Decision.TOO_FEW_SATELLITES),
        (Reason.FAULT_NOT_EXCLUDED, Decision.FAULT_NOT_EXCLUDED),
    ):
        blind = replace(
            solved, reason=np.full(40, reason, np.uint8), latitude=nothing, horizontal_m=nothing
        )
        outcome = decide(blind, _criteria(solved), SETTINGS)
        assert outcome.decision is decision
        assert outcome.epoch == -1


def _yard(solved, half_m: float) -> Polygon:
    here = _criteria(solved).site.centre
    corner_m = half_m * np.sqrt(2)
    return Polygon(
        tuple(
            destination(here, azimuth_deg=azimuth, distance_m=corner_m)
            for azimuth in (45, 135, 225, 315)
        )
    )


def test_in_a_polygon_the_nearest_edge_counts_to_the_millimetre(solved):
    def criteria(half_m: float) -> ArrivalCriteria:
        return replace(_criteria(solved), site=_yard(solved, half_m))

    lacks = [
        solved.horizontal_m[epoch]
        - criteria(60.0).site.spare_m(
            Geodetic(*(float(np.rad2deg(a[epoch])) for a in (solved.latitude, solved.longitude)))
        )
        for epoch in range(3)
    ]
    needed_m = 60.0 + max(lacks) + SETTINGS.boundary_mm / 1000
    proven = decide(solved, criteria(needed_m + 1e-3), SETTINGS)
    assert proven.stretch == (0, 2)
    assert "inside the nearest edge, its bound" in proven.sentence
    assert decide(solved, criteria(needed_m - 1e-3), SETTINGS).stretch != (0, 2)


def test_a_polygon_too_small_too_far_or_with_a_bay_here_proves_nothing(solved):
    criteria, here = _criteria(solved), _criteria(solved).site.centre
    small = decide(solved, replace(criteria, site=_yard(solved, 12.0)), SETTINGS)
    assert small.decision is Decision.BOUND_TOO_WIDE
    far = Polygon(
        tuple(replace(c, latitude_deg=-c.latitude_deg) for c in _yard(solved, 99).corners)
    )
    outcome = decide(solved, replace(criteria, site=far), SETTINGS)
    assert outcome.decision is Decision.OUTSIDE
    assert "far outside of the site" in outcome.sentence
    ring = ((200, 200), (200, -200), (-200, -200), (-200, 200), (-50, 200), (0, -90), (50, 200))
    bay = Polygon(
        tuple(
            destination(
                here,
                azimuth_deg=float(np.rad2deg(np.arctan2(east, north))) % 360,
                distance_m=float(np.hypot(east, north)),
            )
            for east, north in ring
        )
    )
    outcome = decide(solved, replace(criteria, site=bay), SETTINGS)
    assert outcome.decision is Decision.OUTSIDE
    assert "m outside the nearest edge" in outcome.sentence


def _strip(solved, *, ahead_m: float, aside_m: float) -> Polygon:
    """A rectangle along the direction in which these positions are surest."""
    here = Geodetic(float(np.rad2deg(solved.latitude[0])), float(np.rad2deg(solved.longitude[0])))
    reach = float(np.hypot(ahead_m, aside_m))
    turn = float(np.rad2deg(np.arctan2(ahead_m, aside_m)))
    return Polygon(
        tuple(
            destination(here, azimuth_deg=azimuth % 360, distance_m=reach)
            for azimuth in (turn, 180 - turn, 180 + turn, -turn)
        )
    )


def test_by_chance_a_site_is_proven_that_the_level_all_around_is_too_wide_for(afternoon, solved):
    criteria = _criteria(solved)
    level_m = float(solved.horizontal_m.max())
    site = _strip(solved, ahead_m=0.95 * level_m, aside_m=3 * level_m)
    asked = replace(criteria, site=site)
    by_level = decide(solved, asked, SETTINGS)
    found = inside(solved, afternoon.navigation, SETTINGS, site, risk=1e-4)
    by_chance = decide(solved, asked, SETTINGS, found)
    assert by_level.decision is Decision.BOUND_TOO_WIDE
    assert by_chance.decision is Decision.INSIDE
    assert "chance of at most" in by_chance.sentence
    assert found.outside[slice(*by_chance.stretch)].max() <= 1e-4


def test_by_chance_a_smaller_risk_proves_less(afternoon, solved):
    criteria = _criteria(solved)
    level_m = float(solved.horizontal_m.max())
    site = _strip(solved, ahead_m=0.95 * level_m, aside_m=3 * level_m)
    found = inside(solved, afternoon.navigation, SETTINGS, site, risk=1e-9)
    outcome = decide(solved, replace(criteria, site=site), SETTINGS, found)
    assert outcome.decision is Decision.BOUND_TOO_WIDE
