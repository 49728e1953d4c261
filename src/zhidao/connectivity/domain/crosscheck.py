"""Does the network agree with a fix? Two circles and the time between them decide."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from zhidao.connectivity.domain.distance import apart_m
from zhidao.connectivity.domain.subscriber_location import SubscriberLocation
from zhidao.core.geo import Geodetic, bound_in_words
from zhidao.core.timescale import NS, Utc

# An older location says where the device was, not where it is.
AGE_S_MAX: Final = 600


class Agreement(StrEnum):
    """The verdict's four values. `UNKNOWN` is no disagreement."""

    MATCH = "match"
    PARTIAL = "partial"
    MISMATCH = "mismatch"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the comparison says, in a word and in a sentence."""

    agreement: Agreement
    reason: str


def compare(fix: Geodetic, *, bound_m: float, at: Utc, location: SubscriberLocation) -> Verdict:
    """Compares a fix, surely within `bound_m`, with the network's circle.

    Match: the fix with its whole bound lies in the circle. Mismatch: the two do not touch.
    Partial: anything between. Unknown: the location is more than ten minutes from the fix.
    """
    age_s = abs(location.at.since_ns(at)) / NS
    if age_s > AGE_S_MAX:
        return unknown(f"the network saw the device {age_s:.0f} s away from the fix in time")
    distance_m = apart_m(fix, location.centre)
    where = (
        f"the fix (within {bound_in_words(bound_m)}) lies {distance_m:.0f} m from the middle of "
        f"the network's circle of {location.radius_m:.0f} m"
    )
    if distance_m + bound_m <= location.radius_m:
        return Verdict(Agreement.MATCH, where)
    if distance_m > location.radius_m + bound_m:
        gap_m = distance_m - location.radius_m - bound_m
        return Verdict(Agreement.MISMATCH, f"{where}: {gap_m:.0f} m outside it")
    return Verdict(Agreement.PARTIAL, f"{where}: across its edge")


def unknown(reason: str) -> Verdict:
    """No comparison was possible."""
    return Verdict(Agreement.UNKNOWN, reason)
