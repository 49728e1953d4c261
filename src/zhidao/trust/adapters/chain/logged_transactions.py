"""Where logged transactions are read from: PostgreSQL, and a twin in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

from zhidao.core.events import SignedEvent
from zhidao.core.journal import Journal
from zhidao.store.database import Database

_PAGE: Final = 256
_LOGGED: Final = (
    "select event.event, event.version from trust.event as event"
    " join trust.outbox as outbox"
    " on outbox.aggregate = event.aggregate and outbox.event_id = event.id"
    " where event.aggregate = %(aggregate)s and event.version > %(after)s"
    " and outbox.leaf_index is not null"
    " order by outbox.leaf_index limit %(limit)s"
)
_WRITTEN: Final = (
    "select event, version from trust.event"
    " where aggregate = %(aggregate)s and version > %(after)s order by version limit %(limit)s"
)


class PostgresLoggedTransactions:
    """Implements `service.title_ports.LoggedTransactions` over the trust room's journal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def replay(self, aggregate: str, *, after: int) -> AsyncIterator[SignedEvent]:
        """Events of the chain that have a leaf, page by page."""
        async for event in self._pages(_LOGGED, aggregate, after):
            yield event

    async def written(self, aggregate: str, *, after: int) -> AsyncIterator[SignedEvent]:
        """Events of the chain, page by page."""
        async for event in self._pages(_WRITTEN, aggregate, after):
            yield event

    async def _pages(self, query: str, aggregate: str, after: int) -> AsyncIterator[SignedEvent]:
        newest = after
        while True:
            async with self._database.session() as session:
                rows = await session.fetch_all(
                    query, {"aggregate": aggregate, "after": newest, "limit": _PAGE}
                )
            for row in rows:
                newest = row["version"]
                yield SignedEvent.decode(row["event"])
            if len(rows) < _PAGE:
                return


class MemoryLoggedTransactions:
    """The twin: the events that have a leaf, in the order in which they got it."""

    def __init__(self, journal: Journal | None = None) -> None:
        """`journal`: where events are written before they have a leaf."""
        self._journal = journal
        self._logged: dict[UUID, SignedEvent] = {}

    def log(self, event: SignedEvent) -> None:
        """Notes that the event has a leaf now, after all those noted before."""
        self._logged.setdefault(event.id, event)

    async def replay(self, aggregate: str, *, after: int) -> AsyncIterator[SignedEvent]:
        """Events of the chain that have a leaf."""
        for event in tuple(self._logged.values()):
            if event.aggregate == aggregate and event.version > after:
                yield event

    async def written(self, aggregate: str, *, after: int) -> AsyncIterator[SignedEvent]:
        """Events of the chain."""
        if self._journal is None:
            async for event in self.replay(aggregate, after=after):
                yield event
            return
        for entry in await self._journal.load(aggregate, viewer=None):
            if entry.event.version > after:
                yield entry.event
