"""Codes of trade: container numbers, places, delivery terms, package kinds, units of weight."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from zhidao.core.errors import MalformedInput

_CONTAINER: Final = re.compile(r"[A-Z]{3}[UJZ][0-9]{7}", re.ASCII)
_UNLOCODE: Final = re.compile(r"[A-Z]{2}[A-Z2-9]{3}", re.ASCII)

# Incoterms 2020: whether the seller pays the main carriage. Facts of the rules (ICC publication
# 723E); not checked against the published text.
SELLER_PAYS_CARRIAGE: Final = {
    **dict.fromkeys(("EXW", "FCA", "FAS", "FOB"), False),
    **dict.fromkeys(("CFR", "CIF", "CPT", "CIP", "DAP", "DPU", "DDP"), True),
}

# UN/ECE Recommendation 20 codes of mass in kilograms: exact by definition (the pound is
# 0.45359237 kg, the metric ton 1000 kg).
KILOGRAMS: Final = {
    "KGM": Decimal(1),
    "GRM": Decimal("0.001"),
    "TNE": Decimal(1000),
    "LBR": Decimal("0.45359237"),
}


def container_check_digit(first_ten: str) -> int:
    """The check digit of a container number's first ten characters.

    Letters count 10 to 38 without multiples of 11, each position weighs a power of two, and the
    remainder 10 of the division by 11 counts as 0. Source: ISO 6346:2022 annex A; not checked.

    >>> container_check_digit("CSQU305438")
    3
    """
    total = 0
    for position, character in enumerate(first_ten):
        value = int(character, 36)
        # 11, 22 and 33 are skipped in the letters' values.
        value += (value > 10) + (value > 20) + (value > 30) if character.isalpha() else 0
        total += value << position
    return total % 11 % 10


def gtin_check_digit(digits: str) -> int:
    """The check digit behind an article number's other digits.

    From the right they weigh 3 and 1 in turn. Source: GS1 General Specifications, section 7.9; not
    checked.

    >>> gtin_check_digit("0690123456789")
    2
    """
    weighed = (int(one) * (1 if place % 2 else 3) for place, one in enumerate(reversed(digits)))
    return -sum(weighed) % 10


def container_number(text: str) -> str:
    """The text if it is a container number with a right check digit; raises MalformedInput."""
    if not _CONTAINER.fullmatch(text):
        raise MalformedInput(
            f"not a container number: {text[:16]!r}",
            remedy="give owner code, U, J or Z, and seven digits as in CSQU3054383",
        )
    right = container_check_digit(text[:10])
    if right != int(text[10]):
        raise MalformedInput(
            f"container {text}: the check digit is {text[10]}, computed {right}",
            code="container_check_digit",
            remedy="compare the number with the container's door",
        )
    return text


def unlocode(text: str) -> str:
    """The text if it has the form of a UN/LOCODE (`CNSHA`); whether it is listed is not asked."""
    if not _UNLOCODE.fullmatch(text):
        raise MalformedInput(
            f"not a UN/LOCODE: {text[:16]!r}",
            remedy="give two letters of the country and three of the place, without a blank",
        )
    return text
