"""What a book holds: accounts beyond its first columns, reservations and their ends, the past."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest

from zhidao.finance.domain.ledger.book import (
    CREDITS_PENDING,
    CREDITS_POSTED,
    DEBITS_PENDING,
    DEBITS_POSTED,
    Book,
    History,
)
from zhidao.finance.domain.ledger.ledger import (
    Account,
    AccountFlag,
    Resolution,
    Result,
    Transfer,
    TransferFlag,
)
from zhidao.finance.domain.ledger.records import Movement, movement_of, name_of

CLOSED, LIMITED = AccountFlag.CLOSED, AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS
S = 1_000_000_000
ONE, TWO = UUID(int=1), UUID(int=2)


def account(number: int) -> Account:
    """An account that has no number in common with its neighbours."""
    return Account(
        UUID(int=number),
        ledger=1_000 + number,
        code=7,
        flags=AccountFlag(2 << number % 3),
        debits_pending=number,
        debits_posted=2 * number,
        credits_pending=3 * number,
        credits_posted=2**62 + number,
        user_data_128=number,
    )


@pytest.mark.parametrize("count", [1, 63, 64, 65, 128, 129, 300])
def test_accounts_stay_what_they_are_as_the_book_grows(count: int) -> None:
    book, opened = Book(), [account(number) for number in range(1, count + 1)]
    assert [book.put_account(one) for one in opened] == list(range(count))
    assert list(book.accounts()) == opened
    assert book.account(UUID(int=count)) == opened[-1]
    assert book.account(UUID(int=count + 1)) is None
    assert len(book.flags) == len(book.ledgers) == len(book.sums) >= count
    names = np.frombuffer(b"".join(name_of(one.id) for one in opened), np.uint64).reshape(-1, 2)
    assert book.places.find(names, book.slots).tolist() == list(range(count))


def test_an_account_that_is_put_again_keeps_its_place_and_takes_the_new_sums() -> None:
    book = Book()
    for number in (1, 2, 3):
        book.put_account(account(number))
    again = Account(TWO, 1_002, 7, CLOSED, 2, 11, 12, 13, 14)
    assert book.put_account(again) == 1
    assert book.at(1) == again
    assert [one.id.int for one in book.accounts()] == [1, 2, 3]
    assert book.at(0) == account(1)
    assert book.at(2) == account(3)


def test_the_columns_of_sums_are_debits_then_credits_pending_before_posted() -> None:
    book = Book()
    slot = book.put_account(Account(ONE, 1, 1, LIMITED, 0, 1, 2, 3, 4))
    columns = (DEBITS_PENDING, DEBITS_POSTED, CREDITS_PENDING, CREDITS_POSTED)
    assert columns == (0, 1, 2, 3)
    assert book.sums[slot].tolist() == [1, 2, 3, 4]


def reservation(number: int, *, timeout: int = 0, at_ns: int = 0, flags: int = 0) -> Movement:
    return movement_of(
        Transfer(
            UUID(int=number),
            ONE,
            TWO,
            amount=number,
            ledger=1,
            code=1,
            flags=TransferFlag(flags | TransferFlag.PENDING),
            timestamp=at_ns,
            timeout=timeout,
        )
    )


def holding(*pending: Movement) -> Book:
    """Two accounts, with 100 more than the reservations hold."""
    book, held = Book(), 100 + sum(one.amount for one in pending)
    book.put_account(Account(ONE, 1, 1, debits_pending=held, debits_posted=5))
    book.put_account(Account(TWO, 1, 1, credits_pending=held, credits_posted=5))
    for one in pending:
        book.hold(one)
    return book


def test_reservations_end_in_the_order_of_their_ends_and_not_a_moment_early() -> None:
    late, soon = reservation(30, timeout=3, at_ns=7), reservation(40, timeout=2, at_ns=8)
    never = reservation(50)
    book = holding(late, soon, never)
    assert book.expire(2 * S + 7) == []
    assert book.expire(2 * S + 8) == [soon]
    assert set(book.open) == {late.id, never.id}
    assert book.sums[:2].tolist() == [[180, 5, 0, 0], [0, 0, 180, 5]]
    assert book.expire(3 * S + 6) == []
    assert book.expire(2**62) == [late]
    assert book.expire(2**63 - 1) == []
    assert set(book.open) == {never.id}
    assert book.sums[:2].tolist() == [[150, 5, 0, 0], [0, 0, 150, 5]]


def test_all_that_is_over_at_a_moment_ends_with_it() -> None:
    both = [reservation(30, timeout=1), reservation(40, timeout=2)]
    book = holding(*both)
    assert book.expire(2 * S) == both
    assert book.open == {}
    assert book.sums[:2].tolist() == [[100, 5, 0, 0], [0, 0, 100, 5]]


def test_what_was_posted_or_voided_before_its_end_gives_nothing_back_at_it() -> None:
    posted, other = reservation(30, timeout=1), reservation(40, timeout=1)
    book = holding(posted, other)
    del book.open[posted.id]
    assert book.expire(S) == [other]
    assert book.sums[0].tolist() == [130, 5, 0, 0]


@pytest.mark.parametrize(
    ("closing", "opens"),
    [
        (0, []),
        (TransferFlag.CLOSING_DEBIT, [ONE]),
        (TransferFlag.CLOSING_CREDIT, [TWO]),
        (TransferFlag.CLOSING_DEBIT | TransferFlag.CLOSING_CREDIT, [ONE, TWO]),
    ],
)
def test_the_end_of_a_closing_reservation_opens_what_it_closed_and_no_more(closing, opens) -> None:
    book = holding(reservation(30, timeout=1, flags=closing))
    for one in (ONE, TWO):
        book.put_account(Account(one, 1, 1, CLOSED | LIMITED, 0, 30, 0, 30, 0))
    book.expire(S)
    for one in (ONE, TWO):
        found = book.account(one)
        assert found is not None
        assert found.flags == (LIMITED if one in opens else CLOSED | LIMITED)


def test_the_past_in_memory_tells_what_was_stored_what_failed_and_what_became_of_it() -> None:
    held = [reservation(number) for number in (10, 11, 12)]
    post, void = TransferFlag.POST_PENDING_TRANSFER, TransferFlag.VOID_PENDING_TRANSFER
    ends = [
        movement_of(Transfer(UUID(int=20), pending_id=UUID(int=10), flags=post)),
        movement_of(
            Transfer(UUID(int=21), pending_id=UUID(int=11), flags=void | TransferFlag.LINKED)
        ),
    ]
    past = History()
    past.remember([*held, *ends], {name_of(UUID(int=99)): Result.EXCEEDS_CREDITS})
    assert past.transfer(name_of(UUID(int=11))) == held[1]
    assert past.transfer(name_of(UUID(int=21))) == ends[1]
    assert past.transfer(name_of(UUID(int=99))) is None
    assert past.failed(name_of(UUID(int=99)))
    assert not past.failed(name_of(UUID(int=10)))
    fates = [past.fate(one.id) for one in held]
    assert fates == [Resolution.POSTED, Resolution.VOIDED, Resolution.EXPIRED]
    past.remember([], {name_of(UUID(int=98)): Result.EXCEEDS_DEBITS})
    assert past.failed(name_of(UUID(int=98)))
    assert past.failed(name_of(UUID(int=99)))
