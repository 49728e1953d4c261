"""Points of a track, as a terminal claims them: never more than claimed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from zhidao.core.geo import Frame
from zhidao.core.timescale import NS, Utc

LATITUDE_UDEG_MAX: Final = 90_000_000
LONGITUDE_UDEG_MAX: Final = 180_000_000
# RFC 9562 section 5.7: the last 62 bits of an identifier.
_RANDOM_BITS: Final = (1 << 62) - 1
# A terminal's clock may run ahead a little; a day ahead is a broken clock.
AHEAD_NS_MAX: Final = 86_400 * NS

# Why a report is no place. Kept as numbers, by this order: a new one goes to the end.
NO_FIX: Final = "no fix"
OFF_EARTH: Final = "coordinates off the Earth"
IN_FUTURE: Final = "more than a day in the future"
NO_TIME: Final = "a time that does not exist"
REASONS: Final = ("", NO_FIX, OFF_EARTH, IN_FUTURE, NO_TIME)


@dataclass(frozen=True, slots=True)
class TrackPoint:
    """A position that a terminal reported. `valid` false: shown to nobody as a place.

    Coordinates in microdegrees in `frame`; `reason` says why it is not valid.
    """

    observed_at: Utc
    received_at: Utc
    latitude_udeg: int
    longitude_udeg: int
    frame: Frame
    altitude_m: int
    speed_kmh: float
    course_deg: int
    beidou: bool
    satellites: int
    valid: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """A point as it is kept. `place`: which of the points in its frame it is."""

    terminal: str
    frame: UUID
    place: int
    point: TrackPoint

    @property
    def number(self) -> int:
        """What tells it from other reports of its terminal for the same second.

        The random bits of its frame's identifier, from which those in one frame count up.
        """
        return (self.frame.int & _RANDOM_BITS) + self.place

    @property
    def rank(self) -> tuple[int, int, int]:
        """Of two reports the one with the larger rank is newer, by the terminal's own time.

        No report is newer than its receipt: a clock that runs ahead must not stand still for it.
        """
        received_ns = self.point.received_at.tai_ns
        return min(self.point.observed_at.tai_ns, received_ns), received_ns, self.number


@dataclass(frozen=True, slots=True)
class LastSeen:
    """The newest point of a terminal, and when any report of it came last."""

    heard_at: Utc
    point: TrackPoint


def objection(
    *,
    positioned: bool,
    latitude_udeg: int,
    longitude_udeg: int,
    observed_at: Utc,
    received_at: Utc,
) -> str:
    """Why a report is no place, or nothing.

    Zero and zero without a fix is no place in the Gulf of Guinea: the receiver has not started.
    """
    if not positioned:
        return NO_FIX
    if abs(latitude_udeg) > LATITUDE_UDEG_MAX or abs(longitude_udeg) > LONGITUDE_UDEG_MAX:
        return OFF_EARTH
    if observed_at.since_ns(received_at) > AHEAD_NS_MAX:
        return IN_FUTURE
    return ""
