"""One entry makes every document, and each reads back to what was entered."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.documents.formalities import FORMS, SET
from zhidao.trade.domain.model.consignment import CanonicalConsignment, Origin
from zhidao.trade.domain.verdict import Outcome
from zhidao.trade.service.document_set import make_set, read_document, rewrite
from zhidao.trade.service.entering import progress
from zhidao.trade.wire import canonical_entry

ENTRY = (Path(__file__).parents[1] / "data" / "set_entry.json").read_bytes()


@pytest.fixture(scope="module")
def consignment() -> CanonicalConsignment:
    return canonical_entry.read(ENTRY)


def changed(**fields: Any) -> bytes:
    plain = json.loads(ENTRY)
    plain.update(fields)
    return json.dumps(plain).encode()


def test_one_entry_makes_thirteen_documents_that_say_what_was_entered(consignment):
    made = make_set(consignment)
    assert [d.form.kind for d in made] == [f.kind for f in SET if f.kind != "air_waybill"]
    assert len(made) == 13
    for document in made:
        assert document.absorbed.is_whole
        for path, text in document.absorbed.consignment.values.items():
            assert consignment.get(path) == text


def test_a_document_read_and_written_again_is_the_same_bytes(consignment):
    for document in make_set(consignment, FORMS.values()):
        assert rewrite(read_document(document.data, kind=document.form.kind)) == document.data


def test_every_value_says_where_it_came_from(consignment):
    assert all(s.origin is Origin.ENTRY for s in consignment.sources.values())
    bill = next(d for d in make_set(consignment) if d.form.kind == "transport_document")
    source = bill.absorbed.consignment.sources["loadingBaseportLocation.id"]
    assert source.origin is Origin.DOCUMENT
    assert source.digest == bill.digest
    assert source.place == "transports.portOfLoading.UNLocationCode"


def test_a_place_that_no_field_stands_for_is_listed_and_not_dropped(consignment):
    bill = next(d for d in make_set(consignment) if d.form.kind == "transport_document")
    plain = json.loads(bill.data)
    plain["serviceContractReference"] = "HHL51800000"
    plain["consignmentItems"][1]["cargoItems"].append({"equipmentReference": "CSQU3054383"})
    found = read_document(json.dumps(plain).encode(), kind="transport_document")
    assert set(found.unmapped) == {
        "serviceContractReference",
        "consignmentItems[1].cargoItems[1].equipmentReference",
    }


def test_a_sum_that_does_not_follow_from_the_lines_is_a_misfit(consignment):
    made = {document.form.kind: document for document in make_set(consignment)}
    packing = made["packing_list"].data.replace(b'"grossWeight":1291.2', b'"grossWeight":1290.2')
    found = read_document(packing, kind="packing_list")
    assert [(m.place, m.seen, m.wanted) for m in found.misfits] == [
        ("totals.grossWeight", "1290.2", "1291.2")
    ]
    invoice = made["invoice_cii"].data.replace(b">47400.00<", b">47400.01<")
    assert {m.seen for m in read_document(invoice, kind="invoice_cii").misfits} == {"47400.01"}


def test_an_entry_of_everything_but_needed_fields_names_them_all(consignment):
    plain = json.loads(ENTRY)
    del plain["railTransportMovement"], plain["includedConsignmentItem"][1]["netWeight"]
    with pytest.raises(MalformedInput) as refusal:
        canonical_entry.read(json.dumps(plain).encode())
    assert refusal.value.code == "missing_fields"
    assert "railTransportMovement.wagonId" in str(refusal.value)
    assert "includedConsignmentItem[1].netWeight" in str(refusal.value)
    assert canonical_entry.read(canonical_entry.write(consignment)).values == consignment.values


def test_what_follows_from_another_field_need_not_be_typed():
    plain = json.loads(ENTRY)
    invoiced, consignee = plain["invoiceDocument"]["issueDate"], plain["consigneeParty"]["name"]
    for name in ("hsEditionCode", "notifiedParty", "receiptLocation", "deliveryLocation"):
        del plain[name]
    del plain["insuranceDocument"]["issueDate"], plain["insuranceDocument"]["effectiveDate"]
    found = canonical_entry.read(json.dumps(plain).encode())
    assert found.get("hsEditionCode") == "2022"
    assert found.get("notifiedParty.name") == consignee
    assert found.get("receiptLocation.id") == found.get("loadingBaseportLocation.id")
    assert found.get("deliveryLocation.name") == found.get("unloadingBaseportLocation.name")
    assert found.get("insuranceDocument.effectiveDate") == invoiced
    assert found.sources["notifiedParty.name"].place == "consigneeParty.name"
    assert all(document.absorbed.unmapped == () for document in make_set(found))


def test_a_place_typed_by_half_is_not_filled_up_with_another_place():
    plain = json.loads(ENTRY)
    plain["receiptLocation"] = {"id": "CNXMN"}
    with pytest.raises(MalformedInput) as refusal:
        canonical_entry.read(json.dumps(plain).encode())
    assert (refusal.value.code, refusal.value.where) == ("missing_fields", "receiptLocation.name")


def test_an_entry_of_which_nothing_is_known_asks_for_at_most_forty_five_fields():
    assert 40 <= progress({}).needed <= 45


@pytest.mark.parametrize(
    ("field", "value", "part"),
    [
        ("hsEditionCode", "2023", "one of 2017 2022"),
        ("colour", "red", "no such field"),
        ("loadingBaseportLocation", {"id": "cnsha", "name": "Shanghai"}, "UN/LOCODE"),
        ("loadingBaseportLocation", {"id": "CN SH", "name": "Shanghai"}, "UN/LOCODE"),
        ("notifiedParty", {"name": "a\u202eb"}, "invisible"),
    ],
)
def test_a_wrong_field_is_named(field, value, part):
    with pytest.raises(MalformedInput, match=part):
        canonical_entry.read(changed(**{field: value}))


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("requestedQuantity", "NaN", "not a number"),
        ("grossWeight", "-3", "not a number"),
        ("grossWeight", "1", "above gross"),
        ("requestedUnitCode", "PCS", "nearest"),
        ("typeCode", "770000", "no chapter 77"),
        ("equipmentId", "CSQU3054384", "check digit"),
    ],
)
def test_a_wrong_item_is_named_with_its_place(name, value, part):
    plain = json.loads(ENTRY)
    plain["includedConsignmentItem"][1][name] = value
    with pytest.raises(MalformedInput, match=part) as refusal:
        canonical_entry.read(json.dumps(plain).encode())
    assert "includedConsignmentItem[1]" in refusal.value.where


def test_the_bill_of_lading_is_valid_by_the_carriers_own_schema(consignment, shared):
    text = (shared / "trade/dcsa/openapi/EBL_v3.0.4.yaml").read_bytes()
    api = yaml.load(text, Loader=yaml.CSafeLoader)
    # OpenAPI 3.0 schemas are of JSON Schema draft 4 in their bounds.
    schema = {"$ref": "#/components/schemas/TransportDocument", "components": api["components"]}
    validator = jsonschema_rs.Draft4Validator(schema)
    bill = next(d for d in make_set(consignment) if d.form.kind == "transport_document")
    plain = json.loads(bill.data)
    assert [error.message for error in validator.iter_errors(plain)] == []
    del plain["carrierCode"]
    assert not validator.is_valid(plain)


def test_the_ubl_invoice_is_valid_by_schema_and_rules(consignment, judge):
    invoice = make_set(consignment)[0]
    assert judge.judge(invoice.data).outcome is Outcome.VALID
    wrong = invoice.data.replace(b">47400.00<", b">47400.01<", 1)
    assert judge.judge(wrong).outcome is Outcome.INVALID


@given(st.sampled_from(sorted(FORMS)), st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_as_malformed(kind, data):
    with suppress(MalformedInput):
        read_document(data, kind=kind)


@given(st.data())
def test_a_document_with_a_broken_byte_is_read_or_refused_as_malformed(data):
    made = make_set(canonical_entry.read(ENTRY), [data.draw(st.sampled_from(SET))])[0]
    at = data.draw(st.integers(0, len(made.data) - 1))
    broken = made.data[:at] + data.draw(st.binary(max_size=3)) + made.data[at + 1 :]
    with suppress(MalformedInput):
        read_document(broken, kind=made.form.kind)


def test_a_station_number_stands_on_the_rail_note_and_nowhere_at_sea():
    entry = json.loads(ENTRY)
    entry["receiptLocation"]["stationId"] = "708500"
    made = {d.form.kind: d for d in make_set(canonical_entry.read(json.dumps(entry).encode()))}
    assert b'"stationId":"708500"' in made["rail_consignment_note"].data
    assert b"708500" not in made["transport_document"].data
    entry["receiptLocation"]["stationId"] = "70850"
    with pytest.raises(MalformedInput, match="station"):
        canonical_entry.read(json.dumps(entry).encode())
