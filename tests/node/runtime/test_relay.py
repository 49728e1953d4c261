from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from zhidao.bus.memory import MemoryBus
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import Unavailable
from zhidao.core.events import Fact
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import Entry, FixedKeyRing, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.node.operations.alarms import RELAY_STOPPED, Alarms
from zhidao.node.operations.metrics import Metrics
from zhidao.node.operations.signing_permit import SigningPermit
from zhidao.node.runtime import relay
from zhidao.node.runtime.relay import Relay, Watch
from zhidao.node.runtime.wakeup import Wakeup
from zhidao.store import outbox
from zhidao.store.database import Database
from zhidao.store.journal import PostgresJournal
from zhidao.trust.adapters.log.head_file import FileHeadCopy
from zhidao.trust.adapters.log.postgres import PostgresLogStore
from zhidao.trust.service.log.reader import checkpoint_of
from zhidao.trust.service.log.sequencer import Sequencer, origin_of

pytestmark = pytest.mark.service
NODE = PartyId("node.test")
KEY = SoftwareKey(Algorithm.ED25519, bytes(32))


class Noted(Fact, frozen=True, kw_only=True):
    TYPE = "trade.Noted.v1"
    number: int


class FickleBus(MemoryBus):
    """A bus that can lose what it had, or the connection."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []
        self.connection = 0
        self.away = False

    @property
    def generation(self) -> int:
        return self.connection

    async def publish(self, messages) -> None:
        if self.away:
            raise Unavailable("away", code="bus_unavailable")
        self.batches.append(len(messages))
        await super().publish(messages)

    def lose(self, kept: int) -> None:
        self.messages = self.messages[:kept]
        self._ids = {message.id for message in self.messages}
        self.connection += 1


@dataclass
class World:
    database: Database
    bus: FickleBus
    log: Sequencer
    journal: PostgresJournal
    scribe: Scribe
    alarms: Alarms
    permit: SigningPermit
    relay: Relay

    def noted(self, number: int) -> Entry:
        return self.scribe.write(
            Noted(number=number),
            by=NODE,
            aggregate=f"consignment/{number}",
            version=1,
            owner=NODE,
            visible=(),
            occurred_at=None,
        )

    async def note(self, number: int) -> None:
        await self.journal.append([self.noted(number)])

    async def waiting(self) -> int:
        async with self.database.session() as session:
            return await outbox.waiting(session)

    async def signed(self) -> int:
        note = await PostgresLogStore(self.database, self.log.origin).checkpoint()
        return checkpoint_of(note).size if note else 0


def sequencer(database: Database, folder: Path) -> Sequencer:
    origin = origin_of(NODE, KEY)
    return Sequencer(
        origin=origin,
        key=KEY,
        store=PostgresLogStore(database, origin),
        copy=FileHeadCopy(folder / "checkpoint"),
    )


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    log = sequencer(database, tmp_path)
    await log.start()
    bus, alarms, permit = FickleBus(), Alarms(), SigningPermit()
    clock = HandClock(Utc.parse("2026-03-01T08:00:00Z"))
    scribe = Scribe(
        node=NODE,
        key=KEY,
        ring=FixedKeyRing({}),
        clock=clock,
        ids=IdSource(clock, SeededRandomness(1)),
        randomness=SeededRandomness(2),
        permit=permit.check,
    )
    relay = Relay(database, log, bus, Watch(alarms, permit, Metrics()))
    journal = PostgresJournal(database, "trade", relay.wake)
    return World(database, bus, log, journal, scribe, alarms, permit, relay)


@contextlib.asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(relay.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition) -> None:
    async with asyncio.timeout(10):
        while not await condition():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("kept", [0, 1, 3])
async def test_a_bus_that_comes_back_with_less_gets_the_rest_again(world: World, kept: int):
    for number in range(3):
        await world.note(number)
    async with running(world.relay):
        await until(lambda: _is(world.waiting(), 0))
        before = list(world.bus.messages)
        world.bus.lose(kept)
        await until(lambda: _is(_count(world.bus), 3))
    assert world.bus.messages == before
    assert [message.id for message in before] == ["leaf-0", "leaf-1", "leaf-2"]


async def test_a_bus_that_lost_all_while_the_node_was_away_is_filled_at_the_start(
    world: World, tmp_path: Path
):
    await world.note(1)
    await world.relay.step()
    world.bus.lose(0)
    again = Relay(
        world.database, world.log, world.bus, Watch(world.alarms, world.permit, Metrics())
    )
    await again.step()
    assert [message.id for message in world.bus.messages] == ["leaf-0"]
    assert await world.waiting() == 0


async def test_events_that_follow_each_other_go_together(world: World):
    patient = Relay(
        *(world.database, world.log, world.bus),
        Watch(world.alarms, world.permit, Metrics()),
        apart_s=2.0,
    )
    world.journal = PostgresJournal(world.database, "trade", patient.wake)
    async with running(patient):
        await world.note(0)
        await until(lambda: _is(_count(world.bus), 1))
        for number in range(1, 6):
            await world.note(number)
        await until(lambda: _is(_count(world.bus), 6))
    assert world.bus.batches == [1, 5]


async def test_a_node_that_stops_leaves_nothing_on_its_way(world: World):
    for number in range(3):
        await world.note(number)
    await world.relay.drain()
    assert await world.waiting() == 0
    assert await world.signed() == 3
    assert len(world.bus.messages) == 3


async def test_a_stop_waits_for_what_is_still_committing(world: World):
    written, looked = asyncio.Event(), asyncio.Event()

    async def slowly() -> None:
        async with world.database.session() as session:
            await world.journal.append_in(session, [world.noted(0)])
            written.set()
            await looked.wait()

    writing = asyncio.create_task(slowly())
    await written.wait()
    draining = asyncio.create_task(world.relay.drain())
    # Longer than a drain takes that sees nothing.
    await asyncio.sleep(1.0)
    assert not draining.done()
    looked.set()
    await asyncio.gather(writing, draining)
    assert await world.waiting() == 0
    assert await world.signed() == 1


async def test_a_stop_while_the_bus_is_away_keeps_the_rest_for_the_next_start(world: World):
    await world.note(1)
    world.bus.away = True
    await world.relay.drain()
    assert await world.waiting() == 1
    assert await world.signed() == 1
    world.bus.away = False
    await world.relay.drain()
    assert len(world.bus.messages) == 1


async def test_who_waits_for_the_log_is_woken_once_a_signed_head_covers_it(world: World):
    logged = Wakeup()
    watch = Watch(world.alarms, world.permit, Metrics(), logged)
    relay = Relay(world.database, world.log, world.bus, watch)
    sizes = []

    async def look() -> int | None:
        sizes.append(await world.signed())
        return sizes[-1] or None

    finding = asyncio.create_task(logged.found(look, within_s=30.0, fallback_s=30.0))
    await asyncio.sleep(0.05)
    await world.note(1)
    await relay.step()
    async with asyncio.timeout(10):
        assert await finding == 1
    assert sizes == [0, 1], "looked once before, and not again before the head was signed"


async def test_events_are_logged_and_signed_while_the_bus_is_away(world: World):
    world.bus.away = True
    async with running(world.relay):
        await world.note(1)
        await until(lambda: _is(world.signed(), 1))
        assert await world.waiting() == 1
        world.bus.away = False
        await until(lambda: _is(world.waiting(), 0))


async def test_a_head_that_a_crash_left_unsigned_is_signed_without_a_new_event(
    world: World, tmp_path: Path
):
    await world.note(1)
    await world.relay._to_log()
    fresh = Relay(
        world.database, world.log, world.bus, Watch(world.alarms, world.permit, Metrics())
    )
    await fresh.step()
    assert await world.signed() == 1


async def test_a_process_whose_log_was_taken_writes_nothing_more_and_says_so(
    world: World, tmp_path: Path
):
    async with running(world.relay) as task:
        await world.note(1)
        await until(lambda: _is(world.waiting(), 0))
        await sequencer(world.database, tmp_path).start()
        await world.note(2)
        await until(lambda: _is(_standing(world.alarms), ["lease_lost"]))
        with pytest.raises(Unavailable, match="only reads"):
            await world.note(3)
        assert not task.done()
    assert await world.waiting() == 1


async def test_a_recovering_log_moves_nothing_and_leaves_the_relay_running(
    world: World, tmp_path: Path
):
    await world.note(1)
    (tmp_path / "checkpoint").write_bytes(b"of another log")
    older = sequencer(world.database, tmp_path)
    await older.start()
    world.permit.recovering = lambda: older.recovering
    relay = Relay(world.database, older, world.bus, Watch(world.alarms, world.permit, Metrics()))
    async with running(relay) as task:
        await asyncio.sleep(0.3)
        assert not task.done()
    assert await world.waiting() == 1
    assert world.bus.messages == []
    with pytest.raises(Unavailable) as refusal:
        await world.note(2)
    assert refusal.value.code == "recovering"


async def _is(answer, wanted) -> bool:
    return await answer == wanted


async def _count(bus: FickleBus) -> int:
    return len(bus.messages)


async def _standing(alarms: Alarms) -> list[str]:
    return [alarm.code for alarm in alarms.standing()]


async def test_a_bus_that_stays_away_is_an_alarm_until_it_is_back(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(relay, "WAITED_S", 0.3)
    await world.note(1)
    world.bus.away = True
    async with running(world.relay), asyncio.timeout(20):
        await asyncio.sleep(0.1)
        # A restart is no alarm.
        assert not world.alarms.stands(RELAY_STOPPED)
        while not world.alarms.stands(RELAY_STOPPED):
            await asyncio.sleep(0.02)
        assert world.alarms.standing()[0].args == {"problem": "bus_unavailable"}
        world.bus.away = False
        while world.alarms.stands(RELAY_STOPPED):
            await asyncio.sleep(0.02)
    assert len(world.bus.messages) == 1
