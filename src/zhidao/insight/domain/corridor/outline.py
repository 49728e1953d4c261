"""How far inside an area many points lie at once, by arrays.

The same answers as `core.polygon` gives one by one, in the picture from above the area's middle:
a border post is a few kilometres wide, and 5 km off the middle that picture is right to 1 mm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Frame, Geodetic
from zhidao.core.polygon import Polygon

# Of a wider area the picture from above would be off by more than a receiver's own bound.
REACH_M_MAX: Final = 20_000.0
Floats = NDArray[np.float64]
# WGS 84 (NGA.STND.0036): semi-major axis; the flattening comes with the frame.
_SEMI_MAJOR_M: Final = 6_378_137.0
_E2: Final = Frame.WGS84.flattening * (2 - Frame.WGS84.flattening)


@dataclass(frozen=True, slots=True)
class Outline:
    """An area and its corners as metres east and north of its middle.

    corners: shape (k, 2). middle: ECEF, shape (3,). turn: rows east, north, up, shape (3, 3).
    """

    corners: Floats
    middle: Floats
    turn: Floats
    reach_m: float

    @classmethod
    def of(cls, area: Polygon) -> Self:
        """Raises MalformedInput for an area that reaches farther than REACH_M_MAX."""
        middle = area.middle()
        reach_m = area.reach_m(middle)
        if reach_m > REACH_M_MAX:
            raise MalformedInput(
                f"the area reaches {reach_m / 1000:.0f} km from its middle",
                remedy=f"draw the border post alone, at most {REACH_M_MAX / 1000:.0f} km",
            )
        lat, lon = np.radians([middle.latitude_deg, middle.longitude_deg])
        turn = np.array(
            [
                [-np.sin(lon), np.cos(lon), 0.0],
                [-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)],
                [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)],
            ]
        )
        at = _ecef(*_degrees((middle,)))[0]
        corners = (_ecef(*_degrees(area.corners)) - at) @ turn[:2].T
        return cls(corners, at, turn, reach_m)

    def spare_m(self, latitude_deg: Floats, longitude_deg: Floats) -> Floats:
        """How far inside the nearest edge each point lies, negative outside; shape (n,).

        Of points farther off than twice the reach it is how far they are from the area at least.
        """
        away = _ecef(latitude_deg, longitude_deg) - self.middle
        chord_m = _length(away)
        spare: Floats = self.reach_m - chord_m
        near = np.flatnonzero(chord_m <= 2 * self.reach_m)
        if near.size:
            spare[near] = _spare(away[near] @ self.turn[:2].T, self.corners)
        return spare

    def from_middle_m(self, latitude_deg: Floats, longitude_deg: Floats) -> Floats:
        """How far from the area's middle each point lies, in a straight line; shape (n,)."""
        return _length(_ecef(latitude_deg, longitude_deg) - self.middle)

    def end_m(self, other: Outline) -> float:
        """No point of the other area is farther from this one's middle."""
        return float(np.linalg.norm(other.middle - self.middle)) + other.reach_m


def _length(away: Floats) -> Floats:
    found: Floats = np.sqrt(np.einsum("ij,ij->i", away, away))
    return found


def _degrees(points: tuple[Geodetic, ...]) -> tuple[Floats, Floats]:
    return (
        np.array([point.latitude_deg for point in points]),
        np.array([point.longitude_deg for point in points]),
    )


def _ecef(latitude_deg: Floats, longitude_deg: Floats) -> Floats:
    """On the ellipsoid, in metres; shape (n, 3)."""
    lat, lon = np.radians(latitude_deg), np.radians(longitude_deg)
    across = _SEMI_MAJOR_M / np.sqrt(1 - _E2 * np.sin(lat) ** 2)
    flat = across * np.cos(lat)
    return np.stack([flat * np.cos(lon), flat * np.sin(lon), across * (1 - _E2) * np.sin(lat)], 1)


def _spare(points: Floats, corners: Floats) -> Floats:
    """By the even-odd rule and the distance to the nearest edge, edge by edge."""
    east, north = points[:, 0], points[:, 1]
    inside = np.zeros(len(points), dtype=bool)
    nearest = np.full(len(points), np.inf)
    edges: Any = zip(corners, np.roll(corners, -1, axis=0), strict=True)
    for (x1, y1), (x2, y2) in edges:
        x, y, dx, dy = east - x1, north - y1, x2 - x1, y2 - y1
        along = np.clip((x * dx + y * dy) / (dx * dx + dy * dy), 0.0, 1.0)
        nearest = np.minimum(nearest, np.hypot(x - along * dx, y - along * dy))
        if dy:
            inside ^= ((y1 > north) != (y2 > north)) & (x < y * dx / dy)
    return np.where(inside, nearest, -nearest)
