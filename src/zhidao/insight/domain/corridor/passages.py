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
# Of who went over in a longer silence it is known that, and not even nearly how long.
LONG_SILENCE_NS: Final = 6 * 3600 * NS
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
    UNHEARD = "unheard"


@dataclass(frozen=True, slots=True)
class Stay:
    """Between two instants each: entered and left, ns since 1970 UTC.

    visits: times inside; 0 where nobody heard it inside, and it came out on the other end.
    """

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

    @property
    def middle_ns(self) -> float:
        """In the middle of the bounds; of what was not heard inside, half of the longest."""
        if not self.visits:
            return self.longest_ns / 2
        return max(0.0, (sum(self.left_ns) - sum(self.entered_ns)) / 2)


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
    """What the reports say of the crossing; None where none tells that it went over there.

    That is a report surely inside a side; or one near a side, and the next behind the other one.
    """
    sides = tuple((name, _stay(track, outline)) for name, outline in crossing.sides)
    sides, first = _with_unheard(track, crossing, sides)
    if all(stay is Reason.NOT_SEEN for _, stay in sides):
        return None
    direction, sides, whole = joined(sides, first=first)
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
    sides: Sides, *, first: str = ""
) -> tuple[tuple[str, ...], tuple[tuple[str, Stay | Reason], ...], Stay | Reason]:
    """Direction, both sides, and the two as one; what came back to where it entered has no time.

    first: the side that it came to first, where their instants do not tell.
    """
    unknown = [stay for _, stay in sides if isinstance(stay, Reason)]
    if unknown or len(sides) != 2:
        return (), tuple(sides), next(iter(unknown), Reason.NOT_SEEN)
    (one, stay_one), (other, stay_other) = sides
    assert isinstance(stay_one, Stay)
    assert isinstance(stay_other, Stay)
    # One that was not heard inside may have the instants of the other for its own.
    at_one = (stay_one.entered_ns[1], stay_one.left_ns[1])
    forth = at_one < (stay_other.entered_ns[1], stay_other.left_ns[1])
    if first:
        forth = first == one
    earlier, later = (stay_one, stay_other) if forth else (stay_other, stay_one)
    if later.left_ns[0] < earlier.left_ns[0]:
        # A round trip, or sent back for good.
        why = Reason.RETURNED
        return (), ((one, why), (other, why)), why
    whole = Stay(earlier.entered_ns, later.left_ns, earlier.visits + later.visits)
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


_Stays = tuple[tuple[str, Stay | Reason], ...]


def _with_unheard(track: Track, crossing: Crossing, sides: _Stays) -> tuple[_Stays, str]:
    """Gives a side in which nobody heard it a time, where it was heard before and behind it.

    And the side that it came to first, where it was heard in neither.
    """
    first = ""
    (name, one), (other_name, other) = sides
    (_, area), (_, other_area) = crossing.sides
    if isinstance(one, Stay) and other is Reason.NOT_SEEN:
        other = _behind_or_before(track, area, other_area, one)
    elif isinstance(other, Stay) and one is Reason.NOT_SEEN:
        one = _behind_or_before(track, other_area, area, other)
    elif one is other is Reason.NOT_SEEN:
        one, other = _unheard_in_both(track, area, other_area)
        first = name
        if one is other is Reason.NOT_SEEN:
            other, one = _unheard_in_both(track, other_area, area)
            first = other_name
    return ((name, one), (other_name, other)), first


@dataclass(frozen=True, slots=True)
class _Ends:
    """Where reports surely are, as seen from one side of a crossing; each: shape (n,).

    here: near that side, on its own end. elsewhere: on that end, far off. beyond: behind the other.
    """

    at_ns: Instants
    here: NDArray[np.bool_]
    elsewhere: NDArray[np.bool_]
    beyond: NDArray[np.bool_]

    def backwards(self) -> _Ends:
        """With the time running backwards."""
        turned = (each[::-1] for each in (self.here, self.elsewhere, self.beyond))
        return _Ends(-self.at_ns[::-1], *turned)

    def silence(self, from_ns: int) -> tuple[int, int] | None:
        """Between which reports, from an instant on, it first went from here to beyond.

        None if it never did, or was elsewhere in between.
        """
        through = np.flatnonzero(self.beyond & (self.at_ns > from_ns))
        if not through.size:
            return None
        before = np.flatnonzero(self.here[: through[0]])
        if not before.size or self.at_ns[before[-1]] < from_ns:
            return None
        if self.elsewhere[before[-1] : through[0]].any():
            return None
        return int(self.at_ns[before[-1]]), int(self.at_ns[through[0]])


def _ends(track: Track, seen: Outline, unheard: Outline) -> _Ends:
    at = (track.latitude_deg, track.longitude_deg)
    from_seen, from_unheard = seen.from_middle_m(*at), unheard.from_middle_m(*at)
    apart = from_unheard - from_seen
    sure = np.abs(apart) > 2 * track.bound_m
    on_this_end = sure & (apart > 0)
    near = seen.spare_m(*at) > -NEAR_M
    beyond = sure & (apart < 0) & (from_seen - track.bound_m > seen.end_m(unheard))
    return _Ends(track.at_ns, on_this_end & near, on_this_end & ~near, beyond)


def _behind_or_before(track: Track, seen: Outline, unheard: Outline, stay: Stay) -> Stay | Reason:
    """Of the side behind the one where it was heard, or before it."""
    ends = _ends(track, seen, unheard)
    if last := ends.silence(stay.left_ns[0]):
        return Stay(last, last, 0)
    if first := ends.backwards().silence(-stay.entered_ns[1]):
        through = (-first[1], -first[0])
        return Stay(through, through, 0)
    return Reason.NOT_SEEN


def _unheard_in_both(
    track: Track, first: Outline, last: Outline
) -> tuple[Stay | Reason, Stay | Reason]:
    """Where it went over by the first side to the last: each took no more than the silence."""
    begin_ns = int(track.at_ns[0])
    forth = _ends(track, first, last).silence(begin_ns)
    if forth is None:
        return Reason.NOT_SEEN, Reason.NOT_SEEN
    if _ends(track, last, first).silence(begin_ns):
        return Reason.RETURNED, Reason.RETURNED
    if forth[1] - forth[0] > LONG_SILENCE_NS:
        return Reason.UNHEARD, Reason.UNHEARD
    return Stay(forth, forth, 0), Stay(forth, forth, 0)


def _unheard(at_ns: Instants, spare_m: Floats) -> NDArray[np.intp]:
    """Where a long silence begins, near the post, of reports that were all outside of it."""
    near = spare_m > -NEAR_M
    return np.flatnonzero((np.diff(at_ns) > UNHEARD_NS) & near[:-1] & near[1:])
