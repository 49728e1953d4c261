from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.east_north_up import enu

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.geo import (
    Circle,
    Ecef,
    Frame,
    Geodetic,
    bound_in_words,
    course,
    destination,
)

_latitudes = st.floats(-89.9, 89.9)
_longitudes = st.floats(-180, 180)
SHANGHAI = Geodetic(31.23, 121.47, 12.0)


def _dms(degrees: int, minutes: int, seconds: float) -> float:
    sign = -1 if degrees < 0 else 1
    return sign * (abs(degrees) + minutes / 60 + seconds / 3600)


def test_the_classic_geodesic_from_flinders_peak_to_buninyong_comes_out():
    # Geoscience Australia's worked example on GRS 80: 54 972.271 m, azimuth 306 52 05.37.
    start = Geodetic(_dms(-37, 57, 3.72030), _dms(144, 25, 29.52440), frame=Frame.CGCS2000)
    end = Geodetic(_dms(-37, 39, 10.15610), _dms(143, 55, 35.38390), frame=Frame.CGCS2000)
    line = course(start, end)
    assert line.distance_m == pytest.approx(54972.271, abs=0.0006)
    assert line.azimuth_deg == pytest.approx(_dms(306, 52, 5.37), abs=2e-6)


def test_a_quarter_of_the_meridian_has_its_known_length():
    # WGS 84 meridian quadrant: 10 001 965.729 m.
    assert course(Geodetic(0, 0), Geodetic(90, 0)).distance_m == pytest.approx(
        10001965.729, abs=1e-3
    )


def test_half_a_quarter_of_the_meridian_has_its_known_length_from_either_end():
    # WGS 84 from the equator to 45 degrees: 4 984 944.378 m; the quadrant less this to the pole.
    for start, end, length_m in ((0, 45, 4984944.378), (45, 90, 5017021.351)):
        line = course(Geodetic(start, 0), Geodetic(end, 0))
        assert line.distance_m == pytest.approx(length_m, abs=1e-3)
        reached = destination(Geodetic(start, 0), azimuth_deg=0, distance_m=length_m)
        assert reached.latitude_deg == pytest.approx(end, abs=1e-8)


def test_events_carry_whole_nanodegrees_and_millimetres():
    place = Geodetic.from_ndeg(
        latitude_ndeg=31_230_000_001, longitude_ndeg=-121_470_000_001, height_mm=12_001
    )
    assert (place.latitude_deg, place.longitude_deg) == (31.230000001, -121.470000001)
    assert (place.height_m, place.frame.value) == (12.001, "WGS84")
    assert (place.latitude_ndeg, place.longitude_ndeg) == (31_230_000_001, -121_470_000_001)


def test_frames_are_called_by_the_names_that_stand_in_events():
    assert [frame.value for frame in Frame] == ["WGS84", "CGCS2000", "GCJ-02"]


@pytest.mark.parametrize("part", [0, 1, 2])
def test_each_cartesian_part_is_a_finite_number(part: int):
    for wrong in (math.nan, math.inf, -math.inf):
        parts = [1e6, 2e6, 6e6]
        parts[part] = wrong
        with pytest.raises(MalformedInput, match="not a finite number"):
            Ecef(*parts)


@pytest.mark.bound("core.geo._RADIUS_M_MAX")
def test_a_circle_has_a_radius_of_at_most_a_hundred_kilometres():
    assert Circle(SHANGHAI, 100_000.0).radius_m == 100_000
    with pytest.raises(MalformedInput, match="up to 100 km"):
        Circle(SHANGHAI, 100_000.1)


@given(_latitudes, _longitudes, st.floats(-1000, 30_000_000))
def test_geodetic_and_cartesian_forms_are_one_point(latitude, longitude, height):
    point = Geodetic(latitude, longitude, height)
    back = point.to_ecef().to_geodetic()
    assert back.to_ecef().distance_m(point.to_ecef()) < 1e-6
    assert back.height_m == pytest.approx(height, abs=1e-6)


@given(_latitudes, _longitudes, st.floats(0, 360), st.floats(0.1, 100_000))
def test_going_there_and_measuring_back_agree(latitude, longitude, azimuth, distance):
    start = Geodetic(latitude, longitude)
    end = destination(start, azimuth_deg=azimuth, distance_m=distance)
    line = course(start, end)
    assert line.distance_m == pytest.approx(distance, abs=1e-5)


@given(st.floats(-89, 89), _longitudes, st.floats(0, 360), st.floats(1, 500))
def test_the_local_picture_and_the_geodesic_agree_nearby(latitude, longitude, azimuth, distance):
    start = Geodetic(latitude, longitude)
    seen = enu(destination(start, azimuth_deg=azimuth, distance_m=distance).to_ecef(), origin=start)
    assert seen.horizontal_m == pytest.approx(distance, abs=2e-4)


def test_a_circle_counts_the_margin():
    circle = Circle(SHANGHAI, 30)
    inside = destination(SHANGHAI, azimuth_deg=77, distance_m=20)
    assert circle.contains(inside)
    assert circle.contains(inside, margin_m=9.99)
    assert not circle.contains(inside, margin_m=10.01)
    assert not circle.contains(destination(SHANGHAI, azimuth_deg=77, distance_m=30.01))


def test_gcj02_never_becomes_cartesian_and_frames_never_mix():
    shifted = Geodetic(31.23, 121.47, 12.0, Frame.GCJ02)
    with pytest.raises(Refused, match="maps only"):
        shifted.to_ecef()
    with pytest.raises(Refused, match="cannot be compared"):
        course(shifted, SHANGHAI)
    with pytest.raises(Refused, match="cannot be compared"):
        Ecef(1e6, 2e6, 6e6).distance_m(Ecef(1e6, 2e6, 6e6, Frame.CGCS2000))


@pytest.mark.parametrize(
    ("latitude", "longitude"), [(91, 0), (0, 181), (math.nan, 0), (0, math.inf)]
)
def test_no_such_place(latitude, longitude):
    with pytest.raises(MalformedInput):
        Geodetic(latitude, longitude)


def test_antipodes_are_refused_and_not_guessed():
    with pytest.raises(Refused, match="antipodal"):
        course(Geodetic(0, 0), Geodetic(0.3, 179.8))


def test_a_circle_without_area_is_refused():
    with pytest.raises(MalformedInput):
        Circle(SHANGHAI, 0)
    with pytest.raises(Refused):
        Ecef(1, 2, 3).to_geodetic()


@pytest.mark.parametrize(
    ("bound_m", "words"),
    [
        (0.0, "0 m"),
        (15.0, "15 m"),
        (15.001, "16 m"),
        (999.2, "1000 m"),
        (1000.0, "1.0 km"),
        (1001.0, "1.1 km"),
        (37_000.0, "37.0 km"),
        (math.inf, "none"),
        (math.nan, "none"),
    ],
)
def test_a_bound_is_never_told_smaller_than_it_is(bound_m: float, words: str) -> None:
    assert bound_in_words(bound_m) == words
