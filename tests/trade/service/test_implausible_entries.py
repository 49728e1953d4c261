"""Whatever opens or joins a consignment stands the rows of common sense, or nothing is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from zhidao.core.errors import MalformedInput, Refused
from zhidao.simulation import participants
from zhidao.trade.domain.model.hs_codes import hs_2022

ID = "zd-2026-0001"
ITEM = "includedConsignmentItem"
MOVE = "mainCarriageTransportMovement"
Change = Callable[[dict[str, Any]], Any]


def demo() -> dict[str, Any]:
    """The demonstration's entry, of the lot that stands in these tests."""
    return participants.entry(ID, participants.TO_ALMATY)


def item(**fields: str) -> Change:
    return lambda e: e[ITEM][0].update(fields)


def first(**fields: Any) -> Change:
    return lambda e: e["lines"][0].update(fields)


def of_year(year: int) -> Change:
    """Every paper of one year: none of them witnesses against the others."""

    def change(entry: dict[str, Any]) -> None:
        for part in entry.values():
            for name, text in part.items() if isinstance(part, dict) else ():
                if name.endswith("Date"):
                    part[name] = f"{year:04}{text[4:]}"

    return change


# What is planted in the demonstration's entry, and the field that is to be named.
ENTRIES: list[tuple[str, Change, str]] = [
    (
        "arrival of 2020",
        lambda e: e[MOVE].update(departureDate="2026-09-17", arrivalDate="2020-09-01"),
        f"{MOVE}.arrivalDate",
    ),
    ("year 9999", lambda e: e[MOVE].update(departureDate="9999-09-01"), f"{MOVE}.departureDate"),
    (
        "all but the invoice in 9999",
        lambda e: e[MOVE].update(departureDate="9999-09-01", arrivalDate="9999-09-02"),
        f"{MOVE}.departureDate",
    ),
    *(
        (f"all of {year}", of_year(year), "invoiceDocument.issueDate")
        for year in (1, 1699, 1989, 2037, 9998)
    ),
    ("a mistyped GTIN", item(globalId="06901234567890"), f"{ITEM}[0].globalId"),
    (
        "the seller buys, in capitals and without dots",
        lambda e: e["consigneeParty"].update(
            name=e["consignorParty"]["name"].upper().replace(".", "").replace(",", "")
        ),
        "consigneeParty.name",
    ),
    ("99,999 t in a box", item(grossWeight="99999000"), f"{ITEM}[0].grossWeight"),
    ("a code that is none", item(typeCode="610977"), f"{ITEM}[0].typeCode"),
    (
        "the seller buys",
        lambda e: e["consigneeParty"].update(name=e["consignorParty"]["name"]),
        "consigneeParty.name",
    ),
    (
        "a place called by another's name",
        lambda e: e["loadingBaseportLocation"].update(name="Hamburg"),
        "loadingBaseportLocation.name",
    ),
    (
        "CIF by road",
        lambda e: e["applicableTradeDeliveryTerms"].update(deliveryTypeCode="CIF"),
        "applicableTradeDeliveryTerms.deliveryTypeCode",
    ),
]
# The same of an entry of version 1, which is still taken.
FIRST: list[tuple[str, Change, str]] = [
    ("no package", first(packages={"count": 12, "kind": "Z9"}), f"{ITEM}[0].packageTypeCode"),
    ("no criterion", first(origin_criterion="QQ"), f"{ITEM}[0].originCriterionCode"),
    ("no price", first(unit_price="0"), f"{ITEM}[0].unitPriceAmount"),
    ("no price at all", first(unit_price="0.000000"), f"{ITEM}[0].unitPriceAmount"),
    ("chapter 99", first(hs="999999"), f"{ITEM}[0].typeCode"),
    ("chapter 77", first(hs="770000"), f"{ITEM}[0].typeCode"),
    ("no unit", first(unit="QQQ"), f"{ITEM}[0].requestedUnitCode"),
    ("a mistyped GTIN", first(gtin="06901234567890"), f"{ITEM}[0].globalId"),
    ("a mistyped EAN", first(gtin="6901234567890"), f"{ITEM}[0].globalId"),
    (
        "more than an account holds",
        first(quantity="999999999999", unit_price="99999"),
        f"{ITEM}[0].requestedQuantity",
    ),
    (
        "all of 1699",
        lambda e: e["invoice"].update(issued_on="1699-01-01", due_on="1699-02-01"),
        "invoiceDocument.issueDate",
    ),
    ("99,999 t", lambda e: e["lines"][0].update(gross_kg="99999000"), f"{ITEM}[0].grossWeight"),
    ("no code", lambda e: e["lines"][0].update(hs="610977"), f"{ITEM}[0].typeCode"),
    (
        "the seller buys",
        lambda e: e["parties"]["importer"].update(name=e["parties"]["exporter"]["name"]),
        "consigneeParty.name",
    ),
    (
        "Shanghai called Hamburg",
        lambda e: e["transport"]["loading"].update(name="Hamburg"),
        "loadingBaseportLocation.name",
    ),
    (
        "CIF by road",
        lambda e: e["transport"].update(mode="road"),
        "applicableTradeDeliveryTerms.deliveryTypeCode",
    ),
    (
        "due in 9999",
        lambda e: e["invoice"].update(due_on="9999-12-01"),
        "invoiceDocument.dueDate",
    ),
]
CARGO = "$.consignmentItems"
BILLS: list[tuple[str, Change, str]] = [
    ("of 1999", lambda b: b.update(shippedOnBoardDate="1999-09-05"), "$.shippedOnBoardDate"),
    ("by a carrier of no code", lambda b: b.update(carrierCode="!!!!"), "$.carrierCode"),
    ("of 9999", lambda b: b.update(shippedOnBoardDate="9999-09-05"), "$.shippedOnBoardDate"),
    (
        "99,999 t in a box",
        lambda b: b["consignmentItems"][0]["cargoItems"][0]["cargoGrossWeight"].update(
            value=99999, unit="TNE"
        ),
        CARGO,
    ),
    ("no code", lambda b: b["consignmentItems"][0].update(HSCodes=["841370", "610977"]), CARGO),
    (
        "to a country without a coast",
        lambda b: b["transports"]["portOfDischarge"].update(UNLocationCode="CHBSL"),
        "$.transports.portOfDischarge",
    ),
    (
        "from a country that is none",
        lambda b: b["transports"]["portOfLoading"].update(UNLocationCode="QQAAA"),
        "$.transports.portOfLoading",
    ),
    (
        "loaded and unloaded at one port",
        lambda b: b["transports"]["portOfDischarge"].update(UNLocationCode="CNSHA"),
        "$.transports.portOfDischarge",
    ),
]


def changed(plain: dict[str, Any], change: Change) -> bytes:
    change(plain)
    return json.dumps(plain).encode()


async def refused_entry(world, entry: bytes) -> Refused:
    with pytest.raises(Refused) as refused:
        await world.consignments.enter(world.actor("exporter"), entry)
    return refused.value


@pytest.mark.parametrize(("change", "field"), [e[1:] for e in ENTRIES], ids=[e[0] for e in ENTRIES])
async def test_an_entry_that_cannot_be_opens_nothing(world, change, field):
    refusal = await refused_entry(world, changed(demo(), change))
    assert (refusal.code, refusal.where) == ("implausible", field)
    assert field in str(refusal)
    assert world.journal.written == []


@pytest.mark.parametrize(("change", "field"), [e[1:] for e in FIRST], ids=[e[0] for e in FIRST])
async def test_nor_does_one_of_version_1(world, entry_bytes, change, field):
    refusal = await refused_entry(world, changed(json.loads(entry_bytes), change))
    assert (refusal.code, refusal.where) == ("implausible", field)
    assert world.journal.written == []


async def test_the_entries_of_the_demonstration_stand(world):
    state = await world.consignments.enter(world.actor("exporter"), json.dumps(demo()).encode())
    assert [document.valid for document in state.documents] == [True] * 4


async def test_what_stands_already_is_answered_as_it_stands(world, entry_bytes, monkeypatch):
    """A consignment that was opened before a list knew better stays, and is told as it is."""
    state = await world.consignments.enter(world.actor("exporter"), entry_bytes)
    written = len(world.journal.written)
    # A newer edition of the list: the code of the pumps is gone.
    monkeypatch.setattr(
        "zhidao.trade.domain.model.known_codes.hs_2022",
        lambda: frozenset(hs_2022() - {"841370"}),
    )
    assert await world.consignments.enter(world.actor("exporter"), entry_bytes) == state
    assert len(world.journal.written) == written


@pytest.mark.parametrize(("change", "place"), [b[1:] for b in BILLS], ids=[b[0] for b in BILLS])
async def test_a_bill_that_cannot_be_is_not_added(world, entry_bytes, bill_bytes, change, place):
    await world.consignments.enter(world.actor("exporter"), entry_bytes)
    written = len(world.journal.written)
    with pytest.raises(Refused) as refused:
        await world.consignments.add_bill_of_lading(
            world.actor("carrier"),
            ID,
            number="SMLSHA0417",
            data=changed(json.loads(bill_bytes), change),
        )
    assert refused.value.code == "implausible"
    assert refused.value.where.startswith(place)
    assert len(world.journal.written) == written


async def test_a_bill_that_only_differs_is_added_and_told_as_a_conflict(
    world, entry_bytes, short_bill_bytes
):
    await world.consignments.enter(world.actor("exporter"), entry_bytes)
    await world.consignments.add_bill_of_lading(
        world.actor("carrier"), ID, number="SMLSHA0417", data=short_bill_bytes
    )
    found = await world.consignments.check(world.actor("exporter"), ID)
    assert not found.agree


@pytest.mark.parametrize(
    ("day", "code", "place"),
    [
        ("1999-01-01", "SMLX", "$.shippedOnBoardDate"),
        ("1989-12-31", "SMLX", "$.shippedOnBoardDate"),
        ("2037-09-05", "SMLX", "$.shippedOnBoardDate"),
        ("2026-09-05", "!!!!", "$.carrierCode"),
    ],
)
async def test_nor_is_one_proposed(world, entry_bytes, day, code, place):
    await world.consignments.enter(world.actor("exporter"), entry_bytes)
    with pytest.raises(Refused) as refused:
        await world.consignments.proposed_bill(
            world.actor("carrier"),
            ID,
            number="SMLSHA0417",
            carrier_code=code,
            on_board=date.fromisoformat(day),
        )
    assert (refused.value.code, refused.value.where) == ("implausible", place)


@pytest.mark.parametrize("at", ["lines[0].quantity", "container", "invoice.number"])
async def test_a_number_beyond_what_json_keeps_is_named_with_its_field(world, entry_bytes, at):
    plain = json.loads(entry_bytes)
    *heads, last = at.replace("[0]", ".0").split(".")
    within = plain
    for head in heads:
        within = within[int(head) if head.isdigit() else head]
    within[last] = 2**53
    with pytest.raises(MalformedInput) as refused:
        await world.consignments.enter(world.actor("exporter"), json.dumps(plain).encode())
    assert (refused.value.code, refused.value.where) == ("unsafe_integer", at)


async def test_what_is_no_json_behind_such_a_number_is_refused_too(world):
    with pytest.raises(MalformedInput) as refused:
        await world.consignments.enter(world.actor("exporter"), b'{"a":9007199254740992')
    assert refused.value.code == "unsafe_integer"
