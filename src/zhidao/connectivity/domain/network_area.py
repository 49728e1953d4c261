"""Areas in which a network says a device is: circle, sector, ring of a timing advance, outline.

Of each: how far a place lies outside, and how deep inside. Angles and distances are those on the
ellipsoid from the site; what lies between them is reckoned in the plane, which for areas of up to
100 km is off by less than 0.1 % of the distance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from zhidao.connectivity.domain.distance import apart_m
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.geo import Circle, Geodetic, course

# TS 38.213 section 4.2 and TS 36.213 section 4.2.3: sixteen units of 1 / 30.72 MHz at 15 kHz.
_UNIT_S: Final = 16 / 30_720_000
_LIGHT_MPS: Final = 299_792_458.0
# One step of the advance covers the way there and back.
STEP_M: Final = _UNIT_S * _LIGHT_MPS / 2
ADVANCE_MAX: Final = 3846
SPACINGS_KHZ: Final = (15, 30, 60, 120)
CORNERS_MAX: Final = 5_000
_FULL_DEG: Final = 360.0
_DEGREE_M: Final = 111_195.0


@dataclass(frozen=True, slots=True)
class Disc:
    """Within a circle."""

    circle: Circle

    def gap_m(self, place: Geodetic) -> float:
        """How far outside a place lies; 0 inside."""
        return max(0.0, apart_m(place, self.circle.centre) - self.circle.radius_m)

    def depth_m(self, place: Geodetic) -> float:
        """How far inside a place lies, from the edge; 0 outside."""
        return max(0.0, self.circle.radius_m - apart_m(place, self.circle.centre))

    @property
    def kind(self) -> str:
        """What it is, in words."""
        return "circle"


@dataclass(frozen=True, slots=True)
class Sector:
    """Within range_m of a site in the beam of its antenna, or within behind_m of it anywhere."""

    site: Geodetic
    range_m: float
    azimuth_deg: float
    beam_deg: float
    behind_m: float

    def __post_init__(self) -> None:
        sound = self.range_m > 0 and 0 <= self.behind_m <= self.range_m and 0 < self.beam_deg <= 360
        if not (sound and math.isfinite(self.azimuth_deg) and math.isfinite(self.range_m)):
            raise MalformedInput(
                "no such sector", remedy="give range_m, azimuth_deg, beam_deg (1 to 360), behind_m"
            )

    def gap_m(self, place: Geodetic) -> float:
        """How far outside a place lies; 0 inside."""
        away_m, off_rad = self._seen_from_site(place)
        disc_m = max(0.0, away_m - self.behind_m)
        if off_rad <= 0:
            return min(disc_m, max(0.0, away_m - self.range_m))
        if off_rad >= math.pi / 2:
            return min(disc_m, away_m)
        along_m = away_m * math.cos(off_rad)
        if along_m <= self.range_m:
            return min(disc_m, away_m * math.sin(off_rad))
        # Beyond the end of the edge its corner is the nearest.
        return min(disc_m, math.hypot(along_m - self.range_m, away_m * math.sin(off_rad)))

    def depth_m(self, place: Geodetic) -> float:
        """How far inside a place lies at least; 0 outside."""
        away_m, off_rad = self._seen_from_site(place)
        behind_m = max(0.0, self.behind_m - away_m)
        if off_rad > 0:
            return behind_m
        aside_m = away_m * math.sin(min(-off_rad, math.pi / 2))
        beam_m = (
            self.range_m - away_m
            if self.beam_deg >= _FULL_DEG
            else min(self.range_m - away_m, aside_m)
        )
        return max(behind_m, beam_m, 0.0)

    @property
    def kind(self) -> str:
        """What it is, in words."""
        return "sector"

    def _seen_from_site(self, place: Geodetic) -> tuple[float, float]:
        """How far a place is from the site, and by how much off the beam; inside it negative."""
        try:
            seen = course(self.site, place)
        except Refused:
            return apart_m(self.site, place), math.pi
        aside_deg = abs((seen.azimuth_deg - self.azimuth_deg + 180) % _FULL_DEG - 180)
        return seen.distance_m, math.radians(aside_deg - self.beam_deg / 2)


@dataclass(frozen=True, slots=True)
class Ring:
    """Between two distances from a site, as a timing advance says."""

    site: Geodetic
    inner_m: float
    outer_m: float

    def __post_init__(self) -> None:
        if not 0 <= self.inner_m < self.outer_m < math.inf:
            raise MalformedInput(
                "no such ring", remedy="give inner_m below outer_m, both in metres"
            )

    @classmethod
    def of_advance(
        cls, site: Geodetic, advance: int, *, spacing_khz: int = 15, detour_m: float, error_m: float
    ) -> Ring:
        """The ring of a timing advance in its steps.

        detour_m: by how much the way of the signal may be longer than the straight one; error_m:
        of the measurement and the loop, either way. Raises MalformedInput.
        """
        if spacing_khz not in SPACINGS_KHZ or not 0 <= advance <= ADVANCE_MAX:
            raise MalformedInput(
                f"no timing advance of {advance} steps at {spacing_khz} kHz",
                remedy=f"0 to {ADVANCE_MAX}, at {', '.join(map(str, SPACINGS_KHZ))} kHz",
            )
        step_m = STEP_M * SPACINGS_KHZ[0] / spacing_khz
        nearest_m = (advance - 0.5) * step_m - error_m - detour_m
        return cls(site, max(0.0, nearest_m), (advance + 0.5) * step_m + error_m)

    def gap_m(self, place: Geodetic) -> float:
        """How far outside a place lies; 0 inside."""
        away_m = apart_m(self.site, place)
        return max(0.0, self.inner_m - away_m, away_m - self.outer_m)

    def depth_m(self, place: Geodetic) -> float:
        """How far inside a place lies; 0 outside."""
        away_m = apart_m(self.site, place)
        inner_m = away_m - self.inner_m if self.inner_m else math.inf
        return max(0.0, min(inner_m, self.outer_m - away_m))

    @property
    def kind(self) -> str:
        """What it is, in words."""
        return "ring of the timing advance"


@dataclass(frozen=True, slots=True)
class Outline:
    """Inside a line around a country, or within margin_m of it: where a SIM roams.

    corners: in degrees, in order; no outline goes over a pole or the 180th meridian.
    """

    name: str
    corners: tuple[Geodetic, ...]
    margin_m: float

    def __post_init__(self) -> None:
        if not 3 <= len(self.corners) <= CORNERS_MAX or not 0 <= self.margin_m < math.inf:
            raise MalformedInput(
                f"an outline of {len(self.corners)} corners", remedy=f"give 3 to {CORNERS_MAX}"
            )

    def gap_m(self, place: Geodetic) -> float:
        """How far outside a place lies; 0 inside."""
        if self._holds(place):
            return 0.0
        return max(0.0, self._to_line_m(place) - self.margin_m)

    def depth_m(self, place: Geodetic) -> float:
        """How far inside a place lies; 0 outside."""
        line_m = self._to_line_m(place)
        return max(0.0, self.margin_m + (line_m if self._holds(place) else -line_m))

    @property
    def kind(self) -> str:
        """What it is, in words."""
        return "country of roaming"

    def _edges(self) -> Iterator[tuple[Geodetic, Geodetic]]:
        return zip(self.corners, (*self.corners[1:], self.corners[0]), strict=True)

    def _holds(self, place: Geodetic) -> bool:
        inside = False
        for one, other in self._edges():
            if (one.latitude_deg > place.latitude_deg) == (other.latitude_deg > place.latitude_deg):
                continue
            share = (place.latitude_deg - one.latitude_deg) / (
                other.latitude_deg - one.latitude_deg
            )
            crosses_deg = one.longitude_deg + share * (other.longitude_deg - one.longitude_deg)
            inside ^= place.longitude_deg < crosses_deg
        return inside

    def _to_line_m(self, place: Geodetic) -> float:
        shrink = math.cos(math.radians(place.latitude_deg))

        def flat(corner: Geodetic) -> tuple[float, float]:
            return (
                (corner.longitude_deg - place.longitude_deg) * shrink * _DEGREE_M,
                (corner.latitude_deg - place.latitude_deg) * _DEGREE_M,
            )

        return min(_to_edge_m(flat(one), flat(other)) for one, other in self._edges())


Area: TypeAlias = Disc | Sector | Ring | Outline


def _to_edge_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    """How far the origin is from a stretch of a line in the plane."""
    east, north = other[0] - one[0], other[1] - one[1]
    squared = east * east + north * north
    share = 0.0 if not squared else -(one[0] * east + one[1] * north) / squared
    share = min(1.0, max(0.0, share))
    return math.hypot(one[0] + share * east, one[1] + share * north)
