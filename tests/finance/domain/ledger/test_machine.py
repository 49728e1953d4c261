"""The ledger's machine against a small independent reference, and rule by rule."""

from __future__ import annotations

from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from zhidao.finance.domain.ledger.book import Book, History
from zhidao.finance.domain.ledger.chain import Batch, first_head
from zhidao.finance.domain.ledger.ledger import (
    AMOUNT_MAX,
    Account,
    AccountFlag,
    Result,
    Transfer,
    TransferFlag,
)
from zhidao.finance.domain.ledger.machine import apply
from zhidao.finance.domain.ledger.records import movement_of, records_of, transfer_of
from zhidao.finance.domain.ledger.validator import Validator

LIMITED = AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS
PENDING, POST, VOID, LINKED = (
    TransferFlag.PENDING,
    TransferFlag.POST_PENDING_TRANSFER,
    TransferFlag.VOID_PENDING_TRANSFER,
    TransferFlag.LINKED,
)
BANK, ALICE, BOB, OTHER = (UUID(int=n) for n in (1, 2, 3, 4))


class State:
    """A book with its whole past, and what it stored."""

    def __init__(self) -> None:
        self.book, self.past = Book(), History()
        self.stored: list[Transfer] = []
        self.put_account = self.book.put_account
        self.account = self.book.account
        self.accounts = self.book.accounts

    def submit(self, *batch: Transfer, at_ns: int) -> list[Result]:
        self.book.expire(at_ns)
        stamps = [at_ns + place for place in range(len(batch))]
        outcome = apply(list(map(movement_of, batch)), self.book, self.past, stamps=stamps)
        self.past.remember(outcome.stored, outcome.failures)
        self.stored += map(transfer_of, outcome.stored)
        return outcome.results

    def transfer(self, name: UUID) -> Transfer | None:
        return next((one for one in self.stored if one.id == name), None)


def fresh() -> State:
    state = State()
    state.put_account(Account(BANK, 1, 1))
    state.put_account(Account(ALICE, 1, 1, LIMITED))
    state.put_account(Account(BOB, 1, 1, AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS))
    state.put_account(Account(OTHER, 2, 1))
    return state


def move(number: int, debit: UUID, credit: UUID, amount: int, **more: object) -> Transfer:
    return Transfer(UUID(int=number), debit, credit, amount, ledger=1, code=1, **more)  # type: ignore[arg-type]


def run(state: State, *batch: Transfer) -> list[str]:
    return [result.value for result in state.submit(*batch, at_ns=1_000)]


def sums(state: State, name: UUID) -> tuple[int, int, int, int]:
    account = state.account(name)
    assert account is not None
    return (
        account.debits_pending,
        account.debits_posted,
        account.credits_pending,
        account.credits_posted,
    )


def test_money_that_is_not_there_does_not_leave() -> None:
    state = fresh()
    assert run(state, move(10, ALICE, BANK, 1)) == ["exceeds_credits"]
    assert run(state, move(11, BANK, ALICE, 5), move(12, ALICE, BANK, 5)) == ["created", "created"]
    assert run(state, move(13, ALICE, BANK, 1)) == ["exceeds_credits"]
    assert run(state, move(14, BANK, BOB, 1)) == ["exceeds_debits"]


def test_a_reservation_holds_money_and_lets_go_of_what_is_not_posted() -> None:
    state = fresh()
    run(state, move(10, BANK, ALICE, 100), move(11, ALICE, BANK, 70, flags=PENDING))
    assert sums(state, ALICE) == (70, 0, 0, 100)
    assert run(state, move(12, ALICE, BANK, 31)) == ["exceeds_credits"]
    post = Transfer(UUID(int=13), amount=40, pending_id=UUID(int=11), flags=POST)
    assert run(state, post) == ["created"]
    assert sums(state, ALICE) == (0, 40, 0, 100)
    again = Transfer(UUID(int=14), pending_id=UUID(int=11), flags=VOID)
    assert run(state, again) == ["pending_transfer_already_posted"]
    assert run(state, post) == ["exists"]


def test_a_void_gives_all_back() -> None:
    state = fresh()
    run(state, move(10, BANK, ALICE, 100), move(11, ALICE, BANK, 70, flags=PENDING))
    assert run(state, Transfer(UUID(int=12), pending_id=UUID(int=11), flags=VOID)) == ["created"]
    assert sums(state, ALICE) == (0, 0, 0, 100)
    post = Transfer(UUID(int=13), amount=AMOUNT_MAX, pending_id=UUID(int=11), flags=POST)
    assert run(state, post) == ["pending_transfer_already_voided"]


def test_amount_max_posts_all_of_it() -> None:
    state = fresh()
    run(state, move(10, BANK, ALICE, 100), move(11, ALICE, BANK, 70, flags=PENDING))
    post = Transfer(UUID(int=12), amount=AMOUNT_MAX, pending_id=UUID(int=11), flags=POST)
    assert run(state, post, post) == ["created", "exists"]
    assert sums(state, ALICE) == (0, 70, 0, 100)


def test_a_broken_chain_leaves_no_trace() -> None:
    state = fresh()
    chain = (
        move(10, BANK, ALICE, 100, flags=LINKED),
        move(11, ALICE, BANK, 500, flags=LINKED),
        move(12, ALICE, BANK, 1),
    )
    failed = ["linked_event_failed", "exceeds_credits", "linked_event_failed"]
    assert run(state, *chain) == failed
    assert sums(state, ALICE) == (0, 0, 0, 0)
    assert state.transfer(UUID(int=10)) is None
    assert run(state, chain[0], chain[2]) == ["created", "created"]


def test_a_post_inside_a_broken_chain_is_undone() -> None:
    state = fresh()
    run(state, move(10, BANK, ALICE, 100), move(11, ALICE, BANK, 70, flags=PENDING))
    post = Transfer(UUID(int=12), amount=70, pending_id=UUID(int=11), flags=POST | LINKED)
    assert run(state, post, move(13, ALICE, BANK, 31)) == ["linked_event_failed", "exceeds_credits"]
    assert sums(state, ALICE) == (70, 0, 0, 100)
    assert run(state, Transfer(UUID(int=14), pending_id=UUID(int=11), flags=VOID)) == ["created"]


def test_a_chain_without_an_end_fails_as_a_whole() -> None:
    state = fresh()
    first = move(10, BANK, ALICE, 100)
    open_chain = (move(11, BANK, ALICE, 1, flags=LINKED), move(12, BANK, ALICE, 1, flags=LINKED))
    expected = ["created", "linked_event_failed", "linked_event_chain_open"]
    assert run(state, first, *open_chain) == expected
    assert sums(state, ALICE) == (0, 0, 0, 100)


def test_the_same_id_with_other_content_is_named_by_its_difference() -> None:
    state = fresh()
    run(state, move(10, BANK, ALICE, 100))
    assert run(
        state,
        move(10, BANK, ALICE, 100),
        move(10, BANK, ALICE, 101),
        move(10, BANK, BOB, 100),
        move(10, ALICE, BANK, 100),
        move(10, BANK, ALICE, 100, flags=PENDING),
        move(10, BANK, ALICE, 100, user_data_128=9),
    ) == [
        "exists",
        "exists_with_different_amount",
        "exists_with_different_credit_account_id",
        "exists_with_different_debit_account_id",
        "exists_with_different_flags",
        "exists_with_different_user_data_128",
    ]
    assert sums(state, ALICE) == (0, 0, 0, 100)


def test_what_is_malformed_has_a_name() -> None:
    state = fresh()
    top = UUID(int=2**128 - 1)
    assert run(
        state,
        move(0, BANK, ALICE, 1),
        Transfer(top, BANK, ALICE, 1, ledger=1, code=1),
        move(20, BANK, BANK, 1),
        move(21, BANK, OTHER, 1),
        Transfer(UUID(int=22), BANK, ALICE, 1, ledger=2, code=1),
        Transfer(UUID(int=23), BANK, ALICE, 1, ledger=1, code=0),
        move(24, BANK, UUID(int=99), 1),
        move(25, BANK, ALICE, 2**63),
        Transfer(UUID(int=26), pending_id=UUID(int=26), flags=POST),
        Transfer(UUID(int=27), pending_id=UUID(int=98), flags=POST),
        Transfer(UUID(int=28), pending_id=UUID(int=98), flags=POST | VOID),
        move(29, BANK, ALICE, 1, flags=TransferFlag.IMPORTED),
        move(30, BANK, ALICE, 1, timestamp=7),
        move(31, BANK, ALICE, 1, pending_id=UUID(int=1)),
    ) == [
        "id_must_not_be_zero",
        "id_must_not_be_int_max",
        "accounts_must_be_different",
        "accounts_must_have_the_same_ledger",
        "transfer_must_have_the_same_ledger_as_accounts",
        "code_must_not_be_zero",
        "credit_account_not_found",
        "amount_must_not_exceed_int64_max",
        "pending_id_must_be_different",
        "pending_transfer_not_found",
        "flags_are_mutually_exclusive",
        "imported_event_not_expected",
        "timestamp_must_be_zero",
        "pending_id_must_be_zero",
    ]


def test_sums_never_leave_63_bits() -> None:
    state = fresh()
    assert run(state, move(10, BANK, ALICE, 2**63 - 1), move(11, BANK, ALICE, 1)) == [
        "created",
        "overflows_debits_posted",
    ]


def test_a_failure_of_its_moment_spends_the_id() -> None:
    state = fresh()
    poor = move(10, ALICE, BANK, 5)
    assert run(state, poor, poor) == ["exceeds_credits", "id_already_failed"]
    assert run(state, move(11, BANK, ALICE, 5), poor) == ["created", "id_already_failed"]
    assert run(state, move(12, ALICE, BANK, 5)) == ["created"]


def test_the_id_stays_spent_though_its_chain_is_undone() -> None:
    state = fresh()
    chain = (move(10, BANK, BOB, 0, flags=LINKED), move(11, BANK, BOB, 1))
    assert run(state, *chain) == ["linked_event_failed", "exceeds_debits"]
    assert run(state, move(11, BANK, BOB, 0), move(10, BANK, BOB, 0)) == [
        "id_already_failed",
        "created",
    ]


def test_a_reservation_ends_with_its_time() -> None:
    state = fresh()
    run(state, move(10, BANK, ALICE, 100), move(11, ALICE, BANK, 70, flags=PENDING, timeout=2))
    post = Transfer(UUID(int=12), amount=AMOUNT_MAX, pending_id=UUID(int=11), flags=POST)
    assert state.submit(post, at_ns=2_000_001_001) == [Result.PENDING_TRANSFER_EXPIRED]
    assert sums(state, ALICE) == (0, 0, 0, 100)
    assert run(state, move(13, ALICE, BANK, 1, timeout=1)) == [
        "timeout_reserved_for_pending_transfer"
    ]


def test_a_reservation_is_over_within_a_batch_by_the_stamp_of_the_post() -> None:
    state = fresh()
    state.book.expire(0)
    run(state, move(10, BANK, ALICE, 100), move(11, ALICE, BANK, 70, flags=PENDING, timeout=2))
    fill = [move(100 + n, BANK, ALICE, 0) for n in range(3)]
    post = Transfer(UUID(int=12), amount=AMOUNT_MAX, pending_id=UUID(int=11), flags=POST)
    results = state.submit(*fill, post, at_ns=2_000_000_998)
    assert results[3] is Result.PENDING_TRANSFER_EXPIRED
    assert sums(state, ALICE) == (70, 0, 0, 100), "given back with the next batch"


def test_a_balancing_transfer_takes_what_there_is() -> None:
    state = fresh()
    run(state, move(10, BANK, ALICE, 100), move(11, ALICE, BANK, 30, flags=PENDING))
    balancing = move(12, ALICE, BANK, AMOUNT_MAX, flags=TransferFlag.BALANCING_DEBIT)
    assert run(state, balancing, balancing) == ["created", "exists"]
    assert sums(state, ALICE) == (30, 70, 0, 100)
    less = move(12, ALICE, BANK, 69, flags=TransferFlag.BALANCING_DEBIT)
    assert run(state, less) == ["exists_with_different_amount"]
    other = move(13, BANK, BOB, 9, flags=TransferFlag.BALANCING_CREDIT)
    assert run(state, other) == ["created"]
    assert sums(state, BOB) == (0, 0, 0, 0)


def test_a_closed_account_moves_nothing_until_its_closing_is_voided() -> None:
    state = fresh()
    closing = PENDING | TransferFlag.CLOSING_DEBIT
    assert run(state, move(10, ALICE, BANK, 0, flags=TransferFlag.CLOSING_DEBIT)) == [
        "closing_transfer_must_be_pending"
    ]
    run(state, move(9, BANK, ALICE, 5), move(8, ALICE, BANK, 2, flags=PENDING))
    assert run(state, move(11, ALICE, BANK, 0, flags=closing)) == ["created"]
    post = Transfer(UUID(int=14), amount=2, pending_id=UUID(int=8), flags=POST)
    assert run(state, move(12, BANK, ALICE, 1), move(13, ALICE, BANK, 1), post) == [
        "credit_account_already_closed",
        "debit_account_already_closed",
        "debit_account_already_closed",
    ]
    void = Transfer(UUID(int=15), pending_id=UUID(int=11), flags=VOID)
    assert run(state, void, move(16, BANK, ALICE, 1)) == ["created", "created"]


class Reference:
    """An independent ledger of plain integers, one transfer at a time, written from the rules."""

    def __init__(self) -> None:
        self.posted = {BANK: 0, ALICE: 0, BOB: 0}
        self.held: dict[int, tuple[UUID, UUID, int]] = {}
        self.done: set[int] = set()

    def owes(self, name: UUID) -> int:
        return sum(amount for debit, _, amount in self.held.values() if debit == name)

    def due(self, name: UUID) -> int:
        return sum(amount for _, credit, amount in self.held.values() if credit == name)

    def allows(self, debit: UUID, credit: UUID, amount: int) -> bool:
        if debit == ALICE and self.posted[ALICE] - self.owes(ALICE) < amount:
            return False
        return not (credit == BOB and -self.posted[BOB] - self.due(BOB) < amount)

    def move(self, debit: UUID, credit: UUID, amount: int) -> None:
        self.posted[debit] -= amount
        self.posted[credit] += amount


class LedgerMachine(RuleBasedStateMachine):
    """Random transfers; after each, both ledgers agree and everything sums to zero."""

    def __init__(self) -> None:
        super().__init__()
        self.state = fresh()
        self.reference = Reference()
        self.number = 100

    def submit(self, *batch: Transfer) -> list[Result]:
        return self.state.submit(*batch, at_ns=self.number * 1_000)

    def next_id(self) -> int:
        self.number += 1
        return self.number

    people = st.sampled_from([BANK, ALICE, BOB])
    amounts = st.integers(0, 50)

    @rule(debit=people, credit=people, amount=amounts)
    def transfer(self, debit: UUID, credit: UUID, amount: int) -> None:
        [result] = self.submit(move(self.next_id(), debit, credit, amount))
        if debit == credit:
            assert result is Result.ACCOUNTS_MUST_BE_DIFFERENT
            return
        allowed = self.reference.allows(debit, credit, amount)
        assert (result is Result.CREATED) == allowed
        if allowed:
            self.reference.move(debit, credit, amount)

    @rule(debit=people, credit=people, amount=amounts)
    def reserve(self, debit: UUID, credit: UUID, amount: int) -> None:
        number = self.next_id()
        [result] = self.submit(move(number, debit, credit, amount, flags=PENDING))
        if debit != credit:
            assert (result is Result.CREATED) == self.reference.allows(debit, credit, amount)
        if result is Result.CREATED:
            self.reference.held[number] = (debit, credit, amount)

    @rule(data=st.data(), share=st.integers(0, 60), void=st.booleans())
    def resolve(self, data: st.DataObject, share: int, void: bool) -> None:  # noqa: FBT001 (hypothesis)
        if not self.reference.held:
            return
        pending = data.draw(st.sampled_from(sorted(self.reference.held)))
        debit, credit, held = self.reference.held[pending]
        number = UUID(int=self.next_id())
        one = Transfer(
            number,
            amount=0 if void else share,
            pending_id=UUID(int=pending),
            flags=VOID if void else POST,
        )
        [result] = self.submit(one)
        if not void and share > held:
            assert result is Result.EXCEEDS_PENDING_TRANSFER_AMOUNT
            return
        assert result is Result.CREATED
        assert self.submit(one) == [Result.EXISTS]
        del self.reference.held[pending]
        if not void:
            self.reference.move(debit, credit, share)

    @rule(first=amounts, second=amounts)
    def chain(self, first: int, second: int) -> None:
        batch = (
            move(self.next_id(), BANK, ALICE, first, flags=LINKED),
            move(self.next_id(), ALICE, BANK, second),
        )
        results = self.submit(*batch)
        free = self.reference.posted[ALICE] - self.reference.owes(ALICE) + first
        assert all(result is Result.CREATED for result in results) == (free >= second)
        if free >= second:
            self.reference.move(BANK, ALICE, first)
            self.reference.move(ALICE, BANK, second)

    @invariant()
    def both_ledgers_agree(self) -> None:
        for name, balance in self.reference.posted.items():
            account = self.state.account(name)
            assert account is not None
            assert account.balance == balance
            assert account.debits_pending == self.reference.owes(name)
            assert account.credits_pending == self.reference.due(name)

    @invariant()
    def everything_sums_to_zero(self) -> None:
        accounts = list(self.state.accounts())
        assert sum(account.balance for account in accounts) == 0
        assert sum(a.debits_pending - a.credits_pending for a in accounts) == 0

    def teardown(self) -> None:
        again = fresh()
        data = records_of(map(movement_of, self.state.stored)).tobytes()
        batch = Batch.after(first_head("X"), shard="X", number=1, data=data)
        assert Validator("X", again.book).replay(batch), "what was stored holds again"
        assert {a.id: a for a in again.accounts()} == {a.id: a for a in self.state.accounts()}


LedgerMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestLedgerMachine = LedgerMachine.TestCase
