"""The journey becomes Delivered by a proven arrival, once, and by nothing else."""

from __future__ import annotations

from uuid import UUID

from zhidao.core.events import every
from zhidao.core.ids import party_id
from zhidao.positioning.events import ArrivalProven, Marks, Site
from zhidao.trade.events import Delivered

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
