from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from tests.positioning.conftest import PLACE, START

from zhidao.core.geo import Circle, Geodetic, destination
from zhidao.core.polygon import Polygon
from zhidao.positioning.domain.integrity.area_risk import inside
from zhidao.positioning.domain.integrity.error_models import accounting, linear_model
from zhidao.positioning.domain.integrity.outside_risk import outside_risk
from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.single_point.least_squares import fit_with_model
from zhidao.positioning.domain.solver_settings import Settings


def _box(half_m: float, north_m: float = 0.0) -> Polygon:
    middle = destination(PLACE, azimuth_deg=0, distance_m=north_m) if north_m else PLACE
    return Polygon(
        tuple(
            destination(middle, azimuth_deg=azimuth, distance_m=half_m * 2**0.5)
            for azimuth in (45, 135, 225, 315)
        )
    )


def _asked(afternoon, area, risk=1e-4, **more):
    solved = solve(afternoon.seen, afternoon.navigation, risk=risk)
    return solved, inside(solved, afternoon.navigation, Settings(), area, risk=risk, **more)


def test_whoever_lies_inside_with_the_level_is_proven_inside(afternoon):
    for area in (_box(40), Circle(PLACE, 40.0)):
        solved, found = _asked(afternoon, area)
        spare = np.array(
            [
                area.spare_m(Geodetic(float(np.rad2deg(a)), float(np.rad2deg(b))))
                for a, b in zip(solved.latitude, solved.longitude, strict=True)
            ]
        )
        by_level = spare >= solved.horizontal_m * 1.01
        assert by_level.any()
        assert found.proven[by_level].all()


def test_the_chance_falls_with_the_room_and_is_one_outside(afternoon):
    chances = [_asked(afternoon, _box(half))[1].outside for half in (8, 15, 30, 60)]
    assert all((a >= b).all() for a, b in itertools.pairwise(chances))
    assert chances[0].min() > 1e-4
    assert (_asked(afternoon, _box(40, north_m=200))[1].outside == 1).all()
    far = Circle(Geodetic(-44.0, -99.0), 1_000.0)
    assert (_asked(afternoon, far)[1].outside == 1).all()


def test_a_notch_that_comes_near_counts_although_the_hull_is_far(afternoon):
    def at(azimuth, distance_m):
        return destination(PLACE, azimuth_deg=azimuth, distance_m=distance_m)

    wide = [at(azimuth, 200) for azimuth in (45, 135, 225, 315)]
    notched = Polygon((*wide, at(0, 5)))
    assert _asked(afternoon, Polygon(tuple(wide)))[1].proven.all()
    assert not _asked(afternoon, notched)[1].proven.any()


def test_outside_of_the_time_window_nothing_is_proven(afternoon):
    window = (START, START.plus_ns(300 * 10**9))
    _, found = _asked(afternoon, _box(100), window=window)
    assert found.proven[:11].all()
    assert not found.proven[11:].any()


def test_a_class_without_evidence_and_the_first_version_prove_nothing(afternoon):
    for settings in (Settings.for_environment("vehicle"), Settings.of_version_1()):
        solved = solve(afternoon.seen, afternoon.navigation, settings)
        found = inside(solved, afternoon.navigation, settings, _box(500), risk=1e-4)
        assert not found.proven.any()


RISK = 1e-4


@pytest.fixture(scope="module")
def solved(afternoon):
    return solve(afternoon.seen, afternoon.navigation, risk=RISK)


def _moved(solved, place: Geodetic):
    """The same epochs, with their errors, at a place."""
    count = len(solved.gpst_ns)
    latitude, longitude = math.radians(place.latitude_deg), math.radians(place.longitude_deg)
    return replace(solved, latitude=np.full(count, latitude), longitude=np.full(count, longitude))


def _chance(solved, afternoon, area, settings=None, **more):
    asked = settings or Settings()
    return inside(solved, afternoon.navigation, asked, area, risk=RISK, **more).outside


def _defined(solved, afternoon, lines, settings=None, **more):
    """The chance beyond lines, each told as east and north metres to its nearest point."""
    settings = settings or Settings()
    count = len(solved.gpst_ns)
    east_north_m = np.tile(np.array(lines), (count, 1, 1))
    away_m = np.hypot(east_north_m[..., 0], east_north_m[..., 1])
    found = fit_with_model(solved.measurements, solved.used, afternoon.navigation, settings)
    model = linear_model(solved.measurements, found, settings, solved.excluded.sum(1))
    return outside_risk(
        model,
        east_north_m / away_m[..., None],
        away_m - settings.boundary_mm / 1000,
        risk=RISK,
        alarm=settings.alarm_ppb / 1e9,
        accounting=accounting(settings, **more),
    )


def _at(east_m: float, north_m: float) -> Geodetic:
    azimuth_deg = math.degrees(math.atan2(east_m, north_m)) % 360
    return destination(PLACE, azimuth_deg=azimuth_deg, distance_m=math.hypot(east_m, north_m))


def _nearest(one, other):
    """The point of an edge that is nearest to where we are, found among a great many."""
    share = np.linspace(0, 1, 200_001)[:, None]
    points = np.array(one) + share * (np.array(other) - np.array(one))
    return points[np.hypot(*points.T).argmin()]


# A foot within an edge, a corner that comes nearest, an edge of 80 cm and one half a metre away.
SHAPES = {
    "slanted": [(-20, -14), (25, -18), (17, 21), (-16, 12)],
    "notched": [(-30, -30), (30, -30), (30, 30), (2, 30), (1, 9), (-3, 30), (-30, 30)],
    "short edge": [(-20, -15), (20, -15), (20, 15), (0.45, 3), (-0.35, 3), (-20, 15)],
    "at an edge": [(-40, -0.5), (40, -0.5), (40, 60), (-40, 60)],
}


@pytest.mark.parametrize("corners", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("boundary_mm", [1, 300])
def test_the_chance_is_that_beyond_the_nearest_point_of_each_edge(
    afternoon, solved, corners, boundary_mm
):
    settings = Settings(boundary_mm=boundary_mm)
    area = Polygon(tuple(_at(*corner) for corner in corners))
    told = _chance(_moved(solved, PLACE), afternoon, area, settings)
    lines = [_nearest(*edge) for edge in zip(corners, [*corners[1:], corners[0]], strict=True)]
    expected = _defined(solved, afternoon, lines, settings)
    assert (told < 1).all()
    assert np.allclose(told, expected, rtol=1e-4, atol=0)


def test_of_many_epochs_and_a_longer_time_the_chance_is_that_of_so_many(afternoon, solved):
    corners = SHAPES["slanted"]
    area = Polygon(tuple(_at(*corner) for corner in corners))
    lines = [_nearest(*edge) for edge in zip(corners, [*corners[1:], corners[0]], strict=True)]
    more = {"tries": 24.0, "exposure": 1.5}
    told = _chance(_moved(solved, PLACE), afternoon, area, **more)
    assert np.allclose(told, _defined(solved, afternoon, lines, **more), rtol=1e-4, atol=0)


@pytest.mark.parametrize("offset_m", [(0.0, 0.0), (9.0, -4.0), (-3.0, 12.0)])
def test_a_circle_is_the_regular_polygon_of_48_sides_within_it(afternoon, solved, offset_m):
    angle = 2 * np.pi * np.arange(48) / 48
    normals = np.stack((np.sin(angle), np.cos(angle)), 1)
    away_m = 30 * math.cos(math.pi / 48) + normals @ np.array(offset_m)
    centre = _at(*offset_m) if any(offset_m) else PLACE
    told = _chance(_moved(solved, PLACE), afternoon, Circle(centre, 30.0))
    expected = _defined(solved, afternoon, normals * away_m[:, None])
    assert np.allclose(told, expected, rtol=1e-4, atol=0)


def test_nearer_to_the_edge_than_the_boundary_is_outside(afternoon, solved):
    corners = SHAPES["at an edge"]
    area = Polygon(tuple(_at(*corner) for corner in corners))
    here = _moved(solved, PLACE)
    assert (_chance(here, afternoon, area, Settings(boundary_mm=501)) == 1).all()
    assert (_chance(here, afternoon, area, Settings(boundary_mm=499)) < 1).all()
    # Just outside of a wide circle: one side is passed, all others are far.
    beyond = _chance(here, afternoon, Circle(_at(0.0, 2_000.1), 2_000.0))
    assert (beyond == 1).all()


def test_the_risk_itself_is_still_proven(afternoon, solved):
    area = Polygon(tuple(_at(*corner) for corner in SHAPES["slanted"]))
    here = _moved(solved, PLACE)
    chance = _chance(here, afternoon, area)
    least = float(chance.min())
    again = inside(here, afternoon.navigation, Settings(), area, risk=least)
    assert (again.outside == chance).all()
    assert again.proven.tolist() == (chance == least).tolist()


def test_an_epoch_without_a_level_is_not_proven_whatever_its_neighbours_are(afternoon, solved):
    levels = solved.horizontal_m.copy()
    levels[3] = np.inf
    told = _chance(replace(solved, horizontal_m=levels), afternoon, Circle(PLACE, 90.0))
    assert told[3] == 1
    assert (np.delete(told, 3) < RISK).all()


def test_settings_from_the_second_version_on_prove(afternoon):
    settings = Settings.of_version_2()
    solved = solve(afternoon.seen, afternoon.navigation, settings, risk=RISK)
    assert inside(solved, afternoon.navigation, settings, _box(300), risk=RISK).proven.any()


@pytest.mark.parametrize(
    ("point_deg", "centre_deg", "is_asked"),
    [
        *((89.5, 0.0, True), (-89.5, 0.0, True), (-170.5, 100.0, True), (0.0, 0.0, True)),
        *((90.0, 0.0, False), (90.5, 0.0, False), (180.0, 0.0, False)),
    ],
)
def test_around_a_pole_a_circle_is_asked_within_a_quarter_of_a_turn(
    afternoon, solved, point_deg, centre_deg, is_asked
):
    here = _moved(solved, Geodetic(89.99, point_deg))
    told = _chance(here, afternoon, Circle(Geodetic(89.99, centre_deg), 50_000.0))
    assert ((told < RISK) if is_asked else (told == 1)).all()


def test_antipodes_are_outside_and_no_error(afternoon, solved):
    here = _moved(solved, Geodetic(0.3, 179.8))
    assert (_chance(here, afternoon, Circle(Geodetic(0.0, 0.0), 1_000.0)) == 1).all()
