from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.geo import (
    Circle,
    Ecef,
    Frame,
    Geodetic,
    course,
    destination,
    enu,
    from_gcj02,
    to_gcj02,
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


@given(st.floats(20, 50), st.floats(80, 130))
def test_gcj02_goes_there_and_back(latitude, longitude):
    point = Geodetic(latitude, longitude)
    shifted = to_gcj02(point)
    assert (
        10 < course(point, Geodetic(shifted.latitude_deg, shifted.longitude_deg)).distance_m < 2000
    )
    back = from_gcj02(shifted)
    assert course(point, back).distance_m < 0.001


def test_gcj02_never_becomes_cartesian_and_frames_never_mix():
    shifted = to_gcj02(SHANGHAI)
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
