"""A payment is what its messages can carry: each field at its bound and one past it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.money import Currency, Money
from zhidao.finance.domain.payments.payment import MESSAGE_AMOUNT_MAX, Payment, Person

PAYER = Person("Nordvand Pumper ApS", "Esbjerg", "DK")
PAYMENT = Payment(
    message="M-1",
    instruction="I-1",
    end_to_end="E-1",
    uetr=UUID("eb6305c9-1f7f-49de-aed0-16487c27b42d"),
    created=datetime(2026, 5, 4, 8, 0, 0, tzinfo=UTC),
    settled_on=date(2026, 5, 4),
    amount=Money(4_440_000, Currency("EUR")),
    payer=PAYER,
    payer_account="DK5000400440116243",
    payer_bank="DABADKKK",
    payee=Person("Suzhou Precision Pumps", "Suzhou", "CN"),
    payee_account="6222020111122220000",
    payee_bank="ICBKCNBJSZU",
    remittance="INV-2026-0417",
)
REFERENCES = ("message", "instruction", "end_to_end")
ACCOUNTS = ("payer_account", "payee_account")


def malformed(**changes: Any) -> str:
    with pytest.raises(MalformedInput) as caught:
        replace(PAYMENT, **changes)
    return str(caught.value)


@pytest.mark.parametrize("field", REFERENCES)
def test_a_reference_has_35_characters_at_most_and_no_slash(field: str) -> None:
    for good in ("a", "9", "A.b+c-9", "x" * 35):
        assert getattr(replace(PAYMENT, **{field: good}), field) == good
    for bad in ("", ".a", "-a", "+a", "a/b", "a b", "é", "x" * 36, "a\n", "/"):
        assert f"not a message reference: {bad!r}" in malformed(**{field: bad})
    assert f"not a message reference: {'/' * 40!r}" in malformed(**{field: "/" * 50})


@pytest.mark.parametrize("field", ["payer_bank", "payee_bank"])
def test_a_bic_has_8_or_11_characters(field: str) -> None:
    """ISO 9362: four of the party, two letters of the country, two and three of place and branch."""
    for good in ("ICBKCNBJ", "ICBKCNBJSZU", "0000AA00", "0000AA00000"):
        assert getattr(replace(PAYMENT, **{field: good}), field) == good
    for bad in (
        *("", "ICBKCNB", "ICBKCNBJS", "ICBKCNBJSZ", "ICBKCNBJSZUX", "icbkcnbj", "ICBK1NBJ"),
        *("ICBKCN1", "ICBKC1BJ", "ICBKCNBJ\n", "ICBK-NBJ"),
    ):
        assert f"not a BIC: {bad!r}" in malformed(**{field: bad})
    assert f"not a BIC: {'x' * 16!r}" in malformed(**{field: "x" * 20})


@pytest.mark.parametrize("field", ACCOUNTS)
def test_an_account_has_34_characters_at_most(field: str) -> None:
    for good in ("1", "x" * 34, "DK50-0040.0440"):
        assert getattr(replace(PAYMENT, **{field: good}), field) == good
    for bad in ("", "-1", "a/b", "a b", "1\n"):
        assert f"not an account identification: {bad!r}" in malformed(**{field: bad})
    for size in (35, 99):
        assert "at most 34 characters" in malformed(**{field: "x" * size})


TEXTS = [("name", 140), ("town", 35)]


@pytest.mark.parametrize(("field", "longest"), TEXTS)
def test_a_name_and_a_town_are_texts_of_their_length(field: str, longest: int) -> None:
    for good in ("x", "x" * longest, "苏州", "Ærø ½ \u00a0x", " x "):
        assert getattr(replace(PAYER, **{field: good}), field) == good
    for bad in ("", " ", "\u3000", "x" * (longest + 1)):
        with pytest.raises(MalformedInput) as caught:
            replace(PAYER, **{field: bad})
        assert f"{field}: 1 to {longest} characters are needed, not {len(bad)}" in str(caught.value)


@pytest.mark.parametrize(
    ("letter", "told"),
    [
        *(("\n", "U+000A"), ("\t", "U+0009"), ("\x00", "U+0000"), ("\x1f", "U+001F")),
        *(("\x7f", "U+007F"), ("\x85", "U+0085"), ("\u2028", "U+2028"), ("\u2029", "U+2029")),
        *(("\ud800", "U+D800"), ("\ufffe", "U+FFFE"), ("\uffff", "U+FFFF")),
    ],
)
def test_what_xml_cannot_carry_is_in_no_text(letter: str, told: str) -> None:
    told = f"the character {told} cannot be sent"
    assert f"remittance information: {told}" in malformed(remittance=f"a{letter}b")
    for field in ("name", "town"):
        with pytest.raises(MalformedInput) as caught:
            replace(PAYER, **{field: f"a{letter}b"})
        assert f"{field}: {told}" in str(caught.value)


def test_remittance_information_has_140_characters_at_most() -> None:
    assert replace(PAYMENT, remittance="x" * 140).remittance == "x" * 140
    assert "1 to 140 characters are needed, not 141" in malformed(remittance="x" * 141)
    assert "1 to 140 characters are needed, not 0" in malformed(remittance="")


@pytest.mark.parametrize("country", ["", "D", "DNK", "dk", "D1", "ÆØ", "DK\n", "D K"])
def test_a_country_has_two_letters(country: str) -> None:
    assert replace(PAYER, country="CN").country == "CN"
    with pytest.raises(MalformedInput) as caught:
        replace(PAYER, country=country)
    assert f"not a country code: {country!r}" in str(caught.value)


def test_a_message_carries_one_to_18_digits_of_minor_units() -> None:
    """ISO 20022 ActiveCurrencyAndAmount: 18 digits in all."""
    assert MESSAGE_AMOUNT_MAX == 999_999_999_999_999_999
    for minor in (1, MESSAGE_AMOUNT_MAX):
        amount = Money(minor, Currency("EUR"))
        assert replace(PAYMENT, amount=amount).amount == amount
    for minor in (0, -1, MESSAGE_AMOUNT_MAX + 1):
        with pytest.raises(Refused, match="at most 999999999999999999 minor units") as caught:
            replace(PAYMENT, amount=Money(minor, Currency("EUR")))
        assert caught.value.code == "AM12"


def test_a_message_is_made_at_a_whole_second_in_utc() -> None:
    at = PAYMENT.created
    assert replace(PAYMENT, created=at + timedelta(seconds=59)).created.second == 59
    for wrong in (
        at.replace(microsecond=1),
        at.replace(microsecond=999_999),
        at.replace(tzinfo=None),
        at.astimezone(timezone(timedelta(hours=8))),
    ):
        assert "whole seconds in UTC" in malformed(created=wrong)


@pytest.mark.parametrize(
    "uetr",
    [
        "eb6305c9-1f7f-19de-aed0-16487c27b42d",
        "eb6305c9-1f7f-59de-aed0-16487c27b42d",
        "eb6305c9-1f7f-79de-aed0-16487c27b42d",
        "00000000-0000-0000-0000-000000000000",
    ],
)
def test_a_uetr_is_a_random_uuid(uetr: str) -> None:
    """SWIFT: a UUID of version 4 (RFC 4122 section 4.4)."""
    assert "a UETR is a UUID of version 4" in malformed(uetr=UUID(uetr))
