"""Lots: measured by a machine, or typed and never dressed as measured."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import Conflict, Unavailable
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.industry.adapters.memory import MemoryMachines
from zhidao.industry.events import Limit, LotFinished
from zhidao.industry.service.lots import LotService
from zhidao.store.memory import MemoryArchive, MemoryJournal
from zhidao.trade.service.papers import finished

FACTORY = Actor(PartyId("exporter"), Role.PARTY)
MACHINE = "opc.tcp://127.0.0.1:4840"
PIECES = ["SN-001", "SN-002"]


class World:
    """The room with one machine."""

    def __init__(self) -> None:
        clock, randomness = HandClock(Utc.parse("2026-03-01T08:00:00Z")), SeededRandomness(1)
        key = SoftwareKey(Algorithm.ED25519, bytes(32))
        scribe = Scribe(
            node=PartyId("node"),
            key=key,
            ring=FixedKeyRing({PartyId("exporter"): key}),
            clock=clock,
            ids=IdSource(clock, randomness),
            randomness=randomness,
        )
        self.archive = MemoryArchive()
        machines = MemoryMachines({MACHINE: {"Flow": [Decimal(48)]}}, clock)
        self.lots = LotService(Records(MemoryJournal(), scribe), self.archive, machines, clock)

    async def opened(self) -> LotService:
        await self.lots.open_order(
            FACTORY,
            order="PO-1",
            gtin="06901234567892",
            quantity=4,
            limits=[Limit(name="Flow", low="45", high="51", unit="MQH")],
            readers=[],
        )
        return self.lots


async def finish(lots: LotService, endpoint: str, *, lot: str = "L-1") -> LotFinished:
    return await lots.finish_lot(
        FACTORY, order="PO-1", lot=lot, serials=PIECES, endpoint=endpoint, simulated=False
    )


async def test_a_typed_lot_says_that_nothing_was_measured() -> None:
    world = World()
    lots = await world.opened()
    typed = await finish(lots, "")
    assert (typed.is_typed, typed.samples, typed.quality) == (True, 0, "")
    assert not typed.within_limits, "nothing shows that it kept them"
    events = json.loads(await world.archive.get(typed.epcis))["epcisBody"]["eventList"]
    assert [event["bizStep"] for event in events] == ["commissioning"], "nobody inspected it"
    assert len(typed.epcis_hashes) == 1
    assert finished(typed).within_limits is None
    assert await finish(lots, "") == typed, "the same again changes nothing"


async def test_a_measured_lot_keeps_its_samples_and_is_not_typed() -> None:
    lots = await World().opened()
    measured = await finish(lots, MACHINE)
    assert (measured.is_typed, measured.within_limits) == (False, True)
    assert measured.samples > 0
    assert finished(measured).within_limits is True


async def test_a_typed_lot_is_never_measured_later() -> None:
    lots = await World().opened()
    typed = await finish(lots, "")
    with pytest.raises(Conflict) as refused:
        await finish(lots, MACHINE)
    assert refused.value.code == "lot_typed"
    assert await lots.lot(FACTORY, order="PO-1", lot="L-1") == typed


async def test_a_machine_that_is_silent_leaves_no_typed_lot_behind() -> None:
    lots = await World().opened()
    with pytest.raises(Unavailable):
        await finish(lots, "opc.tcp://127.0.0.1:1")
    [(_, made, _)] = await lots.orders(FACTORY, limit=10)
    assert made == []
