"""The chance that a place lies outside of an area, by the distribution that bounds its error.

A protection level is a square around the position, whatever the area looks like. Here each edge
counts for itself: with n the direction from the position to the nearest point of an edge and d the
distance, the half-planes n x <= d together lie wholly inside of the area, convex or not (whoever
leaves the area crosses an edge, and no point of an edge is nearer in that direction than d). So

    P(outside) <= sum over edges P(n e > d)

with every term summed over the hypotheses of `fault_hypotheses`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from zhidao.core.geo import Circle, Geodetic, course
from zhidao.core.polygon import Polygon
from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.integrity.error_models import accounting, linear_model
from zhidao.positioning.domain.integrity.fault_hypotheses import Accounting
from zhidao.positioning.domain.integrity.outside_risk import outside_risk
from zhidao.positioning.domain.observables.observations import Bools, Floats, Ints
from zhidao.positioning.domain.satellites.ephemeris import Navigation
from zhidao.positioning.domain.single_point.least_squares import fit_with_model
from zhidao.positioning.domain.single_point.solution import Solution
from zhidao.positioning.domain.solver_settings import Settings

_PPB: Final = 1e-9
# A circle is held to be the polygon of so many corners inside of it: 0.2 % less at most.
_SIDES: Final = 48
_BLOCK: Final = 256


@dataclass(frozen=True, slots=True)
class Inside:
    """What is proven of each epoch.

    outside (e,): chance that the place is outside, 1 without a bound. proven (e,): that this is at
    most the asked risk, and the time the asked one.
    """

    outside: Floats
    proven: Bools


def inside(
    solved: Solution,
    navigation: Navigation,
    settings: Settings,
    area: Circle | Polygon,
    *,
    risk: float,
    window: tuple[Utc, Utc] | None = None,
    tries: float = 1.0,
    exposure: float = 1.0,
) -> Inside:
    """Whether each position is proven to be inside of an area, and within a time window.

    Takes the satellites that the solution stands on; the same settings must be given as to it.
    tries, exposure: of how many epochs at once, and of how long a time, the risk is asked; see
    `fault_hypotheses.Accounting`.
    """
    count = len(solved.gpst_ns)
    outside = np.ones(count)
    asked = np.flatnonzero(solved.solved & np.isfinite(solved.horizontal_m))
    evidence = bool(settings.surroundings.evidence) and settings.version > 1
    rule = _Rule(settings, risk, accounting(settings, tries=tries, exposure=exposure))
    for start in range(0, len(asked) if evidence else 0, _BLOCK):
        epochs = asked[start : start + _BLOCK]
        outside[epochs] = _outside(solved, navigation, rule, area, epochs)
    proven: Bools = outside <= risk
    if window is not None:
        low, high = (Gpst.from_utc(each).ns for each in window)
        proven &= (solved.gpst_ns >= low) & (solved.gpst_ns <= high)
    return Inside(outside, proven)


@dataclass(frozen=True, slots=True)
class _Rule:
    """By which errors, at what risk, and how summed up."""

    settings: Settings
    risk: float
    accounting: Accounting


def _outside(
    solved: Solution, navigation: Navigation, rule: _Rule, area: Circle | Polygon, epochs: Ints
) -> Floats:
    settings = rule.settings
    normals, distance_m = _lines(solved, area, epochs, settings)
    data = solved.measurements.take(epochs)
    found = fit_with_model(data, solved.used[epochs], navigation, settings)
    model = linear_model(data, found, settings, solved.excluded[epochs].sum(1))
    chance = outside_risk(
        model,
        normals,
        distance_m,
        risk=rule.risk,
        alarm=settings.alarm_ppb * _PPB,
        accounting=rule.accounting,
    )
    return np.where((distance_m <= 0).any(1), 1, chance)


def _lines(
    solved: Solution, area: Circle | Polygon, epochs: Ints, settings: Settings
) -> tuple[Floats, Floats]:
    """Directions (e, d, 2) and distances (e, d) of half-planes inside of the area; 0 if outside."""
    sides = len(area.corners) if isinstance(area, Polygon) else _SIDES
    normals, distance = np.zeros((len(epochs), sides, 2)), np.zeros((len(epochs), sides))
    latitude, longitude = np.rad2deg(solved.latitude), np.rad2deg(solved.longitude)
    for row, epoch in enumerate(epochs.tolist()):
        point = Geodetic(float(latitude[epoch]), float(longitude[epoch]))
        if isinstance(area, Polygon):
            if area.contains(point):
                _polygon(area.corners, point, normals[row], distance[row])
        elif _near(area, point):
            _circle(area, point, normals[row], distance[row])
    return normals, np.maximum(distance - settings.boundary_mm / 1000, 0)


def _polygon(
    corners: Sequence[Geodetic], point: Geodetic, normals: Floats, distance: Floats
) -> None:
    seen = np.array([_from(point, corner) for corner in corners])
    along = np.roll(seen, -1, 0) - seen
    share = -(seen * along).sum(1) / np.maximum((along**2).sum(1), 1e-12)
    nearest = seen + np.clip(share, 0, 1)[:, None] * along
    distance[:] = np.linalg.norm(nearest, axis=1)
    normals[:] = nearest / np.maximum(distance, 1e-9)[:, None]


def _circle(area: Circle, point: Geodetic, normals: Floats, distance: Floats) -> None:
    angle = 2 * np.pi * np.arange(_SIDES) / _SIDES
    normals[:] = np.stack((np.sin(angle), np.cos(angle)), 1)
    centre = np.array(_from(point, area.centre))
    inner_m = area.radius_m * math.cos(math.pi / _SIDES)
    distance[:] = np.maximum(inner_m + normals @ centre, 0)


def _near(area: Circle, point: Geodetic) -> bool:
    # Within a quarter of a turn no two places are antipodes, whose geodesic is not computed.
    return abs((point.longitude_deg - area.centre.longitude_deg + 180) % 360 - 180) < 90


def _from(point: Geodetic, corner: Geodetic) -> tuple[float, float]:
    """East and north metres from a point."""
    line = course(point, corner)
    azimuth = math.radians(line.azimuth_deg)
    return line.distance_m * math.sin(azimuth), line.distance_m * math.cos(azimuth)
