"""How far a place lies outside of what a network says, and how deep inside."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.connectivity.domain.network_area import (
    ADVANCE_MAX,
    CORNERS_MAX,
    STEP_M,
    Area,
    Disc,
    Outline,
    Ring,
    Sector,
)
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Circle, Geodetic, destination

SITE = Geodetic(43.35, 77.04)
KAZAKHSTAN_WEST = tuple(
    Geodetic(latitude, longitude)
    for latitude, longitude in ((42.0, 70.0), (42.0, 80.0), (50.0, 80.0), (50.0, 70.0))
)


def off(azimuth_deg: float, distance_m: float) -> Geodetic:
    return destination(SITE, azimuth_deg=azimuth_deg % 360, distance_m=distance_m)


def near(value: float, tolerance: float = 0.002) -> object:
    return pytest.approx(value, rel=tolerance, abs=0.5)


@pytest.mark.parametrize(
    ("area", "place", "gap_m", "depth_m"),
    [
        (Disc(Circle(SITE, 5_000.0)), off(10, 3_000), 0, 2_000),
        (Disc(Circle(SITE, 5_000.0)), off(10, 7_000), 2_000, 0),
        (Ring(SITE, 2_000.0, 2_500.0), off(90, 1_500), 500, 0),
        (Ring(SITE, 2_000.0, 2_500.0), off(90, 2_100), 0, 100),
        (Ring(SITE, 2_000.0, 2_500.0), off(90, 2_450), 0, 50),
        (Ring(SITE, 2_000.0, 2_500.0), off(90, 3_000), 500, 0),
        (Ring(SITE, 0.0, 100.0), SITE, 0, 100),
        # A sector of 120 degrees to the east, of 5 km, and 200 m around.
        (Sector(SITE, 5_000.0, 90.0, 120.0, 200.0), off(90, 3_000), 0, 2_000),
        (Sector(SITE, 5_000.0, 90.0, 120.0, 200.0), off(90, 6_000), 1_000, 0),
        (Sector(SITE, 5_000.0, 90.0, 120.0, 200.0), off(140, 2_000), 0, 347.3),
        (Sector(SITE, 5_000.0, 90.0, 120.0, 200.0), off(180, 2_000), 1_000, 0),
        (Sector(SITE, 5_000.0, 90.0, 120.0, 200.0), off(270, 2_000), 1_800, 0),
        (Sector(SITE, 5_000.0, 90.0, 120.0, 200.0), off(270, 150), 0, 50),
        # Beyond the end of its edge the corner is nearest.
        (Sector(SITE, 5_000.0, 90.0, 120.0, 200.0), off(160, 8_000), 3_196.2, 0),
        # A beam that goes over north.
        (Sector(SITE, 5_000.0, 350.0, 60.0, 0.0), off(15, 1_000), 0, 87.2),
        (Sector(SITE, 5_000.0, 350.0, 60.0, 0.0), off(25, 1_000), 87.2, 0),
        (Sector(SITE, 5_000.0, 0.0, 360.0, 0.0), off(180, 4_000), 0, 1_000),
    ],
)
def test_a_place_is_so_far_outside_or_inside(area: Area, place, gap_m, depth_m):
    assert area.gap_m(place) == near(gap_m)
    assert area.depth_m(place) == near(depth_m)


def test_a_country_has_a_line_and_cells_beyond_it():
    country = Outline("KZ", KAZAKHSTAN_WEST, 30_000.0)
    inside = Geodetic(45.0, 75.0)
    assert (country.gap_m(inside), country.depth_m(inside) > 300_000) == (0, True)
    beyond = destination(Geodetic(42.0, 75.0), azimuth_deg=180, distance_m=20_000)
    assert country.gap_m(beyond) == 0
    assert country.depth_m(beyond) == near(10_000, 0.01)
    far = destination(Geodetic(42.0, 75.0), azimuth_deg=180, distance_m=80_000)
    assert country.gap_m(far) == near(50_000, 0.01)
    assert country.depth_m(far) == 0


@pytest.mark.parametrize(
    ("advance", "spacing_khz", "inner_m", "outer_m"),
    [
        (0, 15, 0, 0.5 * 78.07 + 40),
        (10, 15, 9.5 * 78.07 - 340, 10.5 * 78.07 + 40),
        (10, 30, 9.5 * 39.03 - 340, 10.5 * 39.03 + 40),
        (100, 120, 99.5 * 9.759 - 340, 100.5 * 9.759 + 40),
    ],
)
def test_a_timing_advance_is_a_ring(advance, spacing_khz, inner_m, outer_m):
    """One step is 16 Ts there and back: 78.07 m at 15 kHz. The way may be longer than straight."""
    assert near(78.07, 1e-4) == STEP_M
    ring = Ring.of_advance(SITE, advance, spacing_khz=spacing_khz, detour_m=300, error_m=40)
    assert ring.inner_m == near(max(0, inner_m), 1e-3)
    assert ring.outer_m == near(outer_m, 1e-3)


@given(
    st.integers(min_value=0, max_value=ADVANCE_MAX),
    st.floats(min_value=0, max_value=359.9),
    st.floats(min_value=0, max_value=1),
)
def test_who_is_where_the_advance_says_is_in_its_ring(advance, azimuth_deg, share):
    """Whatever the detour up to the one that is reckoned with."""
    detour_m = 300 * share
    path_m = (advance + 0.49 * (2 * share - 1)) * STEP_M
    place = off(azimuth_deg, max(0.1, path_m - detour_m))
    ring = Ring.of_advance(SITE, advance, detour_m=300, error_m=40)
    assert ring.gap_m(place) == 0


@given(
    st.sampled_from(
        (
            Disc(Circle(SITE, 5_000.0)),
            Ring(SITE, 1_000.0, 4_000.0),
            Sector(SITE, 5_000.0, 30.0, 100.0, 300.0),
            Sector(SITE, 5_000.0, 30.0, 250.0, 300.0),
            Outline("KZ", KAZAKHSTAN_WEST, 1_000.0),
        )
    ),
    st.floats(min_value=0, max_value=359.9),
    st.floats(min_value=0.1, max_value=30_000),
    st.floats(min_value=0, max_value=359.9),
    st.floats(min_value=0.1, max_value=20_000),
)
def test_no_gap_and_no_depth_is_larger_than_the_way_out_of_it(area, one, away_m, other, step_m):
    """Who goes less far than the gap is still outside, and less than the depth still inside."""
    place = off(one, away_m)
    there = destination(place, azimuth_deg=other, distance_m=step_m)
    slack = 1.003
    if area.gap_m(place) > step_m * slack + 1:
        assert area.gap_m(there) > 0
    if area.depth_m(place) > step_m * slack + 1:
        assert area.depth_m(there) > 0
    assert not (area.gap_m(place) and area.depth_m(place))


@pytest.mark.bound("connectivity.domain.network_area.ADVANCE_MAX")
@pytest.mark.bound("connectivity.domain.network_area.CORNERS_MAX")
def test_what_is_no_area_is_refused():
    ring = Ring.of_advance(SITE, ADVANCE_MAX, detour_m=0, error_m=0)
    assert ring.outer_m == near(300_300, 0.001)
    corners = tuple(Geodetic(n / CORNERS_MAX, (n % 7) / 7) for n in range(CORNERS_MAX))
    assert Outline("x", corners, 0.0).corners == corners
    for wrong in (
        lambda: Ring.of_advance(SITE, ADVANCE_MAX + 1, detour_m=0, error_m=0),
        lambda: Ring.of_advance(SITE, -1, detour_m=0, error_m=0),
        lambda: Ring.of_advance(SITE, 1, spacing_khz=20, detour_m=0, error_m=0),
        lambda: Ring(SITE, 5.0, 5.0),
        lambda: Ring(SITE, -1.0, 5.0),
        lambda: Ring(SITE, 0.0, math.inf),
        lambda: Outline("x", (*corners, SITE), 0.0),
        lambda: Outline("x", corners[:2], 0.0),
        lambda: Outline("x", corners, math.nan),
        lambda: Sector(SITE, 0.0, 0.0, 60.0, 0.0),
        lambda: Sector(SITE, 10.0, 0.0, 361.0, 0.0),
        lambda: Sector(SITE, 10.0, math.nan, 60.0, 0.0),
        lambda: Sector(SITE, 10.0, 0.0, 60.0, 11.0),
    ):
        with pytest.raises(MalformedInput) as caught:
            wrong()
        assert caught.value.remedy
