"""Does the network agree with a fix? Two circles and the time between them decide."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from zhidao.connectivity.domain.sighting import Sighting, apart_m
from zhidao.core.geo import Geodetic
from zhidao.core.timescale import NS, Utc

# An older sighting says where the device was, not where it is.
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


def compare(fix: Geodetic, *, bound_m: float, at: Utc, sighting: Sighting) -> Verdict:
    """Compares a fix, surely within `bound_m`, with the network's circle.

    Match: the fix with its whole bound lies in the circle. Mismatch: the two do not touch.
    Partial: anything between. Unknown: the sighting is more than ten minutes from the fix.
    """
    age_s = abs(sighting.at.since_ns(at)) / NS
    if age_s > AGE_S_MAX:
        return unknown(f"the network saw the device {age_s:.0f} s away from the fix in time")
    distance_m = apart_m(fix, sighting.centre)
    where = (
        f"the fix (within {bound_m:.1f} m) lies {distance_m:.0f} m from the middle of the "
        f"network's circle of {sighting.radius_m:.0f} m"
    )
    if distance_m + bound_m <= sighting.radius_m:
        return Verdict(Agreement.MATCH, where)
    if distance_m > sighting.radius_m + bound_m:
        gap_m = distance_m - sighting.radius_m - bound_m
        return Verdict(Agreement.MISMATCH, f"{where}: {gap_m:.0f} m outside it")
    return Verdict(Agreement.PARTIAL, f"{where}: across its edge")


def unknown(reason: str) -> Verdict:
    """No comparison was possible."""
    return Verdict(Agreement.UNKNOWN, reason)
