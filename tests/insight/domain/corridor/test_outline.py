from __future__ import annotations

import random

import numpy as np
import pytest

from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Geodetic, destination
from zhidao.core.polygon import Polygon
from zhidao.insight.domain.corridor import outline
from zhidao.insight.domain.corridor.outline import Outline


def star(middle: Geodetic, draw: random.Random, reach_m: float) -> Polygon:
    """Corners all around, now near, now far: bays and capes."""
    corners = [
        destination(middle, azimuth_deg=angle, distance_m=reach_m * draw.uniform(0.3, 1))
        for angle in range(0, 360, 30)
    ]
    return Polygon(tuple(corners))


@pytest.mark.parametrize(
    "middle",
    [
        Geodetic(44.2, 80.4),
        Geodetic(-33.0, -70.1),
        Geodetic(0.0, 0.0),
        Geodetic(66.5, 180.0),
        Geodetic(16.0, -179.999),
        Geodetic(89.95, 12.0),
    ],
)
def test_arrays_answer_as_the_polygon_does_one_by_one(middle: Geodetic):
    draw = random.Random(str(middle))
    area = star(middle, draw, 4_000)
    points = [
        destination(middle, azimuth_deg=draw.uniform(0, 360), distance_m=draw.uniform(0, 7_000))
        for _ in range(300)
    ]
    made = Outline.of(area).spare_m(
        np.array([point.latitude_deg for point in points]),
        np.array([point.longitude_deg for point in points]),
    )
    expected = np.array([area.spare_m(point) for point in points])
    # Far points are told as no nearer than they are.
    near = np.abs(made - expected) < 0.05
    assert near.mean() > 0.8
    assert (made[~near] < 0).all()
    assert (made[~near] >= expected[~near] - 0.05).all()
    assert (made > 0).any()


def test_the_other_side_of_the_earth_is_outside():
    area = Outline.of(star(Geodetic(44.2, 80.4), random.Random(1), 4_000))
    made = area.spare_m(np.array([-44.2, 44.2, 44.2]), np.array([-99.6, -99.6, 80.4]))
    assert made[0] < -10_000_000
    assert made[1] < -1_000_000
    assert made[2] > 0


@pytest.mark.bound("insight.domain.corridor.outline.REACH_M_MAX")
def test_an_area_is_bounded(monkeypatch: pytest.MonkeyPatch):
    middle = Geodetic(44.2, 80.4)
    corners = [destination(middle, azimuth_deg=a, distance_m=1_000) for a in (0, 90, 180, 270)]
    area = Polygon(tuple(corners))
    reach_m = area.reach_m(area.middle())
    monkeypatch.setattr(outline, "REACH_M_MAX", reach_m)
    assert Outline.of(area).reach_m == reach_m
    monkeypatch.setattr(outline, "REACH_M_MAX", reach_m - 1)
    with pytest.raises(MalformedInput):
        Outline.of(area)
