"""What came over short messages: copies are known as such, pieces are put together."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from zhidao.connectivity.domain.card_number import plain_number
from zhidao.connectivity.domain.erasure import whole_of
from zhidao.connectivity.domain.message import Message
from zhidao.connectivity.wire.datagram import Piece

# Names that are remembered; a copy that comes after so many others counts as new.
KNOWN_MAX: Final = 16_384
# Messages of which some pieces came, and how long they are waited for.
UNFINISHED_MAX: Final = 64
UNFINISHED_S: Final = 6 * 3600.0


@dataclass(slots=True)
class _Unfinished:
    since_s: float
    pieces: dict[int, bytes] = field(default_factory=dict)


class Inbox:
    """Messages that came to one card."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, bytes], None] = OrderedDict()
        self._unfinished: OrderedDict[tuple[str, bytes, int, int], _Unfinished] = OrderedDict()

    def take(self, message: Message, *, sender: str) -> bool:
        """Whether it is new; a copy is told once only."""
        key = (plain_number(sender), message.name)
        if key in self._known:
            self._known.move_to_end(key)
            return False
        self._known[key] = None
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
        return True

    def knows(self, name: bytes, *, sender: str) -> bool:
        """Whether a message of that name came whole before."""
        return (plain_number(sender), name) in self._known

    def join(self, piece: Piece, *, sender: str, now_s: float) -> Message | None:
        """The message that this piece completes, if it does and is what its name says."""
        self._forget(now_s)
        key = (plain_number(sender), piece.name, piece.count, piece.size)
        unfinished = self._unfinished.setdefault(key, _Unfinished(now_s))
        unfinished.since_s = now_s
        self._unfinished.move_to_end(key)
        unfinished.pieces[piece.index] = piece.data
        if len(unfinished.pieces) >= piece.count:
            del self._unfinished[key]
            body = whole_of(unfinished.pieces, count=piece.count, size=piece.size)
            message = Message(piece.form, body)
            return message if message.name == piece.name else None
        while len(self._unfinished) > UNFINISHED_MAX:
            self._unfinished.popitem(last=False)
        return None

    def _forget(self, now_s: float) -> None:
        while self._unfinished:
            oldest = next(iter(self._unfinished.values()))
            if now_s - oldest.since_s < UNFINISHED_S:
                return
            self._unfinished.popitem(last=False)
