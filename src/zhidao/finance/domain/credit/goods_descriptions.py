"""What a description of goods says beside what the credit asks: more of them, or not new.

Words are looked for that say so plainly, in English as papers are written; what a description
merely tells more of, a drawing's number or a pressure, is no other goods.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from zhidao.finance.domain.credit.checks import plain
from zhidao.finance.domain.credit.credit_terms import Goods

_COUNT: Final = r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|twelve|a|an|some)"
_BESIDE: Final = r"(?:and|plus|with|including|incl|also|together with|as well as|along with)"
_MORE: Final = (
    r"(?:spare|extra|additional|replacement|complimentary|bonus|sample|samples|promotional)"
)
# What is counted and is no goods of its own: how the goods are measured, packed and made.
_NO_GOODS: Final = frozenset(
    """bar mpa kpa psi hz khz v kv volt volts w kw hp rpm mm cm m inch in kg g t mt ton tons tonne
    tonnes l litre litres year years month months day days hour hours percent pct pc pcs piece
    pieces set sets unit units carton cartons case cases box boxes pallet pallets crate crates bag
    bags drum drums package packages roll rolls container containers stage stages speed speeds
    phase phases pole poles degree degrees c f way ways core cores ply layer layers inches feet ft
    original originals copy copies a certificate""".split()
)
_ADDED: Final = (
    re.compile(rf"\b{_COUNT} {_MORE} \w+"),
    re.compile(rf"\b{_BESIDE} {_COUNT} (\w+)(?: \w+)?"),
    re.compile(rf"\b{_BESIDE} (?:\w+ )?(?:accessories|tools?|tool ?kits?|attachments?|spares)\b"),
    re.compile(r"\b(?:additionally|in addition|furthermore|moreover|besides) \w+(?: \w+)?"),
    re.compile(r"\b(?:spare|replacement) parts?\b"),
    re.compile(r"\b(?:free of charge|without charge|gratis|no commercial value)\b"),
)
_NOT_NEW: Final = re.compile(
    r"(?P<no>\b(?:not|no|non|never|without)\b(?: \w+)? )?"
    r"\b(?P<said>(?:second|2nd) ?hand|pre ?owned|refurbished|reconditioned|rebuilt|remanufactured|"
    r"re ?manufactured|overhauled|used (?:goods|condition|machine|machines|machinery|equipment|"
    r"pumps?|parts?)|in used condition|previously used|ex demo|ex display|"
    r"(?:demonstration|demo|display|showroom|exhibition) (?:models?|units?|pieces?|goods|items?)|"
    r"b stock|scrap|damaged|defective)\b"
)


def added_goods(text: str, *, asked_for: Goods) -> Iterator[str]:
    """What a text shows beside the goods of the credit."""
    words, known = plain(text), _known(asked_for)
    found: list[str] = []
    for form in _ADDED:
        for one in form.finditer(words):
            is_measure = bool(one.groups()) and one[1] in _NO_GOODS
            if not is_measure and one[0] not in known and not _holds(found, one[0]):
                found.append(one[0])
    yield from found


def not_new(text: str, *, asked_for: Goods) -> Iterator[str]:
    """What a text says of goods that are not new; what the credit itself says is asked for."""
    known = _known(asked_for)
    for one in _NOT_NEW.finditer(plain(text)):
        if not one["no"] and one["said"] not in known:
            yield one["said"]


def _holds(found: list[str], words: str) -> bool:
    return any(words in one or one in words for one in found)


def _known(goods: Goods) -> str:
    return plain(" ".join([goods.description, *(line.description for line in goods.lines)]))
