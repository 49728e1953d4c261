"""What makes a ledger's batches checkable: leaf bytes, Merkle root, and the chain of heads.

A leaf is the transfer in TigerBeetle's own 128-byte record (little-endian), so that another
engine's rows give the same root; after them stand the ids that this batch spent on a failure, each
as its 16 bytes and the result's name. root = RFC 9162 section 2.1.1 tree hash with SHA-256;
head = SHA-256(head before || shard's batch number, 8 bytes big-endian || count, 8 bytes || root).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np

from zhidao.core.compiling import Beside
from zhidao.core.hashing.hashtree import leaf_hash, tree_root
from zhidao.finance.domain.ledger.ledger import Result
from zhidao.finance.domain.ledger.records import RECORD_BYTES, TRANSFER, Name, Records

Failures: TypeAlias = tuple[tuple[Name, Result], ...]
_LEAF: Final = b"\x00"
LANES: Final = Beside("zhidao.core.hashing.hash_lanes", pays_from=100_000)
"""The compiled twin of the hash tree; a thread of its own loads it after that many records."""
_LANES_FROM: Final = 256


def leaves(data: bytes, failures: Failures = ()) -> list[bytes]:
    """The leaf hashes of a batch: of its records, then of its failed ids."""
    sha256, size = hashlib.sha256, RECORD_BYTES
    hashes = [
        sha256(_LEAF + data[start : start + size]).digest() for start in range(0, len(data), size)
    ]
    return hashes + _failure_leaves(failures)


def _failure_leaves(failures: Failures) -> list[bytes]:
    return [leaf_hash(name + result.encode()) for name, result in failures]


def batch_root(data: bytes, failures: Failures = ()) -> bytes:
    """The Merkle root over a batch's records, one after the other, and its failed ids.

    Large batches go through compiled lanes as soon as these are loaded, with the same root.
    """
    count = len(data) // RECORD_BYTES
    lanes = LANES.module(count) if count >= _LANES_FROM else None
    if lanes is None:
        return tree_root(leaves(data, failures))
    level = lanes.leaf_level(data, RECORD_BYTES)
    if failures:
        level = np.concatenate([level, lanes.level_of(_failure_leaves(failures))])
    root: bytes = lanes.root_of(level)
    return root


def first_head(shard: str) -> bytes:
    """The head before any batch: SHA-256 of the shard's name under a label of its own."""
    return hashlib.sha256(b"zhidao ledger 1\n" + shard.encode()).digest()


def next_head(head: bytes, *, number: int, count: int, root: bytes) -> bytes:
    """The head after a batch. `count`: of its leaves."""
    middle = number.to_bytes(8, "big") + count.to_bytes(8, "big")
    return hashlib.sha256(head + middle + root).digest()


@dataclass(frozen=True, slots=True)
class Batch:
    """Transfers that became durable together. `number` counts from 1 within the shard.

    `data`: the transfers' records, one after the other.
    """

    shard: str
    number: int
    data: bytes = field(repr=False)
    failures: Failures
    root: bytes
    head: bytes

    @classmethod
    def after(
        cls,
        head: bytes,
        *,
        shard: str,
        number: int,
        data: bytes,
        failures: Failures = (),
        root: bytes = b"",
    ) -> Batch:
        """The batch that follows a head. `root`: of this data, if it was computed before."""
        root = root or batch_root(data, failures)
        count = len(data) // RECORD_BYTES + len(failures)
        return cls(
            shard,
            number,
            data,
            failures,
            root,
            next_head(head, number=number, count=count, root=root),
        )

    @property
    def records(self) -> Records:
        """The transfers, shape (n,)."""
        return np.frombuffer(self.data, TRANSFER)

    @property
    def ids(self) -> set[Name]:
        """The ids that this batch uses up."""
        return {*self.records["id"].tolist(), *(name for name, _ in self.failures)}

    @property
    def count(self) -> int:
        """How many leaves the batch's root stands for."""
        return len(self.data) // RECORD_BYTES + len(self.failures)


def pairs(failures: Mapping[Name, Result]) -> Failures:
    """Failed ids in the order in which they failed."""
    return tuple(failures.items())
