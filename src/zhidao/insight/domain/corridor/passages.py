"""How long a consignment took at a border crossing: between two bounds, or declined with a reason.

A crossing has two sides, each an area: from the entry to the exit of each country's post, as the
first indicator of CAREC's CPMM takes it (cpmm.carecprogram.org, 2023 report, TFI1). A report of a
vehicle is inside, outside, or neither, where its own bound reaches over the edge. What lies
between the last report outside and the first inside is not known and stays a bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zhidao.core.timescale import NS
from zhidao.insight.domain.corridor.outline import Floats, Outline
from zhidao.insight.domain.opened import LeafRef

# Who stood so near a post, unheard for so long, may have been inside and out again meanwhile.
NEAR_M: Final = 5_000.0
UNHEARD_NS: Final = 3600 * NS
Instants = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Track:
    """Reports of one consignment on one trip, in order of time.

    at_ns: nanoseconds since 1970-01-01 UTC, shape (n,); degrees and bound_m (radius around the
    position that holds the true one): shape (n,).
    """

    consignment: str
    party: str
    mode: str
    at_ns: Instants
    latitude_deg: Floats
    longitude_deg: Floats
    bound_m: Floats


@dataclass(frozen=True, slots=True)
class Crossing:
    """A border crossing: the names of its two sides with their areas."""

    name: str
    sides: tuple[tuple[str, Outline], tuple[str, Outline]]


class Reason(StrEnum):
    """Why a time is not told."""

    NOT_SEEN = "not_seen"
    BEGAN_INSIDE = "began_inside"
    ENDED_INSIDE = "ended_inside"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Stay:
    """Between two instants each: entered and left, ns since 1970 UTC. visits: times inside."""

    entered_ns: tuple[int, int]
    left_ns: tuple[int, int]
    visits: int

    @property
    def shortest_ns(self) -> int:
        """No less than this."""
        return max(0, self.left_ns[0] - self.entered_ns[1])

    @property
    def longest_ns(self) -> int:
        """No more than this, unless it was inside another time without any report."""
        return self.left_ns[1] - self.entered_ns[0]


@dataclass(frozen=True, slots=True)
class Passage:
    """One consignment at one crossing.

    direction: names of first and second side as it went, empty where that is not known. sides: of
    each side that anything is known of. seen_ns: when it was first there. leaves: of the log, on
    which it rests.
    """

    crossing: str
    consignment: str
    party: str
    mode: str
    direction: tuple[str, ...]
    sides: tuple[tuple[str, Stay | Reason], ...]
    whole: Stay | Reason
    seen_ns: int
    simulated: bool = False
    leaves: tuple[LeafRef, ...] = ()


Sides = Sequence[tuple[str, Stay | Reason]]


def passage(track: Track, crossing: Crossing) -> Passage | None:
    """What the reports say of the crossing; None where none was surely inside either side."""
    sides = tuple((name, _stay(track, outline)) for name, outline in crossing.sides)
    if all(stay is Reason.NOT_SEEN for _, stay in sides):
        return None
    direction, sides, whole = joined(sides)
    return Passage(
        crossing=crossing.name,
        consignment=track.consignment,
        party=track.party,
        mode=track.mode,
        direction=direction,
        sides=sides,
        whole=whole,
        seen_ns=first_seen_ns(sides, otherwise=int(track.at_ns[0])),
    )


def first_seen_ns(sides: Sides, *, otherwise: int) -> int:
    """When it was first inside a side whose time is known."""
    inside = (stay.entered_ns[1] for _, stay in sides if isinstance(stay, Stay))
    return min(inside, default=otherwise)


def joined(
    sides: Sides,
) -> tuple[tuple[str, ...], tuple[tuple[str, Stay | Reason], ...], Stay | Reason]:
    """Direction, both sides, and the two as one; what came back to where it entered has no time."""
    unknown = [stay for _, stay in sides if isinstance(stay, Reason)]
    if unknown or len(sides) != 2:
        return (), tuple(sides), next(iter(unknown), Reason.NOT_SEEN)
    (one, stay_one), (other, stay_other) = sides
    assert isinstance(stay_one, Stay)
    assert isinstance(stay_other, Stay)
    forth = stay_one.entered_ns[1] < stay_other.entered_ns[1]
    first, last = (stay_one, stay_other) if forth else (stay_other, stay_one)
    if last.left_ns[0] < first.left_ns[0]:
        # A round trip, or sent back for good.
        why = Reason.RETURNED
        return (), ((one, why), (other, why)), why
    whole = Stay(first.entered_ns, last.left_ns, first.visits + last.visits)
    return ((one, other) if forth else (other, one)), tuple(sides), whole


def _stay(track: Track, area: Outline) -> Stay | Reason:
    """From the first entering to the last leaving: who is sent back and comes again waits."""
    spare_m = area.spare_m(track.latitude_deg, track.longitude_deg)
    sure = np.abs(spare_m) >= track.bound_m
    at_ns, spare_m = track.at_ns[sure], spare_m[sure]
    inside = np.flatnonzero(spare_m > 0)
    if not inside.size:
        return Reason.NOT_SEEN
    first, last = int(inside[0]), int(inside[-1])
    if first == 0:
        return Reason.BEGAN_INSIDE
    if last == len(at_ns) - 1:
        return Reason.ENDED_INSIDE
    visits = 1 + int(np.count_nonzero(np.diff(inside) > 1))
    before = _unheard(at_ns[:first], spare_m[:first])
    after = _unheard(at_ns[last + 1 :], spare_m[last + 1 :])
    return Stay(
        (int(at_ns[before[0]] if before.size else at_ns[first - 1]), int(at_ns[first])),
        (int(at_ns[last]), int(at_ns[last + 2 + after[-1]] if after.size else at_ns[last + 1])),
        visits,
    )


def _unheard(at_ns: Instants, spare_m: Floats) -> NDArray[np.intp]:
    """Where a long silence begins, near the post, of reports that were all outside of it."""
    near = spare_m > -NEAR_M
    return np.flatnonzero((np.diff(at_ns) > UNHEARD_NS) & near[:-1] & near[1:])
