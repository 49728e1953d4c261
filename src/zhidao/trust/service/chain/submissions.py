"""The writing end of the chain: transactions become signed facts, in one order, before they run.

Keeps the counts of all senders as they will stand once everything written is executed, so that
nonces are given without waiting. The journal is the truth: after any failed write this is built
anew, from what the chain has executed of it and from what is written behind that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from zhidao.core.actor import Actor
from zhidao.core.encoding import parse_hex
from zhidao.core.errors import Conflict, MalformedInput, Refused
from zhidao.core.journal import Records
from zhidao.trust.domain.chain_rules import Admission
from zhidao.trust.domain.evm import Transaction
from zhidao.trust.events import ChainTransaction
from zhidao.trust.service.chain.ports import LoggedTransactions
from zhidao.trust.service.chain.snapshot import Entry
from zhidao.trust.wire.evm.transaction import decode

_ATTEMPTS_MAX: Final = 5


def aggregate_of(chain_id: int) -> str:
    """The aggregate that holds a chain."""
    return f"chain/{chain_id}"


@dataclass(frozen=True, slots=True)
class Submission:
    """Signed bytes on their way to the log: who asserts them, what for, and for which title."""

    actor: Actor
    raw: bytes
    purpose: str
    title: str


@dataclass(slots=True)
class _Head:
    admission: Admission
    version: int = 0
    transactions: dict[bytes, Transaction] = field(default_factory=dict)
    by_title: dict[str, list[bytes]] = field(default_factory=dict)

    @classmethod
    def after(cls, admission: Admission, entries: Sequence[Entry]) -> _Head:
        """The head behind everything that was executed."""
        head = cls(admission, version=len(entries))
        for entry in entries:
            transaction = entry.receipt.transaction
            if transaction is not None and entry.receipt.was_executed:
                head.note(transaction, entry.title)
        return head

    def note(self, transaction: Transaction, title: str) -> None:
        """Remembers an admitted transaction."""
        self.transactions[transaction.hash] = transaction
        if title:
            self.by_title.setdefault(title, []).append(transaction.hash)

    def take(self, fact: ChainTransaction) -> None:
        self.version += 1
        try:
            transaction = decode(parse_hex(fact.raw))
            self.admission.readmit(transaction)
        except (MalformedInput, Refused):
            # The chain will refuse it too; it counts as a block and as nothing else.
            return
        self.note(transaction, fact.title)


class ChainLog:
    """Writes ChainTransaction facts of one chain; one writer at a time."""

    def __init__(
        self,
        records: Records,
        chain_id: int,
        *,
        executed: Callable[[], Awaitable[tuple[Admission, Sequence[Entry]]]] | None = None,
        logged: LoggedTransactions | None = None,
    ) -> None:
        """`executed` and `logged`: where to go on from; without them the whole journal is read."""
        self._records = records
        self._executed = executed
        self._logged = logged
        self._chain_id = chain_id
        self._lock = asyncio.Lock()
        self._head: _Head | None = None

    @property
    def aggregate(self) -> str:
        """The aggregate that holds the chain."""
        return aggregate_of(self._chain_id)

    async def find(self, transaction_hash: bytes) -> Transaction | None:
        """A transaction that was written, or None."""
        async with self._lock:
            return (await self._loaded()).transactions.get(transaction_hash)

    async def of_title(self, title: str) -> tuple[bytes, ...]:
        """Hashes of the transactions written for a title, in order."""
        async with self._lock:
            return tuple((await self._loaded()).by_title.get(title, ()))

    async def of_sender(self, sender: bytes) -> tuple[Transaction, ...]:
        """The transactions written for a sender, in order."""
        async with self._lock:
            written = (await self._loaded()).transactions.values()
            return tuple(one for one in written if one.sender == sender)

    async def admission(self) -> Admission:
        """The counts after everything that is written."""
        async with self._lock:
            return (await self._loaded()).admission.copy()

    async def submit(
        self, make: Callable[[Admission], Sequence[Submission]]
    ) -> tuple[Transaction, ...]:
        """Signs and writes transactions; nobody else writes in between.

        `make` gets the counts and returns what to write; it may run again if another process
        wrote meanwhile. Raises Refused if the chain would not take one of them, before anything
        is written; what is already written is left out.
        """
        async with self._lock:
            for _ in range(_ATTEMPTS_MAX):
                head = await self._loaded()
                submissions = make(head.admission.copy())
                fresh, transactions = _admitted(head, submissions)
                try:
                    await self._write(head, fresh)
                except Conflict:
                    self._head = None
                    continue
                except BaseException:
                    # The write may stand all the same: only the journal knows.
                    self._head = None
                    raise
                return transactions
            raise Conflict(f"{self.aggregate}: others keep writing; repeat the request")

    async def _write(self, head: _Head, submissions: Sequence[Submission]) -> None:
        for batch in _by_actor(submissions):
            facts = [
                ChainTransaction(
                    chain_id=self._chain_id,
                    raw=one.raw.hex(),
                    hash="0x" + decode(one.raw).hash.hex(),
                    purpose=one.purpose,
                    title=one.title,
                )
                for one in batch
            ]
            actor = batch[0].actor
            await self._records.record(
                actor, self.aggregate, facts, after=head.version, owner=actor.party
            )
            for fact in facts:
                head.take(fact)

    async def _loaded(self) -> _Head:
        if self._head is None:
            if self._executed is None or self._logged is None:
                head = _Head(Admission(self._chain_id))
                for event in await self._records.history(self.aggregate):
                    head.take(ChainTransaction.of(event))
            else:
                head = _Head.after(*await self._executed())
                async for event in self._logged.written(self.aggregate, after=head.version):
                    head.take(ChainTransaction.of(event))
            self._head = head
        return self._head


def _admitted(
    head: _Head, submissions: Sequence[Submission]
) -> tuple[list[Submission], tuple[Transaction, ...]]:
    """Those that are not written yet, and all of them decoded; raises if one is not admitted."""
    trial = head.admission.copy()
    fresh, transactions = [], []
    for submission in submissions:
        transaction = decode(submission.raw)
        transactions.append(transaction)
        if transaction.hash not in head.transactions:
            trial.admit(transaction)
            fresh.append(submission)
    return fresh, tuple(transactions)


def _by_actor(submissions: Sequence[Submission]) -> list[list[Submission]]:
    """Runs of the same speaker: one journal write each, in order."""
    batches: list[list[Submission]] = []
    for submission in submissions:
        if batches and batches[-1][0].actor == submission.actor:
            batches[-1].append(submission)
        else:
            batches.append([submission])
    return batches
