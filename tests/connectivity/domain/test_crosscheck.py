"""The network's word on a fix: match, partial, mismatch, or no word at all."""

from __future__ import annotations

import random

import pytest

from zhidao.connectivity.domain.crosscheck import Agreement, compare
from zhidao.connectivity.domain.distance import apart_m
from zhidao.connectivity.domain.subscriber_location import SubscriberLocation
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Geodetic, destination
from zhidao.core.timescale import NS, Utc

AT = Utc.parse("2026-11-24T08:00:00Z")
SITE = Geodetic(55.46, 8.44)


def _seen(radius_m: float = 1000.0, at: Utc = AT) -> SubscriberLocation:
    return SubscriberLocation(SITE, radius_m, at, "test network", simulated=True)


def _fix(distance_m: float) -> Geodetic:
    return destination(SITE, azimuth_deg=40.0, distance_m=distance_m)


@pytest.mark.parametrize(
    ("distance_m", "expected"),
    [
        (0.001, "match"),
        (989.9, "match"),
        (990.1, "partial"),
        (1009.9, "partial"),
        (1010.1, "mismatch"),
    ],
)
def test_the_verdict_turns_where_the_circles_part(distance_m: float, expected: str):
    verdict = compare(_fix(distance_m), bound_m=10.0, at=AT, location=_seen())
    assert verdict.agreement.value == expected


@pytest.mark.parametrize(
    ("radius_m", "bound_m", "expected"),
    [(1000.0, 1000.0, "match"), (1000.0, 1000.1, "partial"), (2.0, 2.0, "match")],
)
def test_a_bound_as_wide_as_the_circle_around_its_middle_matches(
    radius_m: float, bound_m: float, expected: str
):
    seen = compare(SITE, bound_m=bound_m, at=AT, location=_seen(radius_m))
    assert seen.agreement.value == expected


def test_circles_that_only_touch_are_no_mismatch():
    away_m = apart_m(_fix(1500), SITE)
    # Powers of two are exact: the radii together are the distance to the last bit.
    touching = compare(_fix(1500), bound_m=away_m - 1024.0, at=AT, location=_seen(1024.0))
    assert touching.agreement is Agreement.PARTIAL
    assert touching.reason.endswith("network's circle of 1024 m: across its edge")


def test_a_shift_of_two_kilometres_is_told_in_metres():
    verdict = compare(_fix(2000), bound_m=10.0, at=AT, location=_seen(500.0))
    assert verdict.agreement is Agreement.MISMATCH
    assert verdict.reason == (
        "the fix (within 10 m) lies 2000 m from the middle of the network's circle of 500 m: "
        "1490 m outside it"
    )


@pytest.mark.bound("connectivity.domain.crosscheck.AGE_S_MAX")
@pytest.mark.parametrize(
    ("late_s", "expected"), [(600, "match"), (601, "unknown"), (-601, "unknown")]
)
def test_an_old_sighting_says_nothing(late_s: int, expected: str):
    verdict = compare(_fix(1), bound_m=1.0, at=AT, location=_seen(at=AT.plus_ns(late_s * NS)))
    assert verdict.agreement.value == expected


def test_a_thousand_spoofs_of_two_kilometres_are_flagged_and_honest_fixes_are_not():
    # A rural cell of 800 m whose middle is off the truck by up to 600 m, as networks give them.
    rng = random.Random(7)
    flagged = false_alarms = 0
    for _ in range(1000):
        truth = destination(SITE, azimuth_deg=rng.uniform(0, 360), distance_m=rng.uniform(0, 600))
        spoof = destination(
            truth, azimuth_deg=rng.uniform(0, 360), distance_m=rng.uniform(2000, 9000)
        )
        seen = _seen(800.0)
        flagged += (
            compare(spoof, bound_m=15.0, at=AT, location=seen).agreement is Agreement.MISMATCH
        )
        false_alarms += (
            compare(truth, bound_m=15.0, at=AT, location=seen).agreement is Agreement.MISMATCH
        )
    assert flagged >= 990
    assert false_alarms == 0


def test_antipodes_are_far_apart():
    assert apart_m(Geodetic(0.0, 0.0), Geodetic(0.001, 179.999)) == 20_000_000.0


@pytest.mark.parametrize("radius_m", [0, -1, 1e9])
def test_a_circle_without_size_is_none(radius_m: float):
    with pytest.raises(MalformedInput):
        _seen(radius_m)
