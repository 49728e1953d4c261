"""The chain of batches: every changed bit shows, and the record is the one others use."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from uuid import UUID

import pytest

from zhidao.core.hashing.hashtree import tree_root
from zhidao.finance.domain.ledger.chain import LANES, Batch, batch_root, first_head, leaves
from zhidao.finance.domain.ledger.ledger import Result, Transfer, TransferFlag
from zhidao.finance.domain.ledger.records import movement_of, record_bytes

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
