"""Rows of the first form of the ledger are carried over byte for byte."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from zhidao.finance.adapters.postgres_ledger import PostgresLedgerStore
from zhidao.finance.domain.ledger.chain import Batch, first_head
from zhidao.finance.domain.ledger.ledger import Resolution, Transfer, TransferFlag
from zhidao.finance.domain.ledger.records import from_transfers, name_of
from zhidao.store.database import Database
from zhidao.store.journal import PostgresJournal
from zhidao.store.migrate import all_migrations, migrate

RESERVE = Transfer(
    UUID(int=2**127 + 3),
    UUID(int=1),
    UUID(int=2**128 - 2),
    2**63 - 1,
    user_data_128=2**128 - 5,
    ledger=2**32 - 1,
    code=65_535,
    flags=TransferFlag.PENDING,
    timestamp=2**62,
)
POST = replace(
    RESERVE,
    id=UUID(int=5),
    pending_id=RESERVE.id,
    flags=TransferFlag.POST_PENDING_TRANSFER,
    timestamp=2**62 + 1,
)


@pytest.mark.service
async def test_old_rows_become_the_same_batches(empty_database_url: str) -> None:
    # The rows of records, and what was made of them since.
    later = ("0002_batches_of_records", "0024_balance_history")
    database = await Database.open(empty_database_url, connections_max=2)
    try:
        await migrate(database, [m for m in all_migrations() if m.name not in later])
        whole = Batch.after(
            first_head("CNY"),
            shard="CNY",
            number=1,
            data=from_transfers([RESERVE, POST]).tobytes(),
        )
        async with database.session() as session:
            await session.execute(
                "INSERT INTO finance.batch VALUES ('CNY', 1, 2, %s, %s)", (whole.root, whole.head)
            )
            for place, one in enumerate((RESERVE, POST)):
                await session.execute(
                    "INSERT INTO finance.transfer VALUES"
                    " ('CNY', %s, 1, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                    (
                        *(one.id, place, one.debit_account_id, one.credit_account_id, one.amount),
                        *(one.pending_id, UUID(int=one.user_data_128), one.ledger, one.code),
                        *(int(one.flags), one.timestamp),
                    ),
                )
        assert await migrate(database) == tuple(f"finance/{each}" for each in later)
        store = PostgresLedgerStore(database, PostgresJournal(database, "finance", lambda: None))
        assert await store.batches("CNY", after=0) == (whole,)
        found = await store.find("CNY", [name_of(POST.id)])
        assert set(found.transfers) == {name_of(POST.id), name_of(RESERVE.id)}
        assert found.fates == {name_of(RESERVE.id): Resolution.POSTED}
    finally:
        await database.close()
