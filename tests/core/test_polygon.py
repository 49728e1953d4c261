from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.geo import Frame, Geodetic, course, destination
from zhidao.core.polygon import CORNERS_MAX, Polygon

SHANGHAI = Geodetic(31.23, 121.47)
# East and north in metres: a yard with a bay, whose centre of area lies outside of it.
BAY = ((0, 0), (300, 0), (300, 300), (260, 300), (260, 40), (40, 40), (40, 300), (0, 300))


def at(origin: Geodetic, east_m: float, north_m: float) -> Geodetic:
    azimuth = math.degrees(math.atan2(east_m, north_m)) % 360
    return destination(origin, azimuth_deg=azimuth, distance_m=math.hypot(east_m, north_m))


def shape(origin: Geodetic, corners) -> Polygon:
    return Polygon(tuple(at(origin, *corner) for corner in corners))


def square(half_m: float) -> Polygon:
    return shape(
        SHANGHAI, [(half_m, half_m), (half_m, -half_m), (-half_m, -half_m), (-half_m, half_m)]
    )


def test_a_polygon_counts_the_margin_to_its_nearest_edge():
    point = destination(SHANGHAI, azimuth_deg=90, distance_m=80)
    assert square(100).contains(point)
    assert square(100).contains(point, margin_m=19.99)
    assert not square(100).contains(point, margin_m=20.01)
    outside = destination(SHANGHAI, azimuth_deg=90, distance_m=100.1)
    assert not square(100).contains(outside)
    assert square(100).spare_m(outside) == pytest.approx(-0.1, abs=1e-3)


def test_a_polygon_far_away_does_not_contain():
    for far in (Geodetic(-31.23, -58.53), Geodetic(31.23, -58), Geodetic(90, 0)):
        assert square(100).spare_m(far) == -math.inf
    equator = shape(Geodetic(0, 0), [(0, 0), (100, 0), (0, 100)])
    assert equator.spare_m(Geodetic(0.3, 179.8)) == -math.inf


@pytest.mark.parametrize("longitude", [180, -180, 179.9999, -179.9999])
def test_the_date_line_is_nothing_special(longitude):
    ring = [(500 * math.sin(a), 500 * math.cos(a)) for a in (k * math.pi / 6 for k in range(12))]
    area = shape(Geodetic(-16, longitude), ring)
    assert len({corner.longitude_deg > 0 for corner in area.corners}) == 2
    assert area.contains(Geodetic(-16, -179.9995), margin_m=100)
    assert area.contains(Geodetic(-16, 179.9995), margin_m=100)
    assert not area.contains(Geodetic(-16, 0))
    assert abs(area.middle().longitude_deg) > 179.999


@pytest.mark.parametrize("latitude", [90, -90])
def test_a_pole_is_nothing_special(latitude):
    ring = tuple(Geodetic(math.copysign(89.999, latitude), at) for at in (-120, 0, 120))
    area = Polygon(ring)
    assert area.contains(Geodetic(latitude, 77), margin_m=50)
    assert not area.contains(Geodetic(math.copysign(89.99, latitude), 60))


def test_the_bay_of_a_concave_yard_is_outside():
    yard = shape(SHANGHAI, BAY)
    assert yard.contains(at(SHANGHAI, 20, 200), margin_m=19.9)
    assert not yard.contains(at(SHANGHAI, 150, 200))
    assert yard.spare_m(at(SHANGHAI, 150, 200)) == pytest.approx(-110, abs=0.01)
    assert yard.contains(at(SHANGHAI, 150, 20), margin_m=19.9)


def test_the_middle_of_any_shape_lies_inside():
    assert square(100).spare_m(square(100).middle()) == pytest.approx(100, abs=0.01)
    bay = shape(SHANGHAI, BAY)
    assert bay.spare_m(bay.middle()) > 15


def test_either_way_round_is_the_same_area():
    yard = shape(SHANGHAI, BAY)
    other = Polygon(tuple(reversed(yard.corners)))
    for east_m in range(-50, 360, 37):
        point = at(SHANGHAI, east_m, 31)
        assert other.spare_m(point) == pytest.approx(yard.spare_m(point), abs=1e-6)


_places = st.builds(Geodetic, st.floats(-80, 80), st.floats(-180, 180))
_metres = st.floats(-2_000, 2_000)


@settings(max_examples=60)
@given(_places, st.integers(4, 14), st.randoms(use_true_random=False), _metres, _metres)
def test_a_star_contains_what_a_brute_force_says(origin, count, random, east_m, north_m):
    """The rival adds up the angles that the corners turn through, and walks along the edges."""
    # The centre sees every corner, so that no two edges cross.
    turns = [(k + random.uniform(-0.4, 0.4)) * 2 * math.pi / count for k in range(count)]
    rays = [random.uniform(50, 1_500) for _ in turns]
    plane = [(r * math.sin(a), r * math.cos(a)) for r, a in zip(rays, turns, strict=False)]
    found = shape(origin, plane).spare_m(at(origin, east_m, north_m))
    nearest = _walked_distance_m(plane, east_m, north_m)
    # Azimuthal pictures around origin and point differ by less than a centimetre over 4 km.
    assert abs(abs(found) - nearest) < 0.05
    if nearest > 0.05:
        assert (found > 0) == (abs(_winding(plane, east_m, north_m)) > 0.5)


def _winding(plane, east_m: float, north_m: float) -> float:
    total = 0.0
    for (x1, y1), (x2, y2) in zip(plane, [*plane[1:], plane[0]], strict=False):
        first = math.atan2(y1 - north_m, x1 - east_m)
        second = math.atan2(y2 - north_m, x2 - east_m)
        total += math.remainder(second - first, 2 * math.pi)
    return total / (2 * math.pi)


def _walked_distance_m(plane, east_m: float, north_m: float) -> float:
    """By golden section on each edge, since the distance along a straight line has one valley."""
    golden, nearest = (math.sqrt(5) - 1) / 2, math.inf
    for (x1, y1), (x2, y2) in zip(plane, [*plane[1:], plane[0]], strict=False):
        low, high = 0.0, 1.0
        for _ in range(40):
            left, right = high - golden * (high - low), low + golden * (high - low)
            away = [
                math.hypot(x1 + t * (x2 - x1) - east_m, y1 + t * (y2 - y1) - north_m)
                for t in (left, right)
            ]
            low, high = (low, right) if away[0] < away[1] else (left, high)
        nearest = min(
            nearest, math.hypot(x1 + low * (x2 - x1) - east_m, y1 + low * (y2 - y1) - north_m)
        )
    return nearest


@pytest.mark.parametrize(
    "corners",
    [
        [(0, 0), (100, 100), (100, 0), (0, 100)],
        [(0, 0), (200, 0), (200, 100), (100, 0), (0, 100)],
        [(0, 0), (100, 0), (50, 0), (50, 80)],
        [(0, 0), (100, 0), (200, 0)],
        [(0, 0), (100, 0), (100, 100), (0, 100), (0, 50), (100, 50), (0, 50)],
        [(0, 0), (100, 0), (100, 100), (0, 0)],
    ],
)
def test_an_outline_that_crosses_touches_or_folds_is_refused(corners):
    for turned in (corners, corners[1:] + corners[:1], list(reversed(corners))):
        with pytest.raises(MalformedInput, match=r"cross or touch|stands twice"):
            shape(SHANGHAI, turned)


@given(_places, st.lists(st.tuples(_metres, _metres), min_size=4, max_size=9))
@settings(max_examples=40)
def test_what_is_refused_as_crossing_crosses(origin, corners):
    """Brute force over all pairs of edges, by the rational crossing of two lines."""
    try:
        shape(origin, corners)
        refused = False
    except MalformedInput:
        refused = True
    if _crosses_clearly(corners):
        assert refused


def _crosses_clearly(plane) -> bool:
    edges = list(zip(plane, [*plane[1:], plane[0]], strict=False))
    for n, ((x1, y1), (x2, y2)) in enumerate(edges):
        for m, ((x3, y3), (x4, y4)) in enumerate(edges):
            if m <= n or m - n in (1, len(edges) - 1):
                continue
            den = (x1 - x2) * (y3 - y4) - (y1 - y2) * (x3 - x4)
            if abs(den) < 1e3:
                continue
            t = ((x1 - x3) * (y3 - y4) - (y1 - y3) * (x3 - x4)) / den
            u = ((x1 - x3) * (y1 - y2) - (y1 - y3) * (x1 - x2)) / den
            if 0.01 < t < 0.99 and 0.01 < u < 0.99:
                return True
    return False


def test_no_such_polygon():
    with pytest.raises(MalformedInput, match="2 corners"):
        Polygon((SHANGHAI, at(SHANGHAI, 10, 0)))
    with pytest.raises(MalformedInput, match="wider than 100 km"):
        shape(SHANGHAI, [(0, 0), (100_500, 0), (0, 50)])
    with pytest.raises(MalformedInput, match="wider than 100 km"):
        Polygon((Geodetic(0, 0), Geodetic(0.3, 179.8), Geodetic(0, 1)))
    ring = [(5000 * math.sin(k / 50), 5000 * math.cos(k / 50)) for k in range(CORNERS_MAX + 1)]
    with pytest.raises(MalformedInput, match="257 corners"):
        shape(SHANGHAI, ring)
    assert len(shape(SHANGHAI, ring[:CORNERS_MAX]).corners) == CORNERS_MAX


def test_frames_never_mix():
    with pytest.raises(Refused, match="cannot be compared"):
        square(100).spare_m(Geodetic(31.23, 121.47, frame=Frame.CGCS2000))


def test_the_reach_is_the_way_to_the_farthest_corner():
    reach_m = square(100).reach_m(SHANGHAI)
    assert reach_m == pytest.approx(100 * math.sqrt(2), abs=1e-3)
    assert reach_m == max(course(SHANGHAI, corner).distance_m for corner in square(100).corners)
