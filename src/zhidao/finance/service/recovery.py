"""How a ledger's state comes back: from the balances that were kept, or from the very start."""

from __future__ import annotations

import asyncio
from typing import Final

from zhidao.core.errors import Refused
from zhidao.finance.domain import snapshot as snapshots
from zhidao.finance.domain.validator import Validator
from zhidao.finance.service.ports import LedgerStore

# Replaying this many takes milliseconds: beside the loop from here on.
_ASIDE_FROM: Final = 512


async def recover(store: LedgerStore, shard: str, *, from_start: bool = False) -> Validator:
    """The state that all batches make: from the kept balances, or from the very start.

    Raises Refused with code `ledger_head_differs`, naming the first batch that does not fit.
    """
    held = await _begin(store, shard, from_start=from_start)
    while batches := await store.batches(shard, after=held.number):
        for batch in batches:
            again = (
                held.replay(batch)
                if batch.count < _ASIDE_FROM
                else await asyncio.to_thread(held.replay, batch)
            )
            if not again:
                raise _differs(shard, batch.number)
    stated = await store.stated(shard)
    if stated is not None and stated != (held.number, held.head.hex()):
        raise _differs(shard, min(stated[0], held.number + 1))
    return held


async def _begin(store: LedgerStore, shard: str, *, from_start: bool) -> Validator:
    held = Validator(shard)
    kept = None if from_start else await store.snapshot(shard)
    accounts = await store.accounts(shard)
    if kept is not None:
        data, digest = kept
        if snapshots.digest(data) != digest:
            raise Refused(
                f"ledger {shard}: the kept balances are not those that the log states",
                code="ledger_head_differs",
                remedy="restore the database from a backup that does",
            )
        snapshot = snapshots.decode(data)
        held = Validator(shard, snapshot.book, snapshot.number, snapshot.head, snapshot.last_ns)
    for account in accounts:
        if held.book.account(account.id) is None:
            held.book.put_account(account)
    return held


def _differs(shard: str, number: int) -> Refused:
    return Refused(
        f"ledger {shard}: batch {number} does not give the head that was logged for it",
        code="ledger_head_differs",
        remedy="restore the database from a backup that does",
    )
