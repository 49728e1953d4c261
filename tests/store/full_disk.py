"""Runs in a mount namespace of its own: a small disk is filled while a node writes to it.

Prints one JSON object: what was acknowledged, what the database held afterwards, and the codes
of the refusals.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from zhidao.core.errors import Unavailable
from zhidao.store.database import Database
from zhidao.store.embedded import EmbeddedPostgres
from zhidao.store.space import SpaceWatch


async def write(database: Database, keys: range) -> tuple[list[int], set[str]]:
    kept, codes = [], set()
    for key in keys:
        try:
            async with database.session() as session:
                await session.execute("insert into kept values (%s, repeat('x', 9000))", (key,))
        except Unavailable as error:
            codes.add(error.code)
        else:
            kept.append(key)
    return kept, codes


async def run(disk: Path, server: EmbeddedPostgres, *, guarded: bool) -> dict[str, object]:
    watch = SpaceWatch(disk, reserve_bytes=32 * 1024 * 1024)
    database = await Database.open(
        server.start(), checkout_s=1.0, low_space=watch.is_low if guarded else lambda: False
    )
    async with database.session() as session:
        await session.script("create table kept (key int primary key, filler text not null)")
        # Stored as it is, so that nine kilobytes are nine kilobytes.
        await session.script("alter table kept alter column filler set storage external")
    before, _ = await write(database, range(100))
    filler = disk / "filler"
    left = watch.free_bytes() - (24 if guarded else 0) * 1024 * 1024
    with filler.open("wb") as file:
        try:
            for _ in range(left // 65_536):
                file.write(bytes(65_536))
        except OSError:
            pass  # Full, as wanted.
    during, codes = await write(database, range(1000, 1000 + (50 if guarded else 3000)))
    readable = await database.ready()
    survived = server.alive()
    filler.unlink()
    deadline = time.monotonic() + 30
    while not await database.ready() and time.monotonic() < deadline:
        if not server.alive():
            server.start()
    after, _ = await write(database, range(9000, 9010))
    async with database.session() as session:
        rows = await session.fetch_all("select key from kept order by key")
    await database.close()
    return {
        "acknowledged": before + during + after,
        "held": [row["key"] for row in rows],
        "written_while_full": len(during),
        "written_afterwards": len(after),
        "codes": sorted(codes),
        "readable": readable,
        "survived": survived,
    }


def main() -> None:
    disk = Path(sys.argv[1])
    server = EmbeddedPostgres(disk / "pg")
    try:
        answer = asyncio.run(run(disk, server, guarded=sys.argv[2] == "guarded"))
    finally:
        server.stop()
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
