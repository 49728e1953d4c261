"""East, north and up of a point as seen from another: a second way to what `course` tells."""

from __future__ import annotations

import math
from dataclasses import dataclass

from zhidao.core.geo import Ecef, Geodetic


@dataclass(frozen=True, slots=True)
class Enu:
    """A vector seen from a place: metres east, north and up."""

    east_m: float
    north_m: float
    up_m: float

    @property
    def horizontal_m(self) -> float:
        """Length of the horizontal part."""
        return math.hypot(self.east_m, self.north_m)


def enu(point: Ecef, *, origin: Geodetic) -> Enu:
    """Where a point lies as seen from an origin of the same frame."""
    centre = origin.to_ecef()
    dx, dy, dz = point.x_m - centre.x_m, point.y_m - centre.y_m, point.z_m - centre.z_m
    latitude, longitude = math.radians(origin.latitude_deg), math.radians(origin.longitude_deg)
    outward = math.cos(longitude) * dx + math.sin(longitude) * dy
    return Enu(
        -math.sin(longitude) * dx + math.cos(longitude) * dy,
        -math.sin(latitude) * outward + math.cos(latitude) * dz,
        math.cos(latitude) * outward + math.sin(latitude) * dz,
    )
