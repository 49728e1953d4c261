"""What finance asks of the world beside its journal and the archive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from zhidao.core.journal import Entry
from zhidao.finance.domain.chain import Batch
from zhidao.finance.domain.ledger import Account


class LedgerStore(Protocol):
    """Append-only rows of the ledger, one shard beside the other, one validator each."""

    async def acquire(self, shard: str, *, holder: str) -> int:
        """Makes the holder this shard's validator and returns its epoch, higher than any before.

        From then on nothing is written under an older epoch.
        """
        ...

    async def load(self, shard: str) -> tuple[tuple[Account, ...], tuple[Batch, ...]]:
        """All accounts as opened (sums zero) and all batches in order, as they were written."""
        ...

    async def open_accounts(
        self, shard: str, accounts: Sequence[Account], *, epoch: int, entries: Sequence[Entry]
    ) -> None:
        """Writes accounts and the events that tell of them in one transaction.

        Each entry is the first of its own aggregate. Raises Conflict if an account stands already,
        and Conflict with code `fenced` if the epoch is not the newest.
        """
        ...

    async def commit(self, batch: Batch, *, epoch: int, entry: Entry) -> None:
        """Writes a batch, its head and its event in one transaction.

        Raises Conflict with code `fenced` if the epoch is not the newest, Conflict if the number
        is taken.
        """
        ...


@dataclass(frozen=True, slots=True)
class IndexedDeal:
    """Where a deal is found: the index is a finder, the deal's history is the truth."""

    deal: str
    consignment: str
    terminal: str


class DealIndex(Protocol):
    """Finds deals by consignment and by terminal; entries may be stale, never missing."""

    async def add(self, entry: IndexedDeal) -> None:
        """Adds an open deal; again: nothing changes."""
        ...

    async def close(self, deal: IndexedDeal) -> None:
        """The deal needs no more events."""
        ...

    async def of_consignment(self, consignment: str) -> tuple[str, ...]:
        """Deals ever opened for a consignment, in order of name."""
        ...

    async def open_of_terminal(self, terminal: str) -> tuple[str, ...]:
        """Open deals that wait for this terminal."""
        ...

    async def open(self) -> tuple[str, ...]:
        """All open deals."""
        ...


class Schemas(Protocol):
    """The schema packs that an operator installed, if any."""

    async def check(self, message: str, document: bytes) -> str:
        """`valid by …` or `not checked`. Raises MalformedInput with the place if it is invalid.

        `message`: the message definition, such as `pacs.008.001.08`.
        """
        ...
