"""Time-ordered 128-bit identifiers, made by us so that every database can store and shard them."""

from __future__ import annotations

from typing import Final, NewType
from uuid import UUID

from zhidao.core.ambient import Clock, Randomness
from zhidao.core.errors import MalformedInput

PartyId = NewType("PartyId", str)
"""Short stable name of a party on this node: lower-case letters, digits, dot and hyphen."""

_SEQUENCE_BITS: Final = 12


class IdSource:
    """Makes UUIDs of version 7 (RFC 9562 section 5.7), strictly increasing within one source.

    The 12 bits after the millisecond count up within that millisecond (method 1 of section 6.2),
    so ids of one source sort in the order in which they were made, even if the clock steps back.
    """

    def __init__(self, clock: Clock, randomness: Randomness) -> None:
        self._clock = clock
        self._randomness = randomness
        self._last = 0

    def new(self) -> UUID:
        """The next identifier."""
        stamp = (self._clock.now().unix_ns // 1_000_000) << _SEQUENCE_BITS
        self._last = max(stamp, self._last + 1)
        high = self._last >> _SEQUENCE_BITS
        sequence = self._last & ((1 << _SEQUENCE_BITS) - 1)
        tail = int.from_bytes(self._randomness.token(8), "big") >> 2
        return UUID(int=high << 80 | 7 << 76 | sequence << 64 | 2 << 62 | tail)


def parse_id(text: str) -> UUID:
    """Reads an identifier in its canonical 36-character form and nothing else.

    >>> str(parse_id("01900000-0000-7000-8000-000000000001"))
    '01900000-0000-7000-8000-000000000001'
    """
    try:
        value = UUID(text)
    except ValueError as error:
        raise MalformedInput(f"not an identifier: {text[:48]!r}") from error
    if str(value) != text:
        raise MalformedInput(f"not the canonical form of an identifier: {text[:48]!r}")
    return value


def party_id(text: str) -> PartyId:
    """Checks a party's name: 1 to 64 characters of `a-z 0-9 . -`, starting with a letter or digit.

    >>> party_id("bank.almaty")
    'bank.almaty'
    """
    good = text.isascii() and text == text.lower() and text[:1].isalnum() and len(text) <= 64
    if not (good and text.replace(".", "").replace("-", "").isalnum()):
        raise MalformedInput(f"not a party name: {text[:70]!r}; use a-z, 0-9, dot and hyphen")
    return PartyId(text)
