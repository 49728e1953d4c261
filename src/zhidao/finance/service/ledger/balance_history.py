"""What stood on an account at a moment, however long ago, without reading the ledger up to it.

Behind every few batches the balances of the accounts that they touched are written down. A moment's
balance is the last one written before it and what the batches since then moved: a bounded reading,
of what is durable, so that a restart changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import numpy as np

from zhidao.core.ambient import Clock
from zhidao.core.errors import Refused, ZhidaoError
from zhidao.core.timescale import NS, Utc
from zhidao.finance.domain.ledger.chain import Batch
from zhidao.finance.domain.ledger.records import Name, name_of
from zhidao.finance.domain.payments.statement import NOT_BOOKED
from zhidao.finance.service.ports import LedgerStore, WrittenBalances

_LOG: Final = logging.getLogger(__name__)
BLOCK_BATCHES: Final = 64
"""Behind so many batches balances are written down; no more are read for a moment, but for those
that came in the last seconds."""
_TICK_S: Final = 5.0
AHEAD_S: Final = 60
"""So far the clock of whoever asks may run ahead of this one's."""


class BalanceHistory:
    """Writes balances down, and finds those of a moment."""

    def __init__(self, store: LedgerStore, written: WrittenBalances, clock: Clock) -> None:
        self._store = store
        self._written = written
        self._clock = clock

    async def run(self) -> None:
        """Writes down what has come, every few seconds."""
        while True:
            try:
                await self.tick()
            except ZhidaoError as error:
                _LOG.warning("balances are not written down for now: %s", error)
            await asyncio.sleep(_TICK_S)

    async def tick(self) -> None:
        """Writes down all whole blocks of each ledger."""
        for shard in await self._store.shards():
            stated = await self._store.stated(shard)
            newest = 0 if stated is None else stated[0]
            done = await self._written.until(shard)
            while newest - done >= BLOCK_BATCHES:
                end = done + BLOCK_BATCHES
                moved = await asyncio.to_thread(moved_by, await self._read(shard, done, end))
                before = await self._written.newest(shard, list(moved), until=done)
                sums = {name: before.get(name, 0) + minor for name, minor in moved.items()}
                await self._written.write(shard, after=done, until=end, balances=sums)
                done = end

    def known_until(self, asked: Utc) -> Utc:
        """The moment whose balance is told: the one asked for, or now if it is hardly ahead of now.

        Raises Refused (`not_yet`) for one that is to come: nobody knows what is booked until then.
        """
        now = self._clock.now()
        if asked.unix_ns > now.unix_ns + AHEAD_S * NS:
            raise Refused(
                f"{asked} is to come: what stands then is not known",
                code="not_yet",
                where="at",
                remedy=f"ask for a moment up to {now}",
            )
        return min(asked, now, key=lambda moment: moment.unix_ns)

    async def balance(self, shard: str, account: UUID, *, at_ns: int) -> int:
        """What stood on an account once all up to this moment (Unix) was booked, minor units."""
        name = name_of(account)
        last = await self._store.batch_at(shard, at_ns=at_ns)
        done = min(await self._written.until(shard), last // BLOCK_BATCHES * BLOCK_BATCHES)
        found = (await self._written.newest(shard, [name], until=done)).get(name, 0)
        for batch in await self._read(shard, done, last):
            records = batch.records[batch.records["timestamp"] <= at_ns]
            found += _moved(records).get(name, 0)
        return found

    async def _read(self, shard: str, after: int, until: int) -> list[Batch]:
        """The batches behind the first number up to the second, with it."""
        found: list[Batch] = []
        while after < until and (some := await self._store.batches(shard, after=after)):
            found += [one for one in some if one.number <= until]
            after = some[-1].number
        return found


def moved_by(batches: Sequence[Batch]) -> dict[Name, int]:
    """What some batches booked on each account that they touch, minor units."""
    total: dict[Name, int] = {}
    for batch in batches:
        for name, minor in _moved(batch.records).items():
            total[name] = total.get(name, 0) + minor
    return total


def _moved(records: np.ndarray) -> dict[Name, int]:
    booked = records[(records["flags"] & NOT_BOOKED) == 0]
    moved: dict[Name, int] = {}
    sides = (("credit_account_id", 1), ("debit_account_id", -1))
    for side, sign in sides:
        for name, amount in zip(booked[side].tolist(), booked["amount"].tolist(), strict=True):
            moved[name] = moved.get(name, 0) + sign * int(amount)
    return moved
