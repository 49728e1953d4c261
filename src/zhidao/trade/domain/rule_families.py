"""Which rules are for which documents, and whose word changes a rule's weight.

Severity overrides: KoSIT, validator-configuration-xrechnung, scenarios.xml at commit 064c60ec
(custom levels of each scenario); read there, the levels are facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from zhidao.trade.domain.verdict import Flag

INVOICE: Final = "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice"
CREDIT_NOTE: Final = "{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote"
CII: Final = "{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice"
_UBL: Final = frozenset((INVOICE, CREDIT_NOTE))


@dataclass(frozen=True, slots=True)
class Family:
    """Rules for documents with one of `roots` whose profile holds `profile` ('' means any).

    `marks` are beginnings of rule ids by which a rule set shows that it is of this family;
    `overrides` change flags, by a part of the profile, the first part that fits.
    """

    name: str
    roots: frozenset[str]
    marks: tuple[str, ...]
    profile: str = ""
    overrides: tuple[tuple[str, Mapping[str, Flag]], ...] = field(default=())

    def judges(self, root: str, profile: str) -> bool:
        """Whether a document is one of those that these rules are for."""
        return root in self.roots and self.profile in profile

    def overriding(self, profile: str) -> Mapping[str, Flag]:
        """The flags that the profile changes, by rule."""
        return next((flags for part, flags in self.overrides if part in profile), {})


def _flags(warning: str, information: str = "") -> Mapping[str, Flag]:
    return dict.fromkeys(warning.split(), Flag.WARNING) | dict.fromkeys(
        information.split(), Flag.INFORMATION
    )


_EXTENSION: Final = "kosit:extension:xrechnung"
_CODES: Final = "BR-CL-21 BR-CL-10 BR-CL-11 BR-CL-25 BR-CL-26"
_STANDARD: Final = _flags("BR-CL-23 BR-CL-21")
_XRECHNUNG_UBL: Final = (
    (_EXTENSION, _flags("BR-CL-23 BR-CL-24", _CODES + " BR-CO-16")),
    ("", _STANDARD),
)
_XRECHNUNG_CII: Final = ((_EXTENSION, _flags("BR-CL-23", _CODES)), ("", _STANDARD))

FAMILIES: Final = {
    family.name: family
    for family in (
        Family("en16931-ubl", _UBL, ("UBL-CR-", "UBL-SR-")),
        Family("en16931-cii", frozenset((CII,)), ("CII-SR-", "CII-DT-")),
        Family("xrechnung-ubl", _UBL, ("BR-DE-",), "xrechnung", _XRECHNUNG_UBL),
        Family("xrechnung-cii", frozenset((CII,)), ("BR-DE-",), "xrechnung", _XRECHNUNG_CII),
        Family(
            "peppol-bis3-ubl",
            _UBL,
            ("PEPPOL-EN16931-",),
            "urn:fdc:peppol.eu:2017:poacc:billing",
        ),
        Family(
            "peppol-bis3-cii",
            frozenset((CII,)),
            ("PEPPOL-EN16931-",),
            "urn:fdc:peppol.eu:2017:poacc:billing",
        ),
    )
}


def family_of(rule_ids: frozenset[str], spaces: frozenset[str]) -> str:
    """The family that rules show themselves to be of, '' if none is known.

    `spaces` are the namespaces that they name; XRechnung's rules come in two syntaxes.
    """
    for family in FAMILIES.values():
        marked = any(rule.startswith(family.marks) for rule in rule_ids)
        if marked and any(root[1:].partition("}")[0] in spaces for root in family.roots):
            return family.name
    return ""
