"""Runs in a mount namespace of its own: a small disk is filled while a node publishes to it.

Prints one JSON object: the ids acknowledged, those that a consumer read afterwards, and how often
the supervisor found the server dead.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from zhidao.bus.embedded import EmbeddedNats
from zhidao.bus.nats import NatsBus
from zhidao.bus.port import Message
from zhidao.core.errors import Unavailable
from zhidao.core.retry_policy import RetryPolicy


def message(number: int) -> Message:
    return Message("zhidao.trade.Said.v1", f"leaf-{number}", bytes(20_000))


async def run(disk: Path, server: EmbeddedNats) -> dict[str, object]:
    bus = await NatsBus.connect(server.start(), pauses=RetryPolicy(0.01, 5.0))
    for number in range(200):
        await bus.publish([message(number)])
    filler = disk / "filler"
    with filler.open("wb") as file:
        try:
            while True:
                file.write(bytes(65_536))
                file.flush()
        except OSError:
            pass  # Full, as wanted.
    refused = 0
    try:
        await bus.publish([message(200)])
    except Unavailable:
        refused = 1
    alive_while_full = server.alive()
    filler.unlink()
    found_dead = 0
    for number in range(200, 220):
        while True:
            try:
                await bus.publish([message(number)])
            except Unavailable:
                if not server.alive():
                    found_dead += 1
                    server.start()
                await asyncio.sleep(0.05)
            else:
                break
    seen: list[str] = []

    async def handle(arrived: Message) -> None:
        seen.append(arrived.id)

    async def on_dead(_: Message, reason: str) -> None:
        seen.append(reason)

    reading = asyncio.create_task(
        bus.consume(name="reader", subjects=["zhidao.>"], handle=handle, on_dead=on_dead)
    )
    async with asyncio.timeout(20):
        while len(seen) < 220:
            await asyncio.sleep(0.02)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await bus.close()
    return {
        "refused": refused,
        "alive_while_full": alive_while_full,
        "found_dead": found_dead,
        "in_order": seen == [f"leaf-{number}" for number in range(220)],
    }


def main() -> None:
    server = EmbeddedNats(Path(sys.argv[1]) / "nats")
    try:
        answer = asyncio.run(run(Path(sys.argv[1]), server))
    finally:
        server.stop()
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
