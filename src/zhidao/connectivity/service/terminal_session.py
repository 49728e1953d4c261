"""The talk with a BeiDou unit, without its line: bytes and time in, sentences and happenings out.

State: ASKING for the card -> READY -> WAITING for the answer to a message -> READY. The card's
interval is counted from the answer, which comes after the unit began to send, so it is never
undercut; an answer that does not come counts as a message that went out. A refusal (BDFKI N) leaves
the message where it was, to be sent again after the seconds that the unit says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from zhidao.connectivity.domain.card_number import plain_number
from zhidao.connectivity.domain.message import Form, Message
from zhidao.connectivity.service.inbox import Inbox
from zhidao.connectivity.service.outbox import Offer, Outbox, Waiting
from zhidao.connectivity.wire.datagram import Names, Piece, Record, decode, is_datagram
from zhidao.connectivity.wire.rdss import (
    CardInfo,
    CardInfo3,
    CardQuery,
    Feedback,
    Received3,
    Received21,
    Send3,
    Send21,
    SentenceReader,
    build,
    parse,
)
from zhidao.core.errors import MalformedInput

# The unit answers within a second or two; what is not answered by then counts as sent.
ANSWER_S: Final = 15.0
ASK_AGAIN_S: Final = 5.0
# After a refusal without seconds that is not about the interval: beam lost, silence, no card.
REFUSED_S: Final = 30.0
# Civil BDS-2 cards of the third level carry 628 bits; of the first two 110 and 408 (not checked).
_BYTES: Final = {1: 13, 2: 51}
_BYTES_OTHERWISE: Final = 78
_INTERVAL_UNKNOWN_S: Final = 60
_REGIONAL_POINT: Final = 2


class State(Enum):
    """What the session is about."""

    ASKING = "asking for the card"
    READY = "ready"
    WAITING = "waiting for an answer"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator says of the card: never a shorter interval than the card's own.

    `room`: bytes that it sends at once; 0: by its level. `interval_s`: 0: the card's. `senders`:
    plain numbers of the cards that are listened to; none: all. `listens`: False takes only what
    acknowledges; the rest is not acknowledged, and comes again.
    """

    interval_s: int = 0
    room: int = 0
    senders: frozenset[str] = frozenset()
    listens: bool = True


@dataclass(frozen=True, slots=True)
class CardKnown:
    """The unit told its card. `number` of zeros only: it has none."""

    number: str
    interval_s: int
    room: int
    protocol: str

    @property
    def absent(self) -> bool:
        """Whether there is no card in the unit."""
        return not self.number.strip("0")


@dataclass(frozen=True, slots=True)
class Sent:
    """A message went out; `sure`: the unit said so. `done`: what nobody will acknowledge."""

    offer: Offer
    sure: bool
    done: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True)
class NotSent:
    """The unit refused; it is tried again after `wait_s`. `reason`: its code, not translated."""

    reason: str
    wait_s: float


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message came. `bare`: it came by itself, from somebody who waits for no name."""

    sender: str
    message: Message
    bare: bool


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The other end has these."""

    of: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True)
class Unread:
    """A sentence, or what it carried, that cannot be read; `why` names what is wrong."""

    text: str
    why: str


Happening: TypeAlias = CardKnown | Sent | NotSent | Arrived | Acknowledged | Unread


class TerminalSession:
    """One unit on one line. `next_send_s`: nothing is sent before, as kept from another run."""

    def __init__(
        self,
        outbox: Outbox,
        inbox: Inbox,
        settings: Settings | None = None,
        *,
        next_send_s: float = 0.0,
    ) -> None:
        self.outbox = outbox
        self.next_send_s = next_send_s
        self.card: CardKnown | None = None
        self.state = State.ASKING
        self._inbox = inbox
        self._settings = settings or Settings()
        self._reader = SentenceReader()
        self._asked_s = float("-inf")
        self._offer: Offer | None = None
        self._answer_by_s = 0.0

    # --- in -------------------------------------------------------------------------------------

    def feed(self, data: bytes, now_s: float) -> Iterator[Happening]:
        """What the bytes from the unit bring. Never raises: what cannot be read is told."""
        for line in self._reader.feed(data):
            try:
                sentence = parse(line)
            except MalformedInput as error:
                yield Unread(line[:80], str(error.args[0]))
                continue
            match sentence:
                case CardInfo() | CardInfo3():
                    yield self._card_told(sentence, now_s)
                case Feedback(request="TXA" | "TCQ"):
                    yield from self._answered(sentence, now_s)
                case Received21() | Received3():
                    yield from self._received(sentence, now_s)

    def _card_told(self, info: CardInfo | CardInfo3, now_s: float) -> CardKnown:
        protocol = "2.1" if isinstance(info, CardInfo) else "BDS-3"
        own_s = info.interval_s or _INTERVAL_UNKNOWN_S
        room = self._settings.room or _BYTES.get(info.level, _BYTES_OTHERWISE)
        card = CardKnown(info.card, max(own_s, self._settings.interval_s), room, protocol)
        if self.card is None:
            # A moment kept by a clock that was set back since is no reason to wait for ever.
            self.next_send_s = min(self.next_send_s, now_s + ANSWER_S + card.interval_s)
        self.card = card
        if card.absent:
            self.state = State.ASKING
        elif self.state is State.ASKING:
            self.state = State.READY
        return card

    def _answered(self, answer: Feedback, now_s: float) -> Iterator[Happening]:
        offer, card = self._offer, self.card
        if self.state is not State.WAITING or offer is None or card is None:
            return
        self.state, self._offer = State.READY, None
        if answer.done:
            yield self._went(offer, card, now_s, sure=True)
            return
        # A unit says for how long; where it does not, its interval is not over or it cannot send.
        by_interval = bool(answer.hhmmss) and answer.reason.strip("0") == "1"
        without = card.interval_s if by_interval else max(REFUSED_S, ASK_AGAIN_S)
        wait_s = float(answer.wait_s) or float(without)
        self.next_send_s = now_s + wait_s
        yield NotSent(answer.reason, wait_s)

    def _went(self, offer: Offer, card: CardKnown, now_s: float, *, sure: bool) -> Sent:
        self.next_send_s = now_s + card.interval_s
        return Sent(offer, sure, self.outbox.sent(offer, room=card.room, now_s=now_s))

    def _received(self, message: Received21 | Received3, now_s: float) -> Iterator[Happening]:
        # The number as it stands on the card, so that an answer goes to a card that there is.
        sender, data = plain_number(message.sender), message.data
        allowed = self._settings.senders
        if allowed and sender not in allowed:
            yield Unread(data.hex().upper()[:80], f"card {sender} is none that is listened to")
            return
        if data and not is_datagram(data):
            yield Arrived(sender, Message(Form.PLAIN, data), bare=True)
        elif data:
            try:
                records = decode(data)
            except MalformedInput as error:
                yield Unread(data.hex().upper()[:80], str(error.args[0]))
                return
            yield from self._read(records, sender, now_s)

    def _read(self, records: Sequence[Record], sender: str, now_s: float) -> Iterator[Happening]:
        for record in records:
            match record:
                case Names(names):
                    done = self.outbox.acknowledged(names, by=sender)
                    if done:
                        yield Acknowledged(done)
                case _ if not self._settings.listens:
                    continue
                case Piece():
                    yield from self._piece(record, sender, now_s)
                case Message():
                    yield from self._whole(record, sender)

    def _piece(self, piece: Piece, sender: str, now_s: float) -> Iterator[Happening]:
        if self._inbox.knows(piece.name, sender=sender):
            self.outbox.owe(piece.name, to=sender)
            return
        message = self._inbox.join(piece, sender=sender, now_s=now_s)
        if message is not None:
            yield from self._whole(message, sender)

    def _whole(self, message: Message, sender: str) -> Iterator[Happening]:
        self.outbox.owe(message.name, to=sender)
        if self._inbox.take(message, sender=sender):
            yield Arrived(sender, message, bare=False)

    # --- out ------------------------------------------------------------------------------------

    def tick(self, now_s: float) -> tuple[bytes, tuple[Happening, ...]]:
        """Bytes to write now, and what comes of time alone.

        `next_send_s` is set before the bytes are returned, as if no answer would ever come: kept
        on disk before they are written, it holds the interval even for who is killed meanwhile.
        """
        if self.state is State.ASKING:
            return self._question(now_s), ()
        card = self.card
        told: tuple[Happening, ...] = ()
        assert card is not None
        if self.state is State.WAITING:
            if now_s < self._answer_by_s or self._offer is None:
                return b"", ()
            offer, self._offer, self.state = self._offer, None, State.READY
            told = (self._went(offer, card, now_s, sure=False),)
        if now_s < self.next_send_s:
            return b"", told
        chosen = self.outbox.offer(room=card.room, interval_s=card.interval_s, now_s=now_s)
        if chosen is None:
            return b"", told
        self.state, self._offer = State.WAITING, chosen
        self._answer_by_s = now_s + ANSWER_S
        self.next_send_s = self._answer_by_s + card.interval_s
        return _sentence(chosen, card), told

    def _question(self, now_s: float) -> bytes:
        if now_s < self._asked_s + ASK_AGAIN_S:
            return b""
        self._asked_s = now_s
        return b"".join(build(CardQuery(name, 0, "00")).encode() for name in ("CCICA", "CCICR"))

    def wake_s(self, now_s: float) -> float:
        """When `tick` has something to do, if nothing comes before."""
        if self.state is State.ASKING:
            return self._asked_s + ASK_AGAIN_S if self._asked_s > float("-inf") else now_s
        if self.state is State.WAITING:
            return self._answer_by_s
        card = self.card
        assert card is not None
        due_s = self.outbox.next_due_s(room=card.room, interval_s=card.interval_s)
        return float("inf") if due_s is None else max(due_s, self.next_send_s)


def _sentence(offer: Offer, card: CardKnown) -> bytes:
    """Plain messages go as mixed text, which any unit shows; ours as code, without the A4."""
    if card.protocol == "2.1":
        coding = 2 if offer.plain else 1
        return build(Send21(offer.receiver, 1, coding, offer.payload)).encode()
    coding = 3 if offer.plain else 2
    return build(Send3(offer.receiver, _REGIONAL_POINT, 1, coding, offer.payload, 0)).encode()
