"""Proofs for outsiders: that a transfer stands, or what a balance was when it was stated."""

from __future__ import annotations

import asyncio
from uuid import UUID

from zhidao.core.errors import NotFound
from zhidao.finance.domain.ledger import snapshot as snapshots
from zhidao.finance.domain.ledger.chain import first_head
from zhidao.finance.domain.ledger.proof import LedgerProof, prove_balance, prove_transfer
from zhidao.finance.domain.ledger.records import name_of
from zhidao.finance.service.ports import LedgerStore, TransferPlaces


class Proofs:
    """Proofs over what is durable; they need no validator and may be made beside one."""

    def __init__(self, store: LedgerStore, places: TransferPlaces) -> None:
        self._store = store
        self._places = places

    async def transfer(self, shard: str, identifier: UUID) -> LedgerProof:
        """The proof of a stored transfer; its anchor is the head that `TransfersPosted` states.

        Raises NotFound for an id that stands for no transfer.
        """
        found = await self._places.place(shard, name_of(identifier))
        if found is None:
            raise NotFound("no transfer of that name stands in this ledger")
        number, place = found
        before = first_head(shard)
        if number > 1:
            before = (await self._store.batches(shard, after=number - 2))[0].head
        batch = (await self._store.batches(shard, after=number - 1))[0]
        return await asyncio.to_thread(prove_transfer, batch, place, head_before=before)

    async def balance(self, shard: str, account: UUID) -> LedgerProof:
        """The proof of a balance; its anchor is the root of the newest `BalancesStated`.

        Raises NotFound if the balances were never stated, or not since the account was opened.
        """
        kept = await self._store.snapshot(shard)
        if kept is None:
            raise NotFound("the balances of this ledger were never stated")
        snapshot = await asyncio.to_thread(snapshots.decode, kept[0])
        place = snapshots.position(snapshot.book, account)
        if place is None:
            raise NotFound("no account of that name in the newest stated balances")
        return await asyncio.to_thread(prove_balance, snapshot, place)
