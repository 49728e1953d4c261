"""Drills in the node's database: those that wait for a signature, and the signed ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from zhidao.core.canonical import decode_json
from zhidao.core.journal import Scribe
from zhidao.core.timescale import Utc
from zhidao.node.events import DrillDone
from zhidao.store.database import Database, Session
from zhidao.store.journal import PostgresJournal
from zhidao.store.reading import Stored, read_events

PREFIX: Final = "drill/"
SIGNED_AT_ONCE: Final = 20


class WaitingDrill(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A drill before it is signed. `at`: when it ended."""

    id: str
    at: str
    fact: DrillDone


async def leave(database: Database, drill: WaitingDrill) -> bool:
    """Leaves a drill for the node to sign; False if its database has no place for it yet."""
    known = "select to_regclass('node.waiting_drill') is not null as known"
    [row] = await database.read(known)
    if not row["known"]:
        return False

    async def work(session: Session) -> None:
        await session.execute(
            "INSERT INTO node.waiting_drill (drill_id, drill) VALUES (%s, %s)",
            (UUID(drill.id), msgspec.json.encode(drill)),
        )

    await database.run(work)
    return True


async def is_logged(database: Database, drill: WaitingDrill) -> bool:
    """Whether a drill was signed, stands in the log and was published from there."""
    rows = await database.read(
        "select published from node.outbox where aggregate = %s", (f"{PREFIX}{drill.id}",)
    )
    return bool(rows) and bool(rows[0]["published"])


class DrillRecords:
    """Implements `node.operations.drill_watch.Drills`."""

    def __init__(self, database: Database, journal: PostgresJournal, scribe: Scribe) -> None:
        self._database = database
        self._journal = journal
        self._scribe = scribe

    async def sign_waiting(self) -> int:
        """See the port."""
        rows = await self._database.read(
            "select drill from node.waiting_drill order by drill_id limit %s", (SIGNED_AT_ONCE,)
        )
        for row in rows:
            await self._sign(decode_json(bytes(row["drill"]), WaitingDrill))
        return len(rows)

    async def newest(self, limit: int) -> Sequence[Stored]:
        """See the port."""
        async with self._database.session(snapshot=True) as session:
            rows = await session.fetch_all(
                "select distinct aggregate from node.event where starts_with(aggregate, %s)"
                " order by aggregate desc limit %s",
                (PREFIX, limit),
            )
            names = [row["aggregate"] for row in rows]
            return (await read_events(session, "node", names, viewer=None))[::-1]

    async def watched_since(self) -> Utc | None:
        """See the port. The oldest sample of how the node grew stands for its age."""
        [row] = await self._database.read("select min(at_tai_ns) as first from node.growth")
        return None if row["first"] is None else Utc(row["first"])

    async def _sign(self, drill: WaitingDrill) -> None:
        entry = self._scribe.write(
            drill.fact,
            by=self._scribe.node,
            aggregate=f"{PREFIX}{drill.id}",
            version=1,
            owner=self._scribe.node,
            visible=(),
            occurred_at=Utc.parse(drill.at),
        )

        async def work(session: Session) -> None:
            gone = await session.execute(
                "DELETE FROM node.waiting_drill WHERE drill_id = %s", (UUID(drill.id),)
            )
            # Another process may have signed it meanwhile.
            if gone:
                await self._journal.append_in(session, [entry])

        await self._database.run(work)
        self._journal.wake()
