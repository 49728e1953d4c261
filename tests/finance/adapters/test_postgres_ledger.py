"""Few rows by one statement and many by COPY are the same rows, behind the same fence."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from zhidao.core.errors import Conflict
from zhidao.finance.adapters import postgres_ledger
from zhidao.finance.adapters.postgres_ledger import PostgresLedgerStore
from zhidao.finance.domain.ledger.ledger import Account, Result, Transfer, TransferFlag
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.store.database import Database
from zhidao.store.journal import PostgresJournal

pytestmark = pytest.mark.service

_PLAIN, _RESERVE = TransferFlag(0), TransferFlag.PENDING
_POST, _VOID = TransferFlag.POST_PENDING_TRANSFER, TransferFlag.VOID_PENDING_TRANSFER


def pay(number: int, flags: TransferFlag = _PLAIN, **more: Any) -> Transfer:
    sides = (UUID(int=0), UUID(int=0)) if more.get("pending_id") else (UUID(int=1), UUID(int=2))
    return Transfer(UUID(int=number << 96), *sides, 5, ledger=7, code=1, flags=flags, **more)


def store_on(database: Database) -> PostgresLedgerStore:
    return PostgresLedgerStore(database, PostgresJournal(database, "finance", lambda: None))


async def rows_of(database: Database, shard: str) -> list[list[tuple[Any, ...]]]:
    """All that one batch wrote, without what the clock says."""
    found = []
    async with database.session() as session:
        for table, columns in (
            ("transfer_id", "id, batch, place"),
            ("resolution", "pending_id, posted"),
            ("batch", "number, count, length(root), length(head)"),
            ("records", "batch, length(data), failures, last_ns - first_ns"),
        ):
            rows = await session.fetch_all(
                f"SELECT {columns} FROM finance.{table} WHERE shard = %s ORDER BY 1", (shard,)
            )
            found.append([tuple(row.values()) for row in rows])
    return found


async def written(database: Database, durable: Any, shard: str) -> list[list[tuple[Any, ...]]]:
    ledger = Ledger(store_on(database), scribe=durable.scribe, clock=durable.clock, holder="node")
    await ledger.open_accounts(shard, [Account(UUID(int=1), 7, 1), Account(UUID(int=2), 7, 1)], [])
    await ledger.submit(shard, [pay(1, _RESERVE), pay(2, _RESERVE), pay(3)])
    batch = [
        pay(4),
        pay(5, _POST, pending_id=UUID(int=1 << 96)),
        pay(6, _VOID, pending_id=UUID(int=2 << 96)),
        pay(7, _POST, pending_id=UUID(int=99 << 96)),
    ]
    results = await ledger.submit(shard, batch)
    assert results == [*[Result.CREATED] * 3, Result.PENDING_TRANSFER_NOT_FOUND]
    return await rows_of(database, shard)


async def test_one_statement_writes_the_rows_that_copy_writes(
    durable, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = await written(database, durable, "FEW")
    monkeypatch.setattr(postgres_ledger, "_FEW_MAX", 0)
    many = await written(database, durable, "MANY")
    assert few == many
    assert [len(rows) for rows in few] == [7, 2, 2, 2]


async def test_an_older_validator_writes_nothing_by_either_way(
    durable, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for shard, few_max in (("FEW", 512), ("MANY", 0)):
        monkeypatch.setattr(postgres_ledger, "_FEW_MAX", few_max)
        before = await written(database, durable, shard)
        store = store_on(database)
        old = await store.acquire(shard, holder="old")
        await store.acquire(shard, holder="new")
        (batch, *_) = await store.batches(shard, after=0)
        with pytest.raises(Conflict) as refused:
            await store.commit(batch, epoch=old, entry=None)  # type: ignore[arg-type]
        assert refused.value.code == "fenced"
        assert await rows_of(database, shard) == before
