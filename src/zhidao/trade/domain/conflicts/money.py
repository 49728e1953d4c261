"""Rows about money, terms and dates: amounts, currency, Incoterms, insurance, customs value."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from zhidao.trade.domain.codes import SELLER_PAYS_CARRIAGE
from zhidao.trade.domain.comparison import Answer, CheckResult, Statement, near, result, same
from zhidao.trade.domain.conflicts.compared_set import (
    BILL,
    CARRIAGE,
    CERTIFICATES,
    DECLARATIONS,
    INVOICES,
    Evidence,
    ordered,
    stated,
)
from zhidao.trade.domain.documents.formalities import customs_value
from zhidao.trade.domain.documents.invoices import invoice_total
from zhidao.trade.domain.model.catalogue import CREDIT
from zhidao.trade.domain.model.consignment import CanonicalConsignment
from zhidao.trade.domain.model.forms import plain
from zhidao.trade.domain.reason_codes import About, Note, Topic

_LETTER: Final = "presentation_letter"
_INSURANCE: Final = "insurance_declaration"
_CREDIT_KIND: Final = "documentary_credit"
_CURRENCY: Final = "invoiceDocument.currencyCode"
_COVER_SHARE: Final = Decimal("1.1")  # UCP 600 article 28(f)(ii): 110 per cent of CIF or CIP.


def currency(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-03: the credit's currency is the invoice's, on every paper that names it."""
    anchors = [(k, p, f"{CREDIT}.currencyCode") for k, p in evidence.those((_CREDIT_KIND,))]
    anchors += [(k, p, _CURRENCY) for k, p in evidence.those(INVOICES)]
    anchors = [found for found in anchors if found[2] in found[1].values]
    if not anchors:
        return
    kind, paper, path = anchors[0]
    left = stated(kind, paper, path)
    for other, theirs in evidence.those((*INVOICES, *DECLARATIONS, _LETTER)):
        if other != kind:
            yield same("XD-03", About(Topic.CURRENCIES), left, stated(other, theirs, _CURRENCY))


def amount(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-04: the invoice asks for no more than the credit and its tolerance allow."""
    credit = evidence.credit
    if credit is None or f"{CREDIT}.amount" not in credit.values:
        return
    limit = Decimal(credit.get(f"{CREDIT}.amount"))
    tolerance = Decimal(credit.get(f"{CREDIT}.tolerancePercent", "0")) / 100
    left = stated(_CREDIT_KIND, credit, f"{CREDIT}.amount")
    for kind, invoice in evidence.those(INVOICES):
        total = invoice_total(invoice)
        answer = Answer.AGREE
        # UCP 600 article 30(c) lets 5 per cent less be drawn under its own conditions.
        if total > limit * (1 + tolerance) or total < limit * (1 - max(tolerance, Decimal("0.05"))):
            answer = Answer.CONFLICT
        elif total < limit * (1 - tolerance):
            answer = Answer.UNDECIDED
        yield result("XD-04", answer, About(Topic.AMOUNTS_OF_CREDIT), left, _total(kind, invoice))


def drawing(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-05: what is drawn is what is invoiced; both invoices ask for the same."""
    for kind, invoice in evidence.those(INVOICES):
        letter = evidence.papers.get(_LETTER)
        if letter is not None:
            path = "presentationDocument.drawnAmount"
            yield near(
                "XD-05",
                About(Topic.DRAWN_AMOUNT),
                _total(kind, invoice),
                stated(_LETTER, letter, path),
                one=invoice_total(invoice),
                two=Decimal(letter.get(path, "0")),
            )
    both = list(evidence.those(INVOICES))
    if len(both) == len(INVOICES):
        left, right = (_total(kind, paper) for kind, paper in both)
        yield same("XD-05", About(Topic.AMOUNTS_OF_INVOICES), left, right)


def delivery_terms(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-07: rule, named place and edition are the credit's, the same on every paper."""
    first = next(evidence.those(INVOICES), None)
    if first is None:
        return
    kind, invoice = first
    ours = Statement(kind, "delivery terms", _terms(invoice))
    credit = evidence.credit
    if credit is not None and f"{CREDIT}.deliveryTerms" in credit.values:
        asked = stated(_CREDIT_KIND, credit, f"{CREDIT}.deliveryTerms")
        yield same("XD-07", About(Topic.DELIVERY_TERMS), asked, ours)
    for other, paper in evidence.those((*INVOICES[1:], *DECLARATIONS)):
        yield same(
            "XD-07",
            About(Topic.DELIVERY_TERMS),
            ours,
            Statement(other, "delivery terms", _terms(paper)),
        )


def shipment_date(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-23: on board not later than the credit's latest day."""
    credit, bill = evidence.credit, evidence.papers.get(BILL)
    path = f"{CREDIT}.latestShipmentDate"
    if credit and bill and path in credit.values:
        yield ordered(
            "XD-23",
            About(Topic.SHIPMENT_DAY),
            earlier=_shipped(bill),
            later=stated(_CREDIT_KIND, credit, path),
            reason=Note.SHIPPED_LATE,
        )


def presentation_date(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-24: presented within the days after shipment, and before the credit expires."""
    letter, bill, credit = (evidence.papers.get(k) for k in (_LETTER, BILL, _CREDIT_KIND))
    if letter is None or bill is None:
        return
    presented = stated(_LETTER, letter, "presentationDocument.issueDate")
    shipped = _shipped(bill)
    # UCP 600 article 14(c): 21 calendar days unless the credit says another number.
    days = int(credit.get(f"{CREDIT}.presentationDays", "21")) if credit else 21
    if shipped.value != "absent":
        last = date.fromisoformat(shipped.value) + timedelta(days=days)
        limit = Statement(BILL, f"{shipped.field} and {days} days", last.isoformat())
        yield ordered(
            "XD-24",
            About(Topic.PRESENTATION_PERIOD),
            earlier=presented,
            later=limit,
            reason=Note.LATE,
        )
    if credit is not None and f"{CREDIT}.expiryDate" in credit.values:
        expiry = stated(_CREDIT_KIND, credit, f"{CREDIT}.expiryDate")
        yield ordered(
            "XD-24", About(Topic.EXPIRY_DAY), earlier=presented, later=expiry, reason=Note.EXPIRED
        )


def document_dates(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-25: no paper bears a day after the presentation; an invoice no day that never was."""
    letter = evidence.papers.get(_LETTER)
    if letter is None:
        return
    presented = stated(_LETTER, letter, "presentationDocument.issueDate")
    for kind, paper in evidence.papers.items():
        path = next((p for p in paper.values if p == _OWN_DATE.get(kind)), None)
        if path:
            yield ordered(
                "XD-25",
                About(Topic.ISSUE_DAY),
                earlier=stated(kind, paper, path),
                later=presented,
                reason=Note.ISSUED_LATER,
            )


_OWN_DATE: Final = {
    "invoice_ubl": "invoiceDocument.issueDate",
    "invoice_cii": "invoiceDocument.issueDate",
    "packing_list": "packingListDocument.issueDate",
    BILL: "transportContractDocument.issueDate",
    "rail_consignment_note": "railConsignmentNoteDocument.issueDate",
    "road_consignment_note": "roadConsignmentNoteDocument.issueDate",
    "origin_rcep": "rcepOriginDocument.issueDate",
    "origin_form_e": "formEOriginDocument.issueDate",
    "export_declaration": "exportDeclarationDocument.issueDate",
    _INSURANCE: "insuranceDocument.issueDate",
}


def insurance(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-26, XD-27: covered from shipment on, for 110 per cent, in the credit's currency."""
    paper, bill = evidence.papers.get(_INSURANCE), evidence.papers.get(BILL)
    if paper is None:
        return
    if bill is not None:
        issued, effective = (
            stated(_INSURANCE, paper, f"insuranceDocument.{n}")
            for n in ("issueDate", "effectiveDate")
        )
        # UCP 600 article 28(e): a later day of issue is cured by cover that begins earlier.
        start = min((issued, effective), key=lambda s: s.value)
        yield ordered("XD-26", About(Topic.COVER_START), earlier=start, later=_shipped(bill))
    if evidence.invoice is None:
        return
    kind, invoice = evidence.invoice
    total = invoice_total(invoice)
    insured = stated(_INSURANCE, paper, "insuranceDocument.insuredAmount")
    covered = Decimal(paper.get("insuranceDocument.insuredAmount", "0")) >= total * _COVER_SHARE
    answer = Answer.AGREE if covered else Answer.CONFLICT
    wanted = Statement(kind, "110 per cent of the amount", plain(total * _COVER_SHARE))
    yield result("XD-27", answer, About(Topic.INSURED_AMOUNT), wanted, insured)
    yield same(
        "XD-27",
        About(Topic.COVER_CURRENCY),
        stated(kind, invoice, _CURRENCY),
        stated(_INSURANCE, paper, "insuranceDocument.currencyCode"),
    )


def freight(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-30: freight prepaid where the seller pays the carriage, else collect."""
    bill = evidence.papers.get(BILL)
    if bill is None or evidence.invoice is None:
        return
    kind, invoice = evidence.invoice
    rule = invoice.get("applicableTradeDeliveryTerms.deliveryTypeCode")
    if rule in SELLER_PAYS_CARRIAGE:
        wanted = Statement(
            kind, f"freight under {rule}", "PRE" if SELLER_PAYS_CARRIAGE[rule] else "COL"
        )
        yield same("XD-30", About(Topic.FREIGHT), wanted, stated(BILL, bill, "freightPaymentCode"))


def references(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-32: number and day of the invoice, wherever a paper states them."""
    if evidence.invoice is None:
        return
    anchor, invoice = evidence.invoice
    others = (
        *(*INVOICES, "packing_list", *CARRIAGE, *CERTIFICATES, *DECLARATIONS, _INSURANCE),
        *("shipping_instruction", _LETTER),
    )
    for kind, paper in evidence.those(others):
        for topic, path in ((Topic.INVOICE_NUMBERS, "id"), (Topic.INVOICE_DAYS, "issueDate")):
            full = f"invoiceDocument.{path}"
            if kind != anchor and full in paper.values:
                yield same(
                    "XD-32",
                    About(topic),
                    stated(anchor, invoice, full),
                    stated(kind, paper, full),
                )


def declared_value(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-35: the declaration's value is rebuilt from the invoice's prices and its own charges."""
    declaration = evidence.papers.get("import_declaration")
    if declaration is None or evidence.invoice is None:
        return
    kind, invoice = evidence.invoice
    charges = {p: v for p, v in declaration.values.items() if p.startswith("customsValuation.")}
    rebuilt = customs_value(CanonicalConsignment({**invoice.values, **charges}, {}))
    declared = customs_value(declaration)
    yield near(
        "XD-35",
        About(Topic.CUSTOMS_VALUE),
        Statement(kind, "goods with the declared charges and rate", plain(rebuilt)),
        Statement("import_declaration", "customsValue", plain(declared)),
        one=rebuilt,
        two=declared,
    )


def _total(kind: str, invoice: CanonicalConsignment) -> Statement:
    return Statement(kind, "amount due", plain(invoice_total(invoice)))


def _shipped(bill: CanonicalConsignment) -> Statement:
    return stated(BILL, bill, "mainCarriageTransportMovement.departureDate")


def _terms(paper: CanonicalConsignment) -> str:
    at = "applicableTradeDeliveryTerms."
    rule, edition = paper.get(at + "deliveryTypeCode"), paper.get(at + "edition")
    place = paper.get(at + "relevantLocation.name"), paper.get(at + "relevantLocation.id")
    return f"{rule} {place[0]} ({place[1]}) Incoterms {edition}"
