"""Passports of goods and the event of their arrival, as a buyer's own checker would read them."""

from __future__ import annotations

import json

import pytest

from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import Forbidden, NotFound, Refused
from zhidao.core.events import every
from zhidao.core.ids import party_id
from zhidao.trade.events import Delivered
from zhidao.trade.service.transparency import Transparency
from zhidao.trust.domain.untp import CONTEXT, check_untp

ID = "zd-2026-0001"
FACTORY = {"facility_id": "https://id.example.com/factory/7", "facility_name": "Works 7"}


@pytest.fixture
async def transparency(world, entry_bytes):
    await world.consignments.enter(world.actor("exporter"), entry_bytes)
    return Transparency(
        archive=world.archive, consignments=world.consignments, credentials=world.credentials
    )


async def deliver(world):
    events = await world.records.history(f"consignment/{ID}")
    fact = Delivered(
        consignment=ID, arrival="01J0", observed_at="2026-09-12T10:00:00Z", place="Yard"
    )
    await world.records.record(
        world.actor("customs"),
        f"consignment/{ID}",
        [fact],
        after=events[-1].version,
        owner=events[0].owner,
        visible=[party_id("carrier")],
    )


async def test_every_line_of_goods_gets_a_passport_that_holds(world, transparency, entry_bytes):
    issued = await transparency.passports(world.actor("exporter"), ID, **FACTORY)
    assert len(issued) == len(json.loads(entry_bytes)["lines"])
    for credential in issued:
        assert credential["@context"] == ["https://www.w3.org/ns/credentials/v2", CONTEXT]
        assert credential["type"] == ["DigitalProductPassport", "VerifiableCredential"]
        assert await world.credentials.verify(jcs(credential)) == (True, "")
        check_untp(credential)
    subject = issued[0]["credentialSubject"]
    assert subject["id"] == "https://id.gs1.org/01/06901234567892/10/L-0417"
    assert subject["idGranularity"] == "batch"
    assert subject["producedAtFacility"]["name"] == "Works 7"
    assert issued[0]["name"].endswith("(simulated)")


async def test_asked_again_the_same_passports_come_and_another_factory_makes_others(
    world, transparency
):
    first = await transparency.passports(world.actor("exporter"), ID, **FACTORY)
    assert await transparency.passports(world.actor("exporter"), ID, **FACTORY) == first
    other = {**FACTORY, "facility_name": "Works 8"}
    assert await transparency.passports(world.actor("exporter"), ID, **other) != first


async def test_only_the_exporter_issues_passports_and_a_stranger_sees_nothing(world, transparency):
    with pytest.raises(Forbidden):
        await transparency.passports(world.actor("carrier"), ID, **FACTORY)
    with pytest.raises(NotFound):
        await transparency.passports(world.actor("stranger"), ID, **FACTORY)


async def test_an_arrival_is_told_once_it_is_proven_and_by_the_carrier(world, transparency):
    with pytest.raises(Refused) as refused:
        await transparency.movement(world.actor("carrier"), ID)
    assert refused.value.code == "not_delivered"
    await deliver(world)
    assert every(await world.records.history(f"consignment/{ID}"), Delivered)
    with pytest.raises(Forbidden):
        await transparency.movement(world.actor("exporter"), ID)
    told = await transparency.movement(world.actor("carrier"), ID)
    assert await world.credentials.verify(jcs(told)) == (True, "")
    event = told["credentialSubject"]
    assert event["type"] == ["MoveEvent", "LifecycleEvent"]
    assert event["eventDate"] == "2026-09-12T10:00:00Z"
    assert event["fromFacility"]["id"].startswith("https://vocabulary.uncefact.org/unlocode#")


async def test_a_changed_passport_does_not_hold(world, transparency):
    [credential, *_] = await transparency.passports(world.actor("exporter"), ID, **FACTORY)
    plain = parse_strict(jcs(credential))
    plain["credentialSubject"]["countryOfProduction"]["countryCode"] = "DE"
    assert await world.credentials.verify(jcs(plain)) == (False, "bad_proof")
