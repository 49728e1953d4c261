"""Rows about parties, places and carriage: who, from where to where, in what, how clean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from zhidao.trade.domain.comparison import Answer, CheckResult, Statement, result, same, same_name
from zhidao.trade.domain.conflicts.compared_set import (
    BILL,
    CARRIAGE,
    CERTIFICATES,
    DECLARATIONS,
    INVOICES,
    Evidence,
    stated,
)
from zhidao.trade.domain.model.catalogue import CREDIT, EQUIPMENT, ITEM
from zhidao.trade.domain.model.consignment import CanonicalConsignment
from zhidao.trade.domain.reason_codes import About, Note, Noted, Topic

_CREDIT_KIND: Final = "documentary_credit"
_ANY: Final = "any port in "
_AGREEMENTS: Final = {"origin_rcep": "RCEP", "origin_form_e": "ACFTA"}


def sellers_and_buyers(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-08, XD-09: beneficiary and applicant are seller and buyer, in the same country."""
    credit = evidence.credit
    for rule, role, name in (
        ("XD-08", "consignorParty", "beneficiaryName"),
        ("XD-09", "consigneeParty", "applicantName"),
    ):
        first = next(evidence.those(INVOICES), None)
        if first is None:
            return
        kind, invoice = first
        ours = stated(kind, invoice, f"{role}.name")
        if credit is not None and f"{CREDIT}.{name}" in credit.values:
            yield same_name(
                rule, About(Topic.NAMES), stated(_CREDIT_KIND, credit, f"{CREDIT}.{name}"), ours
            )
        # The bill's parties are XD-10's and XD-11's question, the certificates' consignee XD-12's.
        certificates = CERTIFICATES if rule == "XD-08" else ()
        others = (*INVOICES[1:], "packing_list", *DECLARATIONS, *certificates)
        for other, paper in evidence.those(others):
            yield same_name(rule, About(Topic.NAMES), ours, stated(other, paper, f"{role}.name"))
            country = f"{role}.postalAddress.countryId"
            left, right = stated(kind, invoice, country), stated(other, paper, country)
            yield same(rule, About(Topic.COUNTRIES), left, right)


def consignees(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-10: consignee and notified party on the bill are word for word the credit's."""
    credit, bill = evidence.credit, evidence.papers.get(BILL)
    if credit is None or bill is None:
        return
    for asked, path in (
        ("consigneeName", "consigneeParty.name"),
        ("notifiedName", "notifiedParty.name"),
    ):
        if f"{CREDIT}.{asked}" in credit.values:
            left = stated(_CREDIT_KIND, credit, f"{CREDIT}.{asked}")
            yield same("XD-10", About(Topic.NAMES), left, stated(BILL, bill, path))


def shippers(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-11: another shipper than the beneficiary is no conflict; the answer says who it is."""
    bill = evidence.papers.get(BILL)
    if bill is not None and evidence.invoice is not None:
        kind, invoice = evidence.invoice
        path = "consignorParty.name"
        left, right = stated(kind, invoice, path), stated(BILL, bill, path)
        yield result("XD-11", Answer.AGREE, About(Topic.SELLER_AND_SHIPPER), left, right)


def certificate_consignees(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-12: the certificates' consignee is the bill's, unless that is to order."""
    bill = evidence.papers.get(BILL)
    if bill is None:
        return
    path = "consigneeParty.name"
    to_order = bill.get("transportContractDocument.toOrderIndicator") == "true"
    for kind, paper in evidence.those((*CERTIFICATES, *CARRIAGE[1:])):
        left, right = stated(BILL, bill, path), stated(kind, paper, path)
        if to_order:
            yield result("XD-12", Answer.AGREE, About(Topic.CONSIGNEE_TO_ORDER), left, right)
        else:
            yield same_name("XD-12", About(Topic.CONSIGNEES), left, right)


def ports(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-22: ports are the credit's, or inside its range; the same on every paper."""
    bill, credit = evidence.papers.get(BILL), evidence.credit
    if bill is None:
        return
    for what, asked, topic in (
        ("loading", "loadingRange", Topic.PORTS_OF_LOADING),
        ("unloading", "unloadingRange", Topic.PORTS_OF_UNLOADING),
    ):
        path = f"{what}BaseportLocation.id"
        ours = stated(BILL, bill, path)
        if credit is not None and f"{CREDIT}.{asked}" in credit.values:
            wanted = stated(_CREDIT_KIND, credit, f"{CREDIT}.{asked}")
            inside = _is_inside(ours.value, wanted.value)
            answer = Answer.AGREE if inside else Answer.CONFLICT
            yield result("XD-22", answer, About(topic), wanted, ours)
        others = ("packing_list", *CERTIFICATES, *DECLARATIONS, "insurance_declaration")
        for kind, paper in evidence.those((*others, "shipping_instruction")):
            yield same("XD-22", About(topic), ours, stated(kind, paper, path))


def _is_inside(port: str, wanted: str) -> bool:
    """Whether a port is the one named, or of the country of `any port in CN`."""
    if wanted.casefold().startswith(_ANY):
        return port.startswith(wanted[len(_ANY) :].strip().upper())
    return port == wanted


def clean(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-28: a clause on the bill is a person's to read."""
    bill = evidence.papers.get(BILL)
    if bill is not None:
        clause = bill.get("transportContractDocument.clause")
        answer = Answer.UNDECIDED if clause else Answer.AGREE
        asked = Statement("UCP 600 article 27", "asked", "clean")
        yield result(
            "XD-28",
            answer,
            About(Topic.CLEAN),
            asked,
            Statement(BILL, "carrierClauses", clause or "none"),
        )


def originals(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-29: the full set of originals, or sole control of an electronic bill proven."""
    bill, credit = evidence.papers.get(BILL), evidence.credit
    if bill is None:
        return
    path = "transportContractDocument.originalQuantity"
    if bill.get("transportContractDocument.electronicIndicator") == "true":
        known = {True: Answer.AGREE, False: Answer.CONFLICT, None: Answer.UNDECIDED}
        proven = {True: "proven", False: "refuted", None: "not known"}
        yield result(
            "XD-29",
            known[evidence.title_controlled],
            About(Topic.ELECTRONIC_BILL),
            stated(BILL, bill, "transportContractDocument.electronicIndicator"),
            Statement("title registry", "control", proven[evidence.title_controlled]),
        )
    elif credit is not None and f"{CREDIT}.originalQuantity" in credit.values:
        left = stated(_CREDIT_KIND, credit, f"{CREDIT}.originalQuantity")
        yield same("XD-29", About(Topic.ORIGINALS), left, stated(BILL, bill, path))


def transhipment(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-31: a second carriage on the bill where the credit forbids transhipment."""
    bill, credit = evidence.papers.get(BILL), evidence.credit
    path = f"{CREDIT}.transhipmentAllowed"
    if bill is None or credit is None or path not in credit.values:
        return
    second = bill.get("onCarriageTransportMovement.meansName")
    answer = Answer.AGREE
    note = None
    if second and credit.get(path) == "false":
        # UCP 600 article 20(c)(ii) lets a bill show transhipment of goods in containers.
        in_boxes = bool(bill.counts[EQUIPMENT])
        answer = Answer.UNDECIDED if in_boxes else Answer.CONFLICT
        note = Noted(Note.IN_CONTAINERS) if in_boxes else None
    yield result(
        "XD-31",
        answer,
        About(Topic.TRANSHIPMENT),
        stated(_CREDIT_KIND, credit, path),
        Statement(BILL, "second vessel", second or "none"),
        note=note,
    )


def criteria(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-33: the criterion on each certificate is the one recomputed from the materials."""
    for kind, paper in evidence.those(CERTIFICATES):
        recomputed = evidence.criteria.get(_AGREEMENTS[kind], {})
        for k, item in enumerate(paper.each(ITEM, "id")):
            # Without a bill of materials there is nothing to compare with.
            if item not in recomputed:
                continue
            ours = Statement("bill of materials", f"line {item}", recomputed[item])
            theirs = stated(kind, paper, f"{ITEM}[{k}].originCriterionCode")
            yield same("XD-33", About(Topic.CRITERIA_OF_LINE, item), ours, theirs)


def direct_consignment(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-34: every country of the verified track is a party, or controlled its transit."""
    if not evidence.track:
        return
    for kind, paper in evidence.those(CERTIFICATES):
        members = evidence.members.get(_AGREEMENTS[kind], frozenset())
        outside = [c for c in dict.fromkeys(evidence.track) if c not in members]
        proven = [c for c in outside if c in evidence.under_control]
        answer = Answer.AGREE if outside == proven else Answer.CONFLICT
        note = Noted(Note.OUTSIDE, " ".join(outside)) if outside else None
        route = stated(kind, paper, "loadingBaseportLocation.id")
        seen = Statement("verified track", "countries", " ".join(evidence.track))
        yield result("XD-34", answer, About(Topic.ROUTE), route, seen, note=note)


def voyages(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-36: vessel and voyage are the same on every paper and in the events."""
    bill = evidence.papers.get(BILL)
    if bill is None:
        return
    others = (*CERTIFICATES, *DECLARATIONS, "insurance_declaration", "shipping_instruction")
    ours = _voyage(BILL, bill)
    for kind, paper in evidence.those(others):
        yield same_name("XD-36", About(Topic.VOYAGE), ours, _voyage(kind, paper))
    if evidence.movement is not None:
        seen = f"{evidence.movement.means} {evidence.movement.voyage}"
        yield same_name(
            "XD-36", About(Topic.VOYAGE), ours, Statement("events", "means and voyage", seen)
        )


def _voyage(kind: str, paper: CanonicalConsignment) -> Statement:
    at = "mainCarriageTransportMovement."
    means, voyage = paper.get(at + "meansName"), paper.get(at + "id")
    return Statement(kind, "means and voyage", f"{means} {voyage}")
