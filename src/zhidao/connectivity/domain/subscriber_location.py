"""A subscriber as a mobile network knows it: a circle at a time, or nothing."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from zhidao.connectivity.domain.network_area import Area
from zhidao.core.actor import NOBODY
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Geodetic
from zhidao.core.ids import PartyId
from zhidao.core.timescale import NS, Utc

# E.164 with its plus sign: CAMARA Commonalities 0.6, schema PhoneNumber.
_PHONE: Final = re.compile(r"\+[1-9][0-9]{4,14}\Z", re.ASCII)
RADIUS_M_MAX: Final = 200_000.0
# Faster than a lorry or a goods train goes: by so much a circle is wider for each second between
# the time at which it was true and the one at which it is compared.
DRIFT_MPS: Final = 40.0


class Presence(StrEnum):
    """Whether a network reaches a device: at once, by calling it, not at all; or nobody knows."""

    REACHABLE = "reachable"
    IDLE = "idle"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SubscriberLocation:
    """Where a network located a device: somewhere in a circle, at a time.

    `simulated` says that no real network spoke. `own_word`: the device itself said so, and not its
    network: it may contradict a fix and corroborates none. `areas`: it was in each of these too.
    """

    centre: Geodetic
    radius_m: float
    at: Utc
    network: str
    simulated: bool
    own_word: bool = False
    areas: tuple[Area, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.radius_m <= RADIUS_M_MAX:
            raise MalformedInput(
                f"a network circle of {self.radius_m} m", remedy="give 1 m to 200 km"
            )

    @property
    def surface_m2(self) -> float:
        """Area of the circle in square metres."""
        return math.pi * self.radius_m**2

    def at_time(self, at: Utc) -> SubscriberLocation:
        """The circle in which the device was at another time, however fast a vehicle went.

        Raises MalformedInput where that is no circle of a network any more.
        """
        apart_s = abs(self.at.since_ns(at)) / NS
        return replace(self, radius_m=self.radius_m + DRIFT_MPS * apart_s)


@dataclass(frozen=True, slots=True)
class Unplaced:
    """At a time a device was heard of, and where that was is not known; `why` says why not."""

    at: Utc
    why: str


@dataclass(frozen=True, slots=True)
class NetworkAnswer:
    """What a network says of a SIM. `why`: it told no location; a sentence for whoever asked.

    `withheld`: it may know more, and does not tell for want of consent or of a permission.
    `unplaced`: when it was somewhere unknown; a location counts no longer than until then.
    """

    locations: tuple[SubscriberLocation, ...] = ()
    why: str = ""
    withheld: bool = False
    presence: Presence = Presence.UNKNOWN
    unplaced: tuple[Unplaced, ...] = ()


@dataclass(frozen=True, slots=True)
class Holding:
    """Whose a SIM is, and who may ask where it is. `holder`: nobody where that is not known."""

    holder: PartyId = NOBODY
    readers: tuple[PartyId, ...] = ()

    @property
    def may_ask(self) -> tuple[PartyId, ...]:
        """The holder and those to whom it agreed."""
        return (self.holder, *self.readers) if self.holder else self.readers


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A device of the network. `readers` may ask where it is: its holder agreed.

    `applicable`: the location service is offered for it. `locations`: oldest first; may be none,
    and then `why` may say why. `withheld`, `presence`, `unplaced`: as of a `NetworkAnswer`.
    `holder`: as of a `Holding`.
    """

    phone: str
    applicable: bool
    readers: tuple[PartyId, ...]
    locations: tuple[SubscriberLocation, ...]
    why: str = ""
    withheld: bool = False
    presence: Presence = Presence.UNKNOWN
    holder: PartyId = NOBODY
    unplaced: tuple[Unplaced, ...] = ()

    def __post_init__(self) -> None:
        check_phone(self.phone)

    @property
    def holding(self) -> Holding:
        """Whose it is, and who may ask."""
        return Holding(self.holder, self.readers)

    def nearest(self, at: Utc) -> tuple[SubscriberLocation, ...]:
        """The location nearest to an instant, or nothing.

        Nothing too where it was somewhere unknown at a nearer time.
        """
        found = min(self.locations, key=lambda each: abs(each.at.since_ns(at)), default=None)
        lost = self._lost(at)
        if found is None or (lost and abs(lost[0].at.since_ns(at)) < abs(found.at.since_ns(at))):
            return ()
        return (found,)

    def why_at(self, at: Utc) -> str:
        """Why there is no location nearest to an instant; may be empty."""
        lost = self._lost(at)
        return lost[0].why if lost else self.why

    @property
    def newest(self) -> tuple[SubscriberLocation, ...]:
        """The last location, or nothing; nothing too where it was somewhere unknown since."""
        found = self.locations[-1:]
        since = found and any(each.at.since_ns(found[0].at) > 0 for each in self.unplaced)
        return () if since else found

    def _lost(self, at: Utc) -> tuple[Unplaced, ...]:
        found = min(self.unplaced, key=lambda each: abs(each.at.since_ns(at)), default=None)
        return () if found is None else (found,)


def check_phone(text: str) -> str:
    """Returns an E.164 number with its plus sign. Raises MalformedInput for anything else."""
    if not _PHONE.match(text):
        raise MalformedInput(
            f"not a phone number: {text[:24]!r}", remedy="write it as +8613800138000"
        )
    return text
