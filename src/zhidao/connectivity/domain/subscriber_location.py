"""A subscriber as a mobile network knows it: a circle at a time, or nothing."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.geo import Geodetic, course
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc

# E.164 with its plus sign: CAMARA Commonalities 0.6, schema PhoneNumber.
_PHONE: Final = re.compile(r"\+[1-9][0-9]{4,14}\Z", re.ASCII)
RADIUS_M_MAX: Final = 200_000.0
# Farther apart than any two places on Earth; stands for pairs that the geodesic refuses.
_ANTIPODAL_M: Final = 20_000_000.0


@dataclass(frozen=True, slots=True)
class SubscriberLocation:
    """Where a network located a device: somewhere in a circle, at a time.

    `simulated` says that no real network spoke.
    """

    centre: Geodetic
    radius_m: float
    at: Utc
    network: str
    simulated: bool

    def __post_init__(self) -> None:
        if not 1 <= self.radius_m <= RADIUS_M_MAX:
            raise MalformedInput(
                f"a network circle of {self.radius_m} m", remedy="give 1 m to 200 km"
            )

    @property
    def surface_m2(self) -> float:
        """Area of the circle in square metres."""
        return math.pi * self.radius_m**2


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A device of the network. `readers` may ask where it is: its holder agreed.

    `applicable`: the location service is offered for it. `locations`: oldest first; may be none.
    """

    phone: str
    applicable: bool
    readers: tuple[PartyId, ...]
    locations: tuple[SubscriberLocation, ...]

    def __post_init__(self) -> None:
        check_phone(self.phone)

    def nearest(self, at: Utc) -> tuple[SubscriberLocation, ...]:
        """The location nearest to an instant, or nothing."""
        by_distance = sorted(self.locations, key=lambda s: abs(s.at.since_ns(at)))
        return tuple(by_distance[:1])

    @property
    def newest(self) -> tuple[SubscriberLocation, ...]:
        """The last location, or nothing."""
        return self.locations[-1:]


def check_phone(text: str) -> str:
    """Returns an E.164 number with its plus sign. Raises MalformedInput for anything else."""
    if not _PHONE.match(text):
        raise MalformedInput(
            f"not a phone number: {text[:24]!r}", remedy="write it as +8613800138000"
        )
    return text


def apart_m(one: Geodetic, other: Geodetic) -> float:
    """Geodesic distance in metres; for nearly antipodal points half way round the Earth."""
    try:
        return course(one, other).distance_m
    except Refused:
        return _ANTIPODAL_M
