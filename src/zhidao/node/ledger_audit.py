"""The audit of a ledger in a node's database: every batch again, from the first one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zhidao.core.errors import NotFound, Refused
from zhidao.finance.adapters.postgres_ledger import PostgresLedgerStore
from zhidao.finance.service.recovery import recover
from zhidao.store.database import Database
from zhidao.store.journal import PostgresJournal


async def audit(url: str, shards: Sequence[str]) -> list[dict[str, Any]]:
    """What each ledger holds after all its batches.

    Raises Refused with code `ledger_head_differs` or `ledger_unbalanced`, NotFound for none.
    """
    database = await Database.open(url, connections_max=2)
    try:
        store = PostgresLedgerStore(database, PostgresJournal(database, "finance", lambda: None))
        return [await _one(store, shard) for shard in shards]
    finally:
        await database.close()


async def _one(store: PostgresLedgerStore, shard: str) -> dict[str, Any]:
    held = await recover(store, shard, from_start=True)
    accounts = list(held.book.accounts())
    if not accounts:
        raise NotFound(f"no ledger {shard!r} here", remedy="give a currency such as CNY")
    for pending in (False, True):
        debits = sum(one.debits_pending if pending else one.debits_posted for one in accounts)
        credits_ = sum(one.credits_pending if pending else one.credits_posted for one in accounts)
        if debits != credits_:
            raise Refused(
                f"ledger {shard}: debits {debits} and credits {credits_} differ",
                code="ledger_unbalanced",
                remedy="restore the database from a backup",
            )
    return {
        "ledger": shard,
        "batches": held.number,
        "accounts": len(accounts),
        "head": held.head.hex(),
    }
