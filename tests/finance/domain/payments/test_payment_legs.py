"""A payment's transfers are named by what it is, and each answer of the ledger has its code."""

from __future__ import annotations

import hashlib
from uuid import UUID

import pytest

from zhidao.finance.domain.ledger.ledger import Result, TransferFlag
from zhidao.finance.domain.ledger.records import NO_NAME, name_of
from zhidao.finance.domain.naming import TransferCode
from zhidao.finance.domain.payments.payment_legs import (
    Booking,
    Leg,
    group_status,
    leg_name,
    mark_of,
    movement_of,
    refusal_of,
    uetr_of,
)

UETR = "8a562c67-ca16-48ba-b074-65581be6f001"
BANK = "bank"


def test_legs_are_named_by_words_that_do_not_change() -> None:
    # Names of transfers of years ago follow from them.
    assert [str(leg) for leg in Leg] == [
        *("reserve", "post", "void", "inside", "credit", "give back"),
        *("given back", "not given back", "take back"),
    ]


def test_a_name_is_a_version_8_uuid_of_bank_leg_payment_and_attempt() -> None:
    digest = hashlib.sha256(f"leg\0{BANK}\0reserve\0{UETR}".encode()).digest()
    told = UUID(int=int.from_bytes(leg_name(BANK, UETR, Leg.RESERVE), "little"))
    assert (told.version, told.variant) == (8, UUID(UETR).variant)
    kept = (1 << 128) - 1 & ~(0xF << 76) & ~(3 << 62)
    assert told.int & kept == int.from_bytes(digest[:16], "big") & kept
    again = hashlib.sha256(f"leg\0{BANK}\0reserve\0{UETR}\0".encode() + b"1").digest()
    second = int.from_bytes(leg_name(BANK, UETR, Leg.RESERVE, 1), "little")
    assert second & kept == int.from_bytes(again[:16], "big") & kept


def test_no_two_legs_banks_payments_or_attempts_share_a_name() -> None:
    names = {leg_name(BANK, UETR, leg, attempt) for leg in Leg for attempt in (0, 1, 2)}
    names |= {leg_name("other", UETR, Leg.POST), leg_name(BANK, UETR[:-1] + "2", Leg.POST)}
    assert len(names) == 29


def test_a_mark_is_the_first_eight_bytes_of_a_digest() -> None:
    assert mark_of("0123456789abcdef" + "f" * 48) == 0x0123_4567_89AB_CDEF


BOOKING = Booking(
    place=3,
    name=b"n" * 16,
    debit=b"d" * 16,
    credit=b"c" * 16,
    amount_minor=250,
    ledger=156,
    uetr=UETR,
    mark=77,
    code=TransferCode.PAYMENT,
    flags=TransferFlag.PENDING,
    pending=b"p" * 16,
)


def test_a_booking_is_the_ledgers_transfer_with_its_uetr_and_mark() -> None:
    told = movement_of(BOOKING)
    assert (told.id, told.debit_account_id, told.credit_account_id) == (
        *(b"n" * 16, b"d" * 16, b"c" * 16),
    )
    assert (told.amount, told.pending_id, told.ledger) == (250, b"p" * 16, 156)
    assert told.user_data_128 == name_of(UUID(UETR))
    assert (told.user_data_64, told.user_data_32, told.timeout, told.timestamp) == (77, 0, 0, 0)
    assert (told.code, told.flags) == (int(TransferCode.PAYMENT), int(TransferFlag.PENDING))
    assert uetr_of(told.user_data_128) == UETR


def test_a_booking_of_no_payment_bears_no_uetr() -> None:
    assert movement_of(BOOKING._replace(uetr="")).user_data_128 == NO_NAME
    assert uetr_of(NO_NAME) == ""
    assert uetr_of(leg_name(BANK, UETR, Leg.POST)) == ""
    assert BOOKING._replace(pending=NO_NAME) == Booking(*BOOKING[:-1])


@pytest.mark.parametrize(
    ("code", "results"),
    [
        ("AC01", "debit_account_not_found credit_account_not_found"),
        ("AC04", "debit_account_already_closed credit_account_already_closed"),
        (
            "AM03",
            "accounts_must_have_the_same_ledger transfer_must_have_the_same_ledger_as_accounts",
        ),
        ("AM04", "exceeds_credits exceeds_debits"),
        ("AM02", "amount_must_not_exceed_int64_max overflows_debits overflows_credits_pending"),
        ("DUPL", "pending_transfer_already_posted pending_transfer_already_voided"),
        ("DUPL", "exists_with_different_amount exists_with_different_user_data_64"),
        ("NARR", "id_already_failed pending_transfer_expired code_must_not_be_zero"),
    ],
)
def test_each_answer_of_the_ledger_has_its_code_of_the_external_list(
    code: str, results: str
) -> None:
    for result in map(Result, results.split()):
        refusal = refusal_of(result)
        assert refusal is not None
        assert refusal.code == code


def test_a_transfer_that_stands_is_no_refusal() -> None:
    assert refusal_of(Result.CREATED) is None
    assert refusal_of(Result.EXISTS) is None


def test_a_refusal_says_what_to_do_or_in_words_what_the_ledger_said() -> None:
    told = {result: refusal_of(result) for result in Result}
    failed, amount = told[Result.ID_ALREADY_FAILED], told[Result.EXISTS_WITH_DIFFERENT_AMOUNT]
    money = told[Result.EXCEEDS_CREDITS]
    assert failed is not None
    assert "under another UETR" in failed.sentence
    assert amount is not None
    assert "has this UETR (exists with different amount)" in amount.sentence
    assert money is not None
    assert money.sentence == "exceeds credits"


def test_a_message_stands_as_all_its_payments_do_or_in_part() -> None:
    assert group_status([]) == ""
    assert group_status(["RJCT", "RJCT"]) == "RJCT"
    assert group_status(["ACSC"]) == "ACSC"
    assert group_status(["ACSC", "RJCT"]) == "PART"
