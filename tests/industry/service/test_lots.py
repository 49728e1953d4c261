"""Lots: measured by a machine, or typed and never dressed as measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal

import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import Conflict, MalformedInput, NotFound, Refused, Unavailable
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.industry.adapters.lot_journal import MemoryLotJournal
from zhidao.industry.adapters.memory import MemoryMachines
from zhidao.industry.domain.quality import GOOD, Reading
from zhidao.industry.events import Limit, LotFinished
from zhidao.industry.service.lots import LotService
from zhidao.industry.wire.quality_record import decode_record
from zhidao.store.memory import MemoryArchive
from zhidao.trade.service.papers import finished

FACTORY = Actor(PartyId("exporter"), Role.PARTY)
MACHINE = "opc.tcp://127.0.0.1:4840"
PIECES = ["SN-001", "SN-002"]


class World:
    """The room with one machine."""

    def __init__(self, **machine: list[Decimal | Reading]) -> None:
        clock, randomness = HandClock(Utc.parse("2026-03-01T08:00:00Z")), SeededRandomness(1)
        key = SoftwareKey(Algorithm.ED25519, bytes(32))
        scribe = Scribe(
            node=PartyId("node"),
            key=key,
            ring=FixedKeyRing({PartyId("exporter"): key, PartyId("other"): key}),
            clock=clock,
            ids=IdSource(clock, randomness),
            randomness=randomness,
        )
        self.archive = MemoryArchive()
        machines = MemoryMachines({MACHINE: machine or {"Flow": [Decimal(48)]}}, clock)
        self.lots = LotService(Records(MemoryLotJournal(), scribe), self.archive, machines, clock)

    async def opened(self, excess: int = 0) -> LotService:
        await self.lots.open_order(
            FACTORY,
            order="PO-1",
            gtin="06901234567892",
            quantity=4,
            limits=[Limit(name="Flow", low="45", high="51", unit="MQH")],
            readers=[],
            excess=excess,
        )
        return self.lots


async def finish(
    lots: LotService, endpoint: str, *, lot: str = "L-1", serials: list[str] = PIECES
) -> LotFinished:
    return await lots.finish_lot(
        FACTORY, order="PO-1", lot=lot, serials=serials, endpoint=endpoint, simulated=False
    )


def said(value: str | None = "48", status: str = GOOD, at: str = "2026-03-01T08:00:00Z") -> Reading:
    number = None if value is None else Decimal(value)
    return Reading("Flow", number, "Double", status, Utc.parse(at), Utc.parse(at))


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


async def test_a_sensor_that_failed_never_gives_within_limits() -> None:
    world = World(Flow=[said(status="BadSensorFailure")])
    lot = await finish(await world.opened(), MACHINE)
    assert (lot.verdict, lot.within_limits, lot.samples) == ("not_shown", False, 0)
    assert (lot.not_shown, lot.is_typed) == (["Flow"], False)
    assert lot.told_as == "industry.LotFinished.v2"
    assert finished(lot).within_limits is None
    assert finished(lot).measured
    record = decode_record(await world.archive.get(lot.quality))
    assert {reading.status for reading, _ in record.sifted.left} == {"BadSensorFailure"}
    assert record.has_status


@pytest.mark.parametrize(
    "beside",
    [
        said(status="UncertainSensorNotAccurate"),
        said(None),
        said(at="2026-03-01T07:59:57.9Z"),
        said(at="2026-03-01T08:00:02.1Z"),
    ],
)
async def test_one_reading_that_does_not_count_leaves_the_lot_not_shown(beside: Reading) -> None:
    lot = await finish(await World(Flow=[Decimal(48), beside]).opened(), MACHINE)
    assert (lot.verdict, lot.samples) == ("not_shown", 10)


async def test_what_is_outside_is_outside_whatever_else_was_not_seen() -> None:
    world = World(Flow=[Decimal(52), said(status="BadSensorFailure")])
    lot = await finish(await world.opened(), MACHINE)
    assert (lot.verdict, lot.not_shown, lot.told_as) == ("outside", [], "industry.LotFinished.v1")


async def test_a_stale_value_is_one_sample() -> None:
    lot = await finish(await World(Flow=[said()]).opened(), MACHINE)
    assert (lot.verdict, lot.samples) == ("within", 1)


async def test_a_serial_of_an_article_is_commissioned_once_a_node() -> None:
    world = World()
    lots = await world.opened()
    await finish(lots, MACHINE)
    with pytest.raises(Conflict) as refused:
        await finish(lots, MACHINE, lot="L-2", serials=["SN-003", "SN-002"])
    assert refused.value.code == "serial_taken"
    assert "SN-002" in str(refused.value)
    assert "L-1" not in str(refused.value), "where it was made first is its owner's to say"
    await lots.open_order(
        FACTORY,
        order="PO-2",
        gtin="06901234567908",
        quantity=2,
        limits=[Limit(name="Flow", low="45", high="51", unit="MQH")],
        readers=[],
    )
    other = await lots.finish_lot(
        FACTORY, order="PO-2", lot="L-1", serials=PIECES, endpoint="", simulated=False
    )
    assert other.serials == PIECES, "the same serial of another article is another piece"


@pytest.mark.parametrize(("excess", "most"), [(0, 2), (1, 3)])
async def test_lots_hold_together_no_more_than_the_order(excess: int, most: int) -> None:
    world = World()
    lots = await world.opened(excess)
    await finish(lots, "")
    more = [f"SN-1{n}" for n in range(most + 1)]
    with pytest.raises(Refused) as refused:
        await finish(lots, "", lot="L-2", serials=more)
    assert refused.value.code == "order_exceeded"
    lot = await finish(lots, "", lot="L-2", serials=more[:-1])
    assert len(lot.serials) == most
    with pytest.raises(Refused):
        await finish(lots, "", lot="L-3", serials=["SN-99"])


async def test_an_order_with_an_excess_says_so_in_a_later_version() -> None:
    world = World()
    lots = await world.opened(1)
    [(order, _, _)] = await lots.orders(FACTORY, limit=10)
    assert (order.excess, order.told_as) == (1, "industry.OrderOpened.v2")
    with pytest.raises(Conflict, match="stands already"):
        await world.opened(2)


@pytest.mark.parametrize("serials", [[], ["A", "A"]])
async def test_a_lot_without_pieces_or_with_one_twice_is_malformed(serials: list[str]) -> None:
    with pytest.raises(MalformedInput):
        await finish(await World().opened(), "", serials=serials)


async def test_a_strangers_order_is_no_order() -> None:
    lots = await World().opened()
    stranger = Actor(PartyId("other"), Role.PARTY)
    with pytest.raises(NotFound):
        await lots.finish_lot(
            stranger, order="PO-1", lot="L-1", serials=PIECES, endpoint="", simulated=False
        )
    with pytest.raises(NotFound):
        await lots.lot(stranger, order="PO-1", lot="L-1")


async def test_an_order_has_limits_and_one_of_each_name() -> None:
    lots = World().lots
    flow = Limit(name="Flow", low="45", high="51", unit="MQH")
    for limits in ([], [flow, Limit(name="Flow", low="1", high="2", unit="MQH")]):
        with pytest.raises(MalformedInput):
            await lots.open_order(
                FACTORY, order="PO", gtin="06901234567892", quantity=1, limits=limits, readers=[]
            )


async def test_the_same_lot_with_other_serials_is_a_conflict() -> None:
    lots = await World().opened()
    await finish(lots, MACHINE)
    with pytest.raises(Conflict, match="other serials"):
        await finish(lots, MACHINE, serials=["SN-007"])


class Told:
    """Keeps the documents that it takes."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, int, tuple[str, ...]]] = []

    async def take(self, owner: PartyId, data: bytes, *, visible: Sequence[PartyId]) -> None:
        events = json.loads(data)["epcisBody"]["eventList"]
        self.taken.append((owner, len(events), tuple(visible)))


async def test_the_events_of_a_lot_are_told_to_be_traced_and_again_by_the_next_request() -> None:
    world = World()
    lots = await world.opened()
    lots._told = told = Told()
    await finish(lots, MACHINE)
    # As after a crash between the lot and its events: whoever asks again brings them in.
    await finish(lots, MACHINE)
    assert told.taken == [("exporter", 2, ()), ("exporter", 2, ())]
