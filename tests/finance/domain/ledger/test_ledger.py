"""The ledger's values: numbers and names that other programs, stored batches and heads rely on."""

from __future__ import annotations

from uuid import UUID

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.core.money import Currency
from zhidao.finance.domain.ledger.ledger import (
    AMOUNT_MAX,
    BALANCING,
    CLOSING,
    INT_MAX_ID,
    KNOWN_ACCOUNT_FLAGS,
    KNOWN_FLAGS,
    NO_ACCOUNT_FLAGS,
    NO_ID,
    NO_TRANSFER_FLAGS,
    RESOLVING,
    TRANSFERS_MAX,
    TRANSIENT,
    Account,
    AccountFlag,
    AccountResult,
    Resolution,
    Result,
    Transfer,
    TransferFlag,
    account_flags,
    fits,
    ledger_number,
)

ONE = UUID(int=1)


def test_flags_have_the_bits_of_tigerbeetles_structs() -> None:
    """TigerBeetle 0.17.9, `AccountFlags` and `TransferFlags` in src/tigerbeetle.zig."""
    assert {flag.name: flag.value for flag in AccountFlag} == {
        "LINKED": 1,
        "DEBITS_MUST_NOT_EXCEED_CREDITS": 2,
        "CREDITS_MUST_NOT_EXCEED_DEBITS": 4,
        "HISTORY": 8,
        "IMPORTED": 16,
        "CLOSED": 32,
    }
    assert {flag.name: flag.value for flag in TransferFlag} == {
        "LINKED": 1,
        "PENDING": 2,
        "POST_PENDING_TRANSFER": 4,
        "VOID_PENDING_TRANSFER": 8,
        "BALANCING_DEBIT": 16,
        "BALANCING_CREDIT": 32,
        "CLOSING_DEBIT": 64,
        "CLOSING_CREDIT": 128,
        "IMPORTED": 256,
    }
    assert (NO_ACCOUNT_FLAGS, NO_TRANSFER_FLAGS) == (0, 0)
    assert (RESOLVING, BALANCING, CLOSING) == (12, 48, 192)
    # What is of the past is known to TigerBeetle and not to this ledger.
    assert (KNOWN_FLAGS, KNOWN_ACCOUNT_FLAGS) == (255, 47)


def test_bounds_are_those_of_128_and_63_bits_and_of_one_message() -> None:
    assert AMOUNT_MAX == 340_282_366_920_938_463_463_374_607_431_768_211_455
    assert UUID("ffffffff-ffff-ffff-ffff-ffffffffffff") == INT_MAX_ID
    assert UUID("00000000-0000-0000-0000-000000000000") == NO_ID
    # A message of 1 MiB less its header of 256 bytes, in records of 128 bytes; one is its trailer.
    assert TRANSFERS_MAX == 8_189
    assert fits(9_223_372_036_854_775_807)
    assert not fits(9_223_372_036_854_775_808)
    assert fits(0)


# As TigerBeetle documents them (reference/requests/create_transfers), in its order of precedence.
TRANSFER_RESULTS = """
created linked_event_failed linked_event_chain_open imported_event_expected
imported_event_not_expected timestamp_must_be_zero reserved_flag id_must_not_be_zero
id_must_not_be_int_max exists_with_different_flags exists_with_different_pending_id
exists_with_different_timeout exists_with_different_debit_account_id
exists_with_different_credit_account_id exists_with_different_amount
exists_with_different_user_data_128 exists_with_different_user_data_64
exists_with_different_user_data_32 exists_with_different_ledger exists_with_different_code exists
id_already_failed flags_are_mutually_exclusive debit_account_id_must_not_be_zero
debit_account_id_must_not_be_int_max credit_account_id_must_not_be_zero
credit_account_id_must_not_be_int_max accounts_must_be_different pending_id_must_be_zero
pending_id_must_not_be_zero pending_id_must_not_be_int_max pending_id_must_be_different
timeout_reserved_for_pending_transfer closing_transfer_must_be_pending ledger_must_not_be_zero
code_must_not_be_zero debit_account_not_found credit_account_not_found
accounts_must_have_the_same_ledger transfer_must_have_the_same_ledger_as_accounts
pending_transfer_not_found pending_transfer_not_pending
pending_transfer_has_different_debit_account_id pending_transfer_has_different_credit_account_id
pending_transfer_has_different_ledger pending_transfer_has_different_code
exceeds_pending_transfer_amount pending_transfer_has_different_amount
pending_transfer_already_posted pending_transfer_already_voided pending_transfer_expired
debit_account_already_closed credit_account_already_closed overflows_debits_pending
overflows_credits_pending overflows_debits_posted overflows_credits_posted overflows_debits
overflows_credits overflows_timeout exceeds_credits exceeds_debits
amount_must_not_exceed_int64_max
""".split()

ACCOUNT_RESULTS = """
created linked_event_failed linked_event_chain_open imported_event_expected
imported_event_not_expected timestamp_must_be_zero reserved_field reserved_flag
id_must_not_be_zero id_must_not_be_int_max exists_with_different_flags
exists_with_different_user_data_128 exists_with_different_user_data_64
exists_with_different_user_data_32 exists_with_different_ledger exists_with_different_code exists
flags_are_mutually_exclusive debits_pending_must_be_zero debits_posted_must_be_zero
credits_pending_must_be_zero credits_posted_must_be_zero ledger_must_not_be_zero
code_must_not_be_zero
""".split()


def test_results_are_named_as_others_name_them() -> None:
    """A failed id's leaf holds its result's name, so another name is another head."""
    assert [result.value for result in Result] == TRANSFER_RESULTS
    assert [result.value for result in AccountResult] == ACCOUNT_RESULTS
    assert [each.value for each in Resolution] == ["pending", "posted", "voided", "expired"]


def test_a_transfer_holds_that_was_made_now_or_before() -> None:
    assert [result.value for result in Result if result.holds] == ["created", "exists"]
    assert Result.CREATED.holds is True
    assert Result.EXCEEDS_CREDITS.holds is False


def test_only_failures_of_a_moment_spend_an_id() -> None:
    """TigerBeetle's `transient` results, as far as this ledger gives them."""
    assert sorted(TRANSIENT) == [
        "credit_account_already_closed",
        "credit_account_not_found",
        "debit_account_already_closed",
        "debit_account_not_found",
        "exceeds_credits",
        "exceeds_debits",
        "pending_transfer_not_found",
    ]


def test_a_new_account_and_a_new_transfer_hold_nothing_but_what_is_said() -> None:
    plain = Account(ONE, 7, 8)
    assert plain == Account(
        id=ONE,
        ledger=7,
        code=8,
        flags=AccountFlag(0),
        user_data_128=0,
        debits_pending=0,
        debits_posted=0,
        credits_pending=0,
        credits_posted=0,
        user_data_64=0,
        user_data_32=0,
        timestamp=0,
        reserved=0,
    )
    assert Transfer(ONE) == Transfer(
        id=ONE,
        debit_account_id=UUID(int=0),
        credit_account_id=UUID(int=0),
        amount=0,
        pending_id=UUID(int=0),
        user_data_128=0,
        ledger=0,
        code=0,
        flags=TransferFlag(0),
        timestamp=0,
        user_data_64=0,
        user_data_32=0,
        timeout=0,
    )
    with pytest.raises(AssertionError):
        Transfer(ONE, amount=-1)


def test_what_is_available_is_the_balance_less_what_is_held() -> None:
    account = Account(
        ONE, 7, 8, debits_pending=3, debits_posted=20, credits_pending=500, credits_posted=100
    )
    assert (account.balance, account.available) == (80, 77)


@pytest.mark.parametrize(
    ("code", "number"), [("CNY", 0x434E59), ("KZT", 0x4B5A54), ("EUR", 4_543_826)]
)
def test_a_currencys_ledger_is_its_three_letters(code: str, number: int) -> None:
    assert ledger_number(Currency(code)) == number


def test_stored_bits_are_flags_that_exist_or_malformed() -> None:
    for bits in range(64):
        assert account_flags(bits) == AccountFlag(bits)
    for bits in (64, 65, 1 << 15, 1 << 16, -1, -64):
        with pytest.raises(MalformedInput, match=r"account flags .* do not exist"):
            account_flags(bits)
