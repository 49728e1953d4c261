"""Points of a track, as a terminal claims them: never more than claimed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from zhidao.core.geo import Frame
from zhidao.core.timescale import NS, Utc

LATITUDE_UDEG_MAX: Final = 90_000_000
LONGITUDE_UDEG_MAX: Final = 180_000_000
# A terminal's clock may run ahead a little; a day ahead is a broken clock.
_AHEAD_NS_MAX: Final = 86_400 * NS


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
        return "no fix"
    if abs(latitude_udeg) > LATITUDE_UDEG_MAX or abs(longitude_udeg) > LONGITUDE_UDEG_MAX:
        return "coordinates off the Earth"
    if observed_at.since_ns(received_at) > _AHEAD_NS_MAX:
        return "more than a day in the future"
    return ""
