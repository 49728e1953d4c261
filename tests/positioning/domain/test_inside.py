from __future__ import annotations

import itertools

import numpy as np
from tests.positioning.conftest import PLACE, START

from zhidao.core.geo import Circle, Geodetic, destination
from zhidao.core.polygon import Polygon
from zhidao.positioning.domain.inside import inside
from zhidao.positioning.domain.settings import Settings
from zhidao.positioning.domain.solving import solve


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
