"""How often a question was asked of windows near the site: the risk of all of them is one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from zhidao.core.events import SignedEvent, every
from zhidao.core.geo import Geodetic
from zhidao.positioning.events import ArrivalExpected, ArrivalNotProven, Site

# Whose position lies further out than this could not have proven the arrival wrongly.
_NEAR_M: Final = 1_000.0


def attempt_of(expected: ArrivalExpected, history: Sequence[SignedEvent]) -> int:
    """Which window near the site the next one is, by the windows that proved nothing so far."""
    return attempt_after(expected, every(tuple(history), ArrivalNotProven))


def attempt_after(expected: ArrivalExpected, failures: Sequence[ArrivalNotProven]) -> int:
    """The same by the failures themselves; a verifier counts those that are opened to it."""
    site = expected.site.middle
    reach_m = _NEAR_M + (expected.site.radius_mm / 1000 or _extent_m(expected.site))
    near = sum(
        bool(failed.evidence and failed.observed_at and failed.terminal == expected.terminal)
        and _distance_m(site, failed.latitude_ndeg, failed.longitude_ndeg) <= reach_m
        for failed in failures
    )
    return 1 + near


def _extent_m(site: Site) -> float:
    """How far the corners of a polygon lie from the point that stands for it."""
    return max(_distance_m(site.middle, c.latitude_ndeg, c.longitude_ndeg) for c in site.corners)


def _distance_m(point: Geodetic, latitude_ndeg: int, longitude_ndeg: int) -> float:
    """On a sphere, which is enough to tell near from far."""
    north = math.radians(latitude_ndeg / 1e9 - point.latitude_deg)
    turn = (longitude_ndeg / 1e9 - point.longitude_deg + 180) % 360 - 180
    east = math.radians(turn) * math.cos(math.radians(point.latitude_deg))
    return 6_371_000.0 * math.hypot(north, east)
