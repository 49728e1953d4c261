"""One shard as its validator sees it: the book, the newest head, and what the next batch is.

Groups of requests that arrive together become one durable batch; each group keeps its own chains.
The fast path takes a group whole if it can, the exact machine takes any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zhidao.finance.domain.book import Book, History
from zhidao.finance.domain.chain import Batch, first_head, pairs
from zhidao.finance.domain.fast import apply_fast
from zhidao.finance.domain.ledger import Result, TransferFlag
from zhidao.finance.domain.machine import apply
from zhidao.finance.domain.records import Name, Records, movements_of, records_of

FAST_FROM = 64
"""Smaller groups go straight to the exact machine: columns cost more than they save."""
_RESOLVING = np.uint16(TransferFlag.POST_PENDING_TRANSFER | TransferFlag.VOID_PENDING_TRANSFER)


@dataclass(slots=True)
class Validator:
    """What a node holds of one shard in memory: it equals the durable rows, or is thrown away."""

    shard: str
    book: Book = field(default_factory=Book)
    number: int = 0
    head: bytes = b""
    last_ns: int = 0

    def __post_init__(self) -> None:
        self.head = self.head or first_head(self.shard)

    def begin(self, groups: Sequence[Records], *, now_ns: int) -> list[Name]:
        """Begins a batch; returns the names that the table must be asked for before `apply`.

        They are ids that may have been used and reservations that are not open. Those whose time
        is over end here, once for all groups: a replay of the batch finds the same ones open.
        """
        self.last_ns = max(now_ns, self.last_ns + 1)
        self.book.expire(self.last_ns)
        asked: set[Name] = set()
        for group in groups:
            names: NDArray[np.void] = group["id"]
            asked.update(names[self.book.used.perhaps(names)].tolist())
            resolving = group["flags"] & _RESOLVING != 0
            if resolving.any():
                opened = self.book.open
                pending = group["pending_id"][resolving].tolist()
                asked.update(name for name in pending if name not in opened)
        return list(asked)

    def apply(
        self, groups: Sequence[Records], past: History
    ) -> tuple[list[list[Result]], Batch | None]:
        """Applies the groups one after the other; the answers, and the batch if anything holds.

        `past`: what the table says of the names that `begin` gave. The state in memory goes ahead
        of the table; whoever cannot write the batch throws this validator away.
        """
        at_ns = self.last_ns
        answers, parts, failures = [], [], {}
        for group in groups:
            results, stored, failed = self._group(group, past, at_ns)
            answers.append(results)
            parts.append(stored)
            failures.update(failed)
            at_ns += len(group)
        self.last_ns = at_ns - 1
        data = b"".join(part.tobytes() for part in parts)
        if not data and not failures:
            return answers, None
        return answers, self._seal(data, failures)

    def replay(self, batch: Batch) -> bool:
        """Applies a stored batch; whether every transfer held again and the head is the same."""
        records = batch.records
        if len(records):
            first_ns = int(records["timestamp"][0])
            self.book.expire(first_ns)
            if not self._again(records):
                return False
            self.last_ns = int(records["timestamp"][-1])
        if batch.failures:
            names = np.frombuffer(b"".join(name for name, _ in batch.failures), "V16")
            self.book.used.add(names)
        return self._seal(batch.data, dict(batch.failures)) == batch

    def _again(self, records: Records) -> bool:
        """Whether stored records hold again, with the timestamps they have."""
        stamps = records["timestamp"].copy()
        request = records.copy()
        request["timestamp"] = 0
        stored = apply_fast(request, self.book, stamps=stamps)
        if stored is not None:
            return stored.tobytes() == records.tobytes()
        outcome = apply(movements_of(request), self.book, History(), stamps=stamps.tolist())
        return records_of(outcome.stored).tobytes() == records.tobytes()

    def _group(
        self, group: Records, past: History, at_ns: int
    ) -> tuple[list[Result], Records, dict[Name, Result]]:
        stamps = at_ns + np.arange(len(group), dtype=np.uint64)
        if len(group) >= FAST_FROM and not past.transfers and not past.failures:
            stored = apply_fast(group, self.book, stamps=stamps)
            if stored is not None:
                return [Result.CREATED] * len(group), stored, {}
        outcome = apply(movements_of(group), self.book, past, stamps=stamps.tolist())
        past.remember(outcome.stored, outcome.failures)
        return outcome.results, records_of(outcome.stored), outcome.failures

    def _seal(self, data: bytes, failures: dict[Name, Result]) -> Batch:
        batch = Batch.after(
            self.head,
            shard=self.shard,
            number=self.number + 1,
            data=data,
            failures=pairs(failures),
        )
        self.number, self.head = batch.number, batch.head
        return batch
