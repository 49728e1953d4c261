"""Atomic values of XPath 2.0: what each is in Python, how they are cast and compared.

xs:untypedAtomic is `Untyped`, xs:string `str`, xs:integer `int`, xs:decimal `Decimal` (exact),
xs:double `float`, xs:boolean `bool`, xs:date `Date`. Source: XPath 2.0 sections 2.4 and 3.5,
XQuery 1.0 and XPath 2.0 Functions and Operators sections 6 and 17.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Context, Decimal, Inexact, InvalidOperation, Overflow
from functools import lru_cache
from typing import Any, Final

from zhidao.rules.xpath.nodes import Attribute, Document, Element, Text


class OutsideSubset(Exception):
    """An expression, or a value met while it ran, that another engine must judge."""


class XPathError(Exception):
    """A dynamic error of XPath, by its code: the expression has no value."""


class Untyped(str):
    """A string that came out of a document: xs:untypedAtomic."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Date:
    """xs:date: `minutes` since 0001-01-01T00:00 UTC of its first instant.

    `zoned` says whether a time zone was given; the two kinds are not compared here.
    """

    minutes: int
    zoned: bool


# Sums of amounts need some 40 digits; more than this is no business value.
EXACT: Final = Context(
    prec=2000, Emax=10000, Emin=-10000, traps=[Inexact, InvalidOperation, Overflow]
)
WHITESPACE: Final = " \t\n\r"
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_DOUBLE: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DATE: Final = re.compile(
    r"(-?[0-9]{4,9})-([0-9]{2})-([0-9]{2})(Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))?"
)
_SPECIAL: Final = {"INF": math.inf, "-INF": -math.inf, "NaN": math.nan, "+INF": math.inf}
_TRUE_FALSE: Final = {"true": True, "1": True, "false": False, "0": False}
_TEXTS_KEPT: Final = 4096
_HALF: Final = Decimal("0.5")
# A value longer than this is handed to the other engine rather than risked.
_DIGITS_MAX: Final = 1000


def atom_of(item: Any) -> Any:
    """The typed value of an item: a node's string is untyped."""
    return Untyped(item.string()) if type(item) in NODES else item


NODES: Final = (Element, Attribute, Text, Document)


def to_string(value: Any) -> str:
    """The value cast to xs:string."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return _decimal_text(value)
    if isinstance(value, float):
        return _double_text(value)
    raise OutsideSubset("a date as text")


def _decimal_text(value: Decimal) -> str:
    if value == 0:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _double_text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "INF" if value > 0 else "-INF"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    if 1e-6 <= abs(value) < 1e6:
        return _decimal_text(Decimal(repr(value)))
    raise OutsideSubset("a double in scientific notation")


def to_double(value: Any) -> float:
    """The value cast to xs:double. Raises XPathError FORG0001 where it cannot be."""
    if isinstance(value, str):
        return double_of(value)
    if isinstance(value, float):
        return value
    if isinstance(value, bool):
        return 1.0 if value else 0.0
    if isinstance(value, int | Decimal):
        try:
            return float(value)
        except OverflowError as error:
            raise OutsideSubset("a number beyond a double") from error
    raise XPathError("XPTY0004")


# A document says the same few amounts and rates again and again; errors are not kept.
@lru_cache(_TEXTS_KEPT)
def double_of(text: str) -> float:
    """A text cast to xs:double. Raises XPathError FORG0001 where it cannot be."""
    text = text.strip(WHITESPACE)
    if _DOUBLE.fullmatch(text):
        return float(text)
    if text in _SPECIAL:
        return _SPECIAL[text]
    raise XPathError("FORG0001")


@lru_cache(_TEXTS_KEPT)
def decimal_of(text: str) -> Decimal:
    """A text cast to xs:decimal, exactly. Raises XPathError FORG0001 where it cannot be."""
    text = text.strip(WHITESPACE)
    if not _DECIMAL.fullmatch(text):
        raise XPathError("FORG0001")
    if len(text) > _DIGITS_MAX:
        raise OutsideSubset(f"a number of more than {_DIGITS_MAX} characters")
    return Decimal(text)


def to_decimal(value: Any) -> Decimal:
    """The value cast to xs:decimal, exactly. Raises XPathError where it cannot be."""
    if type(value) is Decimal:
        return value
    if isinstance(value, str):
        return decimal_of(value)
    if isinstance(value, bool):
        return Decimal(int(value))
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        if math.isnan(value) or math.isinf(value):
            raise XPathError("FOCA0002")
        if value and not 1e-100 < abs(value) < 1e100:
            raise OutsideSubset("a very large or small double")
        return Decimal(value)
    raise XPathError("XPTY0004")


def to_integer(value: Any) -> int:
    """The value cast to xs:integer. Raises XPathError where it cannot be."""
    if isinstance(value, str):
        text = value.strip(WHITESPACE)
        if not _INTEGER.fullmatch(text):
            raise XPathError("FORG0001")
        if len(text) > _DIGITS_MAX:
            raise OutsideSubset(f"a number of more than {_DIGITS_MAX} characters")
        return int(text)
    return int(to_decimal(value))


def to_boolean(value: Any) -> bool:
    """The value cast to xs:boolean. Raises XPathError where it cannot be."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        text = value.strip(WHITESPACE)
        if text not in _TRUE_FALSE:
            raise XPathError("FORG0001")
        return _TRUE_FALSE[text]
    if isinstance(value, int | Decimal):
        return value != 0
    if isinstance(value, float):
        return not (value == 0 or math.isnan(value))
    raise XPathError("XPTY0004")


def to_date(value: Any) -> Date:
    """The value cast to xs:date. Raises XPathError where it cannot be."""
    if isinstance(value, Date):
        return value
    if not isinstance(value, str):
        raise XPathError("XPTY0004")
    return _date_of(value)


# Invoices of a month have few days.
@lru_cache(_TEXTS_KEPT)
def _date_of(text: str) -> Date:
    match = _DATE.fullmatch(text.strip(WHITESPACE))
    if not match:
        raise XPathError("FORG0001")
    year, zone = match[1], match[4]
    if len(year) > 4 or year in ("0000", "0001", "9999"):
        raise OutsideSubset("a year beyond four digits")
    try:
        day = date(int(year), int(match[2]), int(match[3])).toordinal()
    except ValueError as error:
        raise XPathError("FODT0001") from error
    return Date(day * 1440 - _zone_minutes(zone), zone is not None)


def _zone_minutes(zone: str | None) -> int:
    if zone is None or zone == "Z":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    return -minutes if zone[0] == "-" else minutes


# The same for what is known to be a text.
TEXT_CASTS: Final[dict[Any, Callable[[str], Any]]] = {to_double: double_of, to_decimal: decimal_of}
CASTS: Final = {
    "string": to_string,
    "double": to_double,
    "decimal": to_decimal,
    "integer": to_integer,
    "boolean": to_boolean,
    "date": to_date,
}


def is_number(value: Any) -> bool:
    """Whether a value is xs:integer, xs:decimal or xs:double."""
    return isinstance(value, int | Decimal | float) and not isinstance(value, bool)


def ordered(left: Any, right: Any) -> tuple[Any, Any]:
    """Both values in the one form in which Python compares them as XPath does.

    Raises XPathError XPTY0004 for types that XPath does not compare.
    """
    kind = type(left)
    if kind is type(right):
        if kind is Decimal or kind is int or kind is float:
            return left, right
        if kind is Date:
            return _ordered_dates(left, right)
    if is_number(left) and is_number(right):
        if isinstance(left, float) or isinstance(right, float):
            return to_double(left), to_double(right)
        return left, right
    if isinstance(left, str) and isinstance(right, str):
        # Code points order UTF-32; Python compares strings so.
        return str(left), str(right)
    if isinstance(left, bool) and isinstance(right, bool):
        return left, right
    raise XPathError("XPTY0004")


def _ordered_dates(left: Date, right: Date) -> tuple[int, int]:
    if left.zoned != right.zoned:
        raise OutsideSubset("dates with and without a time zone")
    return left.minutes, right.minutes


def round_half_up(value: Any) -> Any:
    """fn:round: halves go towards positive infinity, -2.5 becomes -2."""
    if isinstance(value, int):
        return value
    if isinstance(value, Decimal):
        return EXACT.add(value, _HALF).to_integral_value(rounding=ROUND_FLOOR)
    if math.isnan(value) or math.isinf(value) or abs(value) >= 2**52:
        return value
    below = math.floor(value)
    rounded = float(below + 1 if value - below >= 0.5 else below)
    return math.copysign(rounded, value) if rounded == 0 else rounded
