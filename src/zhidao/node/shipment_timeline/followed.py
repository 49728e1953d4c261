"""Which terminals a consignment's road shows, and while they ride with its goods."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from zhidao.core.events import SignedEvent
from zhidao.core.timescale import Utc
from zhidao.devices.events import Ride
from zhidao.positioning.events import ArrivalExpected, ArrivalProven, ArrivalWithdrawn
from zhidao.store.reading import Stored

# Spans of one way that are shown: it goes on in another after each opening.
SPANS_MAX: Final = 8
Span = tuple[Utc, Utc | None]
# Longitude and latitude in degrees, and when the terminal says that it was there.
Report = tuple[float, float, str]


class Followed(NamedTuple):
    """A terminal by which a container is awaited, or the only one (``); `until` when it was."""

    terminal: str
    container: str
    until: Utc | None


def followed_of(seen: Sequence[Stored], whole: Sequence[Stored]) -> list[Followed]:
    """The terminals by which a consignment was awaited last, each with the end of that.

    `seen`: what the viewer may see, by which terminals are awaited; `whole`: all events of the
    consignment. A terminal is awaited until its own arrival is proven, whatever becomes of the
    others, or until nobody waits any more.
    """
    wishes = [s.event for s in seen if ArrivalExpected.is_told_by(s.event.type)]
    if not wishes:
        return []
    ends = [s.event for s in whole if _is_end(s.event, wishes[-1].aggregate)]
    asked = [(wish, ArrivalExpected.of(wish)) for wish in _last(wishes, ends)]
    return [
        Followed(fact.terminal, fact.container, _until(wish, fact.terminal, ends))
        for wish, fact in asked
        if fact.terminal
    ]


def _is_end(event: SignedEvent, arrival: str) -> bool:
    """Whether something that was awaited came, or is awaited no more."""
    ends = any(kind.is_told_by(event.type) for kind in (ArrivalProven, ArrivalWithdrawn))
    return ends and event.aggregate == arrival


def _last(wishes: Sequence[SignedEvent], ends: Iterable[SignedEvent]) -> list[SignedEvent]:
    """What was awaited at once with the newest: of several containers each."""
    gone = [end.version for end in ends if ArrivalWithdrawn.is_told_by(end.type)]
    former = max((version for version in gone if version < wishes[-1].version), default=0)
    return [wish for wish in wishes if wish.version > former]


def spans_of(followed: Followed, rides: Iterable[Ride], *, consignment: str) -> list[Span]:
    """When the places of a terminal are shown: while a seal holds it, until nobody waits for it.

    The last ones, the oldest first, and none of them within another.
    """
    spans: list[Span] = []
    for ride in sorted(rides, key=lambda each: each.begin):
        if ride.consignment != consignment or followed.container not in ("", ride.container):
            continue
        end = _sooner(ride.end, followed.until)
        if end is None or end > ride.begin:
            _add(spans, (ride.begin, end))
    return spans[-SPANS_MAX:]


def _add(spans: list[Span], span: Span) -> None:
    """Adds a span that begins no sooner than those before, as part of the last where they meet."""
    begin, end = span
    if spans and (spans[-1][1] is None or begin <= spans[-1][1]):
        begin, before = spans.pop()
        end = None if before is None or end is None else max(before, end)
    spans.append((begin, end))


def _until(wish: SignedEvent, terminal: str, ends: Iterable[SignedEvent]) -> Utc | None:
    found = (
        end.occurred_at
        for end in ends
        if end.version > wish.version
        and (ArrivalWithdrawn.is_told_by(end.type) or ArrivalProven.of(end).terminal == terminal)
    )
    return min(found, default=None)


def _sooner(one: Utc | None, other: Utc | None) -> Utc | None:
    return min((each for each in (one, other) if each is not None), default=None)
