"""Proofs of a transfer and of a balance: their size, and how long a check takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import numpy as np

from benchmarks.measuring import claim
from zhidao.finance.domain.ledger.book import Book
from zhidao.finance.domain.ledger.chain import Batch, first_head
from zhidao.finance.domain.ledger.ledger import TRANSFERS_MAX, Account
from zhidao.finance.domain.ledger.proof import prove_balance, prove_transfer
from zhidao.finance.domain.ledger.records import TRANSFER
from zhidao.finance.domain.ledger.snapshot import Snapshot
from zhidao.finance.wire.ledger_proof import decode, encode

ACCOUNTS = 100_000


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: ARG001, FBT001 (the common contract)
    """A full batch; a hundred thousand accounts."""
    records = np.zeros(TRANSFERS_MAX, TRANSFER)
    records.view("<u8").reshape(-1, 16)[:, 0] = np.arange(TRANSFERS_MAX)
    head = first_head("CNY")
    batch = Batch.after(head, shard="CNY", number=1, data=records.tobytes())
    book = Book()
    for number in range(1, ACCOUNTS + 1):
        book.put_account(Account(UUID(int=number), 1, 1, credits_posted=number))
    snapshot = Snapshot("CNY", 1, batch.head, 1, book)
    proofs = {
        "transfer": [prove_transfer(batch, n, head_before=head) for n in (0, 5_000, 8_188)],
        "balance": [prove_balance(snapshot, n) for n in (0, 99_999)],
    }
    for kind, made in proofs.items():
        files = [encode(proof) for proof in made]
        sizes = [float(len(file)) for file in files]
        yield claim(f"proof_{kind}_bytes", [max(sizes)], "byte", target=2048, at_most=True)
        took = []
        for _ in range(200):
            started = time.perf_counter()
            anchors = [decode(file).anchor for file in files]
            took.append((time.perf_counter() - started) * 1e3 / len(files))
            assert None not in anchors
        yield claim(f"proof_{kind}_verify_ms", took, "ms", target=1, at_most=True)
