"""Statements out of the ledger's own batches, so that they cannot differ from it."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import numpy as np

from zhidao.core.ambient import Clock
from zhidao.core.money import Currency
from zhidao.finance.domain.records import movements_of, name_of
from zhidao.finance.domain.statement import (
    AccountStatement,
    StatementEntry,
    entry_of,
    stated,
)
from zhidao.finance.service.ports import LedgerStore


class Statements:
    """Reads what is durable; a statement of a past day is the same whenever it is made."""

    def __init__(self, store: LedgerStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def statement(
        self, shard: str, account: UUID, *, message: str, first_day: date, last_day: date
    ) -> AccountStatement:
        """The account from the first to the last day (UTC), both within."""
        entries: list[StatementEntry] = []
        after = 0
        while batches := await self._store.batches(shard, after=after):
            for batch in batches:
                records, name = batch.records, np.void(name_of(account))
                touched = (records["debit_account_id"] == name) | (
                    records["credit_account_id"] == name
                )
                found = (entry_of(one, account) for one in movements_of(records[touched]))
                entries += filter(None, found)
            after = batches[-1].number
        return stated(
            entries,
            message=message,
            account=account,
            currency=Currency(shard),
            created=self._clock.now().to_datetime().replace(microsecond=0),
            first_day=first_day,
            last_day=last_day,
        )
