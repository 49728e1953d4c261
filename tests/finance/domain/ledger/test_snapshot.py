"""Kept balances come back as they were, and any other bytes are refused."""

from __future__ import annotations

import hashlib
import json
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.finance.domain.random_batches import ACCOUNTS, random_batch

from zhidao.core.errors import MalformedInput
from zhidao.core.hashing.hashtree import root_from_path, tree_path
from zhidao.finance.domain.ledger.book import History
from zhidao.finance.domain.ledger.ledger import Account, AccountFlag
from zhidao.finance.domain.ledger.snapshot import (
    Snapshot,
    account_bytes,
    account_from,
    account_leaves,
    balances_root,
    decode,
    digest,
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


WIDE = Account(
    UUID(int=2**120 + 1),
    ledger=2**31 + 2,
    code=2**15 + 3,
    flags=AccountFlag.HISTORY | AccountFlag.CLOSED,
    user_data_128=2**119 + 4,
    debits_pending=2**62 + 5,
    debits_posted=2**61 + 6,
    credits_pending=2**60 + 7,
    credits_posted=2**59 + 8,
    user_data_64=2**63 + 9,
    user_data_32=2**30 + 10,
    timestamp=2**61 + 11,
)


def test_an_account_is_tigerbeetles_record_field_by_field() -> None:
    """TigerBeetle 0.17.9, `Account` in src/tigerbeetle.zig, in its documented order."""
    data = b"".join(
        value.to_bytes(size, "little")
        for value, size in (
            *((WIDE.id.int, 16), (WIDE.debits_pending, 16), (WIDE.debits_posted, 16)),
            *((WIDE.credits_pending, 16), (WIDE.credits_posted, 16), (WIDE.user_data_128, 16)),
            *((WIDE.user_data_64, 8), (WIDE.user_data_32, 4), (0, 4), (WIDE.ledger, 4)),
            *((WIDE.code, 2), (int(WIDE.flags), 2), (WIDE.timestamp, 8)),
        )
    )
    assert account_bytes(WIDE) == data
    assert account_from(data) == WIDE
    assert account_leaves([WIDE]) == [hashlib.sha256(b"\0" + data).digest()]
    assert balances_root([WIDE]) == account_leaves([WIDE])[0]


@pytest.mark.parametrize("flags", [64, 1 << 15])
def test_flags_that_do_not_exist_are_malformed(flags: int) -> None:
    data = account_bytes(WIDE)
    with pytest.raises(MalformedInput, match=f"account flags {flags:#x} do not exist"):
        account_from(data[:118] + flags.to_bytes(2, "little") + data[120:])


MAGIC = b"zhidao ledger balances 1\n"


def written(body: bytes = b"", **changes: object) -> bytes:
    """A file as `encode` writes it, with other things in its head."""
    header = {
        "shard": "CNY",
        "number": 4,
        "head": "0f" * 32,
        "last_ns": 9,
        "accounts": 0,
        "reservations": 0,
        "filters": [],
        **changes,
    }
    text = json.dumps({k: v for k, v in header.items() if v is not None}).encode()
    return MAGIC + len(text).to_bytes(4, "big") + text + body


def test_a_file_is_a_label_a_head_and_what_the_head_counts() -> None:
    one = decode(written())
    assert (one.shard, one.number, one.head, one.last_ns) == ("CNY", 4, b"\x0f" * 32, 9)
    assert list(one.book.accounts()) == []
    assert one.book.open == {}
    two = decode(written(account_bytes(WIDE) * 1, accounts=1))
    assert list(two.book.accounts()) == [WIDE]
    whole = filled()
    data = encode(whole)
    assert data.startswith(MAGIC)
    length = int.from_bytes(data[len(MAGIC) : len(MAGIC) + 4], "big")
    head = json.loads(data[len(MAGIC) + 4 : len(MAGIC) + 4 + length])
    assert head == {
        "shard": "CNY",
        "number": whole.number,
        "head": whole.head.hex(),
        "last_ns": whole.last_ns,
        "accounts": len(ACCOUNTS),
        "reservations": len(whole.book.open),
        "filters": [[len(part), count] for part, count in whole.book.used.dump()],
    }
    accounts = b"".join(map(account_bytes, whole.book.accounts()))
    assert data[len(MAGIC) + 4 + length :].startswith(accounts)
    assert digest(data) == hashlib.sha256(data).hexdigest()
    assert position(whole.book, ACCOUNTS[2].id) == 2
    assert position(whole.book, UUID(int=2**99)) is None


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no balances of a ledger"),
        (b"zhidao ledger balances 2\n" + bytes(100), "of version 2; this program understands 1"),
        (MAGIC, "is broken"),
        (written(more=1), "is broken"),
        (written(number=None), "is broken"),
        (written(number="4"), "is broken"),
        (written(head="0g"), "is broken"),
        (written(b"x"), "cut short or too long"),
        (written(accounts=1), "cut short or too long"),
        (written(bytes(127), accounts=1), "cut short or too long"),
        (written(bytes(128), reservations=2), "cut short or too long"),
        (written(accounts=-1, reservations=1), "cut short or too long"),
        (written(bytes(128), accounts=2, reservations=-1), "cut short or too long"),
        (written(filters=[[128, 1], [-128, 1]]), "cut short or too long"),
        (written(bytes(7), filters=[[7, 1]]), "no generation of a filter"),
    ],
)
def test_another_file_is_told_what_is_wrong_with_it(data: bytes, told: str) -> None:
    with pytest.raises(MalformedInput) as caught:
        decode(data)
    assert told in str(caught.value)


def test_a_head_has_64_kib_at_most() -> None:
    room = 65_536 - len(written(shard="")) + len(MAGIC) + 4
    assert decode(written(shard="x" * room)).shard == "x" * room
    with pytest.raises(MalformedInput, match="more than 65536 bytes"):
        decode(written(shard="x" * (room + 1)))
