"""What a validator holds in memory: sums of accounts, open reservations, ids that were used.

Sums stand in columns, so that a whole batch changes them at once; what is rare (an old transfer, a
reservation that is over) is asked of the past, which the caller provides.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from zhidao.finance.domain.ledger.account_index import AccountIndex
from zhidao.finance.domain.ledger.id_filter import IdFilter
from zhidao.finance.domain.ledger.ledger import (
    CLOSING,
    Account,
    AccountFlag,
    Resolution,
    TransferFlag,
)
from zhidao.finance.domain.ledger.records import Movement, Name, name_of

DEBITS_PENDING, DEBITS_POSTED, CREDITS_PENDING, CREDITS_POSTED = range(4)
NS_PER_S: Final = 1_000_000_000
_FIRST: Final = 64


class Past(Protocol):
    """Transfers that are no longer in memory, as far as a batch asks for them."""

    def transfer(self, name: Name) -> Movement | None:
        """A stored transfer, or None."""
        ...

    def failed(self, name: Name) -> bool:
        """Whether the id was spent on a transfer that failed for a reason of its moment."""
        ...

    def fate(self, pending: Name) -> Resolution:
        """What became of a stored pending transfer that is not open any more."""
        ...


@dataclass(slots=True)
class History:
    """The past in memory: whole in a replay or a test, a few asked ids in a node."""

    transfers: dict[Name, Movement] = field(default_factory=dict)
    failures: set[Name] = field(default_factory=set)
    fates: dict[Name, Resolution] = field(default_factory=dict)

    def transfer(self, name: Name) -> Movement | None:
        """A stored transfer, or None."""
        return self.transfers.get(name)

    def failed(self, name: Name) -> bool:
        """Whether the id failed before."""
        return name in self.failures

    def fate(self, pending: Name) -> Resolution:
        """Posted or voided if a transfer says so; else its time is over."""
        return self.fates.get(pending, Resolution.EXPIRED)

    def remember(self, stored: list[Movement], failures: Mapping[Name, object]) -> None:
        """Adds what a batch stored and what failed in it."""
        for movement in stored:
            self.transfers[movement.id] = movement
            if movement.flags & TransferFlag.POST_PENDING_TRANSFER:
                self.fates[movement.pending_id] = Resolution.POSTED
            elif movement.flags & TransferFlag.VOID_PENDING_TRANSFER:
                self.fates[movement.pending_id] = Resolution.VOIDED
        self.failures.update(failures)


class Book:
    """The state that all batches so far make. Changed by batches and by the passing of time."""

    def __init__(self) -> None:
        self.slots: dict[Name, int] = {}
        """Where an account's sums stand."""
        self.places = AccountIndex()
        """The same for whole columns of names."""
        self.ledgers: NDArray[np.uint32] = np.zeros(_FIRST, np.uint32)
        self.flags: NDArray[np.uint16] = np.zeros(_FIRST, np.uint16)
        self.sums: NDArray[np.int64] = np.zeros((_FIRST, 4), np.int64)
        """Shape (accounts, 4): debits pending and posted, credits pending and posted."""
        self.open: dict[Name, Movement] = {}
        """Pending transfers that were neither posted nor voided and have not expired."""
        self.used = IdFilter()
        self._opened: list[Account] = []
        self._ends: list[tuple[int, Name]] = []

    def put_account(self, account: Account) -> int:
        """Adds an account with its sums, or sets the sums of one; returns its place."""
        name = name_of(account.id)
        slot = self.slots.get(name)
        if slot is None:
            slot = len(self._opened)
            if slot == len(self.flags):
                self._grow()
            self.slots[name] = slot
            self.places.add(name)
            self._opened.append(account)
        self.ledgers[slot] = account.ledger
        self.flags[slot] = account.flags
        self.sums[slot] = (
            account.debits_pending,
            account.debits_posted,
            account.credits_pending,
            account.credits_posted,
        )
        return slot

    def account(self, identifier: UUID) -> Account | None:
        """An account with its sums, or None."""
        slot = self.slots.get(name_of(identifier))
        return None if slot is None else self.at(slot)

    def at(self, slot: int) -> Account:
        """The account at a place."""
        debits_pending, debits_posted, credits_pending, credits_posted = self.sums[slot].tolist()
        return replace(
            self._opened[slot],
            flags=AccountFlag(int(self.flags[slot])),
            debits_pending=debits_pending,
            debits_posted=debits_posted,
            credits_pending=credits_pending,
            credits_posted=credits_posted,
        )

    def accounts(self) -> Iterator[Account]:
        """All accounts in the order of their opening."""
        return map(self.at, range(len(self._opened)))

    def hold(self, pending: Movement) -> None:
        """Notes an open reservation."""
        self.open[pending.id] = pending
        if pending.timeout:
            end = pending.timestamp + pending.timeout * NS_PER_S
            heapq.heappush(self._ends, (end, pending.id))

    def expire(self, at_ns: int) -> list[Movement]:
        """Gives back what reservations hold whose time is over at `at_ns` (Unix ns)."""
        over: list[Movement] = []
        while self._ends and self._ends[0][0] <= at_ns:
            _, name = heapq.heappop(self._ends)
            pending = self.open.pop(name, None)
            if pending is not None:
                over.append(pending)
                self._let_go(pending)
        return over

    def _let_go(self, pending: Movement) -> None:
        debit = self.slots[pending.debit_account_id]
        credit = self.slots[pending.credit_account_id]
        self.sums[debit, DEBITS_PENDING] -= pending.amount
        self.sums[credit, CREDITS_PENDING] -= pending.amount
        if pending.flags & CLOSING:
            keep = np.uint16(0xFFFF & ~AccountFlag.CLOSED)
            if pending.flags & TransferFlag.CLOSING_DEBIT:
                self.flags[debit] &= keep
            if pending.flags & TransferFlag.CLOSING_CREDIT:
                self.flags[credit] &= keep

    def _grow(self) -> None:
        size = 2 * len(self.flags)
        self.ledgers = np.resize(self.ledgers, size)
        self.flags = np.resize(self.flags, size)
        grown = np.zeros((size, 4), np.int64)
        grown[: len(self.sums)] = self.sums
        self.sums = grown
