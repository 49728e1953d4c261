"""XML namespaces of the document forms, by kind and customary prefix."""

from __future__ import annotations

from typing import Final

_UBL: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
_CII: Final = "urn:un:unece:uncefact:"

# OASIS UBL 2.1; UN/CEFACT Cross Industry Invoice D16B, the two syntaxes of EN 16931.
SPACES: Final[dict[str, dict[str | None, str]]] = {
    "invoice_ubl": {
        None: _UBL + "Invoice-2",
        "cac": _UBL + "CommonAggregateComponents-2",
        "cbc": _UBL + "CommonBasicComponents-2",
    },
    "invoice_cii": {
        "rsm": _CII + "data:standard:CrossIndustryInvoice:100",
        "ram": _CII + "data:standard:ReusableAggregateBusinessInformationEntity:100",
        "udt": _CII + "data:standard:UnqualifiedDataType:100",
    },
}
