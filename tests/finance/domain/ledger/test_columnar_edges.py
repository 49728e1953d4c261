"""The fast path case by case beside the machine: taken with the same result, or left untouched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from zhidao.finance.domain.ledger.book import Book, History
from zhidao.finance.domain.ledger.columnar import apply_fast, fates_of
from zhidao.finance.domain.ledger.ledger import (
    AMOUNT_MAX,
    NO_ID,
    Account,
    AccountFlag,
    Result,
    Transfer,
    TransferFlag,
)
from zhidao.finance.domain.ledger.machine import apply
from zhidao.finance.domain.ledger.records import (
    Movement,
    from_transfers,
    movement_of,
    movements_of,
    name_of,
    records_of,
)

PENDING, POST, VOID, LINKED = (
    TransferFlag.PENDING,
    TransferFlag.POST_PENDING_TRANSFER,
    TransferFlag.VOID_PENDING_TRANSFER,
    TransferFlag.LINKED,
)
ONE, TWO, THREE, FOUR = (UUID(int=2**100 + n) for n in range(1, 5))
LIMITED, CREDITOR = (
    AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS,
    AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS,
)
S = 1_000_000_000
AT = 10 * S
HIGH = 2**64


def accounts(**changes: dict[str, Any]) -> list[Account]:
    """Four accounts of one ledger, the changes by `a1` to `a4`."""
    return [
        Account(name, 1, 1, **changes.get(f"a{number}", {}))
        for number, name in enumerate((ONE, TWO, THREE, FOUR), 1)
    ]


def reservation(number: int, amount: int = 50, **more: Any) -> Transfer:
    plain: dict[str, Any] = {
        "debit_account_id": ONE,
        "credit_account_id": TWO,
        "ledger": 1,
        "code": 1,
        "flags": PENDING,
        "timestamp": AT - 5 * S,
        "user_data_128": 2**70 + number,
        "user_data_64": 2**40 + number,
        "user_data_32": 7 + number,
    }
    return Transfer(UUID(int=2**90 + number), amount=amount, **{**plain, **more})


HELD = [reservation(1), reservation(2, 30, debit_account_id=THREE), reservation(3, 20)]


def a_book(opened: list[Account], held: list[Transfer]) -> Book:
    """A book in which the reservations stand with what they hold."""
    book = Book()
    for account in opened:
        book.put_account(account)
    for one in map(movement_of, held):
        book.sums[book.slots[one.debit_account_id], 0] += one.amount
        book.sums[book.slots[one.credit_account_id], 2] += one.amount
        book.hold(one)
    return book


def pay(number: int, amount: int = 5, **more: Any) -> Transfer:
    plain: dict[str, Any] = {
        "debit_account_id": ONE,
        "credit_account_id": TWO,
        "ledger": 1,
        "code": 1,
    }
    return Transfer(UUID(int=2**80 + number), amount=amount, **{**plain, **more})


def resolve(number: int, held: Transfer, kind: int, amount: int, **more: Any) -> Transfer:
    blank: dict[str, Any] = {
        "debit_account_id": NO_ID,
        "credit_account_id": NO_ID,
        "ledger": 0,
        "code": 0,
        "pending_id": held.id,
        "flags": kind,
    }
    return pay(number, amount, **{**blank, **more})


def tried(
    *batch: Transfer,
    opened: list[Account] | None = None,
    held: list[Transfer] | None = None,
    at_ns: int = AT,
) -> list[Movement] | None:
    """What the fast path stores, which is what the machine does; None, and nothing was touched."""
    opened, held = opened or accounts(), HELD if held is None else held
    fast, exact, untouched = (a_book(opened, held) for _ in range(3))
    records = from_transfers(batch)
    stamps = np.uint64(at_ns) + np.arange(len(batch), dtype=np.uint64)
    stored = apply_fast(records, fast, stamps=stamps)
    assert records.tobytes() == from_transfers(batch).tobytes(), "the request stays as it was"
    if stored is None:
        assert fast.sums.tobytes() == untouched.sums.tobytes()
        assert fast.open == untouched.open
        return None
    outcome = apply(movements_of(records), exact, History(), stamps=stamps.tolist())
    assert set(outcome.results) == {Result.CREATED}
    assert stored.tobytes() == records_of(outcome.stored).tobytes()
    assert fast.sums.tobytes() == exact.sums.tobytes()
    assert fast.flags.tobytes() == exact.flags.tobytes()
    assert fast.open == exact.open
    assert sorted(fast._ends) == sorted(exact._ends)
    return movements_of(stored)


def among(one: Transfer, **more: Any) -> list[Movement] | None:
    """The same with ordinary transfers before and behind it, and reservations beside it."""
    return tried(
        pay(101),
        resolve(102, HELD[1], POST, 30),
        one,
        pay(103, 7, debit_account_id=TWO, credit_account_id=THREE),
        pay(104, 3, flags=PENDING, timeout=9),
        **more,
    )


@pytest.mark.parametrize(
    ("flags", "amount", "moved"),
    [
        *((POST, AMOUNT_MAX, 50), (POST, 50, 50), (POST, 49, 49), (POST, 1, 1), (POST, 0, 0)),
        *((POST, 51, None), (POST, HIGH, None), (POST, HIGH + 50, None), (POST, HIGH - 1, None)),
        *((POST, AMOUNT_MAX - HIGH + 1, None), (POST, AMOUNT_MAX - 1, None)),
        *((VOID, 0, 50), (VOID, 50, 50), (VOID, 49, None), (VOID, 51, None)),
        *((VOID, AMOUNT_MAX, None), (VOID, HIGH, None), (VOID, HIGH + 50, None)),
    ],
)
def test_a_post_moves_up_to_what_is_held_and_a_void_all_of_it(flags, amount, moved) -> None:
    for ask in (tried, among):
        stored = ask(resolve(20, HELD[0], flags, amount))
        if moved is None:
            assert stored is None
        else:
            assert stored is not None
            [one] = [each for each in stored if each.pending_id == name_of(HELD[0].id)]
            assert one.amount == moved


@pytest.mark.parametrize(
    ("changes", "taken"),
    [
        ({"debit_account_id": ONE, "credit_account_id": TWO, "ledger": 1, "code": 1}, True),
        *(({"debit_account_id": TWO}, False), ({"debit_account_id": UUID(int=9)}, False)),
        *(({"credit_account_id": THREE}, False), ({"credit_account_id": ONE}, False)),
        *(({"ledger": 2}, False), ({"code": 2}, False)),
        ({"user_data_128": 5, "user_data_64": 6, "user_data_32": 7}, True),
        ({"user_data_64": 6}, True),
        ({"flags": POST | VOID}, False),
        ({"flags": POST | PENDING}, False),
        ({"flags": POST | LINKED}, True),
        ({"flags": VOID | LINKED}, True),
        ({"flags": POST | TransferFlag.BALANCING_DEBIT}, False),
        ({"flags": POST | TransferFlag.CLOSING_CREDIT}, False),
        ({"flags": TransferFlag(0)}, False),
        ({"timeout": 1}, False),
        ({"timestamp": 1}, False),
        ({"pending_id": NO_ID}, False),
        ({"pending_id": UUID(int=5)}, False),
        ({"pending_id": HELD[1].id}, False),
    ],
)
def test_a_post_that_contradicts_its_reservation_is_left_to_the_machine(changes, taken) -> None:
    one = resolve(20, HELD[0], POST, 50, **changes)
    stored = among(one)
    assert (stored is not None) is taken
    if stored:
        found = stored[2]
        assert found.debit_account_id == name_of(ONE)
        assert found.user_data_64 == changes.get("user_data_64", HELD[0].user_data_64)
        assert found.user_data_32 == changes.get("user_data_32", HELD[0].user_data_32)


@pytest.mark.parametrize(
    ("timeout", "as_first", "as_second"),
    [(0, True, True), (6, True, True), (5, True, False), (4, False, False)],
)
def test_a_reservation_is_resolved_before_its_end_only(timeout, as_first, as_second) -> None:
    """It was made five seconds before the second transfer of the batch."""
    held = [reservation(1, timeout=timeout), HELD[1]]
    first, second = resolve(20, held[0], POST, 50), resolve(21, held[1], VOID, 0)
    assert (tried(first, second, held=held, at_ns=AT - 1) is not None) is as_first
    assert (tried(second, first, held=held, at_ns=AT - 1) is not None) is as_second


def test_a_reservation_is_resolved_once_in_a_batch_and_all_of_them_are_open() -> None:
    first, second, third = HELD
    assert tried(resolve(1, first, POST, 50), resolve(2, third, VOID, 20)) is not None
    assert tried(resolve(1, first, POST, 50), resolve(2, first, POST, 0)) is None
    assert tried(resolve(1, first, POST, 50), resolve(2, reservation(9), VOID, 0)) is None
    assert tried(resolve(1, second, VOID, 30), held=[first, third]) is None


def test_a_reservation_made_in_the_same_batch_is_not_open_yet() -> None:
    one = pay(1, 9, flags=PENDING)
    assert tried(one, resolve(2, one, POST, 9)) is None


@pytest.mark.parametrize(
    ("changes", "taken"),
    [
        ({}, True),
        *(({"flags": LINKED}, True), ({"flags": PENDING}, True)),
        ({"flags": PENDING, "timeout": 2**32 - 1}, True),
        *(({"timeout": 1}, False), ({"pending_id": HELD[0].id}, False)),
        *(({"pending_id": UUID(int=1)}, False), ({"pending_id": UUID(int=2**64)}, False)),
        *(
            ({"flags": flag}, False)
            for flag in (
                *(TransferFlag.BALANCING_DEBIT, TransferFlag.BALANCING_CREDIT),
                *(TransferFlag.CLOSING_DEBIT, TransferFlag.CLOSING_CREDIT, TransferFlag.IMPORTED),
                TransferFlag(1 << 15),
            )
        ),
        *(({"amount": 0}, True), ({"amount": 2**49 - 1}, True), ({"amount": 2**49}, False)),
        *(({"amount": HIGH}, False), ({"amount": HIGH + 5}, False)),
        *(({"ledger": 0}, False), ({"ledger": 2}, False), ({"code": 0}, False)),
        *(({"code": 2**16 - 1}, True), ({"timestamp": 1}, False)),
        *(({"debit_account_id": TWO}, False), ({"credit_account_id": ONE}, False)),
        *(({"debit_account_id": UUID(int=9)}, False), ({"credit_account_id": NO_ID}, False)),
        *(({"id": NO_ID}, False), ({"id": UUID(int=2**128 - 1)}, False)),
        *(({"id": UUID(int=2**80 + 101)}, False), ({"id": UUID(int=2**64)}, True)),
        *(({"id": UUID(int=1)}, True), ({"id": UUID(int=2**64 - 1)}, True)),
        ({"id": UUID(int=(2**64 - 1) << 64)}, True),
    ],
)
def test_an_ordinary_transfer_is_taken_and_no_other(changes, taken) -> None:
    one = Transfer(**{**_fields(pay(20)), **changes})
    for ask in (tried, among):
        if one.id == UUID(int=2**80 + 101) and ask is tried:
            continue
        # The last of a batch closes its chain.
        alone = ask is tried and one.flags & LINKED
        assert (ask(one) is not None) is (taken and not alone)


def _fields(transfer: Transfer) -> dict[str, Any]:
    return {name: getattr(transfer, name) for name in transfer.__dataclass_fields__}


@pytest.mark.parametrize("flag", [AccountFlag.HISTORY, AccountFlag.CLOSED])
@pytest.mark.parametrize("side", ["a1", "a2"])
def test_an_account_with_a_history_or_that_is_closed_is_the_machines(flag, side) -> None:
    opened = accounts(**{side: {"flags": flag}})
    assert tried(pay(1), opened=opened) is None
    assert (
        tried(pay(1), pay(2, debit_account_id=THREE, credit_account_id=FOUR), opened=opened) is None
    )
    assert tried(pay(2, debit_account_id=THREE, credit_account_id=FOUR), opened=opened) is not None


@pytest.mark.parametrize("side", ["a1", "a2"])
def test_both_accounts_are_of_the_transfers_ledger(side: str) -> None:
    opened = accounts()
    at = 0 if side == "a1" else 1
    opened[at] = Account(opened[at].id, 2, 1)
    assert (
        tried(pay(1), pay(2, debit_account_id=THREE, credit_account_id=FOUR), opened=opened) is None
    )
    assert tried(pay(1, ledger=2), opened=opened) is None
    both = [Account(each.id, 2, 1) for each in opened]
    assert tried(pay(1, ledger=2), opened=both, held=[]) is not None


def limited(**sums: int) -> list[Account]:
    return accounts(a1={"flags": LIMITED, **sums})


def crediting(**sums: int) -> list[Account]:
    return accounts(a2={"flags": CREDITOR, **sums})


@pytest.mark.parametrize(
    ("opened", "most"),
    [
        (limited(credits_posted=100), 100),
        (limited(credits_posted=100, credits_pending=70), 100),
        (limited(credits_posted=100, debits_posted=30), 70),
        (limited(credits_posted=100, debits_pending=30), 70),
        (limited(credits_posted=100, debits_pending=30, debits_posted=40), 30),
        (crediting(debits_posted=100), 100),
        (crediting(debits_posted=100, debits_pending=70), 100),
        (crediting(debits_posted=100, credits_posted=30), 70),
        (crediting(debits_posted=100, credits_pending=30), 70),
        (crediting(debits_posted=100, credits_pending=30, credits_posted=40), 30),
    ],
)
@pytest.mark.parametrize("flags", [TransferFlag(0), PENDING])
def test_a_limit_is_kept_to_the_last_unit_whatever_the_order(
    opened: list[Account], most: int, flags: int
) -> None:
    def halves(amount: int) -> tuple[Transfer, Transfer]:
        return pay(1, 10, flags=flags), pay(2, amount - 10, flags=flags)

    # An account without a limit may go as far as it likes beside them.
    free = pay(3, 900, debit_account_id=THREE, credit_account_id=FOUR)
    assert tried(*halves(most), free, opened=opened, held=[]) is not None
    assert tried(*halves(most + 1), free, opened=opened, held=[]) is None
    assert tried(free, pay(4, most + 1, flags=flags), opened=opened, held=[]) is None


def test_a_post_weighs_on_a_limit_what_its_reservation_did() -> None:
    held = [HELD[0]]
    for opened in (limited(credits_posted=60), crediting(debits_posted=60)):
        for amount in (AMOUNT_MAX, 50, 20):
            post = resolve(1, HELD[0], POST, amount)
            assert tried(post, pay(2, 10), opened=opened, held=held) is not None
            # What a post leaves is not counted as free within its own batch.
            assert tried(post, pay(2, 11), opened=opened, held=held) is None


@pytest.mark.parametrize(
    "column", ["debits_pending", "debits_posted", "credits_pending", "credits_posted"]
)
def test_sums_near_the_end_of_63_bits_are_the_machines(column: str) -> None:
    for side in ("a1", "a2"):
        below, at = (accounts(**{side: {column: 2**62 - less}}) for less in (1, 0))
        assert tried(pay(1), opened=below, held=[]) is not None
        assert tried(pay(1), opened=at, held=[]) is None
        other = pay(2, debit_account_id=THREE, credit_account_id=FOUR)
        assert tried(other, opened=at, held=[]) is not None


def test_stamps_near_the_end_of_time_are_the_machines() -> None:
    assert tried(pay(1), pay(2), at_ns=2**62 - 1, held=[]) is not None
    assert tried(pay(1), pay(2), at_ns=2**62, held=[]) is None
    assert tried(pay(1), at_ns=2**62, held=[]) is not None


def test_every_kind_at_once_moves_what_each_moves() -> None:
    stored = tried(
        pay(1, 11, flags=LINKED),
        pay(2, 13, debit_account_id=TWO, credit_account_id=FOUR, flags=PENDING | LINKED),
        resolve(3, HELD[0], POST, 17, flags=POST | LINKED),
        resolve(4, HELD[1], VOID, 0),
        resolve(5, HELD[2], POST, AMOUNT_MAX),
        pay(6, 19, debit_account_id=FOUR, credit_account_id=ONE, flags=PENDING, timeout=3),
    )
    assert stored is not None
    assert [each.amount for each in stored] == [11, 13, 17, 30, 20, 19]
    assert [each.timestamp for each in stored] == list(range(AT, AT + 6))
    assert fates_of(records_of(stored)) == {
        name_of(HELD[0].id): True,
        name_of(HELD[1].id): False,
        name_of(HELD[2].id): True,
    }
    assert fates_of(records_of(stored[:2])) == {}


def test_nothing_is_not_a_batch() -> None:
    assert apply_fast(from_transfers([]), Book(), stamps=np.zeros(0, np.uint64)) is None


def test_what_was_stored_bears_its_timestamps_in_a_replay() -> None:
    batch = from_transfers([pay(1, timestamp=AT), pay(2, timestamp=AT + 1)])
    book: Callable[[], Book] = lambda: a_book(accounts(), [])  # noqa: E731
    stamps = batch["timestamp"].copy()
    again = apply_fast(batch, book(), stamps=stamps, replayed=True)
    assert again is not None
    assert again.tobytes() == batch.tobytes()
    assert apply_fast(batch, book(), stamps=stamps) is None


@pytest.mark.parametrize("others", [0, 15, 28, 29, 60, 200])
def test_large_and_small_books_change_the_same_sums(others: int) -> None:
    """Sixteen accounts a transfer and more are sorted, fewer are counted."""
    opened = accounts() + [Account(UUID(int=2**60 + n), 1, 1) for n in range(others)]
    assert tried(pay(1), pay(2, debit_account_id=FOUR), opened=opened) is not None


@pytest.mark.parametrize("side", ["debit_account_id", "credit_account_id"])
def test_an_unknown_account_is_not_taken_for_the_last_one_of_a_full_book(side: str) -> None:
    opened = accounts() + [Account(UUID(int=2**60 + n), 1, 1) for n in range(60)]
    assert len(a_book(opened, []).ledgers) == len(opened)
    assert tried(pay(1, **{side: UUID(int=9)}), opened=opened) is None
    assert tried(pay(1, **{side: opened[-1].id}), opened=opened) is not None
