"""How a ledger's state comes back: from the balances that were kept, or from the very start."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, ParamSpec, TypeVar

from zhidao.core.errors import Refused
from zhidao.finance.domain.ledger import snapshot as snapshots
from zhidao.finance.domain.ledger.chain import LANES, Batch, batch_root
from zhidao.finance.domain.ledger.validator import Validator
from zhidao.finance.service.ports import LedgerStore

_P = ParamSpec("_P")
_T = TypeVar("_T")
# Replaying this many takes milliseconds: beside the loop from here on.
_ASIDE_FROM: Final = 512


async def recover(store: LedgerStore, shard: str, *, from_start: bool = False) -> Validator:
    """The state that all batches make: from the kept balances, or from the very start.

    Raises Refused with code `ledger_head_differs`, naming the first batch that does not fit.
    """
    held = await _begin(store, shard, from_start=from_start)
    if from_start:
        # Millions of hashes may follow: they wait for their compiled twin.
        await asyncio.to_thread(LANES.wait)
    coming = asyncio.ensure_future(_page(store, shard, after=held.number))
    try:
        while (page := await coming)[0]:
            batches, roots = page
            # The next page is read, and its roots are computed, while this one is applied.
            coming = asyncio.ensure_future(_page(store, shard, after=batches[-1].number))
            wrong = await _beside(batches, _apply, held, batches, roots)
            if wrong:
                raise _differs(shard, wrong)
    finally:
        coming.cancel()
    stated = await store.stated(shard)
    if stated is not None and stated != (held.number, held.head.hex()):
        raise _differs(shard, min(stated[0], held.number + 1))
    return held


async def _page(
    store: LedgerStore, shard: str, *, after: int
) -> tuple[Sequence[Batch], Sequence[bytes]]:
    """The next batches behind a number, and the root of each."""
    batches = await store.batches(shard, after=after)
    return batches, await _beside(batches, _roots, batches)


def _roots(batches: Sequence[Batch]) -> list[bytes]:
    return [batch_root(batch.data, batch.failures) for batch in batches]


def _apply(held: Validator, batches: Sequence[Batch], roots: Sequence[bytes]) -> int:
    """Applies batches one after the other; the number of the first that does not fit, or 0."""
    for batch, root in zip(batches, roots, strict=True):
        if not held.replay(batch, root):
            return batch.number
    return 0


async def _beside(
    batches: Sequence[Batch], work: Callable[_P, _T], *args: _P.args, **named: _P.kwargs
) -> _T:
    """Does work on large batches in another thread; what takes no time is done here."""
    if sum(batch.count for batch in batches) < _ASIDE_FROM:
        return work(*args, **named)
    return await asyncio.to_thread(work, *args, **named)


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
