"""What a card still has to say, in the order of its urgency, and what fits in the next message.

Alarms and orders go first, then gates, texts, and positions with the newest first. Small ones share
a message; one that is too long goes in pieces with half as many of parity, and one more at a time
until it is acknowledged. Nothing leaves before the other end names it, unless it was not asked to.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.connectivity.domain.card_number import plain_number
from zhidao.connectivity.domain.erasure import INDEX_MAX, PIECES_MAX, piece_of
from zhidao.connectivity.domain.message import URGENT, Form, Message
from zhidao.connectivity.wire.datagram import (
    FRAME_BYTES,
    NAMES_MAX,
    PIECE_HEAD_BYTES,
    Names,
    Piece,
    Record,
    encode,
    encode_record,
)
from zhidao.core.errors import Conflict, Refused

WAITING_MAX: Final = 512
# Names to acknowledge of one card, and cards to which some are owed.
_OWED_MAX: Final = 256
_STATIONS_MAX: Final = 256
# An alarm goes at each interval at first: with 30 % loss, 6 of a million are not there after ten.
_PRESSING_TRIES: Final = 10
_PRESSED_INTERVALS: Final = 4
_FIRST_INTERVALS: Final = 3
_LAST_INTERVALS: Final = 48


@dataclass(slots=True)
class Waiting:
    """A message that waits. `tries` so often sent, `sent_s` last, `index` the next piece."""

    message: Message
    receiver: str
    queued_s: float
    acknowledged: bool = True
    tries: int = 0
    sent_s: float = 0.0
    index: int = 0

    @property
    def urgency(self) -> int:
        """As its form's."""
        return self.message.form.urgency


@dataclass(frozen=True, slots=True)
class Offer:
    """What to send next: to whom, which bytes, and of which messages they are."""

    receiver: str
    payload: bytes
    of: tuple[Waiting, ...]
    names: tuple[bytes, ...] = ()
    plain: bool = False


class Outbox:
    """Messages of one card. Times are seconds of one clock that never goes back."""

    def __init__(self, waiting: Sequence[Waiting] = ()) -> None:
        self._waiting: list[Waiting] = list(waiting)
        self._owed: dict[str, deque[bytes]] = {}

    @property
    def waiting(self) -> tuple[Waiting, ...]:
        """All of them, in the order in which they would go."""
        return tuple(sorted(self._waiting, key=_order))

    @property
    def owes(self) -> bool:
        """Whether names of what came are still to be told."""
        return bool(self._owed)

    def add(
        self,
        message: Message,
        *,
        receiver: str,
        room: int,
        now_s: float,
        acknowledged: bool = True,
    ) -> Waiting:
        """Takes a message. `room`: bytes that the card sends at once.

        Raises Refused (`short_message_size`) for one that the card can never send, Conflict for
        one that waits already, Refused (`outbox_full`) where nothing less urgent can give way.
        """
        check_size(message, room=room)
        if any(each.message == message and each.receiver == receiver for each in self._waiting):
            raise Conflict(
                "the same message waits already", remedy="see zhidao shortmessage outbox"
            )
        new = Waiting(message, receiver, now_s, acknowledged)
        if len(self._waiting) >= WAITING_MAX:
            self._make_room(new)
        self._waiting.append(new)
        return new

    def _make_room(self, new: Waiting) -> None:
        last = max(self._waiting, key=_order)
        older = last.message.form is Form.POSITIONS and last.queued_s < new.queued_s
        if last.urgency <= new.urgency and not (older and last.urgency == new.urgency):
            raise Refused(
                f"{WAITING_MAX} messages wait, none of them less urgent",
                code="outbox_full",
                remedy="see that the unit sends, or remove what need not be sent any more",
            )
        self._waiting.remove(last)

    def offer(self, *, room: int, interval_s: float, now_s: float) -> Offer | None:
        """What goes next, or None if nothing is due. It is gone only after `sent`."""
        due = [each for each in self.waiting if _due_s(each, room, interval_s) <= now_s]
        first = due[0] if due else None
        owed = next(iter(self._owed), None)
        if owed is not None and (first is None or first.urgency != URGENT):
            # Names first: an ear that is not answered says everything again.
            return self._shared(owed, due, room)
        if first is None:
            return None
        if first.message.form is Form.PLAIN:
            return Offer(first.receiver, first.message.body, (first,), plain=True)
        if not _fits(first.message, room):
            return Offer(first.receiver, encode((_piece(first, room),)), (first,))
        return self._shared(first.receiver, due, room)

    def _shared(self, receiver: str, due: Sequence[Waiting], room: int) -> Offer:
        """One message of several: what is urgent, then names that came, then the rest."""
        mine = [each for each in due if each.receiver == receiver and _shares(each.message, room)]
        left = room - FRAME_BYTES
        urgent, left = _filled((each for each in mine if each.urgency == URGENT), left)
        names = self._names(receiver, left)
        told: tuple[Record, ...] = (Names(names),) if names else ()
        left -= len(encode_record(told[0])) if told else 0
        rest, _ = _filled((each for each in mine if each.urgency != URGENT), left)
        records = (*_messages(urgent), *told, *_messages(rest))
        return Offer(receiver, encode(records), (*urgent, *rest), names)

    def _names(self, receiver: str, left: int) -> tuple[bytes, ...]:
        owed = self._owed.get(receiver, ())
        most = max(0, min(NAMES_MAX, (left - 1) // 5))
        return tuple(owed)[:most]

    def sent(self, offer: Offer, *, room: int, now_s: float) -> tuple[Waiting, ...]:
        """Notes that an offer went out; returns those that are done by that alone."""
        done = []
        for each in offer.of:
            each.tries += 1
            each.sent_s = now_s
            if not offer.plain and not _fits(each.message, room):
                each.index = each.index + 1 if each.index < INDEX_MAX else 0
            if not each.acknowledged and each.tries >= _round(each.message, room):
                self._waiting.remove(each)
                done.append(each)
        self._settle(offer)
        return tuple(done)

    def _settle(self, offer: Offer) -> None:
        owed = self._owed.get(offer.receiver)
        if owed is None:
            return
        kept = deque((name for name in owed if name not in offer.names), maxlen=_OWED_MAX)
        if kept:
            self._owed[offer.receiver] = kept
        else:
            del self._owed[offer.receiver]

    def acknowledged(self, names: Sequence[bytes], *, by: str) -> tuple[Waiting, ...]:
        """Lets go of what `by` says that it has; others' messages stay, whatever he says."""
        known = set(names)
        done = [
            each
            for each in self._waiting
            if each.message.name in known and plain_number(each.receiver) == plain_number(by)
        ]
        for each in done:
            self._waiting.remove(each)
        return tuple(done)

    def owe(self, name: bytes, *, to: str) -> None:
        """Notes that a message came, so that its sender is told with the next one that goes."""
        if to not in self._owed and len(self._owed) >= _STATIONS_MAX:
            self._owed.pop(next(iter(self._owed)))
        owed = self._owed.setdefault(to, deque(maxlen=_OWED_MAX))
        if name not in owed:
            owed.append(name)

    def next_due_s(self, *, room: int, interval_s: float) -> float | None:
        """When the next message is due, or None if none waits."""
        times = [_due_s(each, room, interval_s) for each in self._waiting]
        if self._owed:
            return 0.0
        return min(times, default=None)

    def remove(self, name: bytes) -> bool:
        """Drops a message that need not be sent any more; False if there is none."""
        before = len(self._waiting)
        self._waiting = [each for each in self._waiting if each.message.name != name]
        return len(self._waiting) < before


def check_size(message: Message, *, room: int) -> None:
    """Raises Refused (`short_message_size`) for a message that such a card can never send."""
    size = len(message.body)
    if message.form is Form.PLAIN:
        if not _fits(message, room):
            raise Refused(
                f"a message of {size} bytes; this card sends {room - 1} of text at once",
                code="short_message_size",
                remedy="say it shorter, or send it in pieces to a zhidao station",
            )
        return
    least = FRAME_BYTES + PIECE_HEAD_BYTES + 1
    most = PIECES_MAX * (room - least + 1)
    if room < least or (not _fits(message, room) and size > most):
        raise Refused(
            f"a message of {size} bytes; this card sends {room} at once, and at most"
            f" {max(most, 0)} in {PIECES_MAX} pieces",
            code="short_message_size",
            remedy="say it shorter",
        )


def _messages(some: Sequence[Waiting]) -> Iterator[Message]:
    return (each.message for each in some)


def _filled(some: Iterable[Waiting], left: int) -> tuple[list[Waiting], int]:
    """Those of them that fit, in their order, and how many bytes are left then."""
    taken = []
    for each in some:
        size = len(encode_record(each.message))
        if size <= left:
            taken.append(each)
            left -= size
    return taken, left


def _shares(message: Message, room: int) -> bool:
    """Whether it goes whole, with others."""
    return message.form is not Form.PLAIN and _fits(message, room)


def _order(each: Waiting) -> tuple[int, int, float]:
    """What goes sooner is smaller: of equals that which was sent less often, then the older.

    Of positions the newest goes first.
    """
    if each.message.form is Form.POSITIONS:
        return each.urgency, 0, -each.queued_s
    return each.urgency, each.tries, each.queued_s


def _fits(message: Message, room: int) -> bool:
    if message.form is Form.PLAIN:
        # Mixed text has A4 in front.
        return 1 + len(message.body) <= room
    return FRAME_BYTES + len(encode_record(message)) <= room


def _count(message: Message, room: int) -> int:
    most = room - FRAME_BYTES - PIECE_HEAD_BYTES
    return -(-len(message.body) // most)


def _round(message: Message, room: int) -> int:
    """How many sendings make one round: all pieces and half as many of parity."""
    if _fits(message, room):
        return 1
    count = _count(message, room)
    return count + -(-count // 2)


def _piece(each: Waiting, room: int) -> Piece:
    message, count = each.message, _count(each.message, room)
    data = piece_of(message.body, count=count, index=each.index)
    return Piece(message.form, message.name, count, each.index, len(message.body), data)


def _due_s(each: Waiting, room: int, interval_s: float) -> float:
    """When a message may go again."""
    rounds = _round(each.message, room)
    if each.tries < rounds:
        return 0.0
    if each.urgency == URGENT:
        pause = 1 if each.tries < _PRESSING_TRIES else _PRESSED_INTERVALS
    else:
        again = min(each.tries - rounds, 10)
        pause = min(_FIRST_INTERVALS << again, _LAST_INTERVALS)
    return each.sent_s + pause * interval_s
