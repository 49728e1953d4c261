"""Who is refused again and again for what no right program sends waits before the next answer.

A refusal costs the node as much as an answer, and a crowd that only earns refusals takes the turns
of those who ask rightly. So each such refusal of a caller adds to its debt, a debt falls with
time, and a caller in debt waits before its request is looked at: hardly at all after one or two,
seconds after many. Nobody is turned away by this. What a business refuses (a balance too small, a
race lost) is no such refusal.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

CALLERS_KEPT: Final = 20_000
WAIT_S_LONGEST: Final = 5.0
# The wait grows with the square of the debt: 20 ms after one, half a second after five.
_WAIT_S: Final = 0.02
COUNTED: Final = frozenset(
    (
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    )
)
_SAID_BY: Final = (b"authorization", b"cookie")


@dataclass(slots=True)
class _Caller:
    debt: float
    since_s: float
    # Whether it was ever answered: only then what it bears is more than words.
    answered: bool = False


class RefusalDelays:
    """What callers owe, by their block of addresses and what they bear to be known by.

    Several people behind one address are told apart by their tokens or sessions. One that was
    never answered counts as its block, so that words thrown away after each try gain nothing.
    """

    def __init__(self, refusals_per_second: float) -> None:
        """`refusals_per_second`: how fast a debt falls; 0: nobody waits."""
        self._rate = refusals_per_second
        self._callers: OrderedDict[bytes, _Caller] = OrderedDict()

    def caller(self, block: str, headers: Mapping[bytes, bytes]) -> tuple[bytes, bytes]:
        """By what a request is counted: its block, and its block with what it bears."""
        place = block.encode()
        borne = b"\x00".join(headers.get(name, b"") for name in _SAID_BY)
        return place, place + hashlib.sha256(borne).digest()

    def wait_s(self, caller: tuple[bytes, bytes], now_s: float) -> float:
        """How long its next request waits. `now_s` is monotonic."""
        if self._rate == 0:
            return 0.0
        place, own = caller
        known = self._callers.get(own)
        found = known if known and known.answered else self._callers.get(place)
        debt = self._left(found, now_s) if found else 0.0
        return min(WAIT_S_LONGEST, _WAIT_S * debt * debt)

    def answered(self, caller: tuple[bytes, bytes], status: int, now_s: float) -> None:
        """Counts what a request was answered with."""
        if self._rate == 0:
            return
        place, own = caller
        known = self._callers.get(own)
        if status < HTTPStatus.BAD_REQUEST:
            if known is None or not known.answered:
                self._put(own, _Caller(0.0, now_s, answered=True))
            return
        if status not in COUNTED:
            return
        counted = own if known and known.answered else place
        before = self._callers.get(counted)
        debt = 1.0 + (self._left(before, now_s) if before else 0.0)
        self._put(counted, _Caller(debt, now_s, answered=counted is own))

    def _left(self, caller: _Caller, now_s: float) -> float:
        return max(0.0, caller.debt - (now_s - caller.since_s) * self._rate)

    def _put(self, key: bytes, caller: _Caller) -> None:
        self._callers[key] = caller
        self._callers.move_to_end(key)
        if len(self._callers) > CALLERS_KEPT:
            self._callers.popitem(last=False)
