"""The chain of batches: every changed bit shows, and the record is the one others use."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from uuid import UUID

import numpy as np
import pytest

from zhidao.core.hashing.hashtree import tree_root
from zhidao.finance.domain.ledger import chain
from zhidao.finance.domain.ledger.chain import (
    LANES,
    Batch,
    batch_root,
    first_head,
    leaves,
    next_head,
    pairs,
)
from zhidao.finance.domain.ledger.ledger import Result, Transfer, TransferFlag
from zhidao.finance.domain.ledger.records import movement_of, record_bytes, transfers_of

ONE = Transfer(
    UUID(int=1), UUID(int=2), UUID(int=3), 4, UUID(int=5), 6, 7, 8, TransferFlag.PENDING, 9
)


def raw(transfer: Transfer) -> bytes:
    return record_bytes(movement_of(transfer))


def test_a_record_is_128_bytes_little_endian() -> None:
    wide = b"".join(n.to_bytes(16, "little") for n in (1, 2, 3, 4, 5, 6))
    narrow = bytes(16) + (7).to_bytes(4, "little") + b"\x08\0\x02\0" + (9).to_bytes(8, "little")
    assert raw(ONE) == wide + narrow


def test_the_root_of_two_is_that_of_the_standard() -> None:
    leaves = [hashlib.sha256(b"\0" + raw(t)).digest() for t in (ONE, ONE)]
    assert batch_root(raw(ONE) + raw(ONE)) == hashlib.sha256(b"\1" + leaves[0] + leaves[1]).digest()


def test_every_field_of_a_transfer_reaches_the_head() -> None:
    head = first_head("CNY")
    whole = Batch.after(head, shard="CNY", number=1, data=raw(ONE))
    changed = [
        replace(ONE, id=UUID(int=9)),
        replace(ONE, debit_account_id=UUID(int=9)),
        replace(ONE, credit_account_id=UUID(int=9)),
        replace(ONE, amount=9),
        replace(ONE, pending_id=UUID(int=9)),
        replace(ONE, user_data_128=9),
        replace(ONE, ledger=9),
        replace(ONE, code=9),
        replace(ONE, flags=TransferFlag.LINKED),
        replace(ONE, timestamp=10),
        replace(ONE, user_data_64=9),
        replace(ONE, user_data_32=9),
        replace(ONE, timeout=9),
    ]
    heads = {Batch.after(head, shard="CNY", number=1, data=raw(t)).head for t in changed}
    assert len(heads) == len(changed)
    assert whole.head not in heads


def test_ledgers_and_batches_do_not_share_heads() -> None:
    heads = {
        Batch.after(first_head(shard), shard=shard, number=number, data=raw(ONE)).head
        for shard in ("CNY", "KZT")
        for number in (1, 2)
    }
    assert len(heads) == 4


def test_a_failed_id_reaches_the_head_too() -> None:
    head, name = first_head("CNY"), bytes(range(16))
    heads = {
        Batch.after(head, shard="CNY", number=1, data=raw(ONE), failures=failures).head
        for failures in (
            (),
            ((name, Result.EXCEEDS_CREDITS),),
            ((name, Result.EXCEEDS_DEBITS),),
            ((name[::-1], Result.EXCEEDS_CREDITS),),
        )
    }
    assert len(heads) == 4


@pytest.mark.slow
def test_a_large_batch_has_the_root_of_its_leaves_with_and_without_lanes() -> None:
    # 300 records go through the lanes once they are loaded; failed ids stand behind them.
    data = b"".join(raw(replace(ONE, id=UUID(int=n))) for n in range(1, 301))
    failures = tuple((UUID(int=n).bytes, Result.EXCEEDS_CREDITS) for n in range(301, 308))
    plain = tree_root(leaves(data, failures))
    assert batch_root(data, failures) == plain
    LANES.wait()
    assert batch_root(data, failures) == plain


def test_the_first_head_is_the_hash_of_a_label_and_the_shards_name() -> None:
    assert first_head("CNY") == hashlib.sha256(b"zhidao ledger 1\nCNY").digest()
    assert first_head("¥") == hashlib.sha256(b"zhidao ledger 1\n\xc2\xa5").digest()


def test_a_head_is_made_of_the_one_before_number_count_and_root() -> None:
    numbers = (2**40).to_bytes(8, "big") + (3).to_bytes(8, "big")
    found = next_head(b"h" * 32, number=2**40, count=3, root=b"r" * 32)
    assert found == hashlib.sha256(b"h" * 32 + numbers + b"r" * 32).digest()


def test_a_batch_is_its_records_then_its_failed_ids() -> None:
    other = replace(ONE, id=UUID(int=11))
    name = bytes(range(16))
    data = raw(ONE) + raw(other)
    failures = pairs({name: Result.EXCEEDS_CREDITS, name[::-1]: Result.EXCEEDS_DEBITS})
    assert failures == ((name, Result.EXCEEDS_CREDITS), (name[::-1], Result.EXCEEDS_DEBITS))
    expected = [
        hashlib.sha256(b"\0" + leaf).digest()
        for leaf in (
            *(raw(ONE), raw(other)),
            *(name + b"exceeds_credits", name[::-1] + b"exceeds_debits"),
        )
    ]
    assert leaves(data, failures) == expected
    assert leaves(data) == expected[:2]
    head = first_head("CNY")
    batch = Batch.after(head, shard="CNY", number=3, data=data, failures=failures)
    root = tree_root(expected)
    assert batch == Batch(
        "CNY", 3, data, failures, root, next_head(head, number=3, count=4, root=root)
    )
    assert batch.count == 4
    assert batch.ids == {
        UUID(int=1).int.to_bytes(16, "little"),
        other.id.bytes[::-1],
        name,
        name[::-1],
    }
    assert transfers_of(batch.records) == (ONE, other)
    known = Batch.after(head, shard="CNY", number=3, data=data, failures=failures, root=b"r" * 32)
    assert known.root == b"r" * 32
    assert known.head == next_head(head, number=3, count=4, root=b"r" * 32)


def test_a_batch_of_nothing_has_the_root_of_nothing() -> None:
    empty = Batch.after(first_head("CNY"), shard="CNY", number=1, data=b"")
    assert (empty.root, empty.count, empty.ids) == (hashlib.sha256(b"").digest(), 0, set())


@dataclass
class Lanes:
    """A stand-in for the compiled twin that says what it was asked."""

    asked: list[object] = field(default_factory=list)

    def module(self, count: int) -> Lanes:
        self.asked.append(count)
        return self

    def leaf_level(self, data: bytes, size: int) -> np.ndarray:
        self.asked.append(size)
        return self.level_of(leaves(data))

    def level_of(self, hashes: list[bytes]) -> np.ndarray:
        return np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, 32)

    def root_of(self, level: np.ndarray) -> bytes:
        return tree_root([row.tobytes() for row in level])


@pytest.mark.parametrize(("count", "by_lanes"), [(255, False), (256, True), (257, True)])
def test_lanes_take_over_from_256_records_with_the_same_root(monkeypatch, count, by_lanes) -> None:
    data = b"".join(raw(replace(ONE, id=UUID(int=n))) for n in range(1, count + 1))
    failures = tuple((UUID(int=n).bytes, Result.EXCEEDS_CREDITS) for n in (301, 302, 303))
    lanes = Lanes()
    monkeypatch.setattr(chain, "LANES", lanes)
    assert batch_root(data, failures) == tree_root(leaves(data, failures))
    assert batch_root(data) == tree_root(leaves(data))
    assert lanes.asked == [count, 128] * 2 * by_lanes


def test_records_are_hashed_plainly_until_the_lanes_are_loaded(monkeypatch) -> None:
    data = raw(ONE) * 256
    monkeypatch.setattr(Lanes, "module", lambda _self, _count: None)
    monkeypatch.setattr(chain, "LANES", Lanes())
    assert batch_root(data) == tree_root(leaves(data))
