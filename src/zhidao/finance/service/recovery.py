"""How a ledger's state comes back: from the balances that were kept, or from the very start."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Final

from zhidao.core.errors import Refused
from zhidao.finance.domain import snapshot as snapshots
from zhidao.finance.domain.chain import Batch, batch_root
from zhidao.finance.domain.validator import Validator
from zhidao.finance.service.ports import LedgerStore

# Replaying this many takes milliseconds: beside the loop from here on.
_ASIDE_FROM: Final = 512


async def recover(
    store: LedgerStore, shard: str, *, from_start: bool = False, workers: Executor | None = None
) -> Validator:
    """The state that all batches make: from the kept balances, or from the very start.

    `workers`: other processes that compute the batches' roots meanwhile; a long replay is then
    done in half the time. Raises Refused with code `ledger_head_differs`, naming the first batch
    that does not fit.
    """
    held = await _begin(store, shard, from_start=from_start)
    coming = asyncio.ensure_future(store.batches(shard, after=held.number))
    try:
        while batches := await coming:
            # The next page is read while this one is applied.
            coming = asyncio.ensure_future(store.batches(shard, after=batches[-1].number))
            roots = _roots(batches, workers)
            for batch, root in zip(batches, roots, strict=True):
                known = b"" if root is None else await root
                again = (
                    held.replay(batch, known)
                    if batch.count < _ASIDE_FROM
                    else await asyncio.to_thread(held.replay, batch, known)
                )
                if not again:
                    raise _differs(shard, batch.number)
    finally:
        coming.cancel()
    stated = await store.stated(shard)
    if stated is not None and stated != (held.number, held.head.hex()):
        raise _differs(shard, min(stated[0], held.number + 1))
    return held


def _roots(
    batches: Sequence[Batch], workers: Executor | None
) -> Sequence[asyncio.Future[bytes] | None]:
    if workers is None:
        return [None] * len(batches)
    loop = asyncio.get_running_loop()
    return [
        None
        if batch.count < _ASIDE_FROM
        else loop.run_in_executor(workers, batch_root, batch.data, batch.failures)
        for batch in batches
    ]


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
