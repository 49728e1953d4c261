"""Questions that wait for one answer: a passkey's challenge, the way to a provider and back.

Each counts once, for minutes, and of each place only so many wait; what is dropped is the oldest,
of the same place first. They live in this process: after a restart one begins anew.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Final, Generic, TypeVar

from zhidao.core.ambient import Clock, Randomness
from zhidao.core.encoding import base64url
from zhidao.core.timescale import NS, Utc

ANSWERED_WITHIN_S: Final = 300
PENDING_OF_ONE_MAX: Final = 16
PENDING_MAX: Final = 20_000
_TICKET_BYTES: Final = 24
_T = TypeVar("_T")


class PendingAnswers(Generic[_T]):
    """Keeps what has to be remembered until the answer comes."""

    def __init__(self, clock: Clock, randomness: Randomness) -> None:
        self._clock = clock
        self._randomness = randomness
        self._kept: OrderedDict[bytes, tuple[str, Utc, _T]] = OrderedDict()
        self._of: dict[str, OrderedDict[bytes, None]] = {}

    def keep(self, question: _T, source: str) -> str:
        """The ticket that the answer has to bring. `source`: by whom or from where it is asked."""
        now = self._clock.now()
        while self._kept and next(iter(self._kept.values()))[1] < now:
            self._drop(next(iter(self._kept)))
        if len(own := self._of.setdefault(source, OrderedDict())) >= PENDING_OF_ONE_MAX:
            self._drop(next(iter(own)))
        elif len(self._kept) >= PENDING_MAX:
            self._drop(next(iter(self._kept)))
        ticket = base64url(self._randomness.token(_TICKET_BYTES))
        key = _key(ticket)
        self._kept[key] = (source, now.plus_ns(ANSWERED_WITHIN_S * NS), question)
        self._of.setdefault(source, OrderedDict())[key] = None
        return ticket

    def take(self, ticket: str) -> _T | None:
        """What was kept under a ticket, this once; None if it was used, dropped or is too old."""
        key = _key(ticket)
        if key not in self._kept:
            return None
        _, until, question = self._kept[key]
        self._drop(key)
        return None if until < self._clock.now() else question

    def __len__(self) -> int:
        return len(self._kept)

    def _drop(self, key: bytes) -> None:
        source, _, _ = self._kept.pop(key)
        own = self._of[source]
        del own[key]
        if not own:
            del self._of[source]


def _key(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode("utf-8", "surrogatepass")).digest()
