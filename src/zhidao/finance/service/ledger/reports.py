"""Reports out of the ledger's own batches: sums of every account between two moments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from zhidao.finance.domain.ledger.ledger import Account, TransferFlag
from zhidao.finance.domain.ledger.records import Records, name_of
from zhidao.finance.domain.ledger.reports import Line
from zhidao.finance.events import AccountOpened
from zhidao.finance.service.ports import LedgerStore

_NOT_POSTED: Final = np.uint16(TransferFlag.PENDING | TransferFlag.VOID_PENDING_TRANSFER)
ALWAYS_NS: Final = 2**63 - 1


class Reports:
    """Reads what is durable; a report of a past moment is the same whenever it is made."""

    def __init__(self, store: LedgerStore) -> None:
        self._store = store

    async def sums(
        self, shard: str, *, after_ns: int = 0, until_ns: int = ALWAYS_NS
    ) -> dict[UUID, tuple[Account, int, int]]:
        """Posted debits and credits of each account, of transfers after and until two moments."""
        accounts = await self._store.accounts(shard)
        slots = {name_of(one.id): place for place, one in enumerate(accounts)}
        sums = np.zeros((len(accounts), 2), np.int64)
        after = 0
        while batches := await self._store.batches(shard, after=after):
            for batch in batches:
                _add(sums, slots, batch.records, after_ns, until_ns)
            after = batches[-1].number
        return {
            one.id: (one, int(debits), int(credits_))
            for one, (debits, credits_) in zip(accounts, sums.tolist(), strict=True)
        }

    async def lines(
        self,
        shard: str,
        opened: Mapping[UUID, AccountOpened],
        *,
        bank: str = "",
        after_ns: int = 0,
        until_ns: int = ALWAYS_NS,
    ) -> list[Line]:
        """The lines of a report, in the order of opening; of one bank, if it is named.

        `opened`: what is known of the accounts; one that is not known bears its code alone.
        """
        sums = await self.sums(shard, after_ns=after_ns, until_ns=until_ns)
        lines = []
        for name, (account, debits, credits_) in sums.items():
            told = opened.get(name)
            line = Line(
                name,
                account.code,
                told.bank if told else "",
                told.holder if told else "",
                told.purpose if told else f"code {account.code}",
                debits,
                credits_,
            )
            if not bank or line.bank == bank:
                lines.append(line)
        return lines


def _add(
    sums: NDArray[np.int64],
    slots: Mapping[bytes, int],
    records: Records,
    after_ns: int,
    until_ns: int,
) -> None:
    stamps = records["timestamp"]
    wanted = (
        ((records["flags"] & _NOT_POSTED) == 0)
        & (stamps > np.uint64(after_ns))
        & (stamps <= np.uint64(until_ns))
    )
    posted = records[wanted]
    amounts = posted["amount"].astype(np.int64)
    for side, column in enumerate(("debit_account_id", "credit_account_id")):
        places = np.fromiter(
            (slots[name] for name in posted[column].tolist()), np.int64, len(posted)
        )
        np.add.at(sums[:, side], places, amounts)
