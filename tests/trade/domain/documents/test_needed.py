"""Papers follow the way of the goods, the border and the agreement; none is made that cannot be."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from zhidao.core.errors import MalformedInput, Refused
from zhidao.trade.domain.documents.asked import apart, asked
from zhidao.trade.domain.documents.needed import Cause, needed_set
from zhidao.trade.domain.model.catalogue import unsaid
from zhidao.trade.library.documents import duty, origin
from zhidao.trade.service.document_set import make_set
from zhidao.trade.service.entering import entered, progress
from zhidao.trade.wire import canonical_entry

DATA = Path(__file__).parents[2] / "data"
SHORT = {
    "bl": "transport_document",
    "si": "shipping_instruction",
    "rail": "rail_consignment_note",
    "road": "road_consignment_note",
    "air": "air_waybill",
    "rcep": "origin_rcep",
    "e": "origin_form_e",
    "exp": "export_declaration",
    "imp": "import_declaration",
    "ins": "insurance_declaration",
    "let": "presentation_letter",
}
EVERY = {"invoice_ubl", "invoice_cii", "packing_list"}
MOVE = "mainCarriageTransportMovement"
ITEM = "includedConsignmentItem"
BOX = "utilizedTransportEquipment"
# What a person knows of a lane beside its places: parties, goods, money, days.
FACTS = {
    "id": "ZD-1",
    "consignorParty.name": "Seller Ltd.",
    "consignorParty.postalAddress.streetName": "1 First Street",
    "consignorParty.postalAddress.cityName": "Here",
    "consignorParty.legalRegistrationId": "S-1",
    "consigneeParty.name": "Buyer Ltd.",
    "consigneeParty.postalAddress.streetName": "2 Second Street",
    "consigneeParty.postalAddress.cityName": "There",
    "consigneeParty.legalRegistrationId": "B-2",
    "carrierParty.name": "Carrier",
    "carrierParty.postalAddress.streetName": "3 Third Street",
    "carrierParty.postalAddress.cityName": "Port",
    "carrierParty.postalAddress.countryId": "SG",
    "carrierParty.emailAddress": "documents@carrier.example",
    "carrierParty.scacCode": "SMLX",
    "issuingBankParty.name": "Buyer's bank",
    "presentingBankParty.name": "Seller's bank",
    "insurerParty.name": "Insurer",
    "originAuthorityParty.name": "Authority",
    "invoiceDocument.id": "INV-1",
    "invoiceDocument.issueDate": "2026-09-01",
    "invoiceDocument.dueDate": "2026-12-01",
    "invoiceDocument.currencyCode": "USD",
    "invoiceDocument.payeeAccountId": "ACC-1",
    "buyerOrderDocument.id": "PO-1",
    "transportContractDocument.id": "BL-1",
    "carrierBookingDocument.id": "BK-1",
    "railConsignmentNoteDocument.id": "RN-1",
    "roadConsignmentNoteDocument.id": "RD-1",
    "airWaybillDocument.id": "172-12345675",
    "rcepOriginDocument.id": "RC-1",
    "formEOriginDocument.id": "E-1",
    "insuranceDocument.id": "INS-1",
    "insuranceDocument.insuredAmount": "1100",
    "presentationDocument.id": "PR-1",
    "presentationDocument.drawnAmount": "1000",
    f"{MOVE}.meansName": "MERIDIAN STAR",
    f"{MOVE}.id": "041S",
    f"{MOVE}.departureDate": "2026-09-05",
    f"{MOVE}.arrivalDate": "2026-09-25",
    "railTransportMovement.wagonId": "315166520007",
    "roadTransportMovement.vehicleId": "DHA-11-4417",
    "customsValuation.freightAmount": "100",
    "customsValuation.insuranceAmount": "10",
    f"{ITEM}[0].natureIdentificationCargo.description": "Cotton shirts",
    f"{ITEM}[0].typeCode": "620520",
    f"{ITEM}[0].originCriterionCode": "PE",
    f"{ITEM}[0].requestedQuantity": "500",
    f"{ITEM}[0].requestedUnitCode": "H87",
    f"{ITEM}[0].unitPriceAmount": "2",
    f"{ITEM}[0].netWeight": "900",
    f"{ITEM}[0].grossWeight": "1000",
    f"{ITEM}[0].grossVolume": "6",
    f"{ITEM}[0].packageQuantity": "50",
    f"{ITEM}[0].packageTypeCode": "CT",
    f"{BOX}[0].id": "CSQU3054383",
    f"{BOX}[0].affixedSealId": "S-1",
}
VAT = {"taxCategoryCode": "S", "taxRatePercent": "19"}


def _lanes() -> list[dict[str, str]]:
    names = "lane seller receipt loading unloading delivery mode before after load rule agreement"
    columns = [*names.split(), "origin", "credit", "papers"]
    lines = (DATA / "lanes.csv").read_text().splitlines()
    rows = csv.reader(line for line in lines if not line.startswith("#"))
    return [dict(zip(columns, row, strict=True)) for row in rows]


LANES = _lanes()


def choice(lane: dict[str, str]) -> dict[str, str]:
    """What decides about the papers of a lane."""
    told = {
        "consignorParty.postalAddress.countryId": lane["seller"],
        "consigneeParty.postalAddress.countryId": (lane["delivery"] or lane["unloading"])[:2],
        "receiptLocation.id": lane["receipt"],
        "loadingBaseportLocation.id": lane["loading"],
        "unloadingBaseportLocation.id": lane["unloading"],
        "deliveryLocation.id": lane["delivery"],
        f"{MOVE}.modeCode": lane["mode"],
        "preCarriageTransportMovement.modeCode": lane["before"],
        "onCarriageTransportMovement.modeCode": lane["after"],
        "loadTypeCode": lane["load"],
        "applicableTradeDeliveryTerms.deliveryTypeCode": lane["rule"],
        "originAgreementCode": lane["agreement"],
        f"{ITEM}[0].originCountry.id": lane["origin"],
        "documentaryCredit.id": lane["credit"],
    }
    return {path: text for path, text in told.items() if text}


def filled(lane: dict[str, str]) -> dict[str, str]:
    """A lane of which just what is asked was typed, field by field as a person does."""
    values = choice(lane)
    if lane["load"] == "BULK":
        values[f"{ITEM}[0].packageTypeCode"] = "VR"
    for _ in range(5):
        lacks = [path for path in asked(values) if path not in values]
        for path in lacks:
            values[path] = _answer(path, lane)
        if not lacks:
            return values
    raise AssertionError(lacks)


def _answer(path: str, lane: dict[str, str]) -> str:
    if path.endswith(".name") and "Location" in path:
        return "A place of no list"
    if path.endswith("taxRegistrationId"):
        return "DE123456789"
    if path.startswith(ITEM) and path.rpartition(".")[2] in VAT:
        return VAT[path.rpartition(".")[2]]
    return FACTS[path]


def expected(lane: dict[str, str]) -> set[str]:
    return EVERY | {SHORT[name] for name in lane["papers"].split()}


def test_forty_lanes_are_written_down_by_hand() -> None:
    assert len({lane["lane"] for lane in LANES}) == 40


@pytest.mark.parametrize("lane", LANES, ids=[lane["lane"] for lane in LANES])
def test_a_lane_needs_its_papers_and_no_others(lane: dict[str, str]) -> None:
    values = filled(lane)
    needed = needed_set(values)
    assert {form.kind for form in needed.forms} == expected(lane)
    assert (needed.left_out, needed.obstacles) == ((), ())
    made = make_set(entered(values))
    assert {document.form.kind for document in made} == expected(lane)
    for document in made:
        assert document.absorbed.is_whole
    ways = {
        "rail": ("railConsignmentNoteDocument", "railTransportMovement"),
        "road": ("roadConsignmentNoteDocument", "roadTransportMovement"),
        "bl": ("transportContractDocument", "carrierBookingDocument"),
        "air": ("airWaybillDocument",),
        "rcep": ("rcepOriginDocument",),
        "e": ("formEOriginDocument",),
    }
    for short, fields in ways.items():
        others = [path for path in values if path.startswith(fields)]
        assert bool(others) == (SHORT[short] in expected(lane)), others


def test_chittagong_to_rotterdam_by_sea_asks_at_most_forty_five_fields() -> None:
    lane = LANES[0]
    values = filled(lane)
    assert len(asked(values)) <= 45
    # By sea goes what says nothing else.
    typed = {path: text for path, text in values.items() if path != f"{MOVE}.modeCode"}
    whole = progress(typed)
    assert (whole.missing, whole.troubles) == ((), ())
    assert len(typed) <= 45
    assert len(asked(choice(lane))) <= 45
    hidden = apart(values, needed_set(values))
    for path in ("railTransportMovement.wagonId", "roadTransportMovement.vehicleId"):
        assert path in hidden


def test_a_reason_stands_beside_each_paper() -> None:
    by_name = {lane["lane"]: needed_set(choice(lane)) for lane in LANES}
    credit = by_name["chongqing-almaty-rail-credit"]
    told = {paper.form.kind: paper.why for paper in credit.papers}
    assert told["rail_consignment_note"].sentence == "a leg goes by rail"
    assert told["export_declaration"].of == "CN - KZ"
    assert told["insurance_declaration"].sentence == "under CIP the seller insures"
    assert told["presentation_letter"].of == "LC-3"
    form_e = by_name["laem-chabang-ningbo-form-e"].why("origin_form_e")
    assert (form_e.cause, form_e.of) == (Cause.AGREEMENT, "ACFTA")
    assert by_name["shanghai-haiphong-sea-mfn"].possible == ("RCEP", "ACFTA")
    assert by_name["haiphong-bangkok-sea-rcep"].possible == ()
    assert by_name["chongqing-almaty-rail"].possible == ()


@pytest.mark.parametrize(
    ("lane", "more", "where"),
    [
        ("chongqing-almaty-rail", {"originAgreementCode": "ACFTA"}, "originAgreementCode"),
        ("chongqing-almaty-rail", {"formEOriginDocument.id": "E-1"}, "formEOriginDocument.id"),
        ("chittagong-rotterdam-sea", {"originAgreementCode": "RCEP"}, "originAgreementCode"),
        ("haiphong-bangkok-sea-rcep", {"formEOriginDocument.id": "E-1"}, "formEOriginDocument.id"),
        (
            "shanghai-haiphong-sea-form-e",
            {f"{ITEM}[0].originCountry.id": "US"},
            f"{ITEM}[0].originCountry.id",
        ),
    ],
)
def test_a_certificate_between_others_than_members_is_refused_by_name(
    lane: str, more: dict[str, str], where: str
) -> None:
    values = filled(next(each for each in LANES if each["lane"] == lane)) | more
    for path in asked(values):
        values.setdefault(path, FACTS.get(path, "X-1"))
    with pytest.raises(Refused) as refusal:
        entered(values)
    assert (refusal.value.code, refusal.value.where) == ("no_preference", where)
    troubles = progress(values).troubles
    assert troubles[0].path == where
    assert {each.code for each in troubles} == {"no_preference"}


def test_a_certificate_asks_the_criterion_of_each_item() -> None:
    lane = next(each for each in LANES if each["agreement"] == "RCEP")
    values = filled(lane)
    del values[f"{ITEM}[0].originCriterionCode"]
    assert progress(values).missing == (f"{ITEM}[0].originCriterionCode",)


def test_a_bill_of_lading_is_left_out_where_nothing_goes_by_sea() -> None:
    lane = next(each for each in LANES if each["lane"] == "chongqing-almaty-rail")
    values = filled(lane) | {"transportContractDocument.id": "BL-1"}
    needed = needed_set(values)
    assert [paper.form.kind for paper in needed.left_out] == ["transport_document"]
    assert needed.left_out[0].why.sentence == "no leg goes by sea"
    made = make_set(entered(values))
    assert b"BL-1" not in b"".join(document.data for document in made)
    declared = next(d for d in made if d.form.kind == "export_declaration")
    assert b'"RN-1"' in declared.data


def test_several_containers_stand_on_several_wagons() -> None:
    lane = next(each for each in LANES if each["lane"] == "xian-duisburg-rail")
    values = filled(lane)
    del values["railTransportMovement.wagonId"]
    values |= {
        f"{BOX}[0].wagonId": "315166520007",
        f"{BOX}[1].id": "CSQU3054399",
        f"{BOX}[1].affixedSealId": "S-2",
        f"{BOX}[1].wagonId": "315166520015",
    }
    assert [path for path in asked(values) if path not in values] == [f"{ITEM}[0].equipmentId"]
    values[f"{ITEM}[0].equipmentId"] = "CSQU3054399"
    # Further goods in the first container: none is empty.
    own = {path: text for path, text in values.items() if path.startswith(f"{ITEM}[0].")}
    values |= {path.replace("[0]", "[1]", 1): text for path, text in own.items()}
    values |= {f"{ITEM}[0].id": "1", f"{ITEM}[1].id": "2"}
    values[f"{ITEM}[1].equipmentId"] = values[f"{BOX}[0].id"]
    rail = next(d for d in make_set(entered(values)) if d.form.kind == "rail_consignment_note")
    wagons = [box["wagonId"] for box in json.loads(rail.data)[BOX]]
    assert wagons == ["315166520007", "315166520015"]


def test_what_papers_by_need_ask_stands_in_a_later_type() -> None:
    lane = next(each for each in LANES if each["lane"] == "shanghai-tokyo-air")
    file = canonical_entry.write(entered(filled(lane)))
    plain: dict[str, Any] = json.loads(file)
    assert plain["type"] == "zhidao.ConsignmentEntry.v5"
    assert canonical_entry.read(file).get("airWaybillDocument.id") == "172-12345675"
    with pytest.raises(MalformedInput, match="no such field"):
        canonical_entry.read(json.dumps(plain | {"type": "zhidao.ConsignmentEntry.v4"}).encode())
    plain["airWaybillDocument"]["id"] = "172-12345676"
    with pytest.raises(MalformedInput, match="last digit"):
        canonical_entry.read(json.dumps(plain).encode())


def test_rules_of_an_unknown_agreement_are_refused() -> None:
    for asking, file in ((origin, "bill.json"), (duty, "duty_question.json")):
        with pytest.raises(MalformedInput, match="unknown agreement 'EBA'"):
            asking((DATA / file).read_bytes(), rules={"EBA": "8413,CTH\n"})


def test_what_usually_stands_there_need_not_be_typed() -> None:
    told = {path: text for path, (text, _) in unsaid(filled(LANES[0])).items()}
    assert told["freightPaymentCode"] == "COL"
    assert told["applicableTradeDeliveryTerms.relevantLocation.id"] == "BDCGP"
    assert told["transportContractDocument.issueDate"] == "2026-09-05"
    assert told["exportDeclarationDocument.id"] == "ZD-1"
    assert told["customsValuation.exchangeRate"] == "1"
    assert told["unloadingBaseportLocation.name"] == "Rotterdam"
    assert (told[f"{ITEM}[0].id"], told[f"{ITEM}[0].shippingMarks"]) == ("1", "N/M")
    assert told[f"{ITEM}[0].equipmentId"] == "CSQU3054383"
    assert (told[f"{ITEM}[0].taxCategoryCode"], told[f"{ITEM}[0].taxRatePercent"]) == ("O", "0")
    german = dict(filled(LANES[0])) | {"consignorParty.postalAddress.countryId": "DE"}
    assert f"{ITEM}[0].taxCategoryCode" not in unsaid(german)
