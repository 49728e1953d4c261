"""What a bank asks the examination of a credit, out of the papers of a presentation.

The one place that knows both the fields of trade's papers and the forms of finance's examination.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.money import Currency
from zhidao.finance.domain.credit.credit_terms import LINES_MAX, CreditParty, Line
from zhidao.finance.domain.credit.papers import (
    DocumentConflict,
    Insurance,
    Invoice,
    Origin,
    PackingList,
    Presentation,
    Transport,
)
from zhidao.finance.domain.credit.transport_forms import Form
from zhidao.finance.wire.credit import plain
from zhidao.trade.domain.documents.invoices import invoice_total
from zhidao.trade.domain.model.catalogue import EQUIPMENT, ITEM
from zhidao.trade.domain.model.code_lists import CORRIDOR_PLACES
from zhidao.trade.domain.model.consignment import CanonicalConsignment
from zhidao.trade.events import PresentedPaper, PresentedSet


def for_examination(
    found: PresentedSet, *, presented_on: date, place: str, signed: Collection[str] = ()
) -> dict[str, Any]:
    """The presentation as the finance room examines it.

    `signed`: kinds that their issuers signed, which the bank sees on paper or by a credential; the
    presenter's own papers count as signed by the presentation's signature.
    Raises Refused (`not_expressible`) for an invoice that counts in several units: it knows one.
    """
    own = {"invoice_ubl", "packing_list"}
    documents: list[Any] = []
    formats = {one.digest: one.media_type for one in found.manifest.documents}
    for paper in found.papers:
        is_signed = paper.kind in own or paper.kind in signed
        made = _paper(paper, is_signed=is_signed, media_type=formats.get(paper.digest, ""))
        if made is not None:
            documents.append(made)
    manifest = found.manifest
    return plain(
        Presentation(
            presented_on=presented_on,
            place=place,
            claimed_minor=_minor(manifest.drawn, manifest.currency),
            documents=documents,
            bank=manifest.bank,
            findings=[
                DocumentConflict(rule=f.rule, left=f.left, right=f.right)
                for f in found.findings
                if f.verdict == "conflict"
            ],
        )
    )


def _paper(paper: PresentedPaper, *, is_signed: bool, media_type: str) -> Any:
    said = CanonicalConsignment(paper.fields, {})
    head: dict[str, Any] = {
        "number": paper.number,
        "signed": is_signed,
        "record": True,
        "format": media_type,
        "description": ", ".join(said.each(ITEM, "natureIdentificationCargo.description")),
    }
    if paper.kind == "invoice_ubl":
        return _invoice(said, head)
    if paper.kind == "packing_list":
        return PackingList(
            **head,
            issuer=said.get("consignorParty.name"),
            issued_on=_day(said, "packingListDocument.issueDate"),
            quantity=_quantity(said),
            packages=int(said.total("packageQuantity")),
            net_g=_grams(said, "netWeight"),
            gross_g=_grams(said, "grossWeight"),
            container=_containers(said),
            marks=", ".join(said.each(ITEM, "shippingMarks")),
        )
    if paper.kind in ("origin_rcep", "origin_form_e"):
        document = "rcepOriginDocument" if paper.kind == "origin_rcep" else "formEOriginDocument"
        countries = set(said.each(ITEM, "originCountry.id"))
        return Origin(
            **head,
            issuer=said.get("originAuthorityParty.name"),
            issued_on=_day(said, f"{document}.issueDate"),
            origin=countries.pop() if len(countries) == 1 else "",
            consignee=said.get("consigneeParty.name"),
            exporter=said.get("consignorParty.name"),
            invoice=said.get("invoiceDocument.id"),
        )
    if paper.kind == "insurance_declaration":
        return _insurance(said, head)
    return _transport(said, head) if paper.kind == "transport_document" else None


def _invoice(said: CanonicalConsignment, head: dict[str, Any]) -> Invoice:
    currency = said.get("invoiceDocument.currencyCode")
    units = set(said.each(ITEM, "requestedUnitCode"))
    if len(units) != 1:
        raise Refused(
            f"the invoice counts in {len(units)} units, not in one",
            code="not_expressible",
            remedy="examine it by hand",
        )
    prices = [_minor(price, currency) for price in said.each(ITEM, "unitPriceAmount")]
    names = said.each(ITEM, "natureIdentificationCargo.description")
    counts = [_whole(Decimal(text or 0)) for text in said.each(ITEM, "requestedQuantity")]
    lines = [
        Line(description=name[:200] or "goods", quantity=count, unit_price_minor=price)
        for name, count, price in zip(names, counts, prices, strict=True)
    ]
    of_one_price = len(set(prices)) == 1
    if not of_one_price and len(lines) > LINES_MAX:
        raise Refused(
            f"the invoice has {len(lines)} kinds of goods; the examination takes {LINES_MAX}",
            code="not_expressible",
            remedy="examine it by hand",
        )
    return Invoice(
        **head,
        issuer=said.get("consignorParty.name"),
        issued_on=_day(said, "invoiceDocument.issueDate"),
        seller=_party(said, "consignorParty"),
        buyer=_party(said, "consigneeParty"),
        currency=currency,
        quantity=_quantity(said),
        unit=units.pop(),
        unit_price_minor=prices[0] if of_one_price else 0,
        lines=[] if of_one_price else lines,
        amount_minor=_minor(str(invoice_total(said)), currency),
        rule=said.get("applicableTradeDeliveryTerms.deliveryTypeCode"),
        place=said.get("applicableTradeDeliveryTerms.relevantLocation.name"),
    )


_FORMS: Final[dict[str, Form]] = {"rail": "rail", "road": "road", "air": "air"}
"""By the mode of the main carriage; what goes by sea has a bill of lading."""


def _transport(said: CanonicalConsignment, head: dict[str, Any]) -> Transport:
    clause = said.get("transportContractDocument.clause")
    originals = int(said.get("transportContractDocument.originalQuantity", "1"))
    at = "mainCarriageTransportMovement."
    form = _FORMS.get(said.get(at + "modeCode"), "bill_of_lading")
    by_sea = form == "bill_of_lading"
    went, means = _day(said, at + "departureDate"), said.get(at + "meansName")
    return Transport(
        **head,
        issuer=said.get("carrierParty.name"),
        issued_on=_day(said, "transportContractDocument.issueDate"),
        originals=min(originals, 20),
        carrier=said.get("carrierParty.name"),
        capacity="carrier",
        form=form,
        on_board_on=went if by_sea else None,
        taken_on=None if by_sea else went,
        vessel=means if by_sea else "",
        conveyance="" if by_sea else means,
        loading=_port(said, "loadingBaseportLocation"),
        discharge=_port(said, "unloadingBaseportLocation"),
        originals_issued=min(originals, 20),
        shipper=said.get("consignorParty.name"),
        consignee=said.get("consigneeParty.name"),
        notify=said.get("notifiedParty.name"),
        freight="prepaid" if said.get("freightPaymentCode") == "PRE" else "collect",
        clauses=[clause] if clause else [],
        transhipment=bool(said.get("onCarriageTransportMovement.meansName")),
        container=_containers(said),
        marks=", ".join(said.each(ITEM, "shippingMarks")),
        packages=int(said.total("packageQuantity")),
        gross_g=_grams(said, "grossWeight"),
    )


def _insurance(said: CanonicalConsignment, head: dict[str, Any]) -> Insurance:
    currency = said.get("insuranceDocument.currencyCode")
    return Insurance(
        **head,
        issuer=said.get("insurerParty.name"),
        issued_on=_day(said, "insuranceDocument.issueDate"),
        form="declaration",
        capacity="insurer",
        originals_issued=1,
        currency=currency,
        amount_minor=_minor(said.get("insuranceDocument.insuredAmount"), currency),
        effective_on=_day(said, "insuranceDocument.effectiveDate"),
        covers_from=_port(said, "loadingBaseportLocation"),
        covers_to=_port(said, "unloadingBaseportLocation"),
        vessel=said.get("mainCarriageTransportMovement.meansName"),
        assured=said.get("consignorParty.name"),
    )


def _party(said: CanonicalConsignment, role: str) -> CreditParty:
    return CreditParty(
        name=said.get(f"{role}.name"), country=said.get(f"{role}.postalAddress.countryId")
    )


def _port(said: CanonicalConsignment, place: str) -> str:
    """A port's name; on a paper that has its code alone, the name of the code if it is known."""
    code = said.get(f"{place}.id")
    return said.get(f"{place}.name") or _PORTS.get(code, code)


_PORTS: Final = {place.unlocode: place.name for place in CORRIDOR_PLACES}


def _containers(said: CanonicalConsignment) -> str:
    return ", ".join(said.each(EQUIPMENT, "id"))


def _day(said: CanonicalConsignment, path: str) -> date | None:
    text = said.get(path)
    return date.fromisoformat(text) if text else None


def _quantity(said: CanonicalConsignment) -> int:
    return _whole(said.total("requestedQuantity"))


def _whole(quantity: Decimal) -> int:
    if quantity != quantity.to_integral_value():
        raise Refused(
            f"a quantity of {quantity:f}; the examination counts whole units",
            code="not_expressible",
        )
    return int(quantity)


def _grams(said: CanonicalConsignment, name: str) -> int:
    return int(said.total(name) * 1000)


def _minor(amount: str, currency: str) -> int:
    try:
        minor = Decimal(amount).scaleb(Currency(currency).exponent)
    except InvalidOperation as error:
        raise MalformedInput(f"not an amount: {amount[:40]!r}") from error
    if minor != minor.to_integral_value():
        raise Refused(f"{currency} {amount} is finer than its minor unit", code="not_expressible")
    return int(minor)
