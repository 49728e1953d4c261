"""Places with the frame they are given in: geodetic and Cartesian forms, distances, circles.

Scalars only, standard library only. Positioning has the array forms of what it needs in bulk.
Ellipsoids: WGS 84 (a = 6378137 m, 1/f = 298.257223563) and CGCS2000 (the GRS 80 flattening
1/f = 298.257222101); the two differ by 0.1 mm in the semi-minor axis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from zhidao.core.errors import MalformedInput, Refused

SEMI_MAJOR_M: Final = 6_378_137.0
_NDEG: Final = 1_000_000_000
_RADIUS_M_MAX: Final = 100_000.0
_ITERATIONS_MAX: Final = 200


class Frame(StrEnum):
    """In what frame coordinates are meant. GCJ-02 is a deliberate distortion used on maps in China.

    WGS 84 and CGCS2000 are both realisations of ITRF; they part by the motion of the plates since
    CGCS2000's epoch 2000.0 (about 3 cm a year), so a place names its epoch where that matters.
    """

    WGS84 = "WGS84"
    CGCS2000 = "CGCS2000"
    GCJ02 = "GCJ-02"

    @property
    def flattening(self) -> float:
        """Flattening of the frame's ellipsoid."""
        return 1 / 298.257222101 if self is Frame.CGCS2000 else 1 / 298.257223563


@dataclass(frozen=True, slots=True)
class Geodetic:
    """A point by latitude, longitude (degrees) and ellipsoidal height, in a frame at an epoch.

    `epoch_year` is a decimal year, 0.0 when nobody said. Longitudes lie in [-180, 180].
    """

    latitude_deg: float
    longitude_deg: float
    height_m: float = 0.0
    frame: Frame = Frame.WGS84
    epoch_year: float = 0.0

    def __post_init__(self) -> None:
        numbers = (self.latitude_deg, self.longitude_deg, self.height_m, self.epoch_year)
        if not all(math.isfinite(number) for number in numbers):
            raise MalformedInput("a coordinate is not a finite number")
        if abs(self.latitude_deg) > 90 or abs(self.longitude_deg) > 180:
            raise MalformedInput(
                f"no such place: latitude {self.latitude_deg}, longitude {self.longitude_deg}",
                remedy="give degrees, latitude first, within 90 and 180",
            )

    @classmethod
    def from_ndeg(
        cls,
        *,
        latitude_ndeg: int,
        longitude_ndeg: int,
        height_mm: int = 0,
        frame: Frame = Frame.WGS84,
    ) -> Geodetic:
        """From whole nanodegrees and millimetres, the form that events carry."""
        return cls(latitude_ndeg / _NDEG, longitude_ndeg / _NDEG, height_mm / 1000, frame)

    @property
    def latitude_ndeg(self) -> int:
        """Latitude in whole nanodegrees (0.1 mm)."""
        return round(self.latitude_deg * _NDEG)

    @property
    def longitude_ndeg(self) -> int:
        """Longitude in whole nanodegrees."""
        return round(self.longitude_deg * _NDEG)

    def to_ecef(self) -> Ecef:
        """The same point in Cartesian form. Raises Refused for GCJ-02, which has no ellipsoid."""
        _refuse_gcj02(self.frame)
        latitude, longitude = math.radians(self.latitude_deg), math.radians(self.longitude_deg)
        e2 = self.frame.flattening * (2 - self.frame.flattening)
        normal_m = SEMI_MAJOR_M / math.sqrt(1 - e2 * math.sin(latitude) ** 2)
        across_m = (normal_m + self.height_m) * math.cos(latitude)
        return Ecef(
            across_m * math.cos(longitude),
            across_m * math.sin(longitude),
            (normal_m * (1 - e2) + self.height_m) * math.sin(latitude),
            self.frame,
            self.epoch_year,
        )


@dataclass(frozen=True, slots=True)
class Ecef:
    """A point in Earth-centred Earth-fixed metres, in a frame at an epoch."""

    x_m: float
    y_m: float
    z_m: float
    frame: Frame = Frame.WGS84
    epoch_year: float = 0.0

    def __post_init__(self) -> None:
        _refuse_gcj02(self.frame)
        if not all(math.isfinite(part) for part in (self.x_m, self.y_m, self.z_m)):
            raise MalformedInput("a coordinate is not a finite number")

    def to_geodetic(self) -> Geodetic:
        """The same point as latitude, longitude, height; exact to 1e-9 m above -5,000 km.

        Method: fixed-point iteration on the reduced latitude (Bowring 1976), which has converged
        after five rounds everywhere that a receiver can be.
        Raises Refused within 100 km of the Earth's centre, where latitude means nothing.
        """
        if math.hypot(self.x_m, self.y_m, self.z_m) < 100_000:
            raise Refused("a point near the Earth's centre has no latitude")
        f = self.frame.flattening
        minor_m = SEMI_MAJOR_M * (1 - f)
        e2, second_e2 = f * (2 - f), f * (2 - f) / (1 - f) ** 2
        across_m = math.hypot(self.x_m, self.y_m)
        reduced = math.atan2(self.z_m, across_m * (1 - f))
        latitude = reduced
        for _ in range(5):
            latitude = math.atan2(
                self.z_m + second_e2 * minor_m * math.sin(reduced) ** 3,
                across_m - e2 * SEMI_MAJOR_M * math.cos(reduced) ** 3,
            )
            reduced = math.atan2((1 - f) * math.sin(latitude), math.cos(latitude))
        normal_m = SEMI_MAJOR_M / math.sqrt(1 - e2 * math.sin(latitude) ** 2)
        height_m = (
            across_m * math.cos(latitude)
            + self.z_m * math.sin(latitude)
            - SEMI_MAJOR_M**2 / normal_m
        )
        return Geodetic(
            math.degrees(latitude),
            math.degrees(math.atan2(self.y_m, self.x_m)),
            height_m,
            self.frame,
            self.epoch_year,
        )

    def distance_m(self, other: Ecef) -> float:
        """The straight line to another point of the same frame."""
        _same_frame(self.frame, other.frame)
        return math.dist((self.x_m, self.y_m, self.z_m), (other.x_m, other.y_m, other.z_m))


@dataclass(frozen=True, slots=True)
class Course:
    """A geodesic: its length and the azimuth (degrees from north, clockwise) at its start."""

    distance_m: float
    azimuth_deg: float


def course(start: Geodetic, end: Geodetic) -> Course:
    """The geodesic between two points on the ellipsoid; heights are ignored.

    Method: Vincenty 1975, inverse; within 0.5 mm of the true geodesic.
    Raises Refused for nearly antipodal points, where the method does not converge, and for points
    of different frames.
    """
    _same_frame(start.frame, end.frame)
    if (start.latitude_deg, start.longitude_deg) == (end.latitude_deg, end.longitude_deg):
        return Course(0.0, 0.0)
    f = start.frame.flattening
    u1 = math.atan((1 - f) * math.tan(math.radians(start.latitude_deg)))
    u2 = math.atan((1 - f) * math.tan(math.radians(end.latitude_deg)))
    difference = math.remainder(end.longitude_deg - start.longitude_deg, 360)
    longitude = math.radians(difference)
    turn = longitude
    for _ in range(_ITERATIONS_MAX):
        east = math.cos(u2) * math.sin(turn)
        north = math.cos(u1) * math.sin(u2) - math.sin(u1) * math.cos(u2) * math.cos(turn)
        sin_sigma = math.hypot(east, north)
        if sin_sigma == 0:
            return Course(0.0, 0.0)
        cos_sigma = math.sin(u1) * math.sin(u2) + math.cos(u1) * math.cos(u2) * math.cos(turn)
        sigma = math.atan2(sin_sigma, cos_sigma)
        sin_alpha = math.cos(u1) * math.cos(u2) * math.sin(turn) / sin_sigma
        cos2_alpha = 1 - sin_alpha**2
        middle = cos_sigma - 2 * math.sin(u1) * math.sin(u2) / cos2_alpha if cos2_alpha else 0.0
        c = f / 16 * cos2_alpha * (4 + f * (4 - 3 * cos2_alpha))
        bend = sigma + c * sin_sigma * (middle + c * cos_sigma * (2 * middle**2 - 1))
        before, turn = turn, longitude + (1 - c) * f * sin_alpha * bend
        if abs(turn - before) < 1e-13:
            scale, shift = _arc_series(f, cos2_alpha, sigma, middle)
            minor_m = SEMI_MAJOR_M * (1 - f)
            return Course(
                minor_m * scale * (sigma - shift), math.degrees(math.atan2(east, north)) % 360
            )
    raise Refused("these points are nearly antipodal; their geodesic is not computed")


def destination(start: Geodetic, *, azimuth_deg: float, distance_m: float) -> Geodetic:
    """The point reached from `start` along a geodesic; keeps height, frame and epoch.

    Method: Vincenty 1975, direct.
    """
    f = start.frame.flattening
    azimuth = math.radians(azimuth_deg)
    u1 = math.atan((1 - f) * math.tan(math.radians(start.latitude_deg)))
    sigma1 = math.atan2(math.tan(u1), math.cos(azimuth))
    sin_alpha = math.cos(u1) * math.sin(azimuth)
    cos2_alpha = 1 - sin_alpha**2
    minor_m = SEMI_MAJOR_M * (1 - f)
    sigma = 0.0
    for _ in range(_ITERATIONS_MAX):
        middle = math.cos(2 * sigma1 + sigma)
        scale, shift = _arc_series(f, cos2_alpha, sigma, middle)
        before, sigma = sigma, distance_m / (minor_m * scale) + shift
        if abs(sigma - before) < 1e-14:
            break
    middle = math.cos(2 * sigma1 + sigma)
    along = math.cos(u1) * math.cos(sigma) - math.sin(u1) * math.sin(sigma) * math.cos(azimuth)
    high = math.sin(u1) * math.cos(sigma) + math.cos(u1) * math.sin(sigma) * math.cos(azimuth)
    cross = math.sin(u1) * math.sin(sigma) - math.cos(u1) * math.cos(sigma) * math.cos(azimuth)
    latitude = math.atan2(high, (1 - f) * math.hypot(sin_alpha, cross))
    turn = math.atan2(math.sin(sigma) * math.sin(azimuth), along)
    c = f / 16 * cos2_alpha * (4 + f * (4 - 3 * cos2_alpha))
    bend = sigma + c * math.sin(sigma) * (middle + c * math.cos(sigma) * (2 * middle**2 - 1))
    longitude = math.radians(start.longitude_deg) + turn - (1 - c) * f * sin_alpha * bend
    return Geodetic(
        math.degrees(latitude),
        math.remainder(math.degrees(longitude), 360),
        start.height_m,
        start.frame,
        start.epoch_year,
    )


def _arc_series(f: float, cos2_alpha: float, sigma: float, middle: float) -> tuple[float, float]:
    """Vincenty's A and delta-sigma: arc length on the ellipsoid from that on the sphere."""
    u2 = cos2_alpha * (1 / (1 - f) ** 2 - 1)
    a = 1 + u2 / 16384 * (4096 + u2 * (-768 + u2 * (320 - 175 * u2)))
    b = u2 / 1024 * (256 + u2 * (-128 + u2 * (74 - 47 * u2)))
    sin_sigma, cos_sigma = math.sin(sigma), math.cos(sigma)
    third = b / 6 * middle * (4 * sin_sigma**2 - 3) * (4 * middle**2 - 3)
    return a, b * sin_sigma * (middle + b / 4 * (cos_sigma * (2 * middle**2 - 1) - third))


@dataclass(frozen=True, slots=True)
class Circle:
    """All points within a geodesic radius of a centre."""

    centre: Geodetic
    radius_m: float

    def __post_init__(self) -> None:
        if not 0 < self.radius_m <= _RADIUS_M_MAX:
            raise MalformedInput(f"a circle of {self.radius_m} m; give more than 0, up to 100 km")

    def contains(self, point: Geodetic, *, margin_m: float = 0.0) -> bool:
        """Whether everything within `margin_m` of the point lies inside."""
        return self.spare_m(point) >= margin_m

    def spare_m(self, point: Geodetic) -> float:
        """How far inside the edge the point lies; negative outside."""
        return self.radius_m - course(self.centre, point).distance_m


def _same_frame(one: Frame, other: Frame) -> None:
    if one is not other:
        raise Refused(
            f"{one.value} and {other.value} coordinates cannot be compared",
            code="frames_differ",
            remedy="bring both into one frame first",
        )


def _refuse_gcj02(frame: Frame) -> None:
    if frame is Frame.GCJ02:
        raise Refused("GCJ-02 is for maps only and has no Cartesian form", code="gcj02")


_M_PER_KM: Final = 1000.0


def bound_in_words(bound_m: float) -> str:
    """A bound on an error, rounded up: what is surely within 17.2 m is surely within 18 m.

    A position that could not be bounded has none. The one rounding of pages, commands and signed
    sentences, so that one arrival has one bound.
    """
    if not math.isfinite(bound_m):
        return "none"
    if bound_m >= _M_PER_KM:
        return f"{math.ceil(bound_m / 100) / 10:.1f} km"
    return f"{math.ceil(bound_m)} m"
