"""Every row of the table agrees on a clean set and names what was planted in another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from zhidao.trade.domain.comparison import Answer
from zhidao.trade.domain.conflicts.compared_set import Evidence, Movement
from zhidao.trade.domain.conflicts.table import RULES, View, compare
from zhidao.trade.domain.documents.formalities import FORMS
from zhidao.trade.domain.model.consignment import CanonicalConsignment
from zhidao.trade.service.document_set import make_set
from zhidao.trade.wire import canonical_entry

ENTRY = canonical_entry.read((Path(__file__).parents[2] / "data" / "set_entry.json").read_bytes())
MEMBERS = frozenset(("CN", "VN"))


def evidence() -> Evidence:
    return Evidence(
        {m.form.kind: m.absorbed.consignment for m in make_set(ENTRY, FORMS.values())},
        criteria={"RCEP": {"1": "PE", "2": "PE"}, "ACFTA": {"1": "PE", "2": "PE"}},
        track=("CN", "VN"),
        members={"RCEP": MEMBERS, "ACFTA": MEMBERS},
        movement=Movement(
            "Meridian Star", "041S", frozenset(ENTRY.each("utilizedTransportEquipment", "id"))
        ),
    )


def planted(kind: str, path: str, value: str) -> Evidence:
    """The set in which one document says another value."""
    other = CanonicalConsignment({**ENTRY.values, path: value}, ENTRY.sources)
    paper = make_set(other, [FORMS[kind]])[0].absorbed.consignment
    clean = evidence()
    return replace(clean, papers={**clean.papers, kind: paper})


def found(given: Evidence) -> dict[str, Answer]:
    worst: dict[str, Answer] = {}
    for answer in compare(given).findings:
        if worst.get(answer.rule) is not Answer.CONFLICT:
            worst[answer.rule] = answer.answer
    return worst


def test_a_clean_set_answers_all_36_rows_without_a_finding():
    comparison = compare(evidence())
    assert comparison.unasked == ()
    assert {answer.rule for answer in comparison.answers} == set(RULES)
    assert comparison.findings == ()


def test_papers_that_are_not_there_leave_their_rows_unasked_and_not_agreed():
    clean = evidence()
    papers = {k: p for k, p in clean.papers.items() if k in ("invoice_ubl", "packing_list")}
    comparison = compare(Evidence(papers))
    assert {"XD-01", "XD-24", "XD-28", "XD-33", "XD-36"} <= set(comparison.unasked)
    assert comparison.findings == ()


ITEM, C = "includedConsignmentItem[1].", "documentaryCredit."
BILL, LETTER = "transport_document", "presentation_letter"
SHIPPED = "mainCarriageTransportMovement.departureDate"
DESCRIPTION = ITEM + "natureIdentificationCargo.description"


@pytest.mark.parametrize(
    ("rule", "answer", "kind", "path", "value"),
    [
        ("XD-01", "conflict", "documentary_credit", C + "goodsDescription", "Fibre reels"),
        ("XD-01", "undecided", "documentary_credit", C + "goodsDescription", "Blue pumps"),
        ("XD-02", "undecided", "packing_list", DESCRIPTION, "Galvanised bolts"),
        ("XD-03", "conflict", "documentary_credit", C + "currencyCode", "EUR"),
        ("XD-04", "conflict", "documentary_credit", C + "amount", "47399.99"),
        ("XD-04", "undecided", "documentary_credit", C + "amount", "47500"),
        ("XD-05", "conflict", LETTER, "presentationDocument.drawnAmount", "40000"),
        ("XD-06", "conflict", "packing_list", ITEM + "requestedQuantity", "47"),
        ("XD-07", "conflict", "documentary_credit", C + "deliveryTerms", "FOB Shanghai"),
        ("XD-08", "conflict", "documentary_credit", C + "beneficiaryName", "Wuxi Valves"),
        ("XD-09", "conflict", "invoice_cii", "consigneeParty.name", "Da Nang Import"),
        ("XD-10", "conflict", BILL, "notifiedParty.name", "Hai Phong Pump Trading"),
        ("XD-12", "conflict", "origin_rcep", "consigneeParty.name", "Da Nang Import"),
        ("XD-13", "undecided", "origin_form_e", DESCRIPTION, "Galvanised bolts"),
        ("XD-14", "conflict", "import_declaration", ITEM + "typeCode", "731815"),
        ("XD-15", "conflict", "origin_rcep", ITEM + "originCountry.id", "VN"),
        ("XD-16", "undecided", BILL, ITEM + "grossWeight", "43.4"),
        ("XD-16", "conflict", "rail_consignment_note", ITEM + "grossWeight", "430"),
        ("XD-17", "conflict", "origin_rcep", ITEM + "netWeight", "3.84"),
        ("XD-18", "conflict", BILL, ITEM + "packageQuantity", "3"),
        ("XD-18", "conflict", "origin_rcep", ITEM + "packageTypeCode", "BG"),
        ("XD-19", "conflict", BILL, ITEM + "shippingMarks", "HANOI 1-12"),
        ("XD-19", "undecided", BILL, ITEM + "shippingMarks", "SP40 HAIPHONG 13-14 FRAGILE"),
        ("XD-20", "conflict", BILL, "utilizedTransportEquipment[0].affixedSealId", "SML1"),
        ("XD-21", "conflict", BILL, ITEM + "grossVolume", "3"),
        ("XD-22", "conflict", BILL, "loadingBaseportLocation.id", "KRPUS"),
        ("XD-23", "conflict", BILL, SHIPPED, "2026-09-11"),
        ("XD-24", "conflict", LETTER, "presentationDocument.issueDate", "2026-09-27"),
        ("XD-24", "conflict", "documentary_credit", C + "expiryDate", "2026-09-14"),
        ("XD-25", "conflict", "packing_list", "packingListDocument.issueDate", "2026-09-16"),
        ("XD-26", "conflict", BILL, SHIPPED, "2026-09-02"),
        ("XD-27", "conflict", "insurance_declaration", "insuranceDocument.insuredAmount", "52139.99"),
        ("XD-28", "undecided", BILL, "transportContractDocument.clause", "3 cartons wet"),
        ("XD-29", "conflict", BILL, "transportContractDocument.originalQuantity", "2"),
        ("XD-29", "undecided", BILL, "transportContractDocument.electronicIndicator", "true"),
        ("XD-30", "conflict", BILL, "freightPaymentCode", "COL"),
        ("XD-31", "undecided", BILL, "onCarriageTransportMovement.meansName", "LITTLE STAR"),
        ("XD-32", "conflict", "origin_rcep", "invoiceDocument.id", "INV-2026-0418"),
        ("XD-33", "conflict", "origin_form_e", ITEM + "originCriterionCode", "RVC"),
        ("XD-35", "conflict", "import_declaration", ITEM + "unitPriceAmount", "40"),
        ("XD-36", "conflict", "export_declaration", "mainCarriageTransportMovement.id", "042S"),
    ],
)  # fmt: skip
def test_a_planted_difference_is_answered_by_its_row(rule, answer, kind, path, value):
    assert found(planted(kind, path, value)).get(rule) == Answer(answer)


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("packing_list", "consignorParty.name", "SUZHOU PRECISION PUMPS CO LTD"),
        (BILL, "consignorParty.name", "Taihu Freight Forwarders"),
        (BILL, ITEM + "shippingMarks", "13-14 haiphong sp40"),
        (BILL, DESCRIPTION, "Seal kits"),
        ("documentary_credit", C + "loadingRange", "CNSHA"),
        ("insurance_declaration", "insuranceDocument.issueDate", "2026-09-07"),
    ],
)
def test_what_may_be_said_otherwise_is_no_finding(kind, path, value):
    assert found(planted(kind, path, value)) == {}


def test_a_third_country_on_the_track_needs_proof_of_control():
    clean = evidence()
    passed = replace(clean, track=("CN", "HK", "VN"))
    assert found(passed) == {"XD-34": Answer.CONFLICT}
    assert found(replace(passed, under_control=frozenset(("HK",)))) == {}


def test_an_electronic_bill_agrees_only_with_control_proven():
    given = planted(BILL, "transportContractDocument.electronicIndicator", "true")
    assert found(given)["XD-29"] is Answer.UNDECIDED
    assert "XD-29" not in found(replace(given, title_controlled=True))
    assert found(replace(given, title_controlled=False))["XD-29"] is Answer.CONFLICT


def test_bank_and_customs_each_see_their_own_rows():
    def rules(answers: Iterable[object]) -> set[str]:
        return {answer.rule for answer in answers}  # type: ignore[attr-defined]

    comparison = compare(evidence())
    assert "XD-24" in rules(comparison.seen_by(View.BANK)) - rules(comparison.seen_by(View.CUSTOMS))
    assert "XD-35" in rules(comparison.seen_by(View.CUSTOMS)) - rules(comparison.seen_by(View.BANK))
    assert "XD-16" in rules(comparison.seen_by(View.BANK)) & rules(comparison.seen_by(View.CUSTOMS))


def test_two_editions_are_compared_through_the_correlation():
    split = planted("origin_rcep", "hsEditionCode", "2017")
    assert found(split) == {}
    unknown = planted("import_declaration", ITEM + "typeCode", "010121")
    assert found(unknown)["XD-14"] is Answer.CONFLICT
