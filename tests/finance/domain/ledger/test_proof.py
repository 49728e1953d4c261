"""Proofs of a transfer and of a balance, checked by the standard's own steps, and not by ours."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from uuid import UUID

import pytest

from zhidao.finance.domain.ledger.book import Book
from zhidao.finance.domain.ledger.chain import Batch, first_head
from zhidao.finance.domain.ledger.ledger import Account, Result, Transfer
from zhidao.finance.domain.ledger.proof import LedgerProof, prove_balance, prove_transfer
from zhidao.finance.domain.ledger.records import from_transfers, name_of
from zhidao.finance.domain.ledger.snapshot import Snapshot, account_bytes, balances_root

COUNTS = (1, 2, 3, 4, 5, 7, 8)
HEAD = first_head("CNY")


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def climbed(proof: LedgerProof) -> bytes:
    """RFC 9162 section 2.1.3.2, step by step."""
    assert proof.index < proof.count
    fn, sn, r = proof.index, proof.count - 1, sha(b"\0", proof.record)
    for p in proof.path:
        assert sn
        if fn & 1 or fn == sn:
            r = sha(b"\1", p, r)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = sha(b"\1", r, p)
        fn, sn = fn >> 1, sn >> 1
    assert sn == 0
    return r


def transfers(count: int) -> list[Transfer]:
    return [
        Transfer(UUID(int=n), UUID(int=1), UUID(int=2), n, ledger=7, code=1)
        for n in range(1, count + 1)
    ]


def batch_of(count: int, failed: int = 0) -> Batch:
    failures = tuple((name_of(UUID(int=90 + n)), Result.EXCEEDS_CREDITS) for n in range(failed))
    data = from_transfers(transfers(count)).tobytes()
    return Batch.after(HEAD, shard="CNY", number=5, data=data, failures=failures)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("failed", [0, 1, 2])
def test_each_transfer_of_a_batch_leads_to_the_head_after_it(count: int, failed: int) -> None:
    batch = batch_of(count, failed)
    for place, transfer in enumerate(transfers(count)):
        proof = prove_transfer(batch, place, head_before=HEAD)
        assert proof == LedgerProof(
            "transfer",
            "CNY",
            5,
            place,
            count + failed,
            from_transfers([transfer]).tobytes(),
            proof.path,
            HEAD,
        )
        numbers = (5).to_bytes(8, "big") + (count + failed).to_bytes(8, "big")
        assert sha(HEAD, numbers, climbed(proof)) == batch.head
        assert proof.anchor == batch.head


@pytest.mark.parametrize("count", COUNTS)
def test_each_account_leads_to_the_stated_root_of_balances(count: int) -> None:
    book = Book()
    accounts = [Account(UUID(int=n), 7, 1, debits_posted=n) for n in range(1, count + 1)]
    for account in accounts:
        book.put_account(account)
    snapshot = Snapshot("CNY", 9, HEAD, 1, book)
    for place, account in enumerate(accounts):
        proof = prove_balance(snapshot, place)
        record = account_bytes(account)
        assert proof == LedgerProof("balance", "CNY", 9, place, count, record, proof.path, b"")
        assert climbed(proof) == balances_root(book.accounts())
        assert proof.anchor == balances_root(book.accounts())


def test_what_was_changed_leads_elsewhere_or_nowhere() -> None:
    batch = batch_of(5)
    proof = prove_transfer(batch, 2, head_before=HEAD)
    for change in (
        {"record": proof.record[:-1] + b"\1"},
        {"batch": 6},
        {"head_before": first_head("KZT")},
        {"index": 3},
        {"kind": "balance"},
        {"path": (*proof.path[:-1], HEAD)},
    ):
        assert replace(proof, **change).anchor not in (None, batch.head)  # type: ignore[arg-type]
    for change in (
        *({"path": proof.path[:-1]}, {"path": (*proof.path, HEAD)}),
        *({"index": 5}, {"index": -1}, {"count": 0}, {"count": 2}),
    ):
        assert replace(proof, **change).anchor is None  # type: ignore[arg-type]


def test_there_is_no_proof_of_a_place_beyond_the_batch() -> None:
    with pytest.raises(IndexError):
        prove_transfer(batch_of(2), 2, head_before=HEAD)
