"""Payments that wait for their day: what their history says of each, until all of them ended.

An order is one instruction of a customer, of which at least one payment is not due yet. A payment
waits until a moment; then it is released, and from there on nobody cancels it any more; executed
or refused it has ended. Payments are told by their places in the instruction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.core.events import SignedEvent
from zhidao.finance.events.payment_orders import (
    PaymentsAwaited,
    PaymentsCancelled,
    PaymentsEnded,
    PaymentsPutOff,
    PaymentsReleased,
)

NOW: Final = ""
"""The moment of what need not wait."""
CANCELLED: Final = "cancelled"
EXECUTED: Final = "executed"
REFUSED: Final = "refused"
WAITS: Final = "waits"
RELEASED: Final = "released"


@dataclass(frozen=True, slots=True)
class End:
    """How a payment ended: executed, refused (with its code) or cancelled."""

    state: str
    code: str = ""


@dataclass(slots=True)
class PaymentOrder:
    """An order as its history makes it. Of every payment: it waits, is released, or has ended.

    `waits`: by the moment (UTC) until which they wait.
    """

    awaited: PaymentsAwaited
    owner: str
    version: int = 0
    waits: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    released: set[int] = field(default_factory=set)
    ends: dict[int, End] = field(default_factory=dict)

    @property
    def waiting(self) -> set[int]:
        """The places of all that wait."""
        return {place for places in self.waits.values() for place in places}

    @property
    def is_open(self) -> bool:
        """Whether anything waits or is under way."""
        return bool(self.released or self.waits)

    @property
    def state(self) -> str:
        """One word: waits, released, executed, refused, cancelled, or mixed once all ended."""
        if self.waits:
            return WAITS
        if self.released:
            return RELEASED
        states = {one.state for one in self.ends.values()}
        return states.pop() if len(states) == 1 else "mixed"

    @property
    def next_at(self) -> str:
        """The moment of the next execution, or nothing."""
        return min(self.waits, default="")

    def due(self, now: datetime) -> list[str]:
        """The moments that have come."""
        return sorted(one for one in self.waits if moment_of(one) <= now)

    def knows(self, place: int) -> bool:
        """Whether a payment was taken with the order."""
        return place in self.ends or place in self.released or place in self.waiting

    def state_of(self, place: int) -> str:
        """One word about a payment."""
        if place in self.ends:
            return self.ends[place].state
        return RELEASED if place in self.released else WAITS

    def _moves(self, places: set[int]) -> None:
        """These are nowhere until they are put somewhere."""
        self.released -= places
        for moment in list(self.waits):
            self.waits[moment] -= places
            if not self.waits[moment]:
                del self.waits[moment]

    def _tells(self, event: SignedEvent) -> None:
        self.version = event.version
        match event.type:
            case PaymentsReleased.TYPE:
                for moment in PaymentsReleased.of(event).moments:
                    self.released |= self.waits.pop(moment, set())
            case PaymentsPutOff.TYPE:
                later = PaymentsPutOff.of(event)
                self._waits_for(later.at, places_of(later.places))
            case PaymentsCancelled.TYPE:
                places = places_of(PaymentsCancelled.of(event).places)
                self._moves(places)
                self.ends |= dict.fromkeys(places, End(CANCELLED))
            case PaymentsEnded.TYPE:
                for part in PaymentsEnded.of(event).parts:
                    places = places_of(part.places)
                    self._moves(places)
                    end = End(REFUSED, part.code) if part.code else End(EXECUTED)
                    self.ends |= dict.fromkeys(places, end)

    def _waits_for(self, moment: str, places: set[int]) -> None:
        self._moves(places)
        if moment == NOW:
            self.released |= places
        else:
            self.waits[moment] |= places


def fold(history: Sequence[SignedEvent]) -> PaymentOrder | None:
    """The order that a history makes, or None."""
    if not history:
        return None
    awaited = PaymentsAwaited.of(history[0])
    order = PaymentOrder(awaited, history[0].owner, history[0].version)
    for part in awaited.parts:
        order._waits_for(part.at, places_of(part.places))
    for event in history[1:]:
        order._tells(event)
    return order


def moment_of(text: str) -> datetime:
    """A moment as orders write it."""
    return datetime.fromisoformat(text) if text else datetime.min.replace(tzinfo=UTC)


def written(moment: datetime) -> str:
    """A moment as orders write it: in UTC, so that the order of texts is that of time."""
    return moment.astimezone(UTC).isoformat()


def ranges(places: Iterable[int]) -> str:
    """Places as text, neighbours together.

    >>> ranges([7, 0, 1, 2, 5])
    '0-2,5,7'
    """
    return ",".join(
        str(first) if first == last else f"{first}-{last}" for first, last in _runs(sorted(places))
    )


def places_of(text: str) -> set[int]:
    """Places from their text.

    >>> sorted(places_of("0-2,5,7"))
    [0, 1, 2, 5, 7]
    """
    found: set[int] = set()
    try:
        for piece in text.split(",") if text else ():
            first, _, last = piece.partition("-")
            places = range(int(first), int(last or first) + 1)
            found |= set(places) or {int(piece)}
    except ValueError as error:
        raise MalformedInput(f"no places of payments: {text[:40]!r}") from error
    return found


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    start = 0
    for end in range(1, len(places) + 1):
        if end == len(places) or places[end] != places[end - 1] + 1:
            yield places[start], places[end - 1]
            start = end
