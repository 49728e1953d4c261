"""Routes of receivers by road, rail and sea: where one is at each epoch, from a few places.

Speeds and accelerations are round figures of a loaded lorry, a freight train and a container ship,
chosen here and not taken from a source; a way is a test case and not a model of traffic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from zhidao.core.errors import Refused
from zhidao.positioning.domain.observables.observations import Floats, Ints
from zhidao.positioning.domain.single_point.geometry import ecef

_NS: Final = 1_000_000_000
_EPOCHS_MAX: Final = 1_000_000
_EARTH_M: Final = 6_371_000.0


@dataclass(frozen=True, slots=True)
class Manner:
    """How something moves. halt_s: at each place on the way. heave_m, heave_s: up and down."""

    speed_mps: float
    acceleration_mps2: float
    halt_s: float = 0.0
    heave_m: float = 0.0
    heave_s: float = 1.0


MANNERS: Final = {
    "road": Manner(22.0, 0.8, halt_s=20.0),
    "rail": Manner(28.0, 0.15, halt_s=180.0),
    "sea": Manner(9.0, 0.02, heave_m=1.2, heave_s=9.0),
}


@dataclass(frozen=True, slots=True)
class Route:
    """gpst_ns (e,), rising, and ecef_m (e, 3)."""

    gpst_ns: Ints
    ecef_m: Floats


def route(
    places: Sequence[tuple[float, float, float]],
    manner: Manner,
    *,
    first_gpst_ns: int,
    step_s: float,
    epochs_max: int = _EPOCHS_MAX,
) -> Route:
    """The way along great circles from place to place, from rest to rest.

    places: latitude, longitude in degrees and height in metres, two or more. epochs_max cuts the
    way. Raises Refused for fewer places, two equal ones after each other, or no step.
    """
    if len(places) < 2 or step_s <= 0:
        raise Refused("a way needs two places or more and a step over zero", code="no_way")
    legs = [_Leg.of(a, b, manner) for a, b in pairwise(places)]
    begins = np.cumsum([0.0, *(leg.time_s + manner.halt_s for leg in legs)])
    total_s = begins[-1] - manner.halt_s
    count = min(int(total_s / step_s) + 1, epochs_max, _EPOCHS_MAX)
    since_s = np.arange(count) * step_s
    number = np.clip(np.searchsorted(begins, since_s, side="right") - 1, 0, len(legs) - 1)
    out = np.empty((count, 3))
    for index, leg in enumerate(legs):
        here = number == index
        heave_m = manner.heave_m * np.sin(2 * np.pi * since_s[here] / manner.heave_s)
        out[here] = leg.at(since_s[here] - begins[index], heave_m)
    return Route(first_gpst_ns + np.rint(since_s * _NS).astype(np.int64), out)


def rest(
    place: tuple[float, float, float], *, first_gpst_ns: int, step_s: float, epochs: int
) -> Route:
    """The same place at each epoch. Raises Refused for no epochs or no step."""
    if not 0 < epochs <= _EPOCHS_MAX or step_s <= 0:
        raise Refused(f"{epochs} epochs of {step_s} s: 1 to {_EPOCHS_MAX}, and a step over zero")
    latitude, longitude, height_m = place
    where = ecef(
        *(np.array(part) for part in (np.deg2rad(latitude), np.deg2rad(longitude), height_m))
    )
    since_ns = np.rint(np.arange(epochs) * step_s * _NS).astype(np.int64)
    return Route(first_gpst_ns + since_ns, np.tile(where, (epochs, 1)))


@dataclass(frozen=True, slots=True)
class _Leg:
    """From rest to rest: as fast as allowed in the middle, evenly faster and slower at the ends."""

    start: Floats
    stop: Floats
    heights_m: tuple[float, float]
    length_m: float
    peak_mps: float
    acceleration_mps2: float

    @classmethod
    def of(
        cls, one: tuple[float, float, float], other: tuple[float, float, float], manner: Manner
    ) -> _Leg:
        start, stop = _normal(one), _normal(other)
        angle = float(np.arctan2(np.linalg.norm(np.cross(start, stop)), start @ stop))
        length_m = angle * _EARTH_M
        if length_m < 1.0 or angle > np.pi - 1e-6:
            raise Refused("two places of a way are the same, or opposite on Earth", code="no_way")
        peak = min(manner.speed_mps, float(np.sqrt(length_m * manner.acceleration_mps2)))
        return cls(start, stop, (one[2], other[2]), length_m, peak, manner.acceleration_mps2)

    @property
    def time_s(self) -> float:
        return self.length_m / self.peak_mps + self.peak_mps / self.acceleration_mps2

    def at(self, since_s: Floats, heave_m: Floats) -> Floats:
        ramp_s = self.peak_mps / self.acceleration_mps2
        held = np.clip(since_s, 0, self.time_s)
        left = self.time_s - held
        fast_m = self.peak_mps * (held - ramp_s / 2)
        speeding_m = self.acceleration_mps2 * held**2 / 2
        slowing_m = self.length_m - self.acceleration_mps2 * left**2 / 2
        gone_m = np.where(held < ramp_s, speeding_m, np.where(left < ramp_s, slowing_m, fast_m))
        share = np.clip(gone_m / self.length_m, 0, 1)[:, None]
        angle = self.length_m / _EARTH_M
        normal = (
            np.sin((1 - share) * angle) * self.start + np.sin(share * angle) * self.stop
        ) / np.sin(angle)
        low, high = self.heights_m
        height_m = low + (high - low) * share[:, 0] + heave_m
        return ecef(
            np.arcsin(np.clip(normal[:, 2], -1, 1)),
            np.arctan2(normal[:, 1], normal[:, 0]),
            height_m,
        )


def _normal(place: tuple[float, float, float]) -> Floats:
    latitude, longitude = np.deg2rad(place[0]), np.deg2rad(place[1])
    across = np.cos(latitude)
    return np.array((across * np.cos(longitude), across * np.sin(longitude), np.sin(latitude)))
