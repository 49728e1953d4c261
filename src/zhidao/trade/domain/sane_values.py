"""Values that cannot be by themselves: days of another age, codes that no list has, no price.

An entry of version 1 bears texts in wider forms than version 2; what is a code in the one is a code
in the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.codes import gtin_check_digit
from zhidao.trade.domain.model.catalogue import field_of
from zhidao.trade.domain.model.forms import day

# No paper that is used today is older, and none is written for days that far ahead.
FIRST_DAY: Final = date(1990, 1, 1)
AHEAD_YEARS: Final = 10
# For who has no clock at hand.
_LAST_DAY: Final = date(2100, 1, 1)
_CODED: Final = (
    *("typeCode", "originCountry.id", "originCriterionCode", "requestedUnitCode"),
    *("packageQuantity", "packageTypeCode", "taxCategoryCode", "currencyCode", "countryId"),
)
# Below 2^63-1 minor units of a currency with four places (core.limits.AMOUNT_MINOR_MAX).
_AMOUNT_MAX: Final = Decimal(10) ** 14
_GTIN_LENGTHS: Final = (8, 12, 13, 14)


def out_of_time(values: Mapping[str, str], today: date | None) -> Iterator[tuple[str, str]]:
    """Each day before 1990 or more than ten years ahead, by its path, and why.

    today: the day of the node's clock; without one, days of the next century are refused.
    """
    for path, text in values.items():
        if field_of(path).form is day and (why := why_out_of_time(date.fromisoformat(text), today)):
            yield path, why


def why_out_of_time(one: date, today: date | None) -> str:
    """Why a day can be that of no paper, '' if it can."""
    if one < FIRST_DAY:
        return f"{one} lies before {FIRST_DAY.year}"
    if today is None:
        return f"{one} lies in another century" if one >= _LAST_DAY else ""
    # The first of the month is in every year.
    last = today.replace(year=min(today.year + AHEAD_YEARS, date.max.year), day=1)
    return f"{one} lies more than {AHEAD_YEARS} years ahead" if one > last else ""


def coded_wrongly(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each code that is none, price that is nothing and article number that was mistyped."""
    for path, text in values.items():
        if path.endswith(_CODED):
            try:
                field_of(path).form(text)
            except MalformedInput as error:
                yield path, str(error.args[0])
        elif path.endswith(".unitPriceAmount") and not Decimal(text):
            yield path, "a price of nothing"
        elif path.endswith(".globalId") and (why := _no_gtin(text)):
            yield path, why


def too_dear(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each item whose amount is beyond what an account can hold, by its larger number."""
    for path, text in values.items():
        item, ends, _ = path.rpartition(".unitPriceAmount")
        count = values.get(f"{item}.requestedQuantity", "") if ends else ""
        if count and Decimal(text) * Decimal(count) > _AMOUNT_MAX:
            larger = Decimal(count) > Decimal(text)
            where = f"{item}.requestedQuantity" if larger else path
            yield where, f"{count} at {text} is more than any account holds"


def _no_gtin(text: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) in _GTIN_LENGTHS):
        # Others number their articles in other ways.
        return ""
    right = gtin_check_digit(text[:-1])
    return "" if right == int(text[-1]) else f"GTIN {text}: the check digit is {right}"
