"""Where acts of administration are written: the node's journal, or a table until signed."""

from __future__ import annotations

from collections.abc import Sequence

from zhidao.core.ids import PartyId
from zhidao.node.security.administration import PREFIX, Record
from zhidao.store.database import Database, Session
from zhidao.store.journal import PostgresJournal
from zhidao.store.reading import Stored, read_events


class PostgresActs:
    """Acts in the schema `node`."""

    def __init__(self, database: Database, journal: PostgresJournal) -> None:
        self._database = database
        self._journal = journal

    async def add(self, record: Record) -> None:
        """Writes an act by itself, signed or waiting."""

        async def work(session: Session) -> None:
            await self.add_in(session, record)

        await self._database.run(work)
        self.wake()

    async def add_in(self, session: Session, record: Record | None) -> None:
        """Writes an act inside your transaction; call `wake` after its commit."""
        if record is None:
            return
        if record.entry:
            await self._journal.append_in(session, [record.entry])
            return
        await session.execute(
            "INSERT INTO node.waiting_act (act_id, act) VALUES (%s, %s)",
            (record.id, record.encode()),
        )

    def wake(self) -> None:
        """Tells the relay that there may be something to log."""
        self._journal.wake()

    async def waiting(self, limit: int) -> Sequence[bytes]:
        """Unsigned acts, oldest first."""
        rows = await self._database.read(
            "select act from node.waiting_act order by act_id limit %s", (limit,)
        )
        return [row["act"] for row in rows]

    async def signed(self, record: Record) -> None:
        """Puts the signed event in the place of the waiting act, in one transaction."""
        assert record.entry is not None

        async def work(session: Session) -> None:
            gone = await session.execute(
                "DELETE FROM node.waiting_act WHERE act_id = %s", (record.id,)
            )
            # Another process may have signed it meanwhile.
            if gone:
                await self.add_in(session, record)

        await self._database.run(work)
        self.wake()

    async def is_logged(self, record: Record) -> bool:
        """Whether an act was signed, stands in the log and was published from there."""
        rows = await self._database.read(
            "select published from node.outbox where aggregate = %s",
            (f"{PREFIX}{record.pending.id}",),
        )
        return bool(rows) and bool(rows[0]["published"])

    async def read(self, *, viewer: PartyId | None, after: str, limit: int) -> list[Stored]:
        """Acts that the viewer may see, oldest first, after the act of that id."""
        names = await self._journal.aggregates(
            PREFIX, viewer=viewer, limit=limit, after=f"{PREFIX}{after}" if after else ""
        )
        async with self._database.session() as session:
            return await read_events(session, "node", names, viewer=viewer)
