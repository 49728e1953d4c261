"""A route as samples at equal steps, and places on it by their distance from its start."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from zhidao.connectivity.domain.radio.path_loss import Floats
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import SEMI_MAJOR_M, Frame

STEP_M: Final = (10.0, 1_000.0)
SAMPLES_MAX: Final = 200_001
LENGTH_M_MAX: Final = 20_000_000.0
# Legs are cut into pieces of so many degrees, each as straight on the Earth as on the chart.
_PIECE_DEG: Final = 0.005
_PIECES_MAX: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class RouteLine:
    """A line over the ground. Arrays of shape (n,): distances from the start, degrees."""

    at_m: Floats
    latitude_deg: Floats
    longitude_deg: Floats

    @property
    def length_m(self) -> float:
        """From its start to its end."""
        return float(self.at_m[-1])

    def places(self, at_m: Floats) -> tuple[Floats, Floats]:
        """Latitudes and longitudes at distances from the start."""
        latitude_deg = np.interp(at_m, self.at_m, self.latitude_deg)
        longitude_deg = np.interp(at_m, self.at_m, self.longitude_deg)
        return latitude_deg, (longitude_deg + 180) % 360 - 180

    def samples(self, step_m: float) -> Floats:
        """Distances from the start, a step apart and at the end. Raises MalformedInput."""
        if not STEP_M[0] <= step_m <= STEP_M[1]:
            raise MalformedInput(
                f"a step of {step_m:g} m; it is {STEP_M[0]:g} to {STEP_M[1]:g} m", where="--step"
            )
        count = math.ceil(self.length_m / step_m - 1e-9) + 1
        if count > SAMPLES_MAX:
            length_km = self.length_m / 1000
            raise MalformedInput(
                f"{count} samples in {length_km:.0f} km; at most {SAMPLES_MAX} are taken",
                remedy="make --step longer, or judge the route in parts",
            )
        at_m: Floats = np.minimum(np.arange(count) * step_m, self.length_m)
        return at_m


def route_line(latitude_deg: Floats, longitude_deg: Floats) -> RouteLine:
    """The line through places: straight on the chart between them (RFC 7946 section 3.1.1).

    A leg goes the shorter half round the Earth. Raises MalformedInput for a line without length.
    """
    longitude_deg = np.unwrap(longitude_deg, period=360)
    latitude_deg, longitude_deg = _cut(latitude_deg, longitude_deg)
    x_m = ecef_m(latitude_deg, longitude_deg)
    at_m = np.concatenate(([0.0], np.cumsum(np.linalg.norm(np.diff(x_m, axis=0), axis=1))))
    if not 1 <= at_m[-1] <= LENGTH_M_MAX:
        raise MalformedInput(
            f"a route of {at_m[-1] / 1000:.3f} km; it is 1 m to {LENGTH_M_MAX / 1000:.0f} km long",
            remedy="give the places of one journey",
        )
    return RouteLine(at_m, latitude_deg, longitude_deg)


def _cut(latitude_deg: Floats, longitude_deg: Floats) -> tuple[Floats, Floats]:
    """The same line with places between, none more than _PIECE_DEG from the next."""
    steps_deg = np.maximum(np.abs(np.diff(latitude_deg)), np.abs(np.diff(longitude_deg)))
    pieces = np.maximum(1, np.ceil(steps_deg / _PIECE_DEG - 1e-9)).astype(np.int64)
    total = int(pieces.sum())
    if total > _PIECES_MAX:
        raise MalformedInput(
            "the route goes back and forth over the whole Earth",
            remedy="give the places of one journey, in their order",
        )
    # Where each place stands among the pieces; between them everything is linear.
    corner = np.concatenate(([0], np.cumsum(pieces)))
    every = np.arange(total + 1)
    return np.interp(every, corner, latitude_deg), np.interp(every, corner, longitude_deg)


def ecef_m(latitude_deg: Floats, longitude_deg: Floats) -> Floats:
    """Places on the ellipsoid of WGS 84 in Cartesian metres: shape (n, 3)."""
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    squared = Frame.WGS84.flattening * (2 - Frame.WGS84.flattening)
    normal_m = SEMI_MAJOR_M / np.sqrt(1 - squared * np.sin(latitude) ** 2)
    across_m = normal_m * np.cos(latitude)
    return np.stack(
        (
            across_m * np.cos(longitude),
            across_m * np.sin(longitude),
            normal_m * (1 - squared) * np.sin(latitude),
        ),
        axis=-1,
    )
