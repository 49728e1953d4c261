"""Customs has one act: goods go under a declaration that is released with them, or they do not."""

from __future__ import annotations

import json

import pytest
from tests.trade.service.test_clearance import (
    HEALTH,
    KIND,
    NUMBER,
    actor,
    clearance_of,
    only,
)
from tests.trade.service.test_clearance import document as document_of
from tests.trade.service.test_several_invoices import two

from zhidao.core.errors import Forbidden, NotFound, Refused
from zhidao.core.ids import party_id
from zhidao.trade.service.releases import Releases

ID = "zd-2026-0001"
OWN = {
    "consigneeParty__name": "Nordvand Pumper ApS",
    "consigneeParty__postalAddress__countryId": "DK",
}
RELEASE = {"declaration": NUMBER, "decision": "released"}


@pytest.fixture
async def both(world, entry_bytes, tmp_path):
    await world.consignments.enter(world.actor("exporter"), entry_bytes)
    listing = tmp_path / "nobody.csv"
    listing.write_text("name,Nobody Of These\n")
    clearance = clearance_of(listing)
    return clearance, Releases(world.consignments, clearance)


def document(**changed: str | None) -> bytes:
    """The declaration of the consignment that is entered here, but for what is changed.

    It names no bill, since the carrier added none yet.
    """
    declared = json.loads(document_of(**OWN))
    declared.pop("transportContractDocument")
    for path, value in changed.items():
        *way, last = path.split("__")
        inner = declared
        for name in way:
            inner = inner[int(name) if name.isdigit() else name]
        inner[last] = value
    return json.dumps(declared).encode()


async def lodged(clearance, **changed):
    return await clearance.submit(
        *(actor("importer"), document(**changed)),
        kind=KIND,
        customs=party_id("customs"),
        agencies=[HEALTH],
    )


async def standing(world):
    return (await world.consignments.consignment(world.actor("customs"), ID)).customs


async def test_a_release_on_the_road_decides_the_declaration(world, both):
    clearance, releases = both
    await lodged(clearance, invoiceDocument__id=await invoice_of(world))
    with pytest.raises(Refused, match="without a risk decision"):
        await releases.release(world.actor("customs"), ID, **RELEASE)
    await clearance.assess(NUMBER)
    with pytest.raises(Refused, match=f"no permit of {HEALTH}"):
        await releases.release(world.actor("customs"), ID, **RELEASE)
    assert await standing(world) is None, "nothing is half done"
    await clearance.answer(actor("health"), NUMBER, version=1, permit=True, reason="")
    first = await releases.release(world.actor("customs"), ID, **RELEASE)
    assert (await clearance.declaration(actor("customs"), NUMBER)).status == "released"
    written = len(world.journal.written)
    assert await releases.release(world.actor("customs"), ID, **RELEASE) == first
    assert len(world.journal.written) == written


async def test_goods_of_a_refused_declaration_are_not_let_go(world, both):
    clearance, releases = both
    await lodged(clearance, invoiceDocument__id=await invoice_of(world))
    await clearance.decide(actor("customs"), NUMBER, version=1, decision="refused", reason="no")
    with pytest.raises(Refused) as refused:
        await releases.release(world.actor("customs"), ID, **RELEASE)
    assert refused.value.code == "declaration_ended"
    assert await standing(world) is None


async def test_a_death_between_the_two_is_mended_by_the_same_call(world, both):
    clearance, releases = both
    await lodged(clearance, invoiceDocument__id=await invoice_of(world))
    await clearance.assess(NUMBER)
    await clearance.answer(actor("health"), NUMBER, version=1, permit=True, reason="")
    await clearance.decide(actor("customs"), NUMBER, version=1, decision="released")
    await releases.release(world.actor("customs"), ID, **RELEASE)
    assert (await standing(world)).declaration == NUMBER


async def test_a_declaration_of_a_system_elsewhere_needs_no_decision_here(world, both):
    _, releases = both
    await releases.release(
        world.actor("customs"), ID, declaration="KZ-50401-1", decision="released"
    )
    assert (await standing(world)).declaration == "KZ-50401-1"


async def test_nobody_else_moves_declaration_or_road(world, both):
    clearance, releases = both
    await lodged(clearance)
    await clearance.assess(NUMBER)
    await clearance.answer(actor("health"), NUMBER, version=1, permit=True, reason="")
    with pytest.raises(Forbidden):
        await releases.release(world.actor("carrier"), ID, **RELEASE)
    with pytest.raises(NotFound):
        await releases.release(actor("health"), ID, **RELEASE)
    assert (await clearance.declaration(actor("customs"), NUMBER)).status == "assessed"


async def invoice_of(world) -> str:
    seen = await world.consignments.consignment(world.actor("customs"), ID)
    return next(each.number for each in seen.documents if each.kind == "invoice")


async def permitted(clearance, **changed) -> None:
    """Lodged, assessed and permitted: customs may release it."""
    await lodged(clearance, **changed)
    await clearance.assess(NUMBER)
    await clearance.answer(actor("health"), NUMBER, version=1, permit=True, reason="")


async def test_a_released_declaration_lets_its_goods_go_on_the_road(world, both):
    clearance, releases = both
    await permitted(clearance, invoiceDocument__id=await invoice_of(world))
    word = {"version": 1, "decision": "released"}
    decided, roads = await releases.decide(world.actor("customs"), NUMBER, **word)
    assert (decided.status, roads) == ("released", [ID])
    assert (await standing(world)).declaration == NUMBER
    written = len(world.journal.written)
    assert (await releases.decide(world.actor("customs"), NUMBER, **word))[1] == [ID]
    assert len(world.journal.written) == written, "the same again changes nothing"


@pytest.mark.parametrize("decision", ["held", "refused"])
async def test_what_is_held_or_refused_lets_nothing_go(world, both, decision):
    clearance, releases = both
    await permitted(clearance, invoiceDocument__id=await invoice_of(world))
    _, roads = await releases.decide(
        world.actor("customs"), NUMBER, version=1, decision=decision, reason="looked at"
    )
    assert (roads, await standing(world)) == ([], None)


async def test_a_declaration_of_other_goods_lets_none_of_these_go(world, both):
    clearance, releases = both
    await permitted(clearance, invoiceDocument__id="INV-OTHER")
    _, roads = await releases.decide(world.actor("customs"), NUMBER, version=1, decision="released")
    assert (roads, await standing(world)) == ([], None)


async def test_goods_that_another_declaration_let_go_keep_it(world, both):
    clearance, releases = both
    await releases.release(world.actor("customs"), ID, declaration="KZ-1", decision="released")
    await permitted(clearance, invoiceDocument__id=await invoice_of(world))
    _, roads = await releases.decide(world.actor("customs"), NUMBER, version=1, decision="released")
    assert (roads, (await standing(world)).declaration) == ([], "KZ-1")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"invoiceDocument__id": "INV-OTHER"}, "its invoice is INV-OTHER"),
        ({"by": "rival"}, "rival, who lodged it"),
        ({"consignorParty__name": "Another Seller Co"}, "its consignor is Another Seller Co"),
        ({"consigneeParty__name": "Another Buyer"}, "its consignee is Another Buyer"),
        ({"consigneeParty__postalAddress__countryId": "SE"}, "its consignee .countryId. is SE"),
        ({"transportContractDocument": {"id": "SMLX1"}}, "is SMLX1, and the carrier added none"),
        ({"includedConsignmentItem__0__typeCode": "610910"}, "its goods are of 6109, 8484, not"),
        (
            {"includedConsignmentItem__0__packageQuantity": "11", "totals__packageQuantity": 13},
            "it names 13 packages, not 14",
        ),
        (
            {"includedConsignmentItem__0__grossWeight": "1238", "totals__grossWeight": 1281.2},
            "its goods of 8413 weigh 1238 kg gross, not 1248",
        ),
    ],
)
async def test_a_declaration_of_others_or_other_goods_lets_nothing_go_on_the_road(
    world, both, changed, said
):
    clearance, releases = both
    by = changed.pop("by", "importer")
    told = {"invoiceDocument__id": await invoice_of(world)} | changed
    await clearance.submit(actor(by), document(**told), kind=KIND, customs=party_id("customs"))
    await clearance.assess(NUMBER)
    with pytest.raises(Refused, match=said) as refused:
        await releases.release(world.actor("customs"), ID, **RELEASE)
    assert refused.value.code == "other_goods"
    assert await standing(world) is None
    assert (await clearance.declaration(actor("customs"), NUMBER)).status == "assessed"


async def test_no_declaration_is_decided_for_goods_in_which_customs_has_a_part(world, both):
    clearance, releases = both
    await permitted(clearance, invoiceDocument__id=await invoice_of(world))
    world.consignments._customs = only("rival")
    with pytest.raises(Refused) as refused:
        await releases.release(world.actor("customs"), ID, **RELEASE)
    assert refused.value.code == "not_customs"
    assert (await clearance.declaration(actor("customs"), NUMBER)).status == "assessed"
    assert await standing(world) is None


async def test_a_number_in_other_case_goes_around_no_decision(world, both):
    clearance, releases = both
    await lodged(clearance, invoiceDocument__id=(await invoice_of(world)).lower())
    other = RELEASE | {"declaration": NUMBER.lower()}
    # The declaration waits: its goods are not let go under a number that looks like another's.
    with pytest.raises(Refused, match="without a risk decision"):
        await releases.release(world.actor("customs"), ID, **other)
    await clearance.assess(NUMBER)
    await clearance.answer(actor("health"), NUMBER, version=1, permit=True, reason="")
    first = await releases.release(world.actor("customs"), ID, **other)
    assert first.declaration == NUMBER
    assert (await clearance.declaration(actor("customs"), NUMBER)).status == "released"
    assert await releases.release(world.actor("customs"), ID, **other) == first
    assert (await world.consignments.release(world.actor("customs"), ID, **other)) == first


async def test_goods_of_a_declaration_refused_are_not_let_go_by_its_number_in_other_case(
    world, both
):
    clearance, releases = both
    await lodged(clearance, invoiceDocument__id=await invoice_of(world))
    await clearance.decide(actor("customs"), NUMBER, version=1, decision="refused", reason="no")
    with pytest.raises(Refused) as refused:
        await releases.release(
            world.actor("customs"), ID, declaration=NUMBER.lower(), decision="released"
        )
    assert refused.value.code == "declaration_ended"
    assert await standing(world) is None


async def another(world, entry_bytes, consignment: str, **seller: str) -> None:
    """A consignment of the same invoice number and goods, of a seller called otherwise."""
    plain = json.loads(entry_bytes)
    plain["consignment"] = consignment
    plain["parties"]["exporter"] |= {"id": "carrier", **seller}
    plain["parties"]["carrier"]["id"] = "exporter"
    plain |= {"order": "", "lot": ""}
    plain["lines"][0]["lot"] = ""
    await world.consignments.enter(world.actor("carrier"), json.dumps(plain).encode())


async def test_another_sellers_goods_do_not_go_under_the_same_invoice_number(
    world, both, entry_bytes
):
    clearance, releases = both
    await another(world, entry_bytes, "zd-other", name="Another Seller Co")
    await permitted(clearance)
    _, roads = await releases.decide(world.actor("customs"), NUMBER, version=1, decision="released")
    assert roads == [ID]
    with pytest.raises(Refused, match=r"its consignor is Suzhou .* not Another Seller") as refused:
        await releases.release(world.actor("customs"), "zd-other", **RELEASE)
    assert refused.value.code == "other_goods"


async def test_one_declaration_lets_one_consignment_go(world, both, entry_bytes):
    """Two that say the same: a person says which; the other needs a declaration of its own."""
    clearance, releases = both
    await another(world, entry_bytes, "zd-twin")
    await permitted(clearance)
    word = {"version": 1, "decision": "released"}
    assert (await releases.decide(world.actor("customs"), NUMBER, **word))[1] == []
    await releases.release(world.actor("customs"), "zd-twin", **RELEASE)
    with pytest.raises(Refused, match="it let zd-twin go already") as refused:
        await releases.release(world.actor("customs"), ID, **RELEASE)
    assert refused.value.code == "other_goods"
    assert await standing(world) is None
    assert (await releases.decide(world.actor("customs"), NUMBER, **word))[1] == ["zd-twin"]


async def test_goods_of_two_invoices_do_not_go_under_the_declaration_of_one(
    world, entry_bytes, tmp_path
):
    await world.consignments.enter(world.actor("exporter"), two(entry_bytes))
    listing = tmp_path / "nobody.csv"
    listing.write_text("name,Nobody Of These\n")
    clearance = clearance_of(listing)
    releases = Releases(world.consignments, clearance)
    await permitted(clearance)
    with pytest.raises(Refused, match="not INV-2026-0417 and INV-2026-0418") as refused:
        await releases.release(world.actor("customs"), ID, **RELEASE)
    assert refused.value.code == "other_goods"
    _, roads = await releases.decide(world.actor("customs"), NUMBER, version=1, decision="released")
    assert (roads, await standing(world)) == ([], None)


@pytest.mark.parametrize("seen", [True, False])
@pytest.mark.parametrize("decision", ["refused", "released", ""])
async def test_a_declaration_with_another_customs_lets_nothing_go(world, both, seen, decision):
    clearance, releases = both
    await clearance.submit(
        actor("importer"),
        document(),
        kind=KIND,
        customs=party_id("health"),
        agencies=[party_id("customs")] if seen and decision != "released" else [],
    )
    await clearance.assess(NUMBER)
    if decision:
        await clearance.decide(
            actor("health"), NUMBER, version=1, decision=decision, reason="looked at"
        )
    with pytest.raises(Refused, match="with another customs") as refused:
        await releases.release(world.actor("customs"), ID, **RELEASE)
    assert refused.value.code == "other_goods"
    assert await standing(world) is None


async def test_the_bill_is_the_consignments_where_the_declaration_names_one(
    world, both, bill_bytes
):
    clearance, releases = both
    await permitted(clearance, transportContractDocument={"id": "SMLSHA0417"})
    with pytest.raises(Refused, match="the carrier added none yet"):
        await releases.release(world.actor("customs"), ID, **RELEASE)
    await world.consignments.add_bill_of_lading(
        world.actor("carrier"), ID, number="SMLSHA0417", data=bill_bytes
    )
    await releases.release(world.actor("customs"), ID, **RELEASE)
    assert (await standing(world)).declaration == NUMBER


async def test_goods_that_went_under_a_number_release_no_later_declaration_of_it(world, both):
    """Lodged under the number of a system elsewhere: the same press again decides nothing."""
    clearance, releases = both
    await releases.release(world.actor("customs"), ID, **RELEASE)
    await permitted(clearance, invoiceDocument__id="INV-OTHER")
    await releases.release(world.actor("customs"), ID, **RELEASE)
    assert (await clearance.declaration(actor("customs"), NUMBER)).status == "assessed"


@pytest.mark.parametrize(
    "changed",
    [
        {"consigneeParty__name": "NORDVAND PUMPER APS."},
        {"includedConsignmentItem__0__typeCode": "841391"},
        {"includedConsignmentItem__0__netWeight": "1100", "totals__netWeight": 1138.4},
    ],
)
async def test_another_spelling_subheading_or_rounding_is_the_same_goods(world, both, changed):
    clearance, releases = both
    await permitted(clearance, **changed)
    _, roads = await releases.decide(world.actor("customs"), NUMBER, version=1, decision="released")
    assert roads == [ID]
