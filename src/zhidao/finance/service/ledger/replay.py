"""A ledger without a server: batches in, results and balances out, the past wholly in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from zhidao.finance.domain.ledger.book import History
from zhidao.finance.domain.ledger.ledger import Account, AccountResult, Result, Transfer
from zhidao.finance.domain.ledger.openings import create_accounts
from zhidao.finance.domain.ledger.records import from_transfers, movements_of
from zhidao.finance.domain.ledger.validator import Validator
from zhidao.finance.wire.replay import RequestBatch


@dataclass(slots=True)
class Replay:
    """One ledger, in which each batch follows the one before by the node's own validator."""

    shard: str = "replay"
    _past: History = field(default_factory=History)
    _validator: Validator = field(init=False)

    def __post_init__(self) -> None:
        self._validator = Validator(self.shard)

    def submit(self, batch: RequestBatch) -> list[AccountResult] | list[Result]:
        """The answers of one batch. Its time is never before that of the batch before."""
        if not batch.accounts and not batch.transfers:
            return []
        if batch.accounts:
            return self._open(batch.accounts, batch.timestamp)
        return self._move(batch.transfers, batch.timestamp)

    @property
    def head(self) -> bytes:
        """The head over all transfers so far."""
        return self._validator.head

    def accounts(self) -> Iterator[Account]:
        """All accounts with their sums, in the order of their opening."""
        return self._validator.book.accounts()

    def _open(self, accounts: Sequence[Account], timestamp: int) -> list[AccountResult]:
        held = self._validator
        first = max(held.last_ns + 1, timestamp - len(accounts) + 1)
        held.last_ns = first + len(accounts) - 1
        held.book.expire(first)
        stamps = range(first, first + len(accounts))
        return create_accounts(held.book, accounts, stamps=stamps)

    def _move(self, transfers: Sequence[Transfer], timestamp: int) -> list[Result]:
        held, group = self._validator, from_transfers(transfers)
        asked = held.begin([group], now_ns=max(0, timestamp - len(transfers) + 1))
        known = any(n in self._past.transfers or n in self._past.failures for n in asked)
        # Nothing that the batch names is past: then the fast path may take it.
        [results], written = held.apply([group], self._past if known else History())
        if written is not None:
            self._past.remember(movements_of(written.records), dict(written.failures))
        return results
