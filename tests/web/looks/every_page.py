"""Every page and every look of it: what is asked of all of them is asked here by name."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any, Final

import pytest

# Page and the state of the fixture in which it is looked at.
PAGES: Final[dict[str, dict[str, Any]]] = {
    "/": {},
    "/waiting": {},
    "/consignments/C-2038": {},
    "/consignments/C-2039": {},
    "/consignments/C-2042": {},
    "/consignments/C-2043": {},
    "/consignments/C-2038/position": {},
    "/papers": {},
    "/papers/folder": {},
    "/factory": {},
    "/trace": {},
    "/trace?thing=urn:raw": {},
    "/devices": {},
    "/declarations": {},
    "/money": {},
    "/money/credits": {},
    "/money/credits/LC-2026-0042": {},
    "/money/exchange": {},
    "/money/receivables": {},
    "/deals": {},
    "/deals/new": {},
    "/exchange": {},
    "/trust": {},
    "/verify/C-2038": {},
    "/node": {},
    "/people": {},
    "/access": {},
    "/notifications": {},
    "/help": {},
    "/nowhere": {},
    "/peers": {"role": "operator"},
    "/login": {"signed_in": False},
    "/start": {"first_start": True},
}
LANGUAGES: Final = ("en", "zh", "ar")
THEMES: Final = ("light", "dark")
WIDTHS: Final = (360, 768, 1440)
LOOKS: Final = tuple(itertools.product(LANGUAGES, THEMES, WIDTHS))


_SHARES = 4


def looks() -> list[Any]:
    """Looks with their pages: every day another of each.

    A share of the pages a day, so that each look
    meets each page in two months and a half; all of all by `--long`.
    """
    day = datetime.now(UTC).toordinal()
    names = list(PAGES)
    today = pytest.param(*LOOKS[day % len(LOOKS)], names[day // len(LOOKS) % _SHARES :: _SHARES])
    return [today, *(pytest.param(*each, names, marks=pytest.mark.long) for each in LOOKS)]
