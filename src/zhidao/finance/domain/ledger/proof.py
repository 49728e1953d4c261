"""Proof that one record stands in a ledger: a transfer in its batch, an account in the balances.

A transfer's proof ends in the head after its batch (see `chain`), an account's in the root that
`BalancesStated` tells of. Both are RFC 9162 section 2.1.3 inclusion proofs over 128-byte records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.hashing.hashtree import leaf_hash, root_from_path, tree_path
from zhidao.finance.domain.ledger.chain import Batch, leaves, next_head
from zhidao.finance.domain.ledger.records import RECORD_BYTES
from zhidao.finance.domain.ledger.snapshot import Snapshot, account_bytes, account_leaves

TRANSFER: Final = "transfer"
BALANCE: Final = "balance"


@dataclass(frozen=True, slots=True)
class LedgerProof:
    """One record with its way to the root. `head_before`: empty for a balance.

    `batch`: of the transfer, or the last one that the balances hold. `count`: leaves of the tree.
    """

    kind: str
    ledger: str
    batch: int
    index: int
    count: int
    record: bytes
    path: tuple[bytes, ...]
    head_before: bytes = b""

    @property
    def anchor(self) -> bytes | None:
        """What the log must state: a head or a root in 32 bytes; None if the path is not one."""
        root = root_from_path(leaf_hash(self.record), self.index, self.count, self.path)
        if root is None or self.kind == BALANCE:
            return root
        return next_head(self.head_before, number=self.batch, count=self.count, root=root)


def prove_transfer(batch: Batch, place: int, *, head_before: bytes) -> LedgerProof:
    """The proof of the transfer at a place of a batch, counted from 0."""
    return LedgerProof(
        TRANSFER,
        batch.shard,
        batch.number,
        place,
        batch.count,
        batch.data[place * RECORD_BYTES : (place + 1) * RECORD_BYTES],
        tuple(tree_path(leaves(batch.data, batch.failures), place)),
        head_before,
    )


def prove_balance(snapshot: Snapshot, place: int) -> LedgerProof:
    """The proof of the account at a place in the order of opening."""
    accounts = list(snapshot.book.accounts())
    hashes: Sequence[bytes] = account_leaves(accounts)
    return LedgerProof(
        BALANCE,
        snapshot.shard,
        snapshot.number,
        place,
        len(accounts),
        account_bytes(accounts[place]),
        tuple(tree_path(hashes, place)),
    )
