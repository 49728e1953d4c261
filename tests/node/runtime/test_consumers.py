from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from zhidao.bus.memory import MemoryBus
from zhidao.bus.port import Message
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import Refused, Unavailable
from zhidao.core.events import Fact, SignedEvent
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import FixedKeyRing, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.node.operations.metrics import Metrics
from zhidao.node.runtime.consumers import run_consumer
from zhidao.node.runtime.runtime_context import Consumer

NODE = PartyId("node.test")
CLOCK = HandClock(Utc.parse("2026-03-01T08:00:00Z"))


class Noted(Fact, frozen=True, kw_only=True):
    TYPE = "trade.Noted.v1"
    word: str


@dataclass
class Letters:
    """Keeps what was given up."""

    kept: list[str] = field(default_factory=list)

    async def add(self, *, consumer, message_id, subject, reason, data, at) -> None:
        self.kept.append(f"{consumer} {message_id} {reason}")


def message() -> Message:
    scribe = Scribe(
        node=NODE,
        key=SoftwareKey(Algorithm.ED25519, bytes(32)),
        ring=FixedKeyRing({}),
        clock=CLOCK,
        ids=IdSource(CLOCK, SeededRandomness(1)),
        randomness=SeededRandomness(2),
    )
    entry = scribe.write(
        Noted(word="a"),
        by=NODE,
        aggregate="consignment/a",
        version=1,
        owner=NODE,
        visible=(),
        occurred_at=None,
    )
    return Message("zhidao.trade.Noted.v1", "leaf-0", entry.event.encode())


async def heard(failures: list[Exception]) -> tuple[list[SignedEvent], Letters]:
    """What a consumer took in that failed so, and what was given up."""
    bus, letters, taken = MemoryBus(), Letters(), []

    async def handle(event: SignedEvent) -> None:
        if failures:
            raise failures.pop()
        taken.append(event)

    consumer = Consumer("trade-test", (Noted.TYPE,), handle)
    running = asyncio.create_task(
        run_consumer(consumer, node=NODE, bus=bus, dead=letters, clock=CLOCK, metrics=Metrics())
    )
    await bus.publish([message()])
    try:
        async with asyncio.timeout(10):
            while not taken and not letters.kept:
                await asyncio.sleep(0.005)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return taken, letters


@pytest.mark.slow
async def test_no_event_is_given_up_because_the_nodes_own_ground_is_away():
    codes = ("database_unavailable", "disk_full", "recovering", "bus_unavailable") * 2
    taken, letters = await heard([Unavailable("away", code=code) for code in codes])
    assert len(taken) == 1
    assert letters.kept == []


async def test_what_is_refused_again_and_again_is_set_aside_for_a_person():
    taken, letters = await heard([Refused("no such thing") for _ in range(5)])
    assert taken == []
    assert letters.kept == [
        "trade-test leaf-0 Refused: no such thing; change what the sentence names and send it again"
    ]
