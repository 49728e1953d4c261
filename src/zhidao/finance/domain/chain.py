"""What makes a ledger's batches checkable: leaf bytes, Merkle root, and the chain of heads.

A leaf is the transfer in TigerBeetle's own 128-byte record (little-endian), so that another
engine's rows give the same root. root = RFC 9162 section 2.1.1 tree hash with SHA-256;
head = SHA-256(head before || shard's batch number, 8 bytes big-endian || count, 8 bytes || root).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.hashtree import leaf_hash, tree_root
from zhidao.finance.domain.ledger import Transfer

# id, debit, credit, amount, pending_id, user_data_128 (16 bytes each); user_data_64,
# user_data_32, timeout, ledger, code, flags, timestamp.
_RECORD: Final = struct.Struct("<16s16s16s16s16s16sQIIIHHQ")
assert _RECORD.size == 128


def record_bytes(transfer: Transfer) -> bytes:
    """The transfer as 128 bytes."""
    wide = (
        transfer.id.int,
        transfer.debit_account_id.int,
        transfer.credit_account_id.int,
        transfer.amount,
        transfer.pending_id.int,
        transfer.user_data_128,
    )
    return _RECORD.pack(
        *(number.to_bytes(16, "little") for number in wide),
        0,
        0,
        0,
        transfer.ledger,
        transfer.code,
        transfer.flags,
        transfer.timestamp,
    )


def batch_root(transfers: Sequence[Transfer]) -> bytes:
    """The Merkle root over a batch's transfers in their order."""
    return tree_root(leaf_hash(record_bytes(transfer)) for transfer in transfers)


def first_head(shard: str) -> bytes:
    """The head before any batch: SHA-256 of the shard's name under a label of its own."""
    return hashlib.sha256(b"zhidao ledger 1\n" + shard.encode()).digest()


def next_head(head: bytes, *, number: int, count: int, root: bytes) -> bytes:
    """The head after a batch."""
    middle = number.to_bytes(8, "big") + count.to_bytes(8, "big")
    return hashlib.sha256(head + middle + root).digest()


@dataclass(frozen=True, slots=True)
class Batch:
    """Transfers that became durable together. `number` counts from 1 within the shard."""

    shard: str
    number: int
    transfers: tuple[Transfer, ...]
    root: bytes
    head: bytes

    @classmethod
    def after(
        cls, head: bytes, *, shard: str, number: int, transfers: tuple[Transfer, ...]
    ) -> Batch:
        """The batch that follows a head."""
        root = batch_root(transfers)
        following = next_head(head, number=number, count=len(transfers), root=root)
        return cls(shard, number, transfers, root, following)
