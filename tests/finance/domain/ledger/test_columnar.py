"""The fast path gives what the exact machine gives, or leaves the batch and the book alone."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest
from numpy.random import Generator
from tests.finance.domain.random_batches import ACCOUNTS, random_batch

from zhidao.finance.domain.ledger.book import Book, History
from zhidao.finance.domain.ledger.chain import Batch
from zhidao.finance.domain.ledger.columnar import apply_fast
from zhidao.finance.domain.ledger.ledger import Account, AccountFlag, Result
from zhidao.finance.domain.ledger.machine import apply
from zhidao.finance.domain.ledger.records import TRANSFER, Records, movements_of, records_of
from zhidao.finance.domain.ledger.validator import Validator


def book() -> Book:
    made = Book()
    for account in ACCOUNTS:
        made.put_account(account)
    return made


def same(one: Book, other: Book) -> bool:
    return (
        one.sums.tobytes() == other.sums.tobytes()
        and one.flags.tobytes() == other.flags.tobytes()
        and one.open == other.open
    )


def plain(count: int, first: int = 1) -> Records:
    records = np.zeros(count, TRANSFER)
    words = records.view("<u8").reshape(count, 16)
    words[:, 0] = first + np.arange(count)
    words[:, 2], words[:, 4] = 4, 8
    records["amount"], records["ledger"], records["code"] = 1, 1, 1
    return records


def stamps(count: int, at_ns: int = 10**9) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return at_ns + np.arange(count, dtype=np.uint64)


@pytest.mark.parametrize("seed", range(24))
def test_two_validators_of_which_one_has_no_fast_path_agree(seed: int) -> None:
    random: Generator = np.random.default_rng(seed)
    fast, exact, past = Validator("X", book()), book(), History()
    known: list[Records] = []
    now_ns = 10**9
    for number in range(6):
        batch = random_batch(random, 256, known, plain=number % 2 == 0)
        at_ns = max(now_ns, fast.last_ns + 1)
        asked = _of(fast.begin([batch], now_ns=now_ns), past)
        [results], sealed = fast.apply([batch], asked)
        exact.expire(at_ns)
        outcome = apply(movements_of(batch), exact, past, stamps=stamps(256, at_ns).tolist())
        past.remember(outcome.stored, outcome.failures)
        assert results == outcome.results
        assert same(fast.book, exact)
        if sealed is not None:
            assert sealed.data == records_of(outcome.stored).tobytes()
            assert dict(sealed.failures) == outcome.failures
        known.append(batch)
        now_ns += int(random.integers(1, 3 * 10**9))


def _of(asked: list[bytes], whole: History) -> History:
    """What a table would answer to what a validator asks."""
    found = History()
    for name in asked:
        movement = whole.transfers.get(name)
        if movement is not None:
            found.transfers[name] = movement
            if movement.pending_id in whole.transfers:
                asked.append(movement.pending_id)
        if name in whole.failures:
            found.failures.add(name)
    found.fates = {name: whole.fates[name] for name in found.transfers if name in whole.fates}
    return found


def test_a_replay_of_what_was_stored_gives_the_same_book_and_head() -> None:
    random = np.random.default_rng(7)
    first, again, whole = Validator("X", book()), Validator("X", book()), History()
    batches: list[Batch] = []
    known: list[Records] = []
    for number in range(12):
        batch = random_batch(random, 80, known, plain=number % 3 == 0)
        groups = [batch[:40], batch[40:]]
        asked = _of(first.begin(groups, now_ns=10**9 * (number + 1)), whole)
        _, sealed = first.apply(groups, asked)
        known.append(batch)
        if sealed is not None:
            batches.append(sealed)
            whole.remember(movements_of(sealed.records), dict(sealed.failures))
    assert all(again.replay(batch) for batch in batches)
    assert again.head == first.head
    # The last batch's time may have ended reservations that the next one would find ended.
    again.book.expire(first.last_ns)
    first.book.expire(first.last_ns)
    assert same(first.book, again.book)
    assert not Validator("X", book()).replay(batches[1])


def test_an_ordinary_batch_takes_the_fast_path() -> None:
    made = book()
    stored = apply_fast(plain(100), made, stamps=stamps(100))
    assert stored is not None
    assert made.account(UUID(int=8)).credits_posted == 100  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("flags", 1),
        ("flags", 16),
        ("flags", 12),
        ("flags", 4),
        ("code", 0),
        ("ledger", 0),
        ("ledger", 2),
        ("amount", 2**63),
        ("amount_high", 1),
        ("timeout", 1),
        ("timestamp", 1),
        ("id", np.void(bytes(16))),
        ("id", np.void(b"\xff" * 16)),
        ("id", np.void((1).to_bytes(16, "little"))),
        ("debit_account_id", np.void((8).to_bytes(16, "little"))),
        ("debit_account_id", np.void((99).to_bytes(16, "little"))),
        ("pending_id", np.void((9).to_bytes(16, "little"))),
    ],
)
def test_whatever_is_not_plain_is_left_to_the_machine(field: str, value: object) -> None:
    made, batch = book(), plain(70)
    batch[field][-1] = value
    before = (made.sums.copy(), dict(made.open))
    assert apply_fast(batch, made, stamps=stamps(70)) is None
    assert (made.sums == before[0]).all()
    assert made.open == before[1]


def test_a_limit_that_some_order_would_break_is_left_to_the_machine() -> None:
    made = Book()
    made.put_account(Account(UUID(int=1), 1, 1, AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS))
    made.put_account(Account(UUID(int=2), 1, 1))
    batch = plain(2)
    words = batch.view("<u8").reshape(2, 16)
    words[0, 2], words[0, 4] = 2, 1
    words[1, 2], words[1, 4] = 1, 2
    assert apply_fast(batch, made, stamps=stamps(2)) is None
    outcome = apply(movements_of(batch), made, History(), stamps=[1, 2])
    assert outcome.results == [Result.CREATED] * 2


def test_ids_whose_digests_meet_are_compared_themselves() -> None:
    odd = 0x94D049BB133111EB
    batch = plain(3)
    words = batch.view("<u8").reshape(3, 16)
    # Both halves differ, and yet the digests are one.
    words[1, 0], words[1, 1] = 77, 5
    words[2, 0], words[2, 1] = 77 ^ (5 * odd) % 2**64 ^ (9 * odd) % 2**64, 9
    assert apply_fast(batch, book(), stamps=stamps(3)) is not None
    words[2, :2] = words[1, :2]
    assert apply_fast(batch, book(), stamps=stamps(3)) is None


@pytest.mark.parametrize("reserved", [0, 2**64 - 1])
def test_reserved_ids_are_left_to_the_machine(reserved: int) -> None:
    batch = plain(3)
    batch.view("<u8").reshape(3, 16)[1, :2] = reserved
    assert apply_fast(batch, book(), stamps=stamps(3)) is None


def test_few_transfers_in_a_large_book_change_the_same_sums() -> None:
    large = book()
    for number in range(200):
        large.put_account(Account(UUID(int=10**6 + number), 1, 1, AccountFlag(0)))
    one, other = book(), large
    for each in (one, other):
        assert apply_fast(plain(3), each, stamps=stamps(3)) is not None
    assert (one.sums[:8] == other.sums[:8]).all()
    assert one.sums.any()
