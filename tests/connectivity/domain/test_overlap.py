"""How much of the network's circle lies in the asked one."""

from __future__ import annotations

import math
import random

import pytest

from zhidao.connectivity.domain.overlap import Result, match
from zhidao.connectivity.domain.subscriber_location import SubscriberLocation
from zhidao.core.geo import Geodetic, destination
from zhidao.core.timescale import Utc

MIDDLE = Geodetic(50.0, 7.0)
SEEN = SubscriberLocation(MIDDLE, 1000.0, Utc.parse("2026-11-24T08:00:00Z"), "test", simulated=True)


def _match(distance_m: float, radius_m: float):
    centre = destination(MIDDLE, azimuth_deg=10.0, distance_m=distance_m) if distance_m else MIDDLE
    return match(centre, radius_m, SEEN)


@pytest.mark.parametrize(
    ("distance_m", "radius_m", "result"),
    [
        (0, 1000, Result.TRUE),
        (999, 2000, Result.TRUE),
        (1001, 2000, Result.PARTIAL),
        (2999, 2000, Result.PARTIAL),
        (3001, 2000, Result.FALSE),
        (0, 999, Result.PARTIAL),
        (0, 10, Result.PARTIAL),
    ],
)
def test_the_result_turns_where_the_circles_touch(distance_m, radius_m, result):
    assert _match(distance_m, radius_m).result is result


def test_the_rate_is_the_shared_area_over_the_networks():
    assert _match(0, 500).rate_percent == 25
    assert _match(0, 10).rate_percent == 1
    rng = random.Random(3)
    for distance_m, radius_m in ((900, 1000), (1500, 1200), (400, 700)):
        inside = total = 0
        while total < 20_000:
            x, y = rng.uniform(-1000, 1000), rng.uniform(-1000, 1000)
            if math.hypot(x, y) <= 1000:
                total += 1
                inside += math.hypot(x - distance_m, y) <= radius_m
        assert _match(distance_m, radius_m).rate_percent == pytest.approx(
            100 * inside / total, abs=1.5
        )
