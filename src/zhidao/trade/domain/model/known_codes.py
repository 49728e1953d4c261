"""What codes mean to whoever fills an entry or looks at one: places, stations, commodities.

The short lists of the house answer always; an operator's full lists answer first where they stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, Protocol

from zhidao.trade.domain.model.code_lists import CORRIDOR_PLACES, Station
from zhidao.trade.domain.model.hs_codes import hs_2022

HS_EDITION: Final = "2022"


class NamedCode(NamedTuple):
    """A code with what it is called."""

    code: str
    name: str


class KnownCodes(Protocol):
    """Lists of codes that can be asked; names of the house go before those of a list."""

    def place(self, code: str) -> str:
        """The name of a UN/LOCODE, `` where no list has it."""

    def places_called(self, name: str) -> frozenset[str]:
        """The codes of all places of a name; upper and lower case do not matter."""

    def commodity(self, code: str, edition: str = HS_EDITION) -> str:
        """What a code of the Harmonized System is called, `` where no list says so."""

    def is_commodity(self, code: str, edition: str = HS_EDITION) -> bool | None:
        """Whether an edition has a code of six digits; None where no list of it stands."""

    def station(self, code: str) -> Station | None:
        """A rail station by its number, None where no list has it."""

    def knows_stations_of(self, country: str) -> bool:
        """Whether a list has stations of a country at all."""

    def suggest(self, kind: str, text: str, limit: int) -> list[NamedCode]:
        """At most `limit` codes of a kind (place, station, hs) that begin so, or whose names do."""


class ShortCodes:
    """Implements `KnownCodes` by the house's own: corridor places and the codes of HS 2022."""

    def place(self, code: str) -> str:
        """The name of a corridor place."""
        return _NAMES.get(code, "")

    def places_called(self, name: str) -> frozenset[str]:
        """The codes of corridor places of a name."""
        return _CALLED.get(name.casefold(), frozenset())

    def commodity(self, code: str, edition: str = HS_EDITION) -> str:
        """Nothing: the house has no words for the codes."""
        del code, edition
        return ""

    def is_commodity(self, code: str, edition: str = HS_EDITION) -> bool | None:
        """Whether the edition of 2022 has a code."""
        return code in hs_2022() if edition == HS_EDITION else None

    def station(self, code: str) -> Station | None:
        """None: the house has no stations."""
        del code
        return None

    def knows_stations_of(self, country: str) -> bool:
        """Never."""
        del country
        return False

    def suggest(self, kind: str, text: str, limit: int) -> list[NamedCode]:
        """Codes that begin so, and of places those whose names do."""
        start = text.casefold()
        if kind == "hs":
            return [NamedCode(c, "") for c in sorted(hs_2022()) if c.startswith(text)][:limit]
        found = [
            NamedCode(place.unlocode, place.name)
            for place in CORRIDOR_PLACES
            if place.unlocode.casefold().startswith(start)
            or place.name.casefold().startswith(start)
        ]
        return found[:limit] if kind == "place" else []


_NAMES: Final[Mapping[str, str]] = {place.unlocode: place.name for place in CORRIDOR_PLACES}
_CALLED: Final[Mapping[str, frozenset[str]]] = {
    name.casefold(): frozenset(p.unlocode for p in CORRIDOR_PLACES if p.name == name)
    for name in _NAMES.values()
}
SHORT_CODES: Final[KnownCodes] = ShortCodes()
