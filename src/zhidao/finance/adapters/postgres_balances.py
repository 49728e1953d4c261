"""Balances behind batches, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zhidao.core.errors import Conflict
from zhidao.finance.domain.ledger.records import Name, name_of, uuid_of
from zhidao.store.database import Database


class PostgresWrittenBalances:
    """Tables `finance.written_balance` and `finance.written_until`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def until(self, shard: str) -> int:
        """The last batch."""
        async with self._database.session() as session:
            row = await session.fetch_one(
                "SELECT batch FROM finance.written_until WHERE shard = %s", (shard,)
            )
        return 0 if row is None else int(row["batch"])

    async def write(
        self, shard: str, *, after: int, until: int, balances: Mapping[Name, int]
    ) -> None:
        """Writes all of them in one transaction."""
        async with self._database.session() as session:
            await session.execute(
                "INSERT INTO finance.written_until (shard, batch) VALUES (%s, 0)"
                " ON CONFLICT DO NOTHING",
                (shard,),
            )
            row = await session.fetch_one(
                "UPDATE finance.written_until SET batch = %s WHERE shard = %s AND batch = %s"
                " RETURNING batch",
                (until, shard, after),
            )
            if row is None:
                raise Conflict(f"balances of ledger {shard} are written down already")
            await session.execute(
                "INSERT INTO finance.written_balance (shard, account, batch, balance)"
                " SELECT %s, account, %s, balance FROM"
                " unnest(%s::uuid[], %s::numeric[]) AS told(account, balance)",
                (shard, until, [uuid_of(one) for one in balances], list(balances.values())),
            )

    async def newest(self, shard: str, names: Sequence[Name], *, until: int) -> dict[Name, int]:
        """The last ones up to a batch, each by its key."""
        async with self._database.session() as session:
            rows = await session.fetch_all(
                "SELECT wanted.account, last.balance FROM unnest(%s::uuid[]) AS wanted(account)"
                " CROSS JOIN LATERAL (SELECT balance FROM finance.written_balance w"
                " WHERE w.shard = %s AND w.account = wanted.account AND w.batch <= %s"
                " ORDER BY w.batch DESC LIMIT 1) AS last",
                ([uuid_of(one) for one in names], shard, until),
            )
        return {name_of(row["account"]): int(row["balance"]) for row in rows}
