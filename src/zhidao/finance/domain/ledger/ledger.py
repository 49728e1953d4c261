"""Values of the double-entry ledger: accounts, transfers, and the result of each transfer.

Names, flags and result names are TigerBeetle's, version 0.17.9: they were checked against the
bindings of its Python client, and the order of the checks case by case against the reference model
that its own tests use (`tests/finance/domain/ledger/test_precedence.py`). Amounts stay below 2^63
so that PostgreSQL's bigint holds them; larger ones are refused by name. A debit and a credit of the
same amount make each transfer, so a ledger always sums to zero. Imported events (transfers of the
past) are not part of this ledger: nothing is dated back here. A batch of them is refused as
`reserved_flag`, one among others by TigerBeetle's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag, StrEnum
from typing import Final
from uuid import UUID

from zhidao.core.errors import MalformedInput
from zhidao.core.limits import AMOUNT_MINOR_MAX
from zhidao.core.money import Currency

NO_ID: Final = UUID(int=0)
INT_MAX_ID: Final = UUID(int=2**128 - 1)
AMOUNT_MAX: Final = 2**128 - 1
"""Says "all of it" when a pending transfer is posted."""
TRANSFERS_MAX: Final = 8_189
"""The most transfers of one batch, as in TigerBeetle's 1 MiB message."""


class AccountFlag(IntFlag):
    """What an account may not do."""

    LINKED = 1
    DEBITS_MUST_NOT_EXCEED_CREDITS = 2
    CREDITS_MUST_NOT_EXCEED_DEBITS = 4
    HISTORY = 8
    IMPORTED = 16
    CLOSED = 32


class TransferFlag(IntFlag):
    """What kind of transfer this is, and whether the next one shares its fate (LINKED)."""

    LINKED = 1
    PENDING = 2
    POST_PENDING_TRANSFER = 4
    VOID_PENDING_TRANSFER = 8
    BALANCING_DEBIT = 16
    BALANCING_CREDIT = 32
    CLOSING_DEBIT = 64
    CLOSING_CREDIT = 128
    IMPORTED = 256


NO_ACCOUNT_FLAGS: Final = AccountFlag(0)
NO_TRANSFER_FLAGS: Final = TransferFlag(0)
RESOLVING: Final = TransferFlag.POST_PENDING_TRANSFER | TransferFlag.VOID_PENDING_TRANSFER
BALANCING: Final = TransferFlag.BALANCING_DEBIT | TransferFlag.BALANCING_CREDIT
CLOSING: Final = TransferFlag.CLOSING_DEBIT | TransferFlag.CLOSING_CREDIT
KNOWN_FLAGS: Final = TransferFlag.LINKED | TransferFlag.PENDING | RESOLVING | BALANCING | CLOSING
KNOWN_ACCOUNT_FLAGS: Final = (
    AccountFlag.LINKED
    | AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS
    | AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS
    | AccountFlag.HISTORY
    | AccountFlag.CLOSED
)


@dataclass(frozen=True, slots=True)
class Account:
    """An account with its four running sums, in minor units of its ledger's currency."""

    id: UUID
    ledger: int
    code: int
    flags: AccountFlag = NO_ACCOUNT_FLAGS
    user_data_128: int = 0
    debits_pending: int = 0
    debits_posted: int = 0
    credits_pending: int = 0
    credits_posted: int = 0
    user_data_64: int = 0
    user_data_32: int = 0
    timestamp: int = 0
    reserved: int = 0

    @property
    def balance(self) -> int:
        """Posted credits less posted debits: what the holder of a bank account owns."""
        return self.credits_posted - self.debits_posted

    @property
    def available(self) -> int:
        """The balance less what pending transfers hold."""
        return self.balance - self.debits_pending


@dataclass(frozen=True, slots=True)
class Transfer:
    """A movement from one account to another, or the resolution of a pending one.

    `timestamp` (ns, Unix) is given by the validator and 0 in a request. A post or void may leave
    accounts, ledger and code zero: they are those of the pending transfer. `timeout` (s): after
    it a pending transfer expires; 0 means never, and a leg of a decision across nodes has none.
    """

    id: UUID
    debit_account_id: UUID = NO_ID
    credit_account_id: UUID = NO_ID
    amount: int = 0
    pending_id: UUID = NO_ID
    user_data_128: int = 0
    ledger: int = 0
    code: int = 0
    flags: TransferFlag = NO_TRANSFER_FLAGS
    timestamp: int = 0
    user_data_64: int = 0
    user_data_32: int = 0
    timeout: int = 0

    def __post_init__(self) -> None:
        assert self.amount >= 0, "an amount has no sign; the accounts give the direction"


class Resolution(StrEnum):
    """What became of a pending transfer."""

    PENDING = "pending"
    POSTED = "posted"
    VOIDED = "voided"
    EXPIRED = "expired"


class Result(StrEnum):
    """The answer to one transfer of a batch."""

    CREATED = "created"
    LINKED_EVENT_FAILED = "linked_event_failed"
    LINKED_EVENT_CHAIN_OPEN = "linked_event_chain_open"
    IMPORTED_EVENT_EXPECTED = "imported_event_expected"
    IMPORTED_EVENT_NOT_EXPECTED = "imported_event_not_expected"
    TIMESTAMP_MUST_BE_ZERO = "timestamp_must_be_zero"
    RESERVED_FLAG = "reserved_flag"
    ID_MUST_NOT_BE_ZERO = "id_must_not_be_zero"
    ID_MUST_NOT_BE_INT_MAX = "id_must_not_be_int_max"
    EXISTS_WITH_DIFFERENT_FLAGS = "exists_with_different_flags"
    EXISTS_WITH_DIFFERENT_PENDING_ID = "exists_with_different_pending_id"
    EXISTS_WITH_DIFFERENT_TIMEOUT = "exists_with_different_timeout"
    EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID = "exists_with_different_debit_account_id"
    EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID = "exists_with_different_credit_account_id"
    EXISTS_WITH_DIFFERENT_AMOUNT = "exists_with_different_amount"
    EXISTS_WITH_DIFFERENT_USER_DATA_128 = "exists_with_different_user_data_128"
    EXISTS_WITH_DIFFERENT_USER_DATA_64 = "exists_with_different_user_data_64"
    EXISTS_WITH_DIFFERENT_USER_DATA_32 = "exists_with_different_user_data_32"
    EXISTS_WITH_DIFFERENT_LEDGER = "exists_with_different_ledger"
    EXISTS_WITH_DIFFERENT_CODE = "exists_with_different_code"
    EXISTS = "exists"
    ID_ALREADY_FAILED = "id_already_failed"
    FLAGS_ARE_MUTUALLY_EXCLUSIVE = "flags_are_mutually_exclusive"
    DEBIT_ACCOUNT_ID_MUST_NOT_BE_ZERO = "debit_account_id_must_not_be_zero"
    DEBIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX = "debit_account_id_must_not_be_int_max"
    CREDIT_ACCOUNT_ID_MUST_NOT_BE_ZERO = "credit_account_id_must_not_be_zero"
    CREDIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX = "credit_account_id_must_not_be_int_max"
    ACCOUNTS_MUST_BE_DIFFERENT = "accounts_must_be_different"
    PENDING_ID_MUST_BE_ZERO = "pending_id_must_be_zero"
    PENDING_ID_MUST_NOT_BE_ZERO = "pending_id_must_not_be_zero"
    PENDING_ID_MUST_NOT_BE_INT_MAX = "pending_id_must_not_be_int_max"
    PENDING_ID_MUST_BE_DIFFERENT = "pending_id_must_be_different"
    TIMEOUT_RESERVED_FOR_PENDING_TRANSFER = "timeout_reserved_for_pending_transfer"
    CLOSING_TRANSFER_MUST_BE_PENDING = "closing_transfer_must_be_pending"
    LEDGER_MUST_NOT_BE_ZERO = "ledger_must_not_be_zero"
    CODE_MUST_NOT_BE_ZERO = "code_must_not_be_zero"
    DEBIT_ACCOUNT_NOT_FOUND = "debit_account_not_found"
    CREDIT_ACCOUNT_NOT_FOUND = "credit_account_not_found"
    ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER = "accounts_must_have_the_same_ledger"
    TRANSFER_MUST_HAVE_THE_SAME_LEDGER = "transfer_must_have_the_same_ledger_as_accounts"
    PENDING_TRANSFER_NOT_FOUND = "pending_transfer_not_found"
    PENDING_TRANSFER_NOT_PENDING = "pending_transfer_not_pending"
    PENDING_HAS_DIFFERENT_DEBIT = "pending_transfer_has_different_debit_account_id"
    PENDING_HAS_DIFFERENT_CREDIT = "pending_transfer_has_different_credit_account_id"
    PENDING_HAS_DIFFERENT_LEDGER = "pending_transfer_has_different_ledger"
    PENDING_HAS_DIFFERENT_CODE = "pending_transfer_has_different_code"
    EXCEEDS_PENDING_TRANSFER_AMOUNT = "exceeds_pending_transfer_amount"
    PENDING_HAS_DIFFERENT_AMOUNT = "pending_transfer_has_different_amount"
    PENDING_TRANSFER_ALREADY_POSTED = "pending_transfer_already_posted"
    PENDING_TRANSFER_ALREADY_VOIDED = "pending_transfer_already_voided"
    PENDING_TRANSFER_EXPIRED = "pending_transfer_expired"
    DEBIT_ACCOUNT_ALREADY_CLOSED = "debit_account_already_closed"
    CREDIT_ACCOUNT_ALREADY_CLOSED = "credit_account_already_closed"
    OVERFLOWS_DEBITS_PENDING = "overflows_debits_pending"
    OVERFLOWS_CREDITS_PENDING = "overflows_credits_pending"
    OVERFLOWS_DEBITS_POSTED = "overflows_debits_posted"
    OVERFLOWS_CREDITS_POSTED = "overflows_credits_posted"
    OVERFLOWS_DEBITS = "overflows_debits"
    OVERFLOWS_CREDITS = "overflows_credits"
    OVERFLOWS_TIMEOUT = "overflows_timeout"
    EXCEEDS_CREDITS = "exceeds_credits"
    EXCEEDS_DEBITS = "exceeds_debits"
    AMOUNT_MUST_NOT_EXCEED_INT64_MAX = "amount_must_not_exceed_int64_max"
    """Ours: the amount is more than 2^63 - 1 and no sentinel."""

    @property
    def holds(self) -> bool:
        """Whether the transfer stands in the ledger after this answer."""
        return self in (Result.CREATED, Result.EXISTS)


TRANSIENT: Final = frozenset(
    {
        Result.DEBIT_ACCOUNT_NOT_FOUND,
        Result.CREDIT_ACCOUNT_NOT_FOUND,
        Result.PENDING_TRANSFER_NOT_FOUND,
        Result.DEBIT_ACCOUNT_ALREADY_CLOSED,
        Result.CREDIT_ACCOUNT_ALREADY_CLOSED,
        Result.EXCEEDS_CREDITS,
        Result.EXCEEDS_DEBITS,
    }
)
"""Failures that another moment would not have had. The id stays failed, so that a late repeat of a
request cannot move money that its caller believes was refused."""


class AccountResult(StrEnum):
    """The answer to one account of a batch."""

    CREATED = "created"
    LINKED_EVENT_FAILED = "linked_event_failed"
    LINKED_EVENT_CHAIN_OPEN = "linked_event_chain_open"
    IMPORTED_EVENT_EXPECTED = "imported_event_expected"
    IMPORTED_EVENT_NOT_EXPECTED = "imported_event_not_expected"
    TIMESTAMP_MUST_BE_ZERO = "timestamp_must_be_zero"
    RESERVED_FIELD = "reserved_field"
    RESERVED_FLAG = "reserved_flag"
    ID_MUST_NOT_BE_ZERO = "id_must_not_be_zero"
    ID_MUST_NOT_BE_INT_MAX = "id_must_not_be_int_max"
    EXISTS_WITH_DIFFERENT_FLAGS = "exists_with_different_flags"
    EXISTS_WITH_DIFFERENT_USER_DATA_128 = "exists_with_different_user_data_128"
    EXISTS_WITH_DIFFERENT_USER_DATA_64 = "exists_with_different_user_data_64"
    EXISTS_WITH_DIFFERENT_USER_DATA_32 = "exists_with_different_user_data_32"
    EXISTS_WITH_DIFFERENT_LEDGER = "exists_with_different_ledger"
    EXISTS_WITH_DIFFERENT_CODE = "exists_with_different_code"
    EXISTS = "exists"
    FLAGS_ARE_MUTUALLY_EXCLUSIVE = "flags_are_mutually_exclusive"
    DEBITS_PENDING_MUST_BE_ZERO = "debits_pending_must_be_zero"
    DEBITS_POSTED_MUST_BE_ZERO = "debits_posted_must_be_zero"
    CREDITS_PENDING_MUST_BE_ZERO = "credits_pending_must_be_zero"
    CREDITS_POSTED_MUST_BE_ZERO = "credits_posted_must_be_zero"
    LEDGER_MUST_NOT_BE_ZERO = "ledger_must_not_be_zero"
    CODE_MUST_NOT_BE_ZERO = "code_must_not_be_zero"


def account_flags(bits: int) -> AccountFlag:
    """The flags that stored bits mean. Raises MalformedInput for a bit that no flag has."""
    # `AccountFlag` itself keeps any bit, since a request's unknown ones are refused by their name.
    if bits & ~int(~NO_ACCOUNT_FLAGS):
        raise MalformedInput(f"account flags {bits:#x} do not exist")
    return AccountFlag(bits)


def ledger_number(currency: Currency) -> int:
    """The ledger of a currency as a 32-bit number: its three letters as bytes, big-endian.

    >>> hex(ledger_number(Currency("CNY")))
    '0x434e59'
    """
    return int.from_bytes(currency.code.encode("ascii"), "big")


def fits(amount: int) -> bool:
    """Whether a sum still fits the ledger's 63 bits."""
    return amount <= AMOUNT_MINOR_MAX
