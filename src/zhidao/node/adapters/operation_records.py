"""What who runs a node looks at in its database: letters given up, and how large things grew."""

from __future__ import annotations

from typing import Any

from zhidao.core.timescale import Utc
from zhidao.node.events import DeadLetter, Sample
from zhidao.store.database import Database, Session


class PostgresOperationRecords:
    """The tables node.dead_letter and node.growth."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def dead_letters(self, *, limit: int) -> list[DeadLetter]:
        """Events that a consumer gave up, newest first; never what stands in them."""
        rows = await self._database.read(
            "select consumer, message_id, subject, reason, dead_tai_ns from node.dead_letter"
            " order by dead_tai_ns desc, message_id limit %s",
            (limit,),
        )
        return [
            DeadLetter(
                consumer=row["consumer"],
                message=row["message_id"],
                subject=row["subject"],
                reason=row["reason"],
                at=str(Utc(row["dead_tai_ns"])),
            )
            for row in rows
        ]

    async def database_bytes(self) -> int:
        """What the database takes of its disk now."""
        rows = await self._database.read("select pg_database_size(current_database()) as bytes")
        return int(rows[0]["bytes"])

    async def add_sample(self, sample: Sample, *, forget: Utc) -> None:
        """Keeps a sample, and forgets those before `forget`."""

        async def work(session: Session) -> None:
            await session.execute(
                "INSERT INTO node.growth (at_tai_ns, database_bytes, free_bytes, leaves)"
                " VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (sample.at.tai_ns, sample.database_bytes, sample.free_bytes, sample.leaves),
            )
            await session.execute("DELETE FROM node.growth WHERE at_tai_ns < %s", (forget.tai_ns,))

        await self._database.run(work)

    async def samples(self) -> list[Sample]:
        """All that are kept, oldest first."""
        rows = await self._database.read("select * from node.growth order by at_tai_ns")
        return [_sample(row) for row in rows]


def _sample(row: dict[str, Any]) -> Sample:
    return Sample(
        at=Utc(row["at_tai_ns"]),
        database_bytes=row["database_bytes"],
        free_bytes=row["free_bytes"],
        leaves=row["leaves"],
    )
