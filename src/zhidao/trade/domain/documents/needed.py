"""Which papers a consignment needs, and why: by the way the goods go, the border, the agreement.

Each paper stands in the set for one reason. A paper that others ask for (a second carriage, an
insurance, the bank's letter) stands in it too once its number is entered, but never one that cannot
be: a bill "shipped on board" without a leg by sea, a certificate of an agreement that does not bind
both countries. Sources: Incoterms 2020 A5 (who insures); UCP 600 articles 19 to 25 (one transport
document for each way of carriage); not checked against the texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from zhidao.core.errors import Refused
from zhidao.trade.domain.documents.carriage import (
    AIR_WAYBILL,
    BILL_OF_LADING,
    RAIL_NOTE,
    ROAD_NOTE,
    SHIPPING_INSTRUCTION,
)
from zhidao.trade.domain.documents.formalities import (
    CARRIAGE_NUMBERS,
    COVER_LETTER,
    EXPORT_DECLARATION,
    FORM_E,
    IMPORT_DECLARATION,
    INSURANCE,
    PACKING_LIST,
    RCEP_CERTIFICATE,
    SET,
)
from zhidao.trade.domain.documents.invoices import INVOICE_CII, INVOICE_UBL
from zhidao.trade.domain.documents.mapping import DocumentForm
from zhidao.trade.domain.model.catalogue import CREDIT, ITEM, sizes_of
from zhidao.trade.domain.model.consignment import CanonicalConsignment
from zhidao.trade.domain.model.territories import one_territory
from zhidao.trade.domain.origin.agreements import ACFTA, RCEP, Agreement

_MODE: Final = "CarriageTransportMovement.modeCode"
AGREEMENT_CLAIMED: Final = "originAgreementCode"
_SELLER: Final = "consignorParty.postalAddress.countryId"
_BUYER: Final = "consigneeParty.postalAddress.countryId"
# The insured seller's rules: only under these two must he insure (CIP and CIF, A5).
_SELLER_INSURES: Final = frozenset(("CIF", "CIP"))
CERTIFICATES: Final = ((RCEP_CERTIFICATE, RCEP), (FORM_E, ACFTA))


class Cause(StrEnum):
    """Why a paper is in a set, or why one is not."""

    SALE = "sale"  # each sale has it
    MODE = "mode"  # a leg goes by sea, rail, road or air
    BORDER = "border"  # the goods leave one customs territory for another
    AGREEMENT = "agreement"  # a preference is claimed between two members
    TERMS = "terms"  # the seller insures
    CREDIT = "credit"  # a bank is presented with the set
    NAMED = "named"  # its number was entered
    NO_LEG = "no_leg"  # no leg goes that way


@dataclass(frozen=True, slots=True)
class Why:
    """A cause and what it is of: a mode, two countries, an agreement, a delivery term."""

    cause: Cause
    of: str = ""

    @property
    def sentence(self) -> str:
        """The cause in a sentence."""
        return _SENTENCES[self.cause].format(self.of)


_SENTENCES: Final = {
    Cause.SALE: "every sale has one",
    Cause.MODE: "a leg goes by {}",
    Cause.BORDER: "the goods cross a customs border: {}",
    Cause.AGREEMENT: "a preference is claimed: {}",
    Cause.TERMS: "under {} the seller insures",
    Cause.CREDIT: "the set goes to a bank: {}",
    Cause.NAMED: "its number was entered: {}",
    Cause.NO_LEG: "no leg goes by {}",
}


@dataclass(frozen=True, slots=True)
class NeededPaper:
    """A paper of the set with the reason for it."""

    form: DocumentForm
    why: Why


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A field that claims a paper which cannot be, or on account of which it cannot."""

    path: str
    sentence: str


@dataclass(frozen=True, slots=True)
class NeededSet:
    """Papers in the order of printing; numbers entered for papers that the set has not.

    `possible`: agreements that bind both countries and under which nothing is claimed.
    """

    papers: tuple[NeededPaper, ...]
    left_out: tuple[NeededPaper, ...]
    possible: tuple[str, ...]
    obstacles: tuple[Obstacle, ...]

    @property
    def forms(self) -> list[DocumentForm]:
        """The forms of the papers."""
        return [paper.form for paper in self.papers]

    def why(self, kind: str) -> Why:
        """Why a paper of the set is in it."""
        return next(paper.why for paper in self.papers if paper.form.kind == kind)


def needed_set(values: Mapping[str, str], *, presented: bool = False) -> NeededSet:
    """The papers that a consignment with these values needs. `presented`: it goes to a bank."""
    papers = tuple(
        NeededPaper(form, why)
        for form in SET
        if (why := _why(form, values, presented=presented)) is not None
    )
    forms = [paper.form for paper in papers]
    return NeededSet(
        papers,
        tuple(_left_out(forms, values)),
        tuple(_possible(forms, values)),
        tuple(_obstacles(forms, values)),
    )


def _possible(forms: list[DocumentForm], values: Mapping[str, str]) -> Iterator[str]:
    """Agreements under which a certificate might be claimed and is not."""
    for form, agreement in CERTIFICATES:
        if form not in forms and _is_possible(agreement, values):
            yield agreement.name


def _obstacles(forms: list[DocumentForm], values: Mapping[str, str]) -> Iterator[Obstacle]:
    for form, agreement in CERTIFICATES:
        if form in forms:
            yield from _bars(form, agreement, values)


def _left_out(forms: list[DocumentForm], values: Mapping[str, str]) -> Iterator[NeededPaper]:
    """Papers of carriage whose number was entered, though nothing goes that way."""
    for form in SET:
        mode = CARRIAGE_NUMBERS.get(form.number_path)
        if mode and form not in forms and values.get(form.number_path):
            yield NeededPaper(form, Why(Cause.NO_LEG, mode))


def check_papers(consignment: CanonicalConsignment) -> None:
    """Refuses a certificate of origin that the agreement does not give (`no_preference`)."""
    found = needed_set(consignment.values).obstacles
    if found:
        told = "; ".join(f"{one.path}: {one.sentence}" for one in found[:_TOLD_FIRST])
        raise Refused(told, code="no_preference", where=found[0].path)


def said_in(consignment: CanonicalConsignment, form: DocumentForm) -> CanonicalConsignment:
    """What a paper is made of: the bank's letter and declarations name the main carriage alone."""
    if form not in _OF_MAIN_CARRIAGE:
        return consignment
    main = main_mode(consignment.values)
    others = [path for path, mode in CARRIAGE_NUMBERS.items() if mode != main]
    if not any(path in consignment.values for path in others):
        return consignment
    return consignment.without(lambda path: path in others)


def main_mode(values: Mapping[str, str]) -> str:
    """How the main carriage goes; by sea where nothing is said."""
    return values.get(f"main{_MODE}") or "sea"


def modes(values: Mapping[str, str]) -> set[str]:
    """How the legs go: the main carriage and, where it is said, those before and after it."""
    legs = {values.get(f"{leg}{_MODE}", "") for leg in ("pre", "on")} - {""}
    return {main_mode(values), *legs}


def countries(values: Mapping[str, str]) -> tuple[str, str]:
    """Where the goods leave and where they go, by the places first and by the parties else."""
    first = next((values[p] for p in _STARTS if values.get(p)), values.get(_SELLER, ""))
    last = next((values[p] for p in _ENDS if values.get(p)), values.get(_BUYER, ""))
    return first[:2], last[:2]


_STARTS: Final = ("receiptLocation.id", "loadingBaseportLocation.id")
_ENDS: Final = ("deliveryLocation.id", "unloadingBaseportLocation.id")
_OF_MAIN_CARRIAGE: Final = (COVER_LETTER, EXPORT_DECLARATION, IMPORT_DECLARATION)
_TOLD_FIRST: Final = 10
_BY_LEG: Final = {
    BILL_OF_LADING.kind: "sea",
    SHIPPING_INSTRUCTION.kind: "sea",
    RAIL_NOTE.kind: "rail",
    ROAD_NOTE.kind: "road",
    AIR_WAYBILL.kind: "air",
}


def _why(form: DocumentForm, values: Mapping[str, str], *, presented: bool) -> Why | None:
    why = _REASONS[form.kind](form, values)
    if why is None and presented and form is COVER_LETTER:
        return Why(Cause.CREDIT, values.get("issuingBankParty.name", "?"))
    return why


def _sale(form: DocumentForm, values: Mapping[str, str]) -> Why | None:
    del form, values
    return Why(Cause.SALE)


def _border(form: DocumentForm, values: Mapping[str, str]) -> Why | None:
    """Until both countries are known, a border is what trade between two countries has."""
    del form
    first, last = countries(values)
    if first and last and one_territory(first, last):
        return None
    return Why(Cause.BORDER, f"{first or '?'} - {last or '?'}")


def _preference(form: DocumentForm, values: Mapping[str, str]) -> Why | None:
    agreement = next(agreement for each, agreement in CERTIFICATES if each is form)
    claimed = values.get(AGREEMENT_CLAIMED) == agreement.name or values.get(form.number_path)
    return Why(Cause.AGREEMENT, agreement.name) if claimed else None


def _insurance(form: DocumentForm, values: Mapping[str, str]) -> Why | None:
    rule = values.get("applicableTradeDeliveryTerms.deliveryTypeCode", "")
    return Why(Cause.TERMS, rule) if rule in _SELLER_INSURES else _named(form, values)


def _letter(form: DocumentForm, values: Mapping[str, str]) -> Why | None:
    credit = values.get(f"{CREDIT}.id", "")
    return Why(Cause.CREDIT, credit) if credit else _named(form, values)


def _leg(form: DocumentForm, values: Mapping[str, str]) -> Why | None:
    """A leg that goes this way; a note or a waybill may be that of a leg which was not said."""
    mode = _BY_LEG[form.kind]
    if mode in modes(values):
        return Why(Cause.MODE, mode)
    return None if mode == "sea" else _named(form, values)


def _named(form: DocumentForm, values: Mapping[str, str]) -> Why | None:
    number = values.get(form.number_path, "")
    return Why(Cause.NAMED, number) if number else None


_REASONS: Final[dict[str, Callable[[DocumentForm, Mapping[str, str]], Why | None]]] = {
    **{form.kind: _sale for form in (INVOICE_UBL, INVOICE_CII, PACKING_LIST)},
    **dict.fromkeys(_BY_LEG, _leg),
    **{form.kind: _preference for form, _ in CERTIFICATES},
    EXPORT_DECLARATION.kind: _border,
    IMPORT_DECLARATION.kind: _border,
    INSURANCE.kind: _insurance,
    COVER_LETTER.kind: _letter,
}


def _is_possible(agreement: Agreement, values: Mapping[str, str]) -> bool:
    """Whether both countries and all origins are known, and the agreement binds them."""
    origins = [values.get(f"{ITEM}[{k}].originCountry.id") for k in range(sizes_of(values)[ITEM])]
    seller, goes_to = values.get(_SELLER, ""), countries(values)[1]
    if not (seller and goes_to and origins and all(origins)):
        return False
    return agreement.binds(seller, goes_to) and all(o in agreement.members for o in origins)


def _bars(
    form: DocumentForm, agreement: Agreement, values: Mapping[str, str]
) -> Iterator[Obstacle]:
    """Why a claimed certificate cannot be; what is not known yet is no obstacle."""
    name = f"no {form.titles[0]}"
    claimed = values.get(AGREEMENT_CLAIMED) == agreement.name
    ends = (values.get(_SELLER, ""), countries(values)[1])
    if told := _between(agreement, *ends):
        yield Obstacle(AGREEMENT_CLAIMED if claimed else form.number_path, f"{name}: {told}")
    for k in range(sizes_of(values)[ITEM]):
        path = f"{ITEM}[{k}].originCountry.id"
        origin = values.get(path, "")
        if origin and origin not in agreement.members:
            yield Obstacle(path, f"{name}: goods of {origin}, no party of {agreement.name}")


def _between(agreement: Agreement, seller: str, goes_to: str) -> str:
    """Why an agreement does not bind two countries, `` where it does or one is not known yet."""
    outside = [one for one in (seller, goes_to) if one and one not in agreement.members]
    if outside:
        return f"{' and '.join(outside)} no party of {agreement.name}"
    if seller and goes_to and not agreement.binds(seller, goes_to):
        return f"{agreement.name} is not for trade from {seller} to {goes_to}"
    return ""
