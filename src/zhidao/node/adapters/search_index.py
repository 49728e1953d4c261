"""The index of names in PostgreSQL, and all events of the node to fill it from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

from psycopg import sql as composing

from zhidao.core.events import SignedEvent
from zhidao.node.search.finding import Named
from zhidao.node.search.terms import normal
from zhidao.store.database import Database
from zhidao.store.migrate import JOURNAL_ROOMS

# What names are read of an event; another number has the whole index written anew.
_VERSION: Final = 2
_STEP: Final = 500
# Behind every text that begins with a term; the column is compared by code points.
_LAST: Final = "\U0010ffff"


class PostgresSearchIndex:
    """The table node.search."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, rows: Sequence[Named]) -> None:
        """Writes rows; known ones change nothing."""
        if not rows:
            return
        columns = zip(
            *((r.viewer, r.term, r.kind, r.subject, r.label, r.consignment) for r in rows),
            strict=True,
        )
        async with self._database.session() as session:
            await session.execute(
                "insert into node.search (viewer, term, kind, subject, label, consignment)"
                " select * from unnest(%s::text[], %s::text[], %s::text[], %s::text[],"
                " %s::text[], %s::text[]) on conflict do nothing",
                tuple(list(column) for column in columns),
            )

    async def beginning(self, viewer: str, term: str, *, limit: int) -> list[Named]:
        """The reader's rows whose term begins so, in order of term."""
        async with self._database.session() as session:
            rows = await session.fetch_all(
                "select viewer, term, kind, subject, label, consignment from node.search"
                " where viewer = %s and term >= %s and term < %s"
                " order by term, kind, subject limit %s",
                (viewer, term, term + _LAST, limit),
            )
        return [Named(**row) for row in rows]

    async def visible(self, viewer: str, consignments: Sequence[str]) -> frozenset[str]:
        """Which of these consignments the reader finds by itself."""
        named = sorted({each for each in consignments if each})
        if not named:
            return frozenset()
        async with self._database.session() as session:
            rows = await session.fetch_all(
                "select subject from node.search where viewer = %s and term = any (%s)"
                " and kind = 'consignment' and subject = any (%s)",
                (viewer, [normal(each) for each in named], named),
            )
        return frozenset(row["subject"] for row in rows)

    async def is_filled(self) -> bool:
        """Whether all events of before were once gone through."""
        async with self._database.session() as session:
            row = await session.fetch_one(
                "select 1 as one from node.search_filled where version = %s", (_VERSION,)
            )
        return row is not None

    async def filled(self) -> None:
        """Notes that they were."""
        async with self._database.session() as session:
            await session.execute(
                "insert into node.search_filled (version) values (%s) on conflict do nothing",
                (_VERSION,),
            )

    async def everything(self) -> AsyncIterator[Sequence[SignedEvent]]:
        """All events of all rooms, a part at a time, each aggregate in order."""
        for room in JOURNAL_ROOMS:
            text = composing.SQL(
                "select aggregate, version, event from {room}.event"
                " where (aggregate, version) > (%s, %s) order by aggregate, version limit %s"
            ).format(room=composing.Identifier(room))
            after: tuple[str, int] = ("", 0)
            while True:
                async with self._database.session() as session:
                    rows = await session.fetch_all(text.as_string(None), (*after, _STEP))
                if not rows:
                    break
                yield [SignedEvent.decode(row["event"]) for row in rows]
                after = (rows[-1]["aggregate"], rows[-1]["version"])
