"""Version 1 made version 2 says the same to the road; what the road lacks is named at once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from zhidao.core.canonical import jcs
from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.consignment import Address
from zhidao.trade.domain.invoice import invoices_of, total_of
from zhidao.trade.domain.papers import bill_of_lading_of, origin_statement_of, packing_list_of
from zhidao.trade.wire import (
    bill_of_lading,
    canonical_entry,
    consignment_entry,
    entry,
    origin_statement,
    packing_list,
    ubl_invoice,
)

DATA = Path(__file__).parents[1] / "data"
OLD = (DATA / "entry.json").read_bytes()
SET = (DATA / "set_entry.json").read_bytes()
NONE = Address("", "", "", "")


def test_the_road_reads_the_same_from_both_versions() -> None:
    first = entry.read(OLD)
    second = entry.read(consignment_entry.migrated(first))
    kept = {
        role: replace(party, address=NONE) if role not in ("exporter", "importer") else party
        for role, party in first.parties.items()
    }
    carrier = replace(
        kept["carrier"], address=replace(first.parties["carrier"].address, postcode="")
    )
    assert second == replace(first, parties=kept | {"carrier": carrier})
    assert ubl_invoice.write(invoices_of(second)[0]) == ubl_invoice.write(
        replace(invoices_of(first)[0], lines=invoices_of(second)[0].lines)
    )
    assert packing_list_of(second) == packing_list_of(first)


def test_a_version_1_file_is_told_how_it_becomes_version_2() -> None:
    with pytest.raises(MalformedInput) as caught:
        canonical_entry.read(OLD)
    assert caught.value.code == "old_entry"
    assert "zhidao trade migrate" in caught.value.remedy
    with pytest.raises(MalformedInput) as other:
        canonical_entry.read(b'{"type": "zhidao.ConsignmentEntry.v6"}')
    assert other.value.code == "unknown_version"
    with pytest.raises(MalformedInput) as neither:
        canonical_entry.read(b'{"type": "zhidao.Invoice.v1"}')
    assert neither.value.code == "wrong_type"


def test_what_the_road_needs_beyond_the_documents_is_named_at_once() -> None:
    with pytest.raises(MalformedInput) as caught:
        entry.read(SET)
    assert caught.value.code == "missing_fields"
    named = caught.value.args[0]
    for path in ("consignorParty.nodeId", "customsParty.name", "originStatementDocument.id"):
        assert path in named


_ORDERED = "includedConsignmentItem[0].productionOrderId"


def changed(**values: Any) -> bytes:
    plain = json.loads(consignment_entry.migrated(entry.read(OLD)))
    for path, value in values.items():
        *way, last = path.split("__")
        holder = plain
        for step in way:
            holder = holder[int(step)] if step.isdigit() else holder[step]
        holder[last] = value
    return json.dumps(plain).encode()


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (changed(id="a/b"), "id"),
        (
            changed(utilizedTransportEquipment=[{"id": "CSQU3054383"}, {"id": "CSQU3054399"}]),
            "utilizedTransportEquipment[1].id",
        ),
        (
            changed(utilizedTransportEquipment=[{"id": "CSQU3054383"}, {"id": "MSCU6639870"}]),
            "utilizedTransportEquipment[1].id",
        ),
        (
            changed(utilizedTransportEquipment=[{"id": "CSQU3054383"}, {"id": "CSQU3054383"}]),
            "utilizedTransportEquipment[1].id",
        ),
        (
            changed(
                utilizedTransportEquipment=[{"id": "CSQU3054383"}, {"id": "MSCU6639870"}],
                includedConsignmentItem__1__equipmentId="MSKU1234565",
            ),
            "utilizedTransportEquipment[1].id",
        ),
        (changed(includedConsignmentItem__0__productionOrderId="PO-2"), _ORDERED),
        (changed(invoiceDocument__dueDate="2026-08-01"), "invoiceDocument.dueDate"),
        (changed(includedConsignmentItem__1__id="1"), "includedConsignmentItem[1].id"),
        (
            changed(includedConsignmentItem__0__netWeight="9000"),
            "includedConsignmentItem[0].grossWeight",
        ),
        (
            changed(includedConsignmentItem__0__taxRatePercent="5"),
            "includedConsignmentItem[0].taxRatePercent",
        ),
        (changed(consigneeParty__nodeId="exporter"), "consigneeParty.nodeId"),
        (changed(productionOrderDocument={"id": "PO-1"}), "productionOrderDocument.lotId"),
        (changed(consigneeParty__nodeId="Ex Porter"), "consigneeParty.nodeId"),
        (changed(surprise="x"), "surprise"),
    ],
)
def test_a_fault_is_told_by_the_fields_of_version_2(data: bytes, where: str) -> None:
    with pytest.raises(MalformedInput) as caught:
        entry.read(data)
    assert caught.value.where == where


def two_containers(**more: Any) -> bytes:
    return changed(
        utilizedTransportEquipment=[{"id": "CSQU3054383"}, {"id": "MSCU6639870"}],
        includedConsignmentItem__1__equipmentId="MSCU6639870",
        **more,
    )


def test_goods_in_several_containers_are_packed_and_carried_each_in_its_own() -> None:
    whole = entry.read(two_containers())
    assert whole.containers == ("CSQU3054383", "MSCU6639870")
    assert invoices_of(whole)[0].container == ""
    packing = packing_list_of(whole)
    assert packing.containers == whole.containers
    assert packing_list.read(packing_list.write(packing)) == packing
    bill = bill_of_lading_of(whole, number="B-1", carrier_code="SMLM", on_board=date(2026, 8, 20))
    assert bill_of_lading.read(bill_of_lading.write(bill)).containers == whole.containers
    single = entry.read(changed())
    assert (single.containers, single.every_container) == ((), ("CSQU3054383",))


def test_lots_of_several_orders_stand_beside_their_items_in_version_3() -> None:
    data = changed(
        type="zhidao.ConsignmentEntry.v3",
        includedConsignmentItem__1__productionOrderId="PO-9",
        includedConsignmentItem__1__lotId="L-9",
    )
    whole = entry.read(data)
    assert whole.lots == (("PO-2026-117", "L-0417"), ("PO-9", "L-9"))
    assert canonical_entry.write(canonical_entry.typed(data)) == canonical_entry.write(
        canonical_entry.typed(canonical_entry.write(canonical_entry.typed(data)))
    )
    plain = json.loads(data)
    del plain["includedConsignmentItem"][1]["lotId"]
    with pytest.raises(MalformedInput) as loose:
        entry.read(json.dumps(plain).encode())
    assert loose.value.code == "order_without_lot"
    assert loose.value.where == "includedConsignmentItem[1].lotId"


def two_invoices(**more: Any) -> bytes:
    return changed(
        **{
            "type": "zhidao.ConsignmentEntry.v4",
            "includedConsignmentItem__1__invoiceId": "INV-2026-0418",
            **more,
        }
    )


def test_goods_on_several_invoices_are_invoiced_each_on_its_own_in_version_4() -> None:
    whole = entry.read(two_invoices())
    assert whole.invoices == ("INV-2026-0417", "INV-2026-0418")
    first, second = invoices_of(whole)
    assert ([line.id for line in first.lines], [line.id for line in second.lines]) == (["1"], ["2"])
    assert total_of([first, second]) == invoices_of(entry.read(changed()))[0].payable
    packing, origin = packing_list_of(whole), origin_statement_of(whole)
    assert packing_list.read(packing_list.write(packing)) == packing
    assert origin_statement.read(origin_statement.write(origin)) == origin
    assert packing.invoices == origin.invoices == whole.invoices
    written = canonical_entry.write(canonical_entry.typed(two_invoices()))
    assert json.loads(written)["type"] == "zhidao.ConsignmentEntry.v4"


def test_an_earlier_version_of_an_entry_knows_no_invoices() -> None:
    for version in (2, 3):
        with pytest.raises(MalformedInput) as early:
            entry.read(two_invoices(type=f"zhidao.ConsignmentEntry.v{version}"))
        assert (early.value.code, early.value.where) == (
            "later_field",
            "includedConsignmentItem[1].invoiceId",
        )


def test_the_entrys_own_invoice_asks_for_something() -> None:
    with pytest.raises(MalformedInput) as empty:
        entry.read(two_invoices(includedConsignmentItem__0__invoiceId="INV-9"))
    assert (empty.value.code, empty.value.where) == ("empty_invoice", "invoiceDocument.id")


@pytest.mark.parametrize(
    "change",
    [
        {"type": "zhidao.PackingList.v1"},
        {"invoices": ["INV-1"]},
        {"invoices": ["INV-1", "INV-1"]},
        {"invoices": []},
        {"invoice": "INV-1"},
    ],
)
def test_a_packing_list_names_one_invoice_or_several_each_once(change: dict[str, Any]) -> None:
    plain = json.loads(packing_list.write(packing_list_of(entry.read(two_invoices()))))
    with pytest.raises(MalformedInput):
        packing_list.read(jcs(plain | change))
