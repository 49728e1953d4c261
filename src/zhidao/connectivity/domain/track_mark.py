"""The mark of the network over time: for which share of a way networks saw the terminal there.

A fix is compared with all that networks said at times around it, each in its own window only: until
the network said something else, and ten minutes at most. Between the two times a vehicle drives, so
an area is wider by what a fast one covers. A network that says nothing of a time is unknown there.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import accumulate, pairwise
from typing import Final

from zhidao.connectivity.domain.crosscheck import AGE_S_MAX, Agreement
from zhidao.connectivity.domain.network_area import Area, Disc
from zhidao.connectivity.domain.subscriber_location import DRIFT_MPS, Presence, Subscriber
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Circle, Geodetic
from zhidao.core.timescale import NS, Utc

FIXES_MAX: Final = 20_000
# A cell that is heard beyond its range contradicts for a moment, and nobody lied. A way is
# contradicted where nine tenths of so many fixes on end are, of those that could be judged. Chosen
# by tests/connectivity/domain/test_spoofed_tracks.py: of honest ways at most 16 of 20 were, of lies
# 19 or 20.
STRETCH_FIXES: Final = 20
CONTRADICTED_SHARE: Final = 0.9
# From this share of the whole time on a way counts as seen.
CORROBORATED_SHARE: Final = 0.5
# A terminal that reports less often is not followed in between.
_HALF_S: Final = AGE_S_MAX / 2
_REASONS: Final = 8
# For how long a way of one fix lasts.
_MOMENT_S: Final = 1.0
_NOTHING: Final = "no network said anything of that time"


class Binding(StrEnum):
    """Whether the SIM is in the device that its table names; unknown where nobody tells."""

    SAME = "same"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Fix:
    """Where a terminal says that it was, surely within bound_m."""

    at: Utc
    place: Geodetic
    bound_m: float

    def __post_init__(self) -> None:
        if not 0 <= self.bound_m <= 1_000_000:
            raise MalformedInput(f"bound_m is {self.bound_m:g}; it is 0 to 1000000")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a network said of a device: at a time it was in all of these areas.

    areas: none where it was not located, and then `why` may say why not. since, until: the window
    in which it counts. own_word, simulated: as of a location.
    """

    network: str
    at: Utc
    since: Utc
    until: Utc
    areas: tuple[Area, ...] = ()
    presence: Presence = Presence.UNKNOWN
    binding: Binding = Binding.UNKNOWN
    why: str = ""
    own_word: bool = False
    simulated: bool = False

    def counts_at(self, at: Utc) -> bool:
        """Whether it says anything of a time."""
        return at.since_ns(self.since) >= 0 and at.since_ns(self.until) <= 0


@dataclass(frozen=True, slots=True)
class Judged:
    """What networks say of a fix. gap_m: how far outside it lies at least, if it does.

    compared: whether it could be contradicted, also by what confirms nothing.
    """

    agreement: Agreement
    reason: str
    gap_m: float = 0.0
    compared: bool = True


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a way on which the answer was the same. gap_m: the largest on it."""

    since: Utc
    until: Utc
    agreement: Agreement
    reason: str
    gap_m: float


@dataclass(frozen=True, slots=True)
class TrackMark:
    """How much of a way networks confirm. Seconds of the whole way; what is left is unknown.

    networks: those that said something of it, by name. reasons: those that hold longest first.
    """

    verdict: Agreement
    whole_s: float
    corroborated_s: float
    partial_s: float
    contradicted_s: float
    fixes: int
    networks: tuple[str, ...]
    reasons: tuple[str, ...]
    spans: tuple[Span, ...]
    simulated: bool

    def share(self, seconds: float) -> float:
        """A part of the whole way."""
        return seconds / self.whole_s

    @property
    def corroborated_share(self) -> float:
        """The mark: for which share of the time a network saw the terminal there."""
        return self.share(self.corroborated_s)


def windowed(seen: Sequence[Seen]) -> tuple[Seen, ...]:
    """What one network said, each in its own window: between what it said before and after it.

    A narrower window that is given stays.
    """
    ordered = sorted(seen, key=lambda each: each.at)
    found = []
    for place, each in enumerate(ordered):
        before = [ordered[place - 1].at] if place else []
        after = [ordered[place + 1].at] if place + 1 < len(ordered) else []
        since = max([each.since, each.at.plus_ns(-AGE_S_MAX * NS), *before])
        until = min([each.until, each.at.plus_ns(AGE_S_MAX * NS), *after])
        found.append(replace(each, since=since, until=until))
    return tuple(found)


def seen_of(subscriber: Subscriber) -> tuple[Seen, ...]:
    """What the network of a subscriber said of it, each in its own window."""
    found = []
    for each in subscriber.locations:
        disc = Disc(Circle(each.centre, each.radius_m))
        found.append(
            Seen(
                *(each.network, each.at, *_reach(each.at)),
                areas=(disc, *each.areas),
                own_word=each.own_word,
                simulated=each.simulated,
            )
        )
    name = subscriber.locations[0].network if subscriber.locations else ""
    found += [Seen(name, lost.at, *_reach(lost.at), why=lost.why) for lost in subscriber.unplaced]
    return windowed(found)


def judged(fix: Fix, seen: Sequence[Seen]) -> Judged:
    """Compares a fix with what was said of its time: one contradiction decides, then a match."""
    found = [_judged_by(fix, each) for each in seen if each.counts_at(fix.at)]
    for agreement in (Agreement.MISMATCH, Agreement.MATCH, Agreement.PARTIAL):
        such = [each for each in found if each.agreement is agreement]
        if such:
            return max(such, key=lambda each: each.gap_m)
    # An own word that agrees is the next best: it could have contradicted.
    found.sort(key=lambda each: not each.compared)
    return found[0] if found else Judged(Agreement.UNKNOWN, _NOTHING, compared=False)


def mark_of(fixes: Sequence[Fix], seen: Sequence[Seen]) -> TrackMark:
    """The mark of a way. Raises MalformedInput without a fix, of too many, or of two at a time."""
    ordered = sorted(fixes, key=lambda each: each.at)
    _check(ordered)
    around = _Around(seen)
    near = [tuple(around.at(fix.at)) for fix in ordered]
    found = [judged(fix, told) for fix, told in zip(ordered, near, strict=True)]
    weights_s = _weights_s(ordered)
    seconds = dict.fromkeys(Agreement, 0.0)
    reasons: dict[str, float] = {}
    for each, weight_s in zip(found, weights_s, strict=True):
        seconds[each.agreement] += weight_s
        reasons[each.reason] = reasons.get(each.reason, 0.0) + weight_s
    said = [each for told in near for each in told]
    whole_s = ordered[-1].at.since_ns(ordered[0].at) / NS or _MOMENT_S
    return TrackMark(
        verdict=_verdict(found, seconds, whole_s),
        whole_s=whole_s,
        corroborated_s=seconds[Agreement.MATCH],
        partial_s=seconds[Agreement.PARTIAL],
        contradicted_s=seconds[Agreement.MISMATCH],
        fixes=len(ordered),
        networks=tuple(sorted({each.network for each in said if each.network})),
        reasons=tuple(sorted(reasons, key=lambda each: -reasons[each])[:_REASONS]),
        spans=tuple(_spans(ordered, found)),
        simulated=any(each.simulated for each in said),
    )


class _Around:
    """What was said, found by time. Of each network only two neighbours reach to a time."""

    def __init__(self, seen: Sequence[Seen]) -> None:
        names = {each.network for each in seen}
        self._said = [
            windowed([each for each in seen if each.network == name]) for name in sorted(names)
        ]
        self._times = [[each.at for each in said] for said in self._said]

    def at(self, at: Utc) -> Iterator[Seen]:
        """What counts at a time."""
        for said, times in zip(self._said, self._times, strict=True):
            place = bisect_left(times, at)
            # One behind it, one at it, and one after that where two were said at once.
            near = said[max(0, place - 1) : place + 2]
            yield from (each for each in near if each.counts_at(at))


def _judged_by(fix: Fix, seen: Seen) -> Judged:
    silence = _silence(seen)
    if silence:
        return Judged(Agreement.UNKNOWN, silence, compared=False)
    name = seen.network or "the network"
    slack_m = DRIFT_MPS * abs(fix.at.since_ns(seen.at)) / NS
    gap_m, kind = max(
        (each.gap_m(fix.place) - fix.bound_m - slack_m, each.kind) for each in seen.areas
    )
    if gap_m > 0:
        return Judged(Agreement.MISMATCH, f"{name} says elsewhere: outside its {kind}", gap_m)
    if not all(_holds(each, fix, slack_m) for each in seen.areas):
        return Judged(Agreement.PARTIAL, f"{name}: across the edge of its area")
    if seen.own_word:
        return Judged(Agreement.UNKNOWN, f"{name}: the terminal's own word, which proves nothing")
    return Judged(Agreement.MATCH, f"{name} saw it there")


def _silence(seen: Seen) -> str:
    """Why a word says nothing of where the terminal was; empty where it does."""
    name = seen.network or "the network"
    if seen.binding is Binding.OTHER:
        return f"{name}: the SIM is in another device than its own"
    if seen.presence is Presence.UNREACHABLE:
        return f"{name} did not reach the SIM"
    return "" if seen.areas else seen.why or f"{name} did not locate the SIM"


def _holds(area: Area, fix: Fix, slack_m: float) -> bool:
    """Whether the fix with its whole bound lies in the area, wider by what was driven since."""
    return area.depth_m(fix.place) - area.gap_m(fix.place) + slack_m >= fix.bound_m


def _check(ordered: Sequence[Fix]) -> None:
    if not 1 <= len(ordered) <= FIXES_MAX:
        raise MalformedInput(
            f"a way of {len(ordered)} fixes", remedy=f"give 1 to {FIXES_MAX}, or a part of the way"
        )
    twice = next((one.at for one, other in pairwise(ordered) if one.at == other.at), None)
    if twice is not None:
        raise MalformedInput(f"two fixes at {twice}", remedy="keep one of them")


def _weights_s(ordered: Sequence[Fix]) -> list[float]:
    """For how long each fix stands: half way to the next ones, where those are not too far."""
    halves = [
        min(_HALF_S, later.at.since_ns(sooner.at) / NS / 2) for sooner, later in pairwise(ordered)
    ]
    if not halves:
        return [_MOMENT_S]
    return [before + after for before, after in zip([0.0, *halves], [*halves, 0.0], strict=True)]


def _verdict(
    found: Sequence[Judged], seconds: Mapping[Agreement, float], whole_s: float
) -> Agreement:
    told = [each.agreement for each in found if each.compared]
    if told and _worst_share(told) >= CONTRADICTED_SHARE:
        return Agreement.MISMATCH
    if seconds[Agreement.MATCH] >= CORROBORATED_SHARE * whole_s:
        return Agreement.MATCH
    some = any(each is not Agreement.UNKNOWN for each in told)
    return Agreement.PARTIAL if some else Agreement.UNKNOWN


def _worst_share(told: Sequence[Agreement]) -> float:
    """The largest share of contradictions in any stretch of so many; of fewer, in all."""
    size = min(STRETCH_FIXES, len(told))
    bad = [0, *accumulate(int(each is Agreement.MISMATCH) for each in told)]
    return max(bad[end] - bad[end - size] for end in range(size, len(bad))) / size


def _spans(ordered: Sequence[Fix], found: Sequence[Judged]) -> Iterator[Span]:
    begun = 0
    for place in range(1, len(found) + 1):
        first = found[begun]
        same = place < len(found) and (found[place].agreement, found[place].reason) == (
            *(first.agreement, first.reason),
        )
        if not same:
            yield Span(
                *(ordered[begun].at, ordered[place - 1].at, first.agreement, first.reason),
                max(each.gap_m for each in found[begun:place]),
            )
            begun = place


def _reach(at: Utc) -> tuple[Utc, Utc]:
    return at.plus_ns(-AGE_S_MAX * NS), at.plus_ns(AGE_S_MAX * NS)
