"""Which terminal a consignment's road shows, and from when until when it rides with its goods."""

from __future__ import annotations

from collections.abc import Sequence

from zhidao.core.events import SignedEvent
from zhidao.core.timescale import Utc
from zhidao.devices.events import Sealed
from zhidao.positioning.events import ArrivalExpected, ArrivalProven, ArrivalWithdrawn
from zhidao.store.reading import Stored


def followed_of(
    seen: Sequence[Stored], whole: Sequence[Stored]
) -> tuple[str, Utc, Utc | None] | None:
    """The terminal, the begin of its ride and its end (None: it rides on); None: nobody is awaited.

    `seen`: what the viewer may see, by which the terminal is awaited; `whole`: all events of the
    consignment. The ride begins when the goods were sealed to the terminal or, where no seal names
    it here, when it was awaited; it ends with the proven arrival, or when nobody waits any more.
    """
    wish = _newest_wish(seen)
    terminal = ArrivalExpected.of(wish).terminal if wish else ""
    if wish is None or not terminal:
        return None
    events = [stored.event for stored in whole]
    return terminal, _begin(events, wish, terminal), _end(events, wish)


def _newest_wish(seen: Sequence[Stored]) -> SignedEvent | None:
    wishes = [s.event for s in seen if ArrivalExpected.is_told_by(s.event.type)]
    return wishes[-1] if wishes else None


def _begin(events: Sequence[SignedEvent], wish: SignedEvent, terminal: str) -> Utc:
    seals = [event for event in events if Sealed.is_told_by(event.type)]
    begins = [each.occurred_at for each in seals if Sealed.of(each).terminal == terminal]
    return min([wish.occurred_at, *begins])


def _end(events: Sequence[SignedEvent], wish: SignedEvent) -> Utc | None:
    return min((event.occurred_at for event in events if _ends(event, wish)), default=None)


def _ends(event: SignedEvent, wish: SignedEvent) -> bool:
    """Whether a wish was fulfilled or withdrawn by that event."""
    if event.aggregate != wish.aggregate or event.version <= wish.version:
        return False
    return any(kind.is_told_by(event.type) for kind in (ArrivalProven, ArrivalWithdrawn))
