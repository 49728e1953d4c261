"""How much of the network's circle lies in an asked circle: CAMARA's result and match rate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from zhidao.connectivity.domain.distance import apart_m
from zhidao.connectivity.domain.subscriber_location import SubscriberLocation
from zhidao.core.geo import Geodetic


class Result(StrEnum):
    """CAMARA location-verification 3.0.0, schema VerificationResult."""

    TRUE = "TRUE"
    FALSE = "FALSE"
    PARTIAL = "PARTIAL"


@dataclass(frozen=True, slots=True)
class Match:
    """The result; `rate_percent` is 1 to 99 for PARTIAL, else 100 or 0."""

    result: Result
    rate_percent: int


def match(centre: Geodetic, radius_m: float, location: SubscriberLocation) -> Match:
    """Whether the network's circle lies in the asked one, and how much of it.

    The rate is the shared area over the network's area, computed in the plane: for circles of some
    hundred kilometres it is off by less than the whole percent to which it is rounded.
    """
    distance_m = apart_m(centre, location.centre)
    if distance_m + location.radius_m <= radius_m:
        return Match(Result.TRUE, 100)
    if distance_m >= radius_m + location.radius_m:
        return Match(Result.FALSE, 0)
    shared = _lens_m2(radius_m, location.radius_m, distance_m) / location.surface_m2
    return Match(Result.PARTIAL, min(99, max(1, round(100 * shared))))


def _lens_m2(one_m: float, other_m: float, distance_m: float) -> float:
    """Area common to two circles in the plane that touch each other."""
    if distance_m <= abs(one_m - other_m):
        return math.pi * min(one_m, other_m) ** 2
    half_one = math.acos(_cosine(distance_m, one_m, other_m))
    half_other = math.acos(_cosine(distance_m, other_m, one_m))
    return _segment_m2(one_m, half_one) + _segment_m2(other_m, half_other)


def _cosine(distance_m: float, near_m: float, far_m: float) -> float:
    value = (distance_m**2 + near_m**2 - far_m**2) / (2 * distance_m * near_m)
    return min(1.0, max(-1.0, value))


def _segment_m2(radius_m: float, half_angle: float) -> float:
    return radius_m**2 * (half_angle - math.sin(half_angle) * math.cos(half_angle))
