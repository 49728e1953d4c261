"""One shard as its validator sees it: the book, the newest head, and what the next batch is.

Groups of requests that arrive together become one durable batch; each group keeps its own chains.
The fast path takes all of them at once if it can, else the exact machine takes one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zhidao.finance.domain.ledger.book import Book, History
from zhidao.finance.domain.ledger.chain import Batch, first_head, pairs
from zhidao.finance.domain.ledger.columnar import apply_fast
from zhidao.finance.domain.ledger.ledger import Result, TransferFlag
from zhidao.finance.domain.ledger.machine import apply
from zhidao.finance.domain.ledger.records import (
    RECORD,
    TRANSFER,
    Name,
    Records,
    movements_of,
    records_of,
)

FAST_FROM = 256
"""Smaller batches go straight to the exact machine: columns cost more than they save."""
_LINKED = np.uint16(TransferFlag.LINKED)
_RESOLVING = np.uint16(TransferFlag.POST_PENDING_TRANSFER | TransferFlag.VOID_PENDING_TRANSFER)


@dataclass(slots=True)
class Validator:
    """What a node holds of one shard in memory: it equals the durable rows, or is thrown away."""

    shard: str
    book: Book = field(default_factory=Book)
    number: int = 0
    head: bytes = b""
    last_ns: int = 0
    # Transfers that were applied again since the balances that it began with.
    replayed: int = 0
    _whole: Records = field(default_factory=lambda: np.zeros(0, TRANSFER), repr=False)

    def __post_init__(self) -> None:
        self.head = self.head or first_head(self.shard)

    def begin(self, groups: Sequence[Records], *, now_ns: int) -> list[Name]:
        """Begins a batch; returns the names that the table must be asked for before `apply`.

        They are ids that may have been used and reservations that are not open. Those whose time
        is over end here, once for all groups: a replay of the batch finds the same ones open.
        """
        self.last_ns = max(now_ns, self.last_ns + 1)
        self.book.expire(self.last_ns)
        # As plain bytes: field by field it takes ten times as long.
        self._whole = np.concatenate([group.view(RECORD) for group in groups]).view(TRANSFER)
        names: NDArray[np.void] = self._whole["id"]
        asked = set(names[self.book.used.perhaps(names)].tolist())
        resolving = self._whole["flags"] & _RESOLVING != 0
        if resolving.any():
            opened = self.book.open
            pending = self._whole["pending_id"][resolving].tolist()
            asked.update(name for name in pending if name not in opened)
        return list(asked)

    def apply(
        self, groups: Sequence[Records], past: History
    ) -> tuple[list[list[Result]], Batch | None]:
        """Applies the groups one after the other; the answers, and the batch if anything holds.

        `past`: what the table says of the names that `begin` gave. The state in memory goes ahead
        of the table; whoever cannot write the batch throws this validator away.
        """
        whole, first_ns = self._whole, self.last_ns
        self.last_ns += len(whole) - 1
        stored = self._at_once(groups, past, first_ns)
        if stored is not None:
            answers = [[Result.CREATED] * len(group) for group in groups]
            return answers, self._seal(stored.tobytes(), {})
        answers, kept, failures, start = [], [], {}, 0
        movements = movements_of(whole)
        for group in groups:
            end = start + len(group)
            stamps = range(first_ns + start, first_ns + end)
            outcome = apply(movements[start:end], self.book, past, stamps=stamps)
            past.remember(outcome.stored, outcome.failures)
            answers.append(outcome.results)
            kept += outcome.stored
            failures.update(outcome.failures)
            start = end
        if not kept and not failures:
            return answers, None
        return answers, self._seal(records_of(kept).tobytes(), failures)

    def replay(self, batch: Batch, root: bytes = b"") -> bool:
        """Applies a stored batch; whether every transfer held again and the head is the same.

        `root`: what `batch_root` gave for the batch's data elsewhere, so that it is not done twice.
        """
        records = batch.records
        if len(records):
            first_ns = int(records["timestamp"][0])
            self.book.expire(first_ns)
            if not self._again(records):
                return False
            self.replayed += len(records)
            self.last_ns = int(records["timestamp"][-1])
        return self._seal(batch.data, dict(batch.failures), root) == batch

    def _again(self, records: Records) -> bool:
        """Whether stored records hold again, with the timestamps they have."""
        stamps = records["timestamp"].copy()
        stored = apply_fast(records, self.book, stamps=stamps, replayed=True)
        if stored is not None:
            return np.array_equal(stored.view("<u8"), records.view("<u8"))
        request = records.copy()
        request["timestamp"] = 0
        outcome = apply(movements_of(request), self.book, History(), stamps=stamps.tolist())
        return records_of(outcome.stored).tobytes() == records.tobytes()

    def _at_once(self, groups: Sequence[Records], past: History, first_ns: int) -> Records | None:
        """All groups by the fast path, if it takes them: then their borders do not matter."""
        whole = self._whole
        if (
            len(whole) < FAST_FROM
            or past.transfers
            or past.failures
            or any(len(group) and group["flags"][-1] & _LINKED for group in groups)
        ):
            return None
        stamps = first_ns + np.arange(len(whole), dtype=np.uint64)
        return apply_fast(whole, self.book, stamps=stamps)

    def _seal(self, data: bytes, failures: dict[Name, Result], root: bytes = b"") -> Batch:
        batch = Batch.after(
            self.head,
            shard=self.shard,
            number=self.number + 1,
            data=data,
            failures=pairs(failures),
            root=root,
        )
        self.number, self.head = batch.number, batch.head
        self.book.used.add(batch.records["id"])
        if failures:
            self.book.used.add(np.frombuffer(b"".join(failures), "V16"))
        return batch
