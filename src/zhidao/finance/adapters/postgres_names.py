"""Who named what how, on PostgreSQL."""

from __future__ import annotations

from zhidao.store.database import Database


class PostgresNameIndex:
    """The finder in table `finance.named`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, kind: str, name: str, owner: str) -> None:
        """Adds an entry once."""
        async with self._database.session() as session:
            await session.execute(
                "INSERT INTO finance.named (name, kind, owner) VALUES (%s, %s, %s)"
                " ON CONFLICT DO NOTHING",
                (name, kind, owner),
            )

    async def owners(self, kind: str, name: str, *, limit: int) -> tuple[str, ...]:
        """Who named one so."""
        async with self._database.session() as session:
            rows = await session.fetch_all(
                "SELECT owner FROM finance.named WHERE name = %s AND kind = %s"
                " ORDER BY owner LIMIT %s",
                (name, kind, limit),
            )
        return tuple(row["owner"] for row in rows)
