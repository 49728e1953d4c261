"""Trade agreements as data: members, tolerances, and the rule of each product.

Facts of RCEP chapter 3 and of the ACFTA rules of origin as amended by the upgrade protocol; article
numbers and the list of chapters were not checked against the published texts. Product rules of
RCEP's annex 3A are not shipped: an operator's file gives them, and without one the answer is
undecided.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from zhidao.core.errors import MalformedInput

ASEAN: Final = frozenset(("BN", "ID", "KH", "LA", "MM", "MY", "PH", "SG", "TH", "VN"))
_TERM: Final = re.compile(r"WO|PE|CC|CTH|CTSH|CR|RVC(100|[1-9][0-9]?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class ProductRule:
    """Alternatives, any of which makes a product originate; each is a set of terms that all hold.

    Terms: WO, PE, CC, CTH, CTSH (change of chapter, heading, subheading), CR (chemical reaction),
    RVC40 (regional value content of at least so many per cent).
    """

    alternatives: tuple[tuple[str, ...], ...]

    @classmethod
    def parse(cls, text: str) -> ProductRule:
        """A rule such as `CTH | RVC40` or `CC & RVC35`. Raises MalformedInput.

        >>> ProductRule.parse("CTH | RVC40").alternatives
        (('CTH',), ('RVC40',))
        """
        alternatives = tuple(
            tuple(term.strip() for term in part.split("&")) for part in text.split("|")
        )
        for term in (term for part in alternatives for term in part):
            if not _TERM.fullmatch(term):
                raise MalformedInput(
                    f"not a term of a product rule: {term[:20]!r}",
                    remedy="WO, PE, CC, CTH, CTSH, CR or RVC with a number, joined by & and |",
                )
        return cls(alternatives)

    def __str__(self) -> str:
        return " | ".join(" & ".join(part) for part in self.alternatives)


@dataclass(frozen=True, slots=True)
class Agreement:
    """An agreement's facts. `rules` go by HS prefix, the longest first; `general` stands for none.

    `tolerance_percent` is the de minimis share of the FOB value; for chapters 50 to 63 the same
    share of weight is an alternative where `textile_weight` says so. `sides`: where given, a party
    of each stands at either end of the trade.
    """

    name: str
    members: frozenset[str]
    tolerance_percent: Decimal
    textile_weight: bool
    validity_months: int
    hs_edition: str
    general: ProductRule | None = None
    rules: Mapping[str, ProductRule] = field(default_factory=dict)
    sides: tuple[frozenset[str], ...] = ()

    def binds(self, seller: str, buyer: str) -> bool:
        """Whether goods between two countries may have the agreement's preference."""
        both = {seller, buyer}
        if seller == buyer or not both <= self.members:
            return False
        return all(both & side for side in self.sides)

    def rule_of(self, hs: str) -> ProductRule | None:
        """The rule of a product, None where no rule is known."""
        for digits in (6, 4, 2):
            if hs[:digits] in self.rules:
                return self.rules[hs[:digits]]
        return self.general

    def with_rules(self, rules: Mapping[str, ProductRule]) -> Agreement:
        """The agreement with more product rules."""
        return replace(self, rules={**self.rules, **rules})


RCEP: Final = Agreement(
    name="RCEP",
    members=ASEAN | {"AU", "CN", "JP", "KR", "NZ"},
    tolerance_percent=Decimal(10),
    textile_weight=True,
    validity_months=12,
    hs_edition="2022",
)
# Chapters whose goods may also qualify by a change of heading under the upgrade protocol.
_ACFTA_HEADING: Final = (
    *(25, 26, 28, 29, 31, 39, *range(42, 50), 57, 58, 59, 61, 62, 64, *range(66, 72)),
    *(*range(73, 84), 86, 88, *range(91, 98)),
)
ACFTA: Final = Agreement(
    name="ACFTA",
    members=ASEAN | {"CN"},
    # Trade of ASEAN's members among themselves goes under their own agreement.
    sides=(ASEAN, frozenset(("CN",))),
    tolerance_percent=Decimal(10),
    textile_weight=True,
    validity_months=12,
    hs_edition="2022",
    general=ProductRule.parse("RVC40"),
    rules={
        f"{chapter:02}": ProductRule.parse("CTH | RVC40")
        for chapter in _ACFTA_HEADING
        if chapter != 77
    },
)
AGREEMENTS: Final = {agreement.name: agreement for agreement in (RCEP, ACFTA)}


def import_rules(data: str) -> dict[str, ProductRule]:
    """Product rules from a CSV with the columns hs and rule.

    Raises MalformedInput with the line for a prefix that is not 2, 4 or 6 digits, or a wrong rule.
    """
    found = {}
    for number, row in enumerate(csv.reader(io.StringIO(data)), start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and cells[0].casefold() == "hs"):
            continue
        if len(cells) < 2 or not re.fullmatch(r"([0-9]{2}){1,3}", cells[0], re.ASCII):
            raise MalformedInput("a row is not HS digits and a rule", where=f"line {number}")
        try:
            found[cells[0]] = ProductRule.parse(cells[1])
        except MalformedInput as error:
            raise MalformedInput(
                str(error.args[0]), where=f"line {number}", remedy=error.remedy
            ) from error
    return found
