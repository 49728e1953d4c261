"""Statements out of the ledger's own batches, so that they cannot differ from it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

import numpy as np

from zhidao.core.ambient import Clock
from zhidao.core.money import Currency
from zhidao.finance.domain.ledger.chain import Batch
from zhidao.finance.domain.ledger.records import Movement, movements_of, name_of
from zhidao.finance.domain.payments.statement import (
    AccountMovement,
    AccountStatement,
    StatementEntry,
    entry_of,
    movement_on,
    stated,
)
from zhidao.finance.service.ports import LedgerStore

# The latest movements are looked for from the end on, in steps, and not through the whole ledger.
_STEP_BATCHES: Final = 16
LOOKED_BATCHES_MAX: Final = 512


class Position(NamedTuple):
    """A place in a ledger: batch, and place in it from 1; 0 is before its first."""

    batch: int
    place: int


class Statements:
    """Reads what is durable; a statement of a past day is the same whenever it is made."""

    def __init__(self, store: LedgerStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def statement(
        self, shard: str, account: UUID, *, message: str, first_day: date, last_day: date
    ) -> AccountStatement:
        """The account from the first to the last day (UTC), both within."""
        entries = [one async for part in self._entries(shard, account) for one in part]
        return stated(
            entries,
            message=message,
            account=account,
            currency=Currency(shard),
            created=self._now(),
            first_day=first_day,
            last_day=last_day,
        )

    async def pages(
        self,
        shard: str,
        account: UUID,
        *,
        message: str,
        first_day: date,
        last_day: date,
        entries_max: int,
    ) -> AsyncIterator[AccountStatement]:
        """The same page by page, no more than one page and one batch of the ledger in memory."""
        opening, number, created = 0, 1, self._now()
        waiting: list[StatementEntry] = []

        def page(entries: list[StatementEntry], *, is_last: bool) -> AccountStatement:
            return AccountStatement(
                message if is_last and number == 1 else f"{message}.{number}",
                account.hex,
                Currency(shard),
                created,
                first_day,
                last_day,
                opening,
                opening + sum(one.amount_minor for one in entries),
                tuple(entries),
                number,
                is_last,
            )

        async for part in self._entries(shard, account):
            # Entries come in the order of time: what is before the first day comes first.
            opening += sum(one.amount_minor for one in part if one.booked < first_day)
            waiting += [one for one in part if first_day <= one.booked <= last_day]
            while len(waiting) > entries_max:
                made = page(waiting[:entries_max], is_last=False)
                yield made
                opening, number = made.closing_minor, number + 1
                waiting = waiting[entries_max:]
        yield page(waiting, is_last=True)

    async def earlier(
        self, shard: str, account: UUID, *, limit: int, before: Position | None = None
    ) -> tuple[list[tuple[Position, AccountMovement]], Position | None]:
        """An account's movements before a place, the newest first, and where older ones go on.

        Where the account was still for long few are found at once, or none: so many batches are
        looked at, and the place says where to look on. None: there are no older ones.
        """
        if before is None:
            stated = await self._store.stated(shard)
            before = Position(1 if stated is None else stated[0] + 1, 0)
        end = first = end_of(before)
        found: list[tuple[Position, AccountMovement]] = []
        while end > 0 and len(found) <= limit and first - end < LOOKED_BATCHES_MAX:
            start = max(0, end - _STEP_BATCHES)
            found += _before(before, await self._batches(shard, start, end), account)
            end = start
        if len(found) > limit:
            return found[:limit], found[limit - 1][0]
        return found, Position(end + 1, 0) if end else None

    async def _batches(self, shard: str, start: int, end: int) -> list[Batch]:
        """The batches behind the first number up to the second, with it."""
        found: list[Batch] = []
        while start < end and (some := await self._store.batches(shard, after=start)):
            found += [one for one in some if one.number <= end]
            start = some[-1].number
        return found

    async def _entries(self, shard: str, account: UUID) -> AsyncIterator[list[StatementEntry]]:
        """What each batch booked on the account, in the order of time."""
        after = 0
        while batches := await self._store.batches(shard, after=after):
            for batch in batches:
                found = (entry_of(one, account) for one in _touching(batch, account))
                yield [one for one in found if one is not None]
            after = batches[-1].number

    def _now(self) -> datetime:
        return self._clock.now().to_datetime().replace(microsecond=0)


def end_of(position: Position) -> int:
    """The last batch of which something stands before a place."""
    return position.batch if position.place else position.batch - 1


def _placed(batch: Batch, account: UUID) -> list[tuple[Position, AccountMovement]]:
    """What a batch did to an account, each with its place."""
    records, name = batch.records, np.void(name_of(account))
    touched = (records["debit_account_id"] == name) | (records["credit_account_id"] == name)
    places = np.flatnonzero(touched).tolist()
    told = zip(places, movements_of(records[touched]), strict=True)
    return [
        (Position(batch.number, place + 1), one)
        for place, movement in told
        if (one := movement_on(movement, account)) is not None
    ]


def _before(
    before: Position, batches: Sequence[Batch], account: UUID
) -> list[tuple[Position, AccountMovement]]:
    """What batches did to an account before a place, the newest first."""
    told = [one for batch in batches for one in _placed(batch, account)]
    return [one for one in reversed(told) if one[0] < before]


def _touching(batch: Batch, account: UUID) -> list[Movement]:
    """The transfers of a batch that name an account, in order."""
    records, name = batch.records, np.void(name_of(account))
    touched = (records["debit_account_id"] == name) | (records["credit_account_id"] == name)
    return movements_of(records[touched])
