"""The finder of deals on PostgreSQL."""

from __future__ import annotations

from zhidao.finance.service.ports import IndexedDeal
from zhidao.store.database import Database


class PostgresDealIndex:
    """The finder of deals in table `finance.deal`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, entry: IndexedDeal) -> None:
        """Adds an entry once."""
        async with self._database.session() as session:
            await session.execute(
                "INSERT INTO finance.deal (consignment, deal, terminal, is_open)"
                " VALUES (%s, %s, %s, true) ON CONFLICT DO NOTHING",
                (entry.consignment, entry.deal, entry.terminal),
            )

    async def close(self, deal: IndexedDeal) -> None:
        """Closes an entry."""
        async with self._database.session() as session:
            await session.execute(
                "UPDATE finance.deal SET is_open = false WHERE consignment = %s AND deal = %s",
                (deal.consignment, deal.deal),
            )

    async def of_consignment(self, consignment: str) -> tuple[str, ...]:
        """By consignment, open or closed."""
        return await self._names("WHERE consignment = %s", (consignment,))

    async def open_of_terminal(self, terminal: str) -> tuple[str, ...]:
        """By terminal, open only."""
        return await self._names(
            "WHERE %s = ANY(string_to_array(terminal, '/')) AND is_open", (terminal,)
        )

    async def open(self) -> tuple[str, ...]:
        """All that are open."""
        return await self._names("WHERE is_open", ())

    async def _names(self, where: str, parameters: tuple[str, ...]) -> tuple[str, ...]:
        async with self._database.session() as session:
            rows = await session.fetch_all(
                f"SELECT deal FROM finance.deal {where} ORDER BY deal",  # noqa: S608 (our own text)
                parameters,
            )
        return tuple(row["deal"] for row in rows)
