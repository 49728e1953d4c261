"""Kept balances come back as they were, and any other bytes are refused."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.finance.domain.random_batches import ACCOUNTS, random_batch

from zhidao.core.errors import MalformedInput
from zhidao.core.hashing.hashtree import root_from_path, tree_path
from zhidao.finance.domain.ledger.book import History
from zhidao.finance.domain.ledger.snapshot import (
    Snapshot,
    account_bytes,
    account_from,
    account_leaves,
    balances_root,
    decode,
    encode,
    position,
)
from zhidao.finance.domain.ledger.validator import Validator


def filled() -> Snapshot:
    validator = Validator("CNY")
    for account in ACCOUNTS:
        validator.book.put_account(account)
    random = np.random.default_rng(3)
    batch = random_batch(random, 200, [], plain=True)
    validator.begin([batch], now_ns=10**18)
    validator.apply([batch], History())
    return Snapshot("CNY", validator.number, validator.head, validator.last_ns, validator.book)


def test_balances_come_back_whole() -> None:
    one = filled()
    again = decode(encode(one))
    assert list(again.book.accounts()) == list(one.book.accounts())
    assert again.book.open == one.book.open
    assert one.book.open
    assert (again.shard, again.number, again.head, again.last_ns) == (
        *(one.shard, one.number, one.head, one.last_ns),
    )
    assert encode(again) == encode(one)
    again.book.expire(2 * 10**18)
    assert not [m for m in again.book.open.values() if m.timeout]


def test_each_balance_is_proven_by_a_path_to_the_root() -> None:
    book = filled().book
    accounts = list(book.accounts())
    leaves, root = account_leaves(accounts), balances_root(accounts)
    place = position(book, UUID(int=8))
    assert place is not None
    path = tree_path(leaves, place)
    assert root_from_path(leaves[place], place, len(leaves), path) == root
    assert account_from(account_bytes(accounts[place])) == accounts[place]


@given(st.binary(max_size=200), st.integers(0, 400))
def test_other_bytes_are_malformed(noise: bytes, cut: int) -> None:
    good = encode(filled())
    for data in (noise, good[: -1 - cut], good + noise + b"x", good[:40] + noise):
        with pytest.raises(MalformedInput):
            decode(data)
