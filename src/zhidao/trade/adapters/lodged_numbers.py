"""Numbers of lodged declarations, found without their case: in PostgreSQL and in memory."""

from __future__ import annotations

from typing import Final

from zhidao.core.journal import Journal
from zhidao.store.database import Database
from zhidao.trade.domain.model.numbers import number_key

_PREFIX: Final = "declaration/"
_SAME: Final = (
    "select aggregate from trade.event where version = 1 and aggregate like 'declaration/%%'"
    " and lower(aggregate) = %s order by aggregate"
)
# More than any memory holds.
_EVERY: Final = 1 << 31


class PostgresLodgedNumbers:
    """Implements `ports.LodgedNumbers` over the room's journal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def same_as(self, number: str) -> tuple[str, ...]:
        """The numbers as they were lodged, in order."""
        async with self._database.session() as session:
            rows = await session.fetch_all(_SAME, (_PREFIX + number_key(number),))
        return tuple(row["aggregate"].removeprefix(_PREFIX) for row in rows)


class MemoryLodgedNumbers:
    """The same over a journal in memory."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def same_as(self, number: str) -> tuple[str, ...]:
        """The numbers as they were lodged, in order."""
        names = await self._journal.aggregates(_PREFIX, viewer=None, limit=_EVERY)
        lodged = (name.removeprefix(_PREFIX) for name in names)
        return tuple(each for each in lodged if number_key(each) == number_key(number))
