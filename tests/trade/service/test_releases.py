"""Customs has one act: goods go under a declaration that is released with them, or they do not."""

from __future__ import annotations

import pytest
from tests.trade.service.test_clearance import (
    HEALTH,
    KIND,
    NUMBER,
    actor,
    clearance_of,
    document,
    lodged,
    only,
)

from zhidao.core.errors import Forbidden, NotFound, Refused
from zhidao.core.ids import party_id
from zhidao.trade.service.releases import Releases

ID = "zd-2026-0001"
RELEASE = {"declaration": NUMBER, "decision": "released"}


@pytest.fixture
async def both(world, entry_bytes, tmp_path):
    await world.consignments.enter(world.actor("exporter"), entry_bytes)
    listing = tmp_path / "nobody.csv"
    listing.write_text("name,Nobody Of These\n")
    clearance = clearance_of(listing)
    return clearance, Releases(world.consignments, clearance)


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
