"""Finance's ports in memory: the twins of the PostgreSQL adapters, under the same contract."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from zhidao.core.errors import Conflict
from zhidao.core.journal import Entry, Journal
from zhidao.finance.domain.chain import Batch
from zhidao.finance.domain.ledger import Account
from zhidao.finance.service.ports import IndexedDeal


class MemoryLedgerStore:
    """The ledger's rows in lists; events go to the given journal of the same room."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._epochs: dict[str, int] = {}
        self._accounts: dict[str, dict[UUID, Account]] = {}
        self._batches: dict[str, list[Batch]] = {}

    async def acquire(self, shard: str, *, holder: str) -> int:
        """The next epoch."""
        assert holder, "a validator has a name"
        self._epochs[shard] = self._epochs.get(shard, 0) + 1
        return self._epochs[shard]

    async def load(self, shard: str) -> tuple[tuple[Account, ...], tuple[Batch, ...]]:
        """All rows of a shard."""
        accounts = tuple(self._accounts.get(shard, {}).values())
        return accounts, tuple(self._batches.get(shard, ()))

    async def open_accounts(
        self, shard: str, accounts: Sequence[Account], *, epoch: int, entries: Sequence[Entry]
    ) -> None:
        """Writes accounts and their events, or nothing."""
        self._check(shard, epoch)
        held = self._accounts.setdefault(shard, {})
        if any(account.id in held for account in accounts):
            raise Conflict(f"an account of ledger {shard} is open already")
        for entry in entries:
            await self._journal.append([entry])
        held.update({account.id: account for account in accounts})

    async def commit(self, batch: Batch, *, epoch: int, entry: Entry) -> None:
        """Writes a batch and its event, or nothing."""
        self._check(batch.shard, epoch)
        held = self._batches.setdefault(batch.shard, [])
        if batch.number != len(held) + 1:
            raise Conflict(f"batch {batch.number} of ledger {batch.shard} is taken")
        await self._journal.append([entry])
        held.append(batch)

    def _check(self, shard: str, epoch: int) -> None:
        if epoch != self._epochs.get(shard):
            raise Conflict(f"epoch {epoch} of ledger {shard} is over", code="fenced")


class MemoryDealIndex:
    """The index in a dictionary."""

    def __init__(self) -> None:
        self._entries: dict[str, IndexedDeal] = {}
        self._closed: set[str] = set()

    async def add(self, entry: IndexedDeal) -> None:
        """Adds an entry once."""
        self._entries.setdefault(entry.deal, entry)

    async def close(self, deal: IndexedDeal) -> None:
        """Closes an entry."""
        if deal.deal in self._entries:
            self._closed.add(deal.deal)

    async def of_consignment(self, consignment: str) -> tuple[str, ...]:
        """By consignment, open or closed."""
        return self._names(lambda entry: entry.consignment == consignment)

    async def open_of_terminal(self, terminal: str) -> tuple[str, ...]:
        """By terminal, open only."""
        return self._names(
            lambda entry: entry.terminal == terminal and entry.deal not in self._closed
        )

    async def open(self) -> tuple[str, ...]:
        """All that are open."""
        return self._names(lambda entry: entry.deal not in self._closed)

    def _names(self, wanted: Callable[[IndexedDeal], bool]) -> tuple[str, ...]:
        return tuple(sorted(name for name, entry in self._entries.items() if wanted(entry)))
