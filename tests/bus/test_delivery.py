from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from nats.aio.client import Client

from zhidao.bus.delivery import OUTAGES_MAX, deliver, matches
from zhidao.bus.nats import NatsBus, durable_name
from zhidao.bus.port import Message
from zhidao.core.errors import Unavailable
from zhidao.core.retry_policy import RetryPolicy

MESSAGE = Message("zhidao.trade.Delivered.v1", "leaf-1", b"")
NONE = RetryPolicy(0.0, 0.0)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("zhidao.trade.Delivered.v1", True),
        ("zhidao.*.Delivered.v1", True),
        ("zhidao.>", True),
        (">", True),
        ("zhidao.trade.Delivered.v1.>", False),
        ("zhidao.trade.Delivered", False),
        ("zhidao.*", False),
        ("zhidao.trade.delivered.v1", False),
    ],
)
def test_a_pattern_means_what_nats_says(pattern: str, *, expected: bool):
    assert matches(MESSAGE.subject, pattern) is expected


async def test_a_message_that_cannot_be_set_aside_is_never_dropped():
    calls = []

    async def handle(_: Message) -> None:
        raise ValueError("never")

    async def on_dead(_: Message, reason: str) -> None:
        calls.append(reason)
        if len(calls) < 4:
            raise Unavailable("no database")

    await deliver(MESSAGE, handle, on_dead, NONE)
    assert calls == ["ValueError: never"] * 4


async def test_an_endless_outage_ends_at_the_dead_letter():
    tries = []

    async def handle(_: Message) -> None:
        tries.append(1)
        raise Unavailable("gone for ever")

    async def on_dead(_: Message, reason: str) -> None:
        tries.append(reason)

    await deliver(MESSAGE, handle, on_dead, NONE)
    assert tries[:-1] == [1] * OUTAGES_MAX
    # Whoever finds the letter reads what to do as well.
    assert tries[-1].startswith("Unavailable: gone for ever; try again")


def test_durable_names_are_accepted_by_jetstream_and_differ():
    names = [durable_name(name) for name in ("a.b", "a_b", "a=2Eb", "a b", "道")]
    assert len(set(names)) == len(names)
    assert all(name.isascii() and not set(name) & set(". *>/\\") for name in names)


async def test_a_consumer_ends_although_the_client_lost_the_request_to_end(monkeypatch):
    bus = NatsBus(Client(), NONE, 1, prefix="zhidao", owner="")

    async def loses(*_: object) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)

    async def pulls(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(bus, "_make_consumer", loses)
    monkeypatch.setattr(bus, "_pull", pulls)
    task = asyncio.create_task(bus.consume(name="a", subjects=(">",), handle=pulls, on_dead=pulls))
    await asyncio.sleep(0.01)
    task.cancel()
    done, _ = await asyncio.wait((task,), timeout=5)
    assert done == {task}
