"""A devices room over PostgreSQL in a process of its own, to be killed: URL and port as arguments."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from zhidao.core.ids import IdSource, party_id
from zhidao.core.journal import FixedKeyRing, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.node.adapters.ambient import SystemClock, SystemRandomness
from zhidao.node.wiring.devices import build
from zhidao.store.archive import PostgresArchive
from zhidao.store.database import Database


async def main(url: str, port: int) -> None:
    clock, randomness = SystemClock(), SystemRandomness()
    ids = IdSource(clock, randomness)
    database = await Database.open(url)
    scribe = Scribe(
        node=party_id("node"),
        key=SoftwareKey(Algorithm.ED25519, bytes(32)),
        ring=FixedKeyRing({}),
        clock=clock,
        ids=ids,
        randomness=randomness,
    )
    context: Any = SimpleNamespace(
        database=database,
        data=Path(),
        archive=PostgresArchive(database),
        scribe=scribe,
        clock=clock,
        ids=ids,
        randomness=randomness,
        wake_relay=lambda: None,
    )
    services = await build(context, port=port)
    sys.stdout.write("open\n")
    sys.stdout.flush()
    await services.gateway.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
