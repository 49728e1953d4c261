"""Accounts are opened in TigerBeetle's order of checks, chains wholly or not at all."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from zhidao.finance.domain.ledger.book import Book
from zhidao.finance.domain.ledger.ledger import Account, AccountFlag
from zhidao.finance.domain.ledger.openings import create_accounts

ONE = Account(UUID(int=1), 7, 10, user_data_128=1, user_data_64=2, user_data_32=3)
LINKED = AccountFlag.LINKED


def opened(book: Book, *accounts: Account) -> list[str]:
    return [str(result) for result in create_accounts(book, accounts, stamps=range(5, 99))]


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"timestamp": 1, "id": UUID(int=0)}, "timestamp_must_be_zero"),
        ({"timestamp": 1, "reserved": 1}, "timestamp_must_be_zero"),
        ({"reserved": 1, "flags": AccountFlag(64)}, "reserved_field"),
        ({"flags": AccountFlag(64), "id": UUID(int=0)}, "reserved_flag"),
        ({"flags": AccountFlag.IMPORTED}, "reserved_flag"),
        ({"id": UUID(int=0), "ledger": 0}, "id_must_not_be_zero"),
        ({"id": UUID(int=2**128 - 1)}, "id_must_not_be_int_max"),
        ({"flags": AccountFlag(6), "debits_pending": 1}, "flags_are_mutually_exclusive"),
        ({"debits_pending": 1, "debits_posted": 1}, "debits_pending_must_be_zero"),
        ({"debits_posted": 1, "credits_pending": 1}, "debits_posted_must_be_zero"),
        ({"credits_pending": 1, "credits_posted": 1}, "credits_pending_must_be_zero"),
        ({"credits_posted": 2**127, "ledger": 0}, "credits_posted_must_be_zero"),
        ({"ledger": 0, "code": 0}, "ledger_must_not_be_zero"),
        ({"code": 0}, "code_must_not_be_zero"),
        ({}, "created"),
    ],
)
def test_the_first_broken_rule_is_the_answer(change, answer) -> None:
    book = Book()
    assert opened(book, replace(ONE, **change)) == [answer]
    assert len(list(book.accounts())) == (answer == "created")


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"flags": AccountFlag.HISTORY, "code": 1}, "exists_with_different_flags"),
        ({"user_data_128": 0, "code": 1}, "exists_with_different_user_data_128"),
        ({"user_data_64": 0, "code": 1}, "exists_with_different_user_data_64"),
        ({"user_data_32": 0, "code": 1}, "exists_with_different_user_data_32"),
        ({"ledger": 0, "code": 0}, "exists_with_different_ledger"),
        ({"code": 0}, "exists_with_different_code"),
        ({}, "exists"),
    ],
)
def test_an_id_that_stands_says_how_the_request_differs(change, answer) -> None:
    book = Book()
    assert opened(book, ONE, replace(ONE, **change)) == ["created", answer]
    [stands] = book.accounts()
    assert stands == replace(ONE, timestamp=5)


def test_a_chain_opens_wholly_or_not_at_all() -> None:
    book = Book()
    two = replace(ONE, id=UUID(int=2), flags=LINKED)
    three = replace(ONE, id=UUID(int=3))
    bad = replace(ONE, id=UUID(int=4), ledger=0)
    assert opened(book, two, bad) == ["linked_event_failed", "ledger_must_not_be_zero"]
    assert opened(book, two, replace(two, code=3)) == [
        "linked_event_failed",
        "linked_event_chain_open",
    ]
    assert not list(book.accounts())
    # Within a chain the second sees the first, and falls with it.
    again = [
        str(r) for r in create_accounts(book, [two, replace(two, flags=LINKED & 0)], stamps=[1, 2])
    ]
    assert again == ["linked_event_failed", "exists_with_different_flags"]
    assert opened(book, two, three, ONE) == ["created", "created", "created"]
    assert [account.timestamp for account in book.accounts()] == [5, 6, 7]


def test_the_first_of_a_batch_says_whether_all_are_of_the_past() -> None:
    past = replace(ONE, id=UUID(int=2), flags=AccountFlag.IMPORTED, timestamp=7)
    plain = replace(ONE, id=UUID(int=3))
    assert opened(Book(), ONE, past, plain) == ["created", "imported_event_not_expected", "created"]
    assert opened(Book(), past, plain) == ["reserved_flag", "imported_event_expected"]
