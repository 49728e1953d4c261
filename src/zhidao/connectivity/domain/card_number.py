"""The number of a BeiDou card, of which units write more or fewer zeros in front."""

from __future__ import annotations

import re
from typing import Final

_DIGITS: Final = 7
# BDS-2 cards have 7 digits, BDS-3 cards 7 or 8.
_CARD: Final = re.compile(r"[0-9]{1,8}\Z", re.ASCII)


def is_card(text: str) -> bool:
    """Whether it may stand for a card."""
    return _CARD.match(text) is not None


def plain_number(number: str) -> str:
    """The number as it stands on a card: 7 digits, 8 of later BDS-3 cards.

    >>> plain_number("04207733"), plain_number("195817"), plain_number("15240507")
    ('4207733', '0195817', '15240507')
    """
    return number.lstrip("0").zfill(_DIGITS)


def spellings(number: str) -> tuple[str, ...]:
    """The number as it stands on the card, then as it may have been taken down before.

    >>> spellings("00195817")
    ('0195817', '00195817', '195817')
    """
    return tuple(dict.fromkeys((plain_number(number), number, number.lstrip("0") or "0")))
