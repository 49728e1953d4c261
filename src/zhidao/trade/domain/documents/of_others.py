"""Invoices and credit notes that other people's systems wrote, made ready to be read by our forms.

Source: OASIS UBL 2.1 CreditNote; UN/CEFACT CII D16B; EN 16931 BT-3, BT-149.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, InvalidOperation, localcontext
from typing import Final

from zhidao.trade.domain.codes import SELLER_PAYS_CARRIAGE
from zhidao.trade.domain.documents.invoices import (
    INVOICE_CII,
    INVOICE_UBL,
    TERMS_CII,
    TERMS_UBL,
)
from zhidao.trade.domain.documents.mapping import Constant, Derived, DocumentForm, Leaves, Part
from zhidao.trade.domain.model.forms import plain

# Codes of UNTDID 1001 that EN 16931 takes for credit notes (BR-CL-01).
CREDIT_CODES: Final = frozenset(("81", "83", "261", "262", "296", "308", "381", "396", "420")) | {
    *("458", "532")
}
_AS_CREDIT_NOTE: Final = (
    ("cac:InvoiceLine", "cac:CreditNoteLine"),
    ("cbc:InvoicedQuantity", "cbc:CreditedQuantity"),
    ("cbc:InvoiceTypeCode", "cbc:CreditNoteTypeCode"),
)


def _credited(part: Part) -> Part:
    if isinstance(part, Derived):
        return part
    at = part.at
    for ours, theirs in _AS_CREDIT_NOTE:
        at = at.replace(ours, theirs)
    if isinstance(part, Constant):
        return Constant(at, "381" if part.value == "380" else part.value)
    return replace(part, at=at)


# Credit notes are read and never made: whoever corrects an invoice of ours writes another.
CREDIT_NOTE_UBL: Final = replace(
    INVOICE_UBL,
    kind="credit_note_ubl",
    titles=("Credit note", "贷记单"),
    root="{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote",
    parts=tuple(_credited(part) for part in INVOICE_UBL.parts),
)
CREDIT_NOTE_CII: Final = replace(
    INVOICE_CII,
    kind="credit_note_cii",
    titles=("Credit note (CII)", "贷记单（CII）"),
    parts=tuple(_credited(part) for part in INVOICE_CII.parts),
)


def with_terms_in_place(leaves: Leaves, form: DocumentForm) -> Leaves:
    """The leaves of an invoice of ours from before the terms had their own place.

    They stood in four notes in turn; a note of anybody else is no Incoterm.
    """
    old, new = _NOTES.get(form.kind, ("", ()))
    texts = [leaves.get(old.replace("[]", f"[{k}]")) for k in range(4)]
    edition = texts[1] == _EDITION
    if not new or texts[0] not in SELLER_PAYS_CARRIAGE or not edition or new[0] in leaves:
        return leaves
    moved = dict(leaves)
    for k, place in enumerate(new):
        text = moved.pop(old.replace("[]", f"[{k}]"), None)
        if text is not None:
            moved[place] = text
    return moved


_EDITION: Final = "2020"
_NOTES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "invoice_ubl": (
        "cbc:Note[]",
        (
            f"{TERMS_UBL}/cbc:ID",
            f"{TERMS_UBL}/cbc:SpecialTerms",
            f"{TERMS_UBL}/cac:DeliveryLocation/cbc:ID",
            f"{TERMS_UBL}/cac:DeliveryLocation/cbc:Name",
        ),
    ),
    "invoice_cii": (
        "rsm:ExchangedDocument/ram:IncludedNote[]/ram:Content",
        (
            TERMS_CII + "DeliveryTypeCode",
            TERMS_CII + "Description",
            TERMS_CII + "RelevantTradeLocation/ram:ID",
            TERMS_CII + "RelevantTradeLocation/ram:Name",
        ),
    ),
}


def with_unit_prices(leaves: Leaves) -> Leaves:
    """The leaves of an invoice with each price for one unit, where it is for several (BT-149).

    A quotient that no price can be stays as it is, with more digits than a price takes.
    """
    found = dict(leaves)
    for place in leaves:
        price = next((place[: -len(base)] + p for base, p in _PRICES if place.endswith(base)), "")
        if not price or price not in leaves:
            continue
        try:
            with localcontext() as context:
                context.prec = _DIGITS
                one = Decimal(str(leaves[price])) / Decimal(str(leaves[place]))
        except (InvalidOperation, ZeroDivisionError):
            continue
        if one.is_finite():
            found[price] = plain(one)
    return found


_DIGITS: Final = 30
_PRICES: Final = (
    ("cac:Price/cbc:BaseQuantity", "cac:Price/cbc:PriceAmount"),
    (
        "ram:NetPriceProductTradePrice/ram:BasisQuantity",
        "ram:NetPriceProductTradePrice/ram:ChargeAmount",
    ),
)
