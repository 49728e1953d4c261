"""GS1 application identifiers (AI) of keys and their qualifiers: lengths, letters, check digits.

Source: GS1 General Specifications 25, sections 3 and 7.11 (the two alphabets), as its published
table of identifiers gives them; for keys and qualifiers of a Digital Link, and dates beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

_DIGITS: Final = frozenset("0123456789")
_UPPER: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
# GS1 General Specifications, figures 7.11-1 and 7.11-2.
ALPHABET_82: Final = _DIGITS | _UPPER | frozenset("abcdefghijklmnopqrstuvwxyz!\"%&'()*+,-./:;<=>?_")
ALPHABET_39: Final = _DIGITS | _UPPER | frozenset("#-/")


def check_digit(digits: str) -> str:
    """The GS1 check digit: weights 3 and 1 from the right.

    >>> check_digit("401234511111")
    '8'
    """
    total = sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(reversed(digits)))
    return str(-total % 10)


@dataclass(frozen=True, slots=True)
class Identifier:
    """One AI: `digits` come first, then up to `more` letters of `alphabet`.

    `checked`: how many of the digits end in a check digit, 0 for none. `rule` says what else is
    wrong with a value of that shape, empty if nothing.
    """

    ai: str
    digits: int
    more: int = 0
    alphabet: frozenset[str] = ALPHABET_82
    checked: int = 0
    least: int = 0
    rule: Callable[[str], str] | None = None

    def wrong_shape(self, value: str) -> str:
        """What is wrong with length or letters of a value; empty if nothing."""
        head, tail = value[: self.digits], value[self.digits :]
        if len(head) < self.digits or len(tail) > self.more or len(tail) < self.least:
            return f"has {len(value)} characters, not {self._lengths()}"
        if not _DIGITS.issuperset(head):
            return f"begins with {self.digits} digits"
        if not self.alphabet.issuperset(tail):
            strange = next(letter for letter in tail if letter not in self.alphabet)
            return f"must not contain {strange!r}"
        return ""

    def wrong(self, value: str) -> str:
        """What is wrong with a value, its check digit included; empty if nothing."""
        if shape := self.wrong_shape(value):
            return shape
        if self.checked:
            said, right = value[self.checked - 1], check_digit(value[: self.checked - 1])
            if said != right:
                return f"ends its key in the check digit {said}, computed {right}"
        return self.rule(value) if self.rule else ""

    def _lengths(self) -> str:
        least, most = self.digits + self.least, self.digits + self.more
        return str(most) if least == most else f"{least} to {most}"


def _no_leading_zero(value: str) -> str:
    return "begins with a zero" if value.startswith("0") else ""


def _asset(value: str) -> str:
    return "" if value.startswith("0") else "begins with the filling digit 0"


def _pieces(value: str) -> str:
    piece, total = int(value[14:16]), int(value[16:18])
    return "" if 1 <= piece <= total else f"is piece {piece} of {total}"


def _day(value: str) -> str:
    # Section 7.12: a day of 00 is the end of the month; the century is of no concern here.
    year, month, day = int(value[:2]), int(value[2:4]), int(value[4:6])
    try:
        date(2000 + year, month, day or 1)
    except ValueError:
        return f"is no date: {value[:6]}"
    return ""


def _key(ai: str, digits: int, more: int = 0) -> Identifier:
    return Identifier(ai, digits, more, checked=digits)


def _text(ai: str, most: int) -> Identifier:
    return Identifier(ai, 0, most, least=1)


KEYS: Final[Mapping[str, Identifier]] = {
    each.ai: each
    for each in (
        _key("00", 18),
        _key("01", 14),
        _key("253", 13, 17),
        Identifier("255", 13, 12, _DIGITS, checked=13),
        _text("401", 30),
        _key("402", 17),
        _key("414", 13),
        _key("417", 13),
        Identifier("8003", 14, 16, checked=14, rule=_asset),
        _text("8004", 30),
        Identifier("8006", 18, checked=14, rule=_pieces),
        Identifier("8010", 0, 30, ALPHABET_39, least=1),
        _key("8017", 18),
        _key("8018", 18),
    )
}
QUALIFIERS: Final[Mapping[str, Identifier]] = {
    each.ai: each
    for each in (
        _text("22", 20),
        _text("10", 20),
        _text("21", 20),
        _text("235", 28),
        _text("254", 20),
        Identifier("7040", 1, 3, least=3),
        Identifier("8011", 0, 12, _DIGITS, least=1, rule=_no_leading_zero),
        Identifier("8019", 0, 10, _DIGITS, least=1),
    )
}
# GS1 Digital Link URI syntax 1.4, section 4.7: which may follow a key, and in which order.
ORDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "01": ("22", "10", "21", "235"),
    "8006": ("22", "10", "21"),
    "8010": ("8011",),
    "414": ("254", "7040"),
    "417": ("7040",),
    "8017": ("8019",),
    "8018": ("8019",),
}
# Beside the key, in the query: those that are dates. Others are taken as they are.
DATES: Final[Mapping[str, Identifier]] = {
    ai: Identifier(ai, 6, rule=_day) for ai in ("11", "12", "13", "15", "16", "17")
}
