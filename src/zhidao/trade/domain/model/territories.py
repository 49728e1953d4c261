"""Customs territories: countries between which goods move without a customs declaration.

Facts from common use (Union Customs Code article 4; Treaty on the Eurasian Economic Union article
25; customs treaty of Switzerland and Liechtenstein); not checked against the texts. Northern
Ireland is taken with Great Britain.
"""

from __future__ import annotations

from typing import Final

_EU: Final = (
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()
)
EUROPEAN_UNION: Final = frozenset(_EU)
EURASIAN_UNION: Final = frozenset(("AM", "BY", "KG", "KZ", "RU"))
# Monaco is part of the customs territory of the EU, not of the EU.
_UNIONS: Final = (EUROPEAN_UNION | {"MC"}, EURASIAN_UNION, frozenset(("CH", "LI")))


def one_territory(left: str, right: str) -> bool:
    """Whether goods between two countries cross no customs border."""
    return left == right or any({left, right} <= union for union in _UNIONS)
