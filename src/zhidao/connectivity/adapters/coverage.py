"""Where a network reaches, as a box of latitudes and longitudes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from zhidao.core.geo import Geodetic


@dataclass(frozen=True, slots=True)
class Coverage:
    """A box in degrees; west is less than east."""

    south_deg: float
    north_deg: float
    west_deg: float
    east_deg: float

    def covers(self, place: Geodetic) -> bool:
        """Whether the place lies in the box."""
        return (
            self.south_deg <= place.latitude_deg <= self.north_deg
            and self.west_deg <= place.longitude_deg <= self.east_deg
        )


# Roaming partners of the scenario: inhabited land, no polar station.
INHABITED: Final = Coverage(-56.0, 72.0, -180.0, 180.0)
