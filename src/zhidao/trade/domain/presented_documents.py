"""A presentation: which documents go to the bank, and what each of them says in a bank's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from zhidao.trade.domain.documents.formalities import CARRIAGE_NUMBERS, COVER_LETTER, FORMS
from zhidao.trade.domain.documents.needed import NeededSet
from zhidao.trade.domain.model.catalogue import CREDIT
from zhidao.trade.domain.model.consignment import CanonicalConsignment

# What a bank is shown. A declaration is between the trader and customs, an instruction between the
# trader and its carrier, and of two invoices the bank needs one.
PRESENTABLE: Final = (
    "presentation_letter",
    "invoice_ubl",
    "packing_list",
    "transport_document",
    "rail_consignment_note",
    "road_consignment_note",
    "air_waybill",
    "origin_rcep",
    "origin_form_e",
    "insurance_declaration",
)
LETTER: Final = COVER_LETTER.kind


def usual(needed: NeededSet, main_mode: str) -> tuple[str, ...]:
    """What a set shows a bank if nobody says otherwise: of the carriage the main one's paper."""
    beside = {
        form.kind
        for form in needed.forms
        if CARRIAGE_NUMBERS.get(form.number_path, main_mode) != main_mode
    }
    kinds = {form.kind for form in needed.forms} - beside
    return tuple(kind for kind in PRESENTABLE if kind in kinds)


def credit_of(letter: CanonicalConsignment) -> str:
    """The credit under which a letter presents, `` for none."""
    return letter.get(f"{CREDIT}.id")


def announced(letter: CanonicalConsignment) -> Mapping[str, str]:
    """Number of each document that the letter names, by kind."""
    by_path = {form.number_path: kind for kind, form in FORMS.items() if kind in PRESENTABLE}
    return {
        kind: letter.get(path)
        for path, kind in by_path.items()
        if kind != LETTER and letter.get(path)
    }
