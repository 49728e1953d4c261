"""The journey becomes Delivered by a proven arrival, once, and by nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID

import pytest
from msgspec import structs

from zhidao.core.errors import Conflict
from zhidao.core.events import every
from zhidao.core.ids import party_id
from zhidao.positioning.events import ArrivalProven, Marks, Site
from zhidao.trade.events import ContainerArrived, Delivered
from zhidao.trade.wire import consignment_entry
from zhidao.trade.wire import entry as entry_file

ID = "zd-2026-0001"


def proven(world, consignment: str = ID, disagreed_by: tuple[str, ...] = ()):
    fact = ArrivalProven(
        consignment=consignment,
        terminal="T1",
        site=Site(name="Esbjerg", latitude_ndeg=1, longitude_ndeg=1, radius_mm=1),
        observed_at="2026-10-01T12:00:00Z",
        latitude_ndeg=1,
        longitude_ndeg=1,
        height_mm=0,
        protection_mm=1,
        satellites=9,
        epochs=3,
        marks=Marks(
            signed_by_terminal=True,
            bound_to_goods=True,
            recomputed=True,
            corroborated_by=[],
            disagreed_by=list(disagreed_by),
            inside_risk_ppb=100,
        ),
        window="0" * 64,
        navigation="0" * 64,
        evidence="0" * 64,
        simulated=True,
    )
    return world.scribe.write(
        fact,
        by=party_id("node"),
        aggregate=f"arrival/{consignment}",
        version=1,
        owner=party_id("exporter"),
        visible=(),
        occurred_at=None,
    ).event


async def deliveries(world) -> list[Delivered]:
    return every(await world.records.history(f"consignment/{ID}"), Delivered)


async def test_a_proven_arrival_delivers_once_however_often_it_comes(world, entry_bytes):
    await world.consignments.enter(world.actor("exporter"), entry_bytes)
    event = proven(world)
    await world.journey.on_arrival(event)
    await world.journey.on_arrival(event)
    await world.journey.on_arrival(proven(world))
    [delivered] = await deliveries(world)
    assert UUID(delivered.arrival) == event.id
    assert delivered.place == "Esbjerg"
    assert delivered.observed_at == "2026-10-01T12:00:00Z"
    state = await world.consignments.consignment(world.actor("importer-bank"), ID)
    assert state.state == "Delivered"


async def test_a_contradicted_arrival_delivers_nothing(world, entry_bytes):
    await world.consignments.enter(world.actor("exporter"), entry_bytes)
    await world.journey.on_arrival(proven(world, disagreed_by=("network",)))
    assert await deliveries(world) == []


async def test_an_arrival_of_somebody_elses_consignment_changes_nothing(world):
    await world.journey.on_arrival(proven(world, "unknown"))
    assert world.journal.written == []


SEVERAL = ["CSQU3054383", "MSCU6639870", "MSKU1234565"]


async def entered_with(world, entry_bytes, containers: list[str]) -> None:
    """The entry as its event tells it of several containers."""
    state = await world.consignments.enter(world.actor("exporter"), entry_bytes)
    fact = structs.replace(state.entered, containers=containers, consignment="many")
    parties = [party_id(name) for name in ("exporter", "importer", "carrier")]
    actor = world.actor("exporter")
    await world.records.record(
        actor, "consignment/many", [fact], after=0, owner=actor.party, visible=parties
    )


def of_container(world, container: str):
    event = proven(world, "many")
    payload = {**event.payload, "container": container}
    kind = "positioning.ArrivalProven.v3" if container else event.type
    if not container:
        payload.pop("container")
    return replace(event, type=kind, payload=payload)


async def many(world) -> tuple[list[str], int]:
    history = await world.records.history("consignment/many")
    there = [each.container for each in every(history, ContainerArrived)]
    return there, len(every(history, Delivered))


async def test_several_containers_are_delivered_when_the_last_one_is_proven(world, entry_bytes):
    await entered_with(world, entry_bytes, SEVERAL)
    for container in (SEVERAL[1], SEVERAL[1], "TGHU7654321", ""):
        # The same again, one that is none of them, and one that names none prove no more.
        await world.journey.on_arrival(of_container(world, container))
        assert await many(world) == ([SEVERAL[1]], 0)
    await world.journey.on_arrival(of_container(world, SEVERAL[2]))
    assert await many(world) == ([SEVERAL[1], SEVERAL[2]], 0)
    await world.journey.on_arrival(of_container(world, SEVERAL[0]))
    assert await many(world) == ([SEVERAL[1], SEVERAL[2], SEVERAL[0]], 1)


async def test_one_of_several_delivers_no_consignment_of_a_single_one(world, entry_bytes):
    await world.consignments.enter(world.actor("exporter"), entry_bytes)
    event = of_container(world, "CSQU3054383")
    payload = {**event.payload, "consignment": ID}
    await world.journey.on_arrival(replace(event, payload=payload))
    assert await deliveries(world) == []


async def test_a_container_cannot_be_added_to_a_consignment_that_stands(world, entry_bytes):
    await world.consignments.enter(world.actor("exporter"), entry_bytes)
    plain = json.loads(consignment_entry.migrated(entry_file.read(entry_bytes)))
    plain["utilizedTransportEquipment"].append({"id": "MSCU6639870"})
    plain["includedConsignmentItem"][1]["equipmentId"] = "MSCU6639870"
    with pytest.raises(Conflict):
        await world.consignments.enter(world.actor("exporter"), json.dumps(plain).encode())
