"""Several invoices of one entry: each judged and issued by itself, all compared, none added later."""

from __future__ import annotations

import json

import pytest

from zhidao.core.errors import Conflict, Refused
from zhidao.trade.events import ConsignmentEntered
from zhidao.trade.wire import consignment_entry
from zhidao.trade.wire import entry as entry_file

ID = "zd-2026-0001"
FIRST, SECOND = "INV-2026-0417", "INV-2026-0418"


def two(entry_bytes: bytes, *, number: str = SECOND) -> bytes:
    plain = json.loads(consignment_entry.migrated(entry_file.read(entry_bytes)))
    plain["type"] = "zhidao.ConsignmentEntry.v4"
    plain["includedConsignmentItem"][1]["invoiceId"] = number
    return json.dumps(plain).encode()


async def test_each_invoice_is_judged_and_issued_and_their_sum_is_the_amount(
    world, entry_bytes
) -> None:
    state = await world.consignments.enter(world.actor("exporter"), two(entry_bytes))
    invoices = [each for each in state.documents if each.kind == "invoice"]
    assert [each.number for each in invoices] == [FIRST, SECOND]
    assert all(each.valid and "EN16931-UBL" in each.rules[0] for each in invoices)
    for each in invoices:
        credential = await world.archive.get(each.credential)
        assert await world.credentials.verify(credential) == (True, "")
        assert json.loads(credential)["credentialSubject"]["documentNumber"] == each.number
    named = {each.number: each.amount_minor for each in state.entered.invoices}
    assert list(named) == [FIRST, SECOND]
    assert sum(named.values()) == state.entered.amount_minor == 47_400_00
    (opened, *_) = await world.records.history(f"consignment/{ID}")
    assert opened.type == "trade.ConsignmentEntered.v4"
    assert ConsignmentEntered.of(opened) == state.entered


async def test_the_papers_agree_over_all_of_them(world, entry_bytes, bill_bytes) -> None:
    await world.consignments.enter(world.actor("exporter"), two(entry_bytes))
    await world.consignments.add_bill_of_lading(
        world.actor("carrier"), ID, number="SMLSHA0417", data=bill_bytes
    )
    checked = await world.consignments.check(world.actor("importer-bank"), ID)
    assert checked.agree, checked.findings
    answers = await world.consignments.answers(world.actor("importer-bank"), ID)
    told = {(each.rule, each.left) for each in answers}
    assert ("XD-32", f"record:invoices = {FIRST} {SECOND}") in told
    for number in (FIRST, SECOND):
        priced = f"entry:sum of quantity times unit price of {number} = "
        assert any(rule == "XD-05" and left.startswith(priced) for rule, left in told)


async def test_one_of_them_that_breaks_a_rule_opens_nothing(world, entry_bytes) -> None:
    plain = json.loads(two(entry_bytes))
    plain["includedConsignmentItem"][1]["taxCategoryCode"] = "G"
    with pytest.raises(Refused) as refused:
        await world.consignments.enter(world.actor("exporter"), json.dumps(plain).encode())
    assert refused.value.code == "invoice_invalid"
    assert world.journal.written == []


async def test_none_is_added_later(world, entry_bytes) -> None:
    await world.consignments.enter(world.actor("exporter"), entry_bytes)
    written = len(world.journal.written)
    with pytest.raises(Conflict):
        await world.consignments.enter(world.actor("exporter"), two(entry_bytes))
    assert len(world.journal.written) == written
