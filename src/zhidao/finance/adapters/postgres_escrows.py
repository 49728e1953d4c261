"""The finder of conditional payments on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

from zhidao.store.database import Database


class PostgresEscrowIndex:
    """The finder in tables `finance.escrow` and `finance.escrow_consignment`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, escrow: str, *, consignments: Sequence[str]) -> None:
        """Adds an entry once: first what it waits for, so that an open one is never half there."""
        async with self._database.session() as session:
            for consignment in sorted(set(consignments)):
                await session.execute(
                    "INSERT INTO finance.escrow_consignment (escrow, consignment) VALUES (%s, %s)"
                    " ON CONFLICT DO NOTHING",
                    (escrow, consignment),
                )
            await session.execute(
                "INSERT INTO finance.escrow (escrow, is_open) VALUES (%s, true)"
                " ON CONFLICT DO NOTHING",
                (escrow,),
            )

    async def close(self, escrow: str) -> None:
        """Closes an entry."""
        async with self._database.session() as session:
            await session.execute(
                "UPDATE finance.escrow SET is_open = false WHERE escrow = %s", (escrow,)
            )

    async def open_of(self, consignment: str) -> tuple[str, ...]:
        """Open ones of a consignment."""
        async with self._database.session() as session:
            rows = await session.fetch_all(
                "SELECT e.escrow FROM finance.escrow e JOIN finance.escrow_consignment c"
                " ON c.escrow = e.escrow WHERE c.consignment = %s AND e.is_open ORDER BY e.escrow",
                (consignment,),
            )
        return tuple(row["escrow"] for row in rows)

    async def put_off(self, escrow: str, *, until_ns: int) -> None:
        """Says when it is due."""
        async with self._database.session() as session:
            await session.execute(
                "UPDATE finance.escrow SET due_ns = %s WHERE escrow = %s AND due_ns <> %s",
                (until_ns, escrow, until_ns),
            )

    async def open(self, *, after: str = "", limit: int = 1_000) -> tuple[str, ...]:
        """Open ones behind a key."""
        async with self._database.session() as session:
            rows = await session.fetch_all(
                "SELECT escrow FROM finance.escrow WHERE is_open AND escrow > %s"
                " ORDER BY escrow LIMIT %s",
                (after, limit),
            )
        return tuple(row["escrow"] for row in rows)

    async def due(self, *, now_ns: int, limit: int) -> tuple[str, ...]:
        """Those that are due."""
        async with self._database.session() as session:
            rows = await session.fetch_all(
                "SELECT escrow FROM finance.escrow WHERE is_open AND due_ns <= %s"
                " ORDER BY due_ns, escrow LIMIT %s",
                (now_ns, limit),
            )
        return tuple(row["escrow"] for row in rows)
