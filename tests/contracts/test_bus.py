"""The contract of bus.port.Bus, kept by the memory twin and by NATS."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest

from zhidao.bus.embedded import NODE_USER, BusUser, EmbeddedNats
from zhidao.bus.memory import MemoryBus
from zhidao.bus.nats import NatsBus
from zhidao.bus.port import Bus, Message
from zhidao.core.errors import Refused, Unavailable
from zhidao.core.retry_policy import RetryPolicy

QUICK = RetryPolicy(first_s=0.001, longest_s=0.02)


@pytest.fixture(params=["memory", pytest.param("nats", marks=pytest.mark.service)])
def server(request: pytest.FixtureRequest, tmp_path) -> Iterator[EmbeddedNats | None]:
    if request.param == "memory":
        yield None
        return
    nats = EmbeddedNats(tmp_path / "nats")
    nats.start()
    try:
        yield nats
    finally:
        nats.stop()


@pytest.fixture
async def bus(server: EmbeddedNats | None) -> AsyncIterator[Bus]:
    opened = await NatsBus.connect(server.url(), pauses=QUICK) if server else MemoryBus()
    try:
        yield opened
    finally:
        await opened.close()


class Reader:
    """Keeps what arrived; fails as often as told for a message."""

    def __init__(self) -> None:
        self.seen: list[Message] = []
        self.tries: list[str] = []
        self.dead: list[tuple[Message, str]] = []
        self.failures: dict[str, list[Exception]] = {}

    async def handle(self, message: Message) -> None:
        self.tries.append(message.id)
        if self.failures.get(message.id):
            raise self.failures[message.id].pop()
        self.seen.append(message)

    async def on_dead(self, message: Message, reason: str) -> None:
        self.dead.append((message, reason))

    @asynccontextmanager
    async def at(self, bus: Bus, *subjects: str, name: str = "trade.reader") -> AsyncIterator[None]:
        task = asyncio.create_task(
            bus.consume(name=name, subjects=subjects, handle=self.handle, on_dead=self.on_dead)
        )
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def count(self, wanted: int) -> None:
        async with asyncio.timeout(20):
            while len(self.seen) + len(self.dead) < wanted:
                await asyncio.sleep(0.002)


def message(number: int, subject: str = "zhidao.trade.Delivered.v1") -> Message:
    return Message(subject, f"leaf-{number}", str(number).encode())


async def test_messages_arrive_in_the_order_of_publication(bus: Bus):
    sent = [message(number) for number in range(50)]
    await bus.publish(sent[:20])
    reader = Reader()
    async with reader.at(bus, "zhidao.trade.>"):
        await bus.publish(sent[20:])
        await reader.count(50)
    assert reader.seen == sent


async def test_a_known_id_is_not_stored_again(bus: Bus):
    await bus.publish([message(1), message(2)])
    await bus.publish([message(1), message(2), message(3), message(3)])
    reader = Reader()
    async with reader.at(bus, "zhidao.>"):
        await reader.count(3)
        await asyncio.sleep(0.05)
    assert [m.id for m in reader.seen] == ["leaf-1", "leaf-2", "leaf-3"]


async def test_a_consumer_hears_its_subjects_only(bus: Bus):
    other = message(2, "zhidao.finance.Settled.v1")
    await bus.publish([message(1), other, message(3, "zhidao.trust.Minted.v1")])
    reader = Reader()
    async with reader.at(bus, "zhidao.finance.Settled.v1", "zhidao.*.Minted.v1"):
        await reader.count(2)
    assert [m.id for m in reader.seen] == ["leaf-2", "leaf-3"]


async def test_a_consumer_goes_on_where_it_ended(bus: Bus):
    await bus.publish([message(1), message(2)])
    first, second, stranger = Reader(), Reader(), Reader()
    async with first.at(bus, "zhidao.>"):
        await first.count(2)
        await asyncio.sleep(0.05)
    await bus.publish([message(3)])
    async with second.at(bus, "zhidao.>"):
        await second.count(1)
    assert [m.id for m in second.seen] == ["leaf-3"]
    async with stranger.at(bus, "zhidao.>", name="finance.reader"):
        await stranger.count(3)


async def test_a_failing_message_comes_again_before_the_next_one(bus: Bus):
    reader = Reader()
    reader.failures["leaf-1"] = [ValueError("no")] * 4
    await bus.publish([message(1), message(2)])
    async with reader.at(bus, "zhidao.>"):
        await reader.count(2)
    assert reader.tries == ["leaf-1"] * 5 + ["leaf-2"]
    assert [m.id for m in reader.seen] == ["leaf-1", "leaf-2"]
    assert not reader.dead


async def test_after_five_failures_a_message_is_set_aside_and_the_next_one_comes(bus: Bus):
    reader = Reader()
    reader.failures["leaf-1"] = [ValueError("not mine")] * 9
    await bus.publish([message(1), message(2)])
    async with reader.at(bus, "zhidao.>"):
        await reader.count(2)
    assert reader.tries == ["leaf-1"] * 5 + ["leaf-2"]
    assert [(m.id, reason) for m, reason in reader.dead] == [("leaf-1", "ValueError: not mine")]


async def test_an_outage_is_not_the_messages_fault(bus: Bus):
    reader = Reader()
    reader.failures["leaf-1"] = [Unavailable("the database restarts")] * 20
    await bus.publish([message(1)])
    async with reader.at(bus, "zhidao.>"):
        await reader.count(1)
    assert [m.id for m in reader.seen] == ["leaf-1"]
    assert not reader.dead


async def test_a_handler_cut_off_gets_its_message_again(bus: Bus):
    started = asyncio.Event()

    async def stuck(_: Message) -> None:
        started.set()
        await asyncio.sleep(60)

    reader = Reader()
    await bus.publish([message(1)])
    task = asyncio.create_task(
        bus.consume(
            name="trade.reader", subjects=["zhidao.>"], handle=stuck, on_dead=reader.on_dead
        )
    )
    await asyncio.wait_for(started.wait(), 5)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    async with reader.at(bus, "zhidao.>"):
        await reader.count(1)
    assert [m.id for m in reader.seen] == ["leaf-1"]


async def test_the_newest_id_tells_what_the_bus_has(bus: NatsBus | MemoryBus):
    assert await bus.newest_id() is None
    await bus.publish([message(1), message(2)])
    assert await bus.newest_id() == "leaf-2"


@pytest.mark.service
async def test_a_server_that_lost_its_folder_shows_it_to_whoever_looks(tmp_path):
    server = EmbeddedNats(tmp_path / "nats")
    bus = await NatsBus.connect(server.start(), pauses=QUICK)
    try:
        await bus.publish([message(1), message(2)])
        before = bus.generation
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        while server.alive():
            await asyncio.sleep(0.01)
        shutil.rmtree(tmp_path / "nats" / "jetstream")
        server.start()
        started = time.monotonic()
        while bus.generation == before:
            assert time.monotonic() - started < 2.0
            await asyncio.sleep(0.01)
        assert await bus.newest_id() is None
    finally:
        await bus.close()
        server.stop()


@pytest.mark.service
async def test_nothing_is_stored_behind_messages_that_a_server_lost(tmp_path):
    server = EmbeddedNats(tmp_path / "nats")
    bus = await NatsBus.connect(server.start(), pauses=QUICK)
    try:
        await bus.publish([message(1), message(2)])
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        while server.alive():
            await asyncio.sleep(0.01)
        shutil.rmtree(tmp_path / "nats" / "jetstream")
        other = await NatsBus.connect(server.start(), pauses=QUICK)  # Makes the stream anew.
        await other.close()
        async with asyncio.timeout(5):
            while not await bus.ready():
                await asyncio.sleep(0.01)
        before = bus.generation
        with pytest.raises(Unavailable):
            await bus.publish([message(3), message(4)])
        assert bus.generation > before
        assert await bus.newest_id() is None
        await bus.publish([message(1), message(2), message(3), message(4)])
        assert await bus.newest_id() == "leaf-4"
    finally:
        await bus.close()
        server.stop()


async def test_a_large_fact_passes_and_nothing_is_published_for_nothing(bus: Bus):
    await bus.publish([])
    big = Message("zhidao.devices.WindowReceived.v1", "big", bytes(5 * 1024 * 1024))
    await bus.publish([big, message(1)])
    reader = Reader()
    async with reader.at(bus, "zhidao.>"):
        await reader.count(2)
    assert reader.seen[0] == big


async def test_ready_tells_the_truth(bus: Bus):
    assert await bus.ready()
    await bus.close()
    assert not await bus.ready()
    with pytest.raises(Unavailable):
        await bus.publish([message(1)])


@pytest.mark.service
async def test_a_message_larger_than_the_server_takes_is_refused(tmp_path):
    nats = EmbeddedNats(tmp_path / "nats")
    bus = await NatsBus.connect(nats.start())
    try:
        with pytest.raises(Refused, match="larger than the bus takes"):
            await bus.publish([Message("zhidao.a", "x", bytes(9 * 1024 * 1024))])
    finally:
        await bus.close()
        nats.stop()


@pytest.mark.service
async def test_two_nodes_share_a_server_under_prefixes_of_their_own(tmp_path) -> None:
    users = [BusUser("both", publish=(">",), subscribe=(">",))]
    nats = EmbeddedNats(tmp_path / "nats", users=(*users, NODE_USER))
    nats.start()
    url = nats.url("both")
    opened: list[NatsBus] = []
    try:
        opened += [
            await NatsBus.connect(url, pauses=QUICK, prefix=name, owner=name)
            for name in ("east", "west")
        ]
        for number, each in enumerate(opened):
            await each.publish([Message("zhidao.trade.Said.v1", "leaf-0", str(number).encode())])
        for number, each in enumerate(opened):
            reader = Reader()
            async with reader.at(each, "zhidao.>"):
                await reader.count(1)
            [seen] = reader.seen
            assert (seen.id, seen.data) == ("leaf-0", str(number).encode())
            assert seen.subject.startswith("zhidao.")
        with pytest.raises(Refused, match="events of west") as caught:
            await NatsBus.connect(url, pauses=QUICK, prefix="west", owner="east")
        assert caught.value.code == "bus_of_another_node"
    finally:
        for each in opened:
            await each.close()
        nats.stop()


@pytest.mark.service
async def test_a_stream_of_nobody_becomes_its_first_owners_and_keeps_its_messages(
    tmp_path,
) -> None:
    nats = EmbeddedNats(tmp_path / "nats")
    url = nats.start()
    try:
        before = await NatsBus.connect(url, pauses=QUICK)
        await before.publish([message(1)])
        await before.close()
        for _ in range(2):
            mine = await NatsBus.connect(url, pauses=QUICK, owner="mine")
            assert await mine.newest_id() == "leaf-1"
            await mine.close()
        with pytest.raises(Refused):
            await NatsBus.connect(url, pauses=QUICK, owner="other")
    finally:
        nats.stop()
