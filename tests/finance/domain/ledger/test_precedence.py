"""Which answer wins when a transfer has two faults, and what each fault alone is called.

The order is that of TigerBeetle 0.17.9, read off the reference model of its own state machine
(src/state_machine, Apache-2.0): each list below names the faults in that order, and every pair of
faults that one transfer can have together must get the name of the earlier one.
"""

from __future__ import annotations

from itertools import combinations
from uuid import UUID

import pytest
from tests.finance.domain.ledger.test_machine import State

from zhidao.finance.domain.ledger.ledger import (
    AMOUNT_MAX,
    NO_ID,
    Account,
    AccountFlag,
    Transfer,
    TransferFlag,
)

TOP = UUID(int=2**128 - 1)
GAP = UUID(int=99)
RICH, POOR, STRICT, OTHER, SHUT, FULL = (UUID(int=n) for n in range(1, 7))
GONE = UUID(int=9)
PENDING, POST, VOID, LINKED = (
    TransferFlag.PENDING,
    TransferFlag.POST_PENDING_TRANSFER,
    TransferFlag.VOID_PENDING_TRANSFER,
    TransferFlag.LINKED,
)
IMPORTED = TransferFlag.IMPORTED
MOST = 2**63 - 1
S = 1_000_000_000


def fresh() -> State:
    state = State()
    limited = AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS
    state.put_account(Account(RICH, 1, 1))
    state.put_account(Account(POOR, 1, 1, limited))
    state.put_account(Account(STRICT, 1, 1, AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS))
    state.put_account(Account(OTHER, 2, 1))
    state.put_account(Account(SHUT, 1, 1, AccountFlag.CLOSED))
    state.put_account(Account(GONE, 1, 1, AccountFlag.CLOSED))
    state.put_account(Account(FULL, 1, 1, limited, debits_posted=7, credits_posted=7))
    return state


def made(number: int, **more: object) -> Transfer:
    plain: dict[str, object] = {
        "id": UUID(int=number),
        "debit_account_id": RICH,
        "credit_account_id": POOR,
        "amount": 5,
        "ledger": 1,
        "code": 1,
    }
    return Transfer(**{**plain, **more})  # type: ignore[arg-type]


def run(state: State, *batch: Transfer, at_ns: int = 1_000) -> list[str]:
    return [str(result) for result in state.submit(*batch, at_ns=at_ns)]


Change = dict[str, object]


def pairs(faults: list[tuple[str, Change]]) -> list[tuple[str, list[Change]]]:
    """By the earliest fault: it alone, and it with each later one that touches other fields."""
    found: dict[str, list[Change]] = {}
    for first, one in faults:
        found.setdefault(first, []).append(one)
    for (first, one), (_, other) in combinations(faults, 2):
        if not one.keys() & other.keys():
            found[first].append({**one, **other})
    return list(found.items())


PLAIN = [
    ("timestamp_must_be_zero", {"timestamp": 1}),
    ("reserved_flag", {"flags": TransferFlag(1 << 9)}),
    ("id_must_not_be_zero", {"id": NO_ID}),
    ("id_must_not_be_int_max", {"id": TOP}),
    ("debit_account_id_must_not_be_zero", {"debit_account_id": NO_ID}),
    ("debit_account_id_must_not_be_int_max", {"debit_account_id": TOP}),
    ("credit_account_id_must_not_be_zero", {"credit_account_id": NO_ID}),
    ("credit_account_id_must_not_be_int_max", {"credit_account_id": TOP}),
    ("accounts_must_be_different", {"debit_account_id": SHUT, "credit_account_id": SHUT}),
    ("pending_id_must_be_zero", {"pending_id": GAP}),
    ("timeout_reserved_for_pending_transfer", {"timeout": 1}),
    ("closing_transfer_must_be_pending", {"flags": TransferFlag.CLOSING_DEBIT}),
    ("closing_transfer_must_be_pending", {"flags": TransferFlag.CLOSING_CREDIT}),
    ("ledger_must_not_be_zero", {"ledger": 0}),
    ("code_must_not_be_zero", {"code": 0}),
    ("debit_account_not_found", {"debit_account_id": GAP}),
    ("credit_account_not_found", {"credit_account_id": UUID(int=98)}),
    ("accounts_must_have_the_same_ledger", {"credit_account_id": OTHER}),
    ("transfer_must_have_the_same_ledger_as_accounts", {"ledger": 2}),
    ("debit_account_already_closed", {"debit_account_id": SHUT}),
    ("credit_account_already_closed", {"credit_account_id": GONE}),
    ("exceeds_credits", {"debit_account_id": POOR, "credit_account_id": RICH}),
    ("exceeds_debits", {"credit_account_id": STRICT}),
    ("amount_must_not_exceed_int64_max", {"amount": 2**63}),
]


@pytest.mark.parametrize(("answer", "changes"), pairs(PLAIN))
def test_the_earliest_fault_of_a_transfer_names_it(answer, changes) -> None:
    for change in changes:
        state = fresh()
        assert run(state, made(10, **change)) == [answer], change
        assert state.stored == []


def test_both_limits_broken_are_told_by_the_debtors() -> None:
    state = fresh()
    assert run(state, made(10, debit_account_id=POOR, credit_account_id=STRICT)) == [
        "exceeds_credits"
    ]


RESOLVING = [
    ("timestamp_must_be_zero", {"timestamp": 1}),
    ("reserved_flag", {"flags": POST | TransferFlag(1 << 15)}),
    ("id_must_not_be_zero", {"id": NO_ID}),
    ("id_must_not_be_int_max", {"id": TOP}),
    *(
        ("flags_are_mutually_exclusive", {"flags": one | other})
        for one in (POST, VOID)
        for other in (
            PENDING,
            TransferFlag.BALANCING_DEBIT,
            TransferFlag.BALANCING_CREDIT,
            TransferFlag.CLOSING_DEBIT,
            TransferFlag.CLOSING_CREDIT,
        )
    ),
    ("flags_are_mutually_exclusive", {"flags": POST | VOID}),
    ("pending_id_must_not_be_zero", {"pending_id": NO_ID}),
    ("pending_id_must_not_be_int_max", {"pending_id": TOP}),
    ("pending_id_must_be_different", {"pending_id": UUID(int=20)}),
    ("timeout_reserved_for_pending_transfer", {"timeout": 1}),
    ("pending_transfer_not_found", {"pending_id": GAP}),
    ("pending_transfer_not_pending", {"pending_id": UUID(int=10)}),
    ("pending_transfer_has_different_debit_account_id", {"debit_account_id": GAP}),
    ("pending_transfer_has_different_credit_account_id", {"credit_account_id": TOP}),
    ("pending_transfer_has_different_ledger", {"ledger": 9}),
    ("pending_transfer_has_different_code", {"code": 9}),
    ("exceeds_pending_transfer_amount", {"amount": 51}),
    ("exceeds_pending_transfer_amount", {"flags": VOID, "amount": AMOUNT_MAX}),
    ("pending_transfer_has_different_amount", {"flags": VOID, "amount": 49}),
]
HELD = made(11, amount=50, flags=PENDING, user_data_128=1, user_data_64=2, user_data_32=3)


def resolving(number: int, **more: object) -> Transfer:
    bare: dict[str, object] = {
        "debit_account_id": NO_ID,
        "credit_account_id": NO_ID,
        "amount": 50,
        "ledger": 0,
        "code": 0,
        "pending_id": HELD.id,
        "flags": POST,
    }
    return made(number, **{**bare, **more})


@pytest.mark.parametrize(("answer", "changes"), pairs(RESOLVING))
def test_the_earliest_fault_of_a_post_or_void_names_it(answer, changes) -> None:
    for change in changes:
        if change.get("pending_id") == UUID(int=20) and "id" in change:
            continue  # An id of its own kind of fault has no pending id to be equal to.
        state = fresh()
        assert run(state, made(10), HELD) == ["created", "created"]
        assert run(state, resolving(20, **change)) == [answer], change
        assert len(state.stored) == 2


@pytest.mark.parametrize(
    ("end", "fate"),
    [
        (POST, "pending_transfer_already_posted"),
        (VOID, "pending_transfer_already_voided"),
        (None, "pending_transfer_expired"),
    ],
)
@pytest.mark.parametrize("kind", [POST, VOID])
def test_what_contradicts_a_reservation_is_told_before_its_fate(end, fate, kind) -> None:
    state = fresh()
    pending = made(11, amount=50, flags=PENDING, timeout=2)
    later = 1_000 + 2 * S
    assert run(state, pending) == ["created"]
    if end is not None:
        assert run(state, resolving(12, flags=end), at_ns=1_001) == ["created"]
    wrong = [
        ({"code": 9}, "pending_transfer_has_different_code"),
        ({"amount": 51}, "exceeds_pending_transfer_amount"),
        ({}, fate),
    ]
    for number, (change, answer) in enumerate(wrong, 30):
        assert run(state, resolving(number, flags=kind, **change), at_ns=later) == [answer]
    assert state.account(POOR).credits_pending == 0


def test_the_last_moment_of_a_reservation_is_the_one_before_its_end() -> None:
    for at_ns, answer in (
        (1_000 + 2 * S - 1, "created"),
        (1_000 + 2 * S, "pending_transfer_expired"),
    ):
        state = fresh()
        run(state, made(11, amount=50, flags=PENDING, timeout=2))
        assert run(state, resolving(12), at_ns=at_ns) == [answer]


def test_a_closed_account_is_told_after_the_fate_and_not_to_a_void() -> None:
    state = fresh()
    run(state, made(11, amount=50, flags=PENDING), made(12, amount=9, flags=PENDING, timeout=1))
    closing = made(13, amount=0, flags=PENDING | TransferFlag.CLOSING_CREDIT)
    assert run(state, closing) == ["created"]
    assert run(
        state,
        resolving(20, amount=51),
        resolving(21),
        resolving(21, flags=POST, amount=51),
        resolving(22, pending_id=UUID(int=12), amount=9),
        at_ns=1_000 + S,
    ) == [
        "exceeds_pending_transfer_amount",
        "credit_account_already_closed",
        "id_already_failed",
        "pending_transfer_expired",
    ]
    assert run(state, resolving(23, flags=VOID), at_ns=2 * S) == ["created"]
    assert run(state, resolving(24, pending_id=closing.id, amount=0), at_ns=2 * S) == [
        "credit_account_already_closed"
    ]
    void = resolving(25, pending_id=closing.id, amount=0, flags=VOID)
    assert run(state, void, made(26), at_ns=2 * S) == ["created", "created"]


def test_a_closing_reservation_that_ends_by_itself_opens_the_account() -> None:
    state = fresh()
    closing = made(
        13,
        amount=0,
        timeout=1,
        flags=PENDING | TransferFlag.CLOSING_CREDIT | TransferFlag.CLOSING_DEBIT,
    )
    assert run(state, closing, made(14)) == ["created", "debit_account_already_closed"]
    assert run(state, made(15), at_ns=S + 999) == ["debit_account_already_closed"]
    assert run(state, made(16), at_ns=S + 1_000) == ["created"]


EXISTS = [
    ("exists_with_different_flags", {"flags": PENDING}),
    ("exists_with_different_pending_id", {"pending_id": GAP}),
    ("exists_with_different_timeout", {"timeout": 9}),
    ("exists_with_different_debit_account_id", {"debit_account_id": NO_ID}),
    ("exists_with_different_credit_account_id", {"credit_account_id": GAP}),
    ("exists_with_different_amount", {"amount": 2**64}),
    ("exists_with_different_user_data_128", {"user_data_128": 7}),
    ("exists_with_different_user_data_64", {"user_data_64": 7}),
    ("exists_with_different_user_data_32", {"user_data_32": 7}),
    ("exists_with_different_ledger", {"ledger": 0}),
    ("exists_with_different_code", {"code": 0}),
    ("exists", {}),
]


@pytest.mark.parametrize(("answer", "changes"), pairs(EXISTS))
def test_a_repeat_is_told_how_it_differs_before_anything_else_about_it(answer, changes) -> None:
    for change in changes:
        state = fresh()
        assert run(state, made(10), made(10, **change)) == ["created", answer], change


RESOLVED = [
    ("exists_with_different_flags", {"flags": VOID}),
    ("exists_with_different_pending_id", {"pending_id": NO_ID}),
    ("exists_with_different_timeout", {"timeout": 9}),
    ("exists_with_different_debit_account_id", {"debit_account_id": GAP}),
    ("exists_with_different_credit_account_id", {"credit_account_id": GAP}),
    ("exists_with_different_amount", {"amount": 41}),
    ("exists_with_different_amount", {"amount": AMOUNT_MAX}),
    ("exists_with_different_user_data_128", {"user_data_128": 7}),
    ("exists_with_different_user_data_64", {"user_data_64": 7}),
    ("exists_with_different_user_data_32", {"user_data_32": 0}),
    ("exists_with_different_ledger", {"ledger": 9}),
    ("exists_with_different_code", {"code": 9}),
    ("exists", {}),
    ("exists", {"debit_account_id": RICH, "credit_account_id": POOR, "ledger": 1, "code": 1}),
    ("exists", {"user_data_128": 1, "user_data_64": 2}),
]


@pytest.mark.parametrize(("answer", "changes"), pairs(RESOLVED))
def test_a_repeated_post_is_filled_from_its_reservation_and_then_compared(answer, changes) -> None:
    # Its own user data of 32 bits; the other blanks are those of the reservation.
    first = resolving(20, amount=40, user_data_32=8)
    for change in changes:
        state = fresh()
        assert run(state, HELD, first, made(0)) == ["created", "created", "id_must_not_be_zero"]
        repeat = resolving(20, **{"amount": 40, "user_data_32": 8, **change})
        assert run(state, repeat) == [answer], change


def test_a_repeated_void_may_name_its_amount_or_not() -> None:
    state = fresh()
    run(state, HELD, resolving(20, flags=VOID, amount=0))
    assert run(
        state,
        resolving(20, flags=VOID, amount=0),
        resolving(20, flags=VOID, amount=50),
        resolving(20, flags=VOID, amount=AMOUNT_MAX),
        resolving(20, flags=VOID, amount=49),
    ) == ["exists", "exists", "exists_with_different_amount", "exists_with_different_amount"]


@pytest.mark.parametrize("flag", [TransferFlag.BALANCING_DEBIT, TransferFlag.BALANCING_CREDIT])
@pytest.mark.parametrize("pending", [TransferFlag(0), PENDING])
def test_a_balancing_transfer_moves_what_there_is_and_repeats_from_that_on(flag, pending) -> None:
    state = fresh()
    state.put_account(
        Account(UUID(int=7), 1, 1, debits_pending=2, debits_posted=3, credits_posted=12)
    )
    state.put_account(
        Account(UUID(int=8), 1, 1, debits_posted=12, credits_pending=2, credits_posted=3)
    )
    sides = {"debit_account_id": UUID(int=7), "credit_account_id": UUID(int=8)}
    asked = made(20, amount=AMOUNT_MAX, flags=flag | pending, **sides)
    assert run(state, asked) == ["created"]
    assert state.stored[-1].amount == 7
    amounts = (AMOUNT_MAX, 2**63, 8, 7, 6)
    repeats = [made(20, amount=one, flags=flag | pending, **sides) for one in amounts]
    assert run(state, *repeats) == ["exists"] * 4 + ["exists_with_different_amount"]
    # Nothing is left: the next one holds and moves nothing.
    assert run(state, made(21, amount=5, flags=flag, **sides)) == ["created"]
    assert state.stored[-1].amount == 0


def test_a_balancing_transfer_is_held_to_the_limits_of_the_other_side() -> None:
    state = fresh()
    state.put_account(Account(UUID(int=7), 1, 1, credits_posted=12))
    asked = made(
        20,
        debit_account_id=UUID(int=7),
        credit_account_id=STRICT,
        amount=AMOUNT_MAX,
        flags=TransferFlag.BALANCING_DEBIT,
    )
    assert run(state, asked) == ["exceeds_debits"]
    both = made(
        21,
        debit_account_id=UUID(int=7),
        credit_account_id=STRICT,
        amount=AMOUNT_MAX,
        flags=TransferFlag.BALANCING_DEBIT | TransferFlag.BALANCING_CREDIT,
    )
    assert run(state, both) == ["created"]
    assert state.stored[-1].amount == 0


@pytest.mark.parametrize(
    ("held", "flags", "answer"),
    [
        ({"debits_pending": 9}, PENDING, "overflows_debits_pending"),
        ({"debits_posted": 9}, PENDING, "overflows_debits_posted"),
        ({"debits_posted": 9}, TransferFlag(0), "overflows_debits_posted"),
        ({"debits_pending": 9}, TransferFlag(0), "overflows_debits"),
    ],
)
@pytest.mark.parametrize("most", [AMOUNT_MAX, MOST])
@pytest.mark.parametrize("limited", [False, True])
def test_an_overflow_is_named_by_the_sum_it_overflows(held, flags, answer, most, limited) -> None:
    """Beyond 128 bits before the limits are looked at, as there; beyond our 63 bits after them."""
    state = fresh()
    limit = AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS if limited else AccountFlag(0)
    state.put_account(Account(UUID(int=7), 1, 1, limit, credits_posted=9, **held))
    asked = made(20, debit_account_id=UUID(int=7), amount=most - 8, flags=flags)
    assert run(state, asked) == ["exceeds_credits" if limited and most == MOST else answer]
    other = made(21, debit_account_id=UUID(int=7), amount=most - 9, flags=flags)
    expected = "created" if most == MOST else "amount_must_not_exceed_int64_max"
    assert run(state, other) == ["exceeds_credits" if limited else expected]


def test_the_creditors_overflow_is_told_after_the_debtors() -> None:
    state = fresh()
    state.put_account(Account(UUID(int=7), 1, 1, credits_pending=9, credits_posted=9))
    sides = {"credit_account_id": UUID(int=7), "amount": AMOUNT_MAX - 8}
    assert run(state, made(20, flags=PENDING, **sides), made(21, **sides)) == [
        "overflows_credits_pending",
        "overflows_credits_posted",
    ]
    assert run(state, made(22, **{**sides, "amount": AMOUNT_MAX - 9})) == ["overflows_credits"]


def test_a_timeout_beyond_the_end_of_time_overflows_before_a_limit_breaks() -> None:
    state = fresh()
    asked = made(20, debit_account_id=POOR, credit_account_id=RICH, flags=PENDING, timeout=1)
    assert run(state, asked, at_ns=2**63 - S) == ["overflows_timeout"]
    assert run(state, asked, at_ns=2**63 - 1 - S - 1) == ["exceeds_credits"]


def test_a_chain_breaks_at_its_first_fault_and_only_that_one_is_spent() -> None:
    state = fresh()
    chain = (
        made(30, flags=LINKED),
        made(31, debit_account_id=GAP, flags=LINKED),
        made(32, debit_account_id=FULL, flags=LINKED),
        made(33),
    )
    assert run(state, *chain, made(34)) == [
        "linked_event_failed",
        "debit_account_not_found",
        "linked_event_failed",
        "linked_event_failed",
        "created",
    ]
    assert run(state, made(30), made(31), made(32), made(33)) == [
        "created",
        "id_already_failed",
        "created",
        "created",
    ]


def test_a_repeat_inside_a_chain_breaks_it() -> None:
    state = fresh()
    assert run(state, made(30)) == ["created"]
    assert run(state, made(31, flags=LINKED), made(30)) == ["linked_event_failed", "exists"]
    assert run(state, made(31, flags=LINKED), made(31)) == [
        "linked_event_failed",
        "exists_with_different_flags",
    ]


def test_an_open_chain_is_named_at_its_end_whatever_broke_it() -> None:
    state = fresh()
    chain = (made(30, flags=LINKED), made(31, code=0, flags=LINKED), made(0, flags=LINKED))
    assert run(state, *chain) == [
        "linked_event_failed",
        "code_must_not_be_zero",
        "linked_event_chain_open",
    ]
    assert run(state, made(33, flags=LINKED)) == ["linked_event_chain_open"]


def test_a_reservation_and_its_post_may_share_a_chain_and_its_undoing() -> None:
    state = fresh()
    held = made(30, amount=50, flags=PENDING | LINKED)
    post = resolving(31, pending_id=held.id, amount=20, flags=POST | LINKED)
    assert run(state, held, post, made(32, code=0)) == [
        "linked_event_failed",
        "linked_event_failed",
        "code_must_not_be_zero",
    ]
    assert run(state, held, post, made(32)) == ["created"] * 3
    assert run(state, resolving(33, pending_id=held.id, flags=VOID, amount=0)) == [
        "pending_transfer_already_posted"
    ]
    assert state.account(RICH).debits_posted == 25


def test_the_first_of_a_batch_says_whether_all_are_of_the_past() -> None:
    state = fresh()
    assert run(
        state,
        made(30),
        made(0, flags=IMPORTED, timestamp=7),
        made(31, flags=LINKED),
        made(32, flags=IMPORTED),
    ) == [
        "created",
        "imported_event_not_expected",
        "linked_event_failed",
        "imported_event_not_expected",
    ]
    assert run(state, made(33, flags=IMPORTED, timestamp=7), made(34)) == [
        "reserved_flag",
        "imported_event_expected",
    ]


@pytest.mark.parametrize(
    ("held", "flags", "answer"),
    [
        ({"credits_pending": 9}, PENDING, "overflows_credits_pending"),
        ({"credits_posted": 9}, PENDING, "overflows_credits_posted"),
        ({"credits_posted": 9}, TransferFlag(0), "overflows_credits_posted"),
        ({"credits_pending": 9}, TransferFlag(0), "overflows_credits"),
    ],
)
@pytest.mark.parametrize("most", [AMOUNT_MAX, MOST])
def test_a_creditor_receives_to_the_last_unit(held, flags, answer, most) -> None:
    state = fresh()
    state.put_account(Account(UUID(int=7), 1, 1, **held))
    sides = {"credit_account_id": UUID(int=7), "flags": flags}
    assert run(state, made(20, amount=most - 8, **sides)) == [answer]
    expected = "created" if most == MOST else "amount_must_not_exceed_int64_max"
    assert run(state, made(21, amount=most - 9, **sides)) == [expected]


@pytest.mark.parametrize(
    ("flag", "free", "lacks", "moved"),
    [
        (TransferFlag.BALANCING_DEBIT, 5, 3, 5),
        (TransferFlag.BALANCING_CREDIT, 5, 3, 3),
        (TransferFlag.BALANCING_DEBIT, 3, 5, 3),
        (TransferFlag.BALANCING_CREDIT, 3, 5, 5),
        (TransferFlag.BALANCING_DEBIT | TransferFlag.BALANCING_CREDIT, 3, 5, 3),
        (TransferFlag.BALANCING_DEBIT | TransferFlag.BALANCING_CREDIT, 5, 3, 3),
        (TransferFlag(0), 5, 3, 20),
    ],
)
def test_a_transfer_is_balanced_by_the_side_it_names_and_no_other(flag, free, lacks, moved) -> None:
    """What the debtor has to give and what the creditor lacks, each less what is pending."""
    state = fresh()
    state.put_account(
        Account(UUID(int=7), 1, 1, debits_pending=1, debits_posted=1, credits_posted=2 + free)
    )
    state.put_account(
        Account(UUID(int=8), 1, 1, debits_posted=3 + lacks, credits_pending=1, credits_posted=2)
    )
    sides = {"debit_account_id": UUID(int=7), "credit_account_id": UUID(int=8)}
    assert run(state, made(20, amount=20, flags=flag, **sides)) == ["created"]
    assert state.stored[-1].amount == moved
