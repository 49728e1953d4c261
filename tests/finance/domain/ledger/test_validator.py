"""A shard's validator: what it asks for, how groups become one batch, and what a replay proves."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest

from zhidao.finance.domain.ledger import validator as module
from zhidao.finance.domain.ledger.book import Book, History
from zhidao.finance.domain.ledger.chain import Batch, batch_root, first_head
from zhidao.finance.domain.ledger.ledger import (
    Account,
    AccountFlag,
    Resolution,
    Result,
    Transfer,
    TransferFlag,
)
from zhidao.finance.domain.ledger.records import (
    Name,
    Records,
    from_transfers,
    movement_of,
    name_of,
    transfers_of,
)
from zhidao.finance.domain.ledger.validator import FAST_FROM, Validator

S = 1_000_000_000
NOW = 100 * S
ONE, TWO, POOR = (UUID(int=n) for n in (1, 2, 3))
LINKED, PENDING, POST = (
    TransferFlag.LINKED,
    TransferFlag.PENDING,
    TransferFlag.POST_PENDING_TRANSFER,
)
C, POORLY = Result.CREATED, Result.EXCEEDS_CREDITS


def shard(**more: object) -> Validator:
    book = Book()
    limited = AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS
    for account in (Account(ONE, 1, 1), Account(TWO, 1, 1), Account(POOR, 1, 1, limited)):
        book.put_account(account)
    return Validator("CNY", book, **more)  # type: ignore[arg-type]


def pay(number: int, debit: UUID = ONE, credit: UUID = TWO, **more: object) -> Transfer:
    plain = {"amount": 5, "ledger": 1, "code": 1, **more}
    return Transfer(UUID(int=1_000 + number), debit, credit, **plain)  # type: ignore[arg-type]


def groups(*of: list[Transfer]) -> list[Records]:
    return [from_transfers(each) for each in of]


def done(
    one: Validator, *of: list[Transfer], now_ns: int = NOW, past: History | None = None
) -> tuple[list[list[Result]], Batch | None]:
    asked = groups(*of)
    one.begin(asked, now_ns=now_ns)
    return one.apply(asked, past or History())


def name(number: int) -> Name:
    return name_of(UUID(int=1_000 + number))


def test_a_shard_begins_with_the_head_of_its_name() -> None:
    one = Validator("CNY")
    assert (one.number, one.last_ns, one.replayed) == (0, 0, 0)
    assert one.head == first_head("CNY")
    assert Validator("CNY", head=b"h" * 32).head == b"h" * 32
    assert list(one.book.accounts()) == []


def test_time_never_stands_nor_goes_back() -> None:
    one = shard()
    for now_ns, last_ns in (
        *((NOW, NOW), (NOW, NOW + 1), (NOW - 9, NOW + 2)),
        *((NOW + 2, NOW + 3), (NOW + 4, NOW + 4), (NOW + 50, NOW + 50)),
    ):
        one.begin(groups([pay(1)]), now_ns=now_ns)
        assert one.last_ns == last_ns


def test_a_batch_of_several_bears_a_stamp_for_each_of_them() -> None:
    one = shard()
    _, batch = done(one, [pay(1), pay(2)], [pay(3)])
    assert batch is not None
    assert [each.timestamp for each in transfers_of(batch.records)] == [NOW, NOW + 1, NOW + 2]
    assert one.last_ns == NOW + 2
    _, following = done(one, [pay(4)], now_ns=NOW)
    assert following is not None
    assert transfers_of(following.records)[0].timestamp == NOW + 3


def test_the_table_is_asked_for_ids_that_may_be_used_and_reservations_that_are_not_open() -> None:
    one = shard()
    assert one.begin(groups([pay(1), pay(2)]), now_ns=NOW) == []
    done(one, [pay(1), pay(2, flags=PENDING)])
    post = Transfer(UUID(int=1_009), amount=1, pending_id=UUID(int=1_002), flags=POST)
    assert one.begin(groups([post]), now_ns=NOW) == []
    absent = replace(post, pending_id=UUID(int=1_050))
    assert one.begin(groups([absent]), now_ns=NOW) == [name(50)]
    asked = one.begin(groups([pay(1)], [absent, pay(2), pay(8)]), now_ns=NOW)
    assert sorted(asked) == sorted([name(1), name(2), name(50)])
    # A pending id that stands in a transfer which resolves nothing is not asked for.
    odd = pay(10, pending_id=UUID(int=1_060))
    assert one.begin(groups([odd]), now_ns=NOW) == []


def test_reservations_whose_time_is_over_end_with_the_beginning_of_a_batch() -> None:
    one = shard()
    done(one, [pay(1, flags=PENDING, timeout=3)])
    one.begin(groups([pay(2)]), now_ns=NOW + 3 * S - 1)
    assert list(one.book.open) == [name(1)]
    one.begin(groups([pay(2)]), now_ns=NOW + 3 * S)
    assert one.book.open == {}


def test_each_group_keeps_its_own_chains_and_answers() -> None:
    one = shard()
    answers, batch = done(
        one,
        [pay(1, flags=LINKED), pay(2)],
        [pay(3, flags=LINKED)],
        [pay(4), pay(5, POOR, ONE), pay(6)],
    )
    assert answers == [[C, C], [Result.LINKED_EVENT_CHAIN_OPEN], [C, POORLY, C]]
    assert batch is not None
    assert [each.id.int - 1_000 for each in transfers_of(batch.records)] == [1, 2, 4, 6]
    assert batch.failures == ((name(5), POORLY),)
    assert (batch.number, one.number, batch.head, batch.shard) == (1, 1, one.head, "CNY")


def test_what_one_group_stored_or_spent_the_next_one_knows() -> None:
    one = shard()
    reserve, post = pay(1, flags=PENDING), pay(2, pending_id=UUID(int=1_001), flags=POST)
    poor = pay(3, POOR, ONE)
    answers, _ = done(one, [reserve, poor], [post], [poor], [post, replace(post, id=UUID(int=9))])
    assert answers == [
        [C, POORLY],
        [C],
        [Result.ID_ALREADY_FAILED],
        [Result.EXISTS, Result.PENDING_TRANSFER_ALREADY_POSTED],
    ]


def test_what_the_table_says_of_the_past_counts() -> None:
    one = shard()
    old = replace(pay(1), timestamp=NOW - 9)
    past = History({name(1): movement_of(old)}, {name(2)}, {})
    answers, batch = done(one, [pay(1), pay(2), pay(3)], past=past)
    assert answers == [[Result.EXISTS, Result.ID_ALREADY_FAILED, C]]
    assert batch is not None
    assert batch.count == 1
    held = replace(pay(4, flags=PENDING), timestamp=NOW - 9)
    past = History({name(4): movement_of(held)}, set(), {name(4): Resolution.VOIDED})
    post = pay(5, pending_id=held.id, flags=POST)
    assert done(one, [post], past=past)[0] == [[Result.PENDING_TRANSFER_ALREADY_VOIDED]]


def test_a_batch_in_which_nothing_holds_and_nothing_is_spent_is_none() -> None:
    one = shard()
    answers, batch = done(one, [pay(1, code=0)])
    assert (answers, batch) == ([[Result.CODE_MUST_NOT_BE_ZERO]], None)
    assert (one.number, one.head) == (0, first_head("CNY"))
    # A spent id alone is a batch: it must stay spent.
    answers, batch = done(one, [pay(1, POOR, ONE)])
    assert answers == [[POORLY]]
    assert batch is not None
    assert (batch.number, batch.data, batch.failures) == (1, b"", ((name(1), POORLY),))


def test_used_ids_are_remembered_whether_stored_or_spent() -> None:
    one = shard()
    done(one, [pay(1), pay(2, POOR, ONE), pay(3, POOR, ONE), pay(4, POOR, TWO)])
    names = np.frombuffer(b"".join(map(name, (1, 2, 3, 4, 5))), "V16")
    assert one.book.used.perhaps(names).tolist() == [True] * 4 + [False]


def many(count: int, first: int = 1, **more: object) -> list[Transfer]:
    return [pay(number, **more) for number in range(first, first + count)]


@pytest.mark.parametrize(("sizes", "fast"), [((255,), False), ((256,), True), ((100, 156), True)])
def test_columns_are_tried_from_256_transfers_in_all(monkeypatch, sizes, fast) -> None:
    assert FAST_FROM == 256
    tried = []
    plain = module.apply_fast

    def apply_fast(batch, book, **more):
        tried.append(len(batch))
        return plain(batch, book, **more)

    monkeypatch.setattr(module, "apply_fast", apply_fast)
    one, first, of = shard(), 1, []
    for size in sizes:
        of.append(many(size, first))
        first += size
    answers, batch = done(one, *of)
    assert tried == ([sum(sizes)] if fast else [])
    assert answers == [[C] * size for size in sizes]
    assert batch is not None
    assert [each.timestamp for each in transfers_of(batch.records)] == [
        *range(NOW, NOW + sum(sizes))
    ]
    assert one.last_ns == NOW + sum(sizes) - 1


@pytest.mark.parametrize(
    "past",
    [
        History({name(1): movement_of(replace(pay(1), timestamp=1))}),
        History({}, {name(1)}),
    ],
)
def test_a_large_batch_with_a_used_id_in_it_is_taken_one_by_one(past: History) -> None:
    one = shard()
    [answers], batch = done(one, many(300), past=past)
    assert answers[0] in (Result.EXISTS, Result.ID_ALREADY_FAILED)
    assert answers[1:] == [C] * 299
    assert batch is not None
    assert batch.count == 299


def test_a_chain_does_not_reach_from_one_group_into_the_next() -> None:
    one = shard()
    of = [many(200), [], [*many(99, 201), pay(300, flags=LINKED)], many(100, 301)]
    answers, batch = done(one, *of)
    assert answers[0] == [C] * 200
    assert answers[1] == []
    assert answers[2] == [C] * 99 + [Result.LINKED_EVENT_CHAIN_OPEN]
    assert answers[3] == [C] * 100
    assert batch is not None
    assert batch.count == 399


def history_of(*of: list[Transfer]) -> list[Batch]:
    """Batches of a shard, ten seconds apart."""
    one, batches = shard(), []
    for place, transfers in enumerate(of):
        _, batch = done(one, transfers, now_ns=NOW + 10 * S * place)
        assert batch is not None
        batches.append(batch)
    return batches


@pytest.mark.parametrize("count", [3, 300])
def test_a_replay_of_stored_batches_ends_in_the_same_head_and_sums(count: int) -> None:
    batches = history_of(
        many(count),
        [*many(count, 1_001, flags=PENDING, timeout=5), pay(5_000, POOR, ONE)],
        [pay(5_001)],
    )
    again = shard()
    for number, batch in enumerate(batches, 1):
        assert again.replay(batch)
        assert (again.number, again.head) == (number, batch.head)
    assert again.replayed == 2 * count + 1
    assert again.last_ns == NOW + 20 * S
    # The reservations of five seconds ended before the last batch.
    assert again.book.open == {}
    assert again.book.sums[0].tolist() == [0, 5 * count + 5, 0, 0]
    used = np.frombuffer(name_of(UUID(int=6_000)), "V16")
    assert again.book.used.perhaps(used).tolist() == [True]


CLOSING, BALANCING = TransferFlag.CLOSING_DEBIT, TransferFlag.BALANCING_DEBIT


@pytest.mark.parametrize(
    "transfers",
    [
        [pay(1, flags=PENDING | CLOSING), pay(2, TWO, POOR)],
        [pay(1, POOR, ONE, flags=BALANCING, amount=9), pay(2)],
        [pay(1, flags=PENDING), pay(2, pending_id=UUID(int=1_001), flags=POST)],
        [pay(1, ONE, POOR, amount=7), pay(2, POOR, TWO, amount=7)],
    ],
    ids=["closing", "balancing", "resolved at once", "limit kept by the order"],
)
def test_what_only_the_machine_takes_is_replayed_by_it(transfers: list[Transfer]) -> None:
    [batch] = history_of(transfers)
    assert batch.count == 2
    again = shard()
    assert again.replay(batch)
    once = shard()
    done(once, transfers)
    assert again.book.sums.tobytes() == once.book.sums.tobytes()
    assert again.book.open == once.book.open
    stored = list(transfers_of(batch.records))
    # A batch whose head was made anew over other records does not hold against the rules.
    for change in ({"code": 0}, {"ledger": 2}, {"user_data_32": 7, "ledger": 3}):
        data = from_transfers([stored[0], replace(stored[1], **change)]).tobytes()
        made = Batch.after(first_head("CNY"), shard="CNY", number=1, data=data)
        assert not shard().replay(made)


def test_a_batch_of_spent_ids_alone_is_replayed_without_time() -> None:
    [batch] = history_of([pay(1, POOR, ONE)])
    again = shard()
    assert again.replay(batch)
    assert (again.number, again.last_ns, again.replayed) == (1, 0, 0)


@pytest.mark.parametrize("count", [3, 300])
def test_a_replay_does_not_hold_for_what_was_changed(count: int) -> None:
    [batch] = history_of(many(count))

    def of(**changes: object) -> bool:
        return shard().replay(replace(batch, **changes))  # type: ignore[arg-type]

    assert of()
    transfers = list(transfers_of(batch.records))
    for change in (
        *({"amount": 6}, {"code": 2}, {"timestamp": NOW - 1}),
        *({"ledger": 2}, {"debit_account_id": UUID(int=77)}, {"debit_account_id": TWO}),
    ):
        wrong = [replace(transfers[0], **change), *transfers[1:]]  # type: ignore[arg-type]
        assert not of(data=from_transfers(wrong).tobytes())
    poor = [replace(transfers[0], debit_account_id=POOR), *transfers[1:]]
    data = from_transfers(poor).tobytes()
    root = batch_root(data)
    # Even a batch whose root and head were made anew does not hold against the rules.
    made = Batch.after(first_head("CNY"), shard="CNY", number=1, data=data, root=root)
    assert not shard().replay(made)
    for changes in (
        *({"number": 2}, {"shard": "KZT"}, {"head": b"h" * 32}, {"root": b"r" * 32}),
        {"failures": ((name(9), POORLY),)},
    ):
        assert not of(**changes)
    assert not shard(number=1).replay(batch)
    assert not shard(head=b"h" * 32).replay(batch)


def test_a_root_that_was_computed_elsewhere_is_believed() -> None:
    [batch] = history_of(many(3))
    assert shard().replay(batch, batch.root)
    assert not shard().replay(batch, b"r" * 32)
