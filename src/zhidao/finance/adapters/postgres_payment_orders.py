"""The finder of payments that wait for their day, on PostgreSQL."""

from __future__ import annotations

from zhidao.store.database import Database


class PostgresPaymentOrderIndex:
    """The finder in table `finance.payment_order`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, order: str) -> None:
        """Adds an entry once."""
        async with self._database.session() as session:
            await session.execute(
                "INSERT INTO finance.payment_order (payment_order, is_open) VALUES (%s, true)"
                " ON CONFLICT DO NOTHING",
                (order,),
            )

    async def put_off(self, order: str, *, until_ns: int) -> None:
        """Says when it is due."""
        async with self._database.session() as session:
            await session.execute(
                "UPDATE finance.payment_order SET due_ns = %s"
                " WHERE payment_order = %s AND due_ns <> %s",
                (until_ns, order, until_ns),
            )

    async def close(self, order: str) -> None:
        """Closes an entry."""
        async with self._database.session() as session:
            await session.execute(
                "UPDATE finance.payment_order SET is_open = false WHERE payment_order = %s",
                (order,),
            )

    async def due(self, *, now_ns: int, limit: int) -> tuple[str, ...]:
        """Those that are due."""
        async with self._database.session() as session:
            rows = await session.fetch_all(
                "SELECT payment_order FROM finance.payment_order"
                " WHERE is_open AND due_ns <= %s ORDER BY due_ns, payment_order LIMIT %s",
                (now_ns, limit),
            )
        return tuple(row["payment_order"] for row in rows)
