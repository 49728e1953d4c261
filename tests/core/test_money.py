from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.money import Currency, Money, currencies


@given(st.integers(-(2**63) + 1, 2**63 - 1), st.sampled_from(["CNY", "JPY", "KWD", "CLF"]))
def test_an_amount_survives_its_text(minor: int, code: str) -> None:
    amount = Money(minor, Currency(code))
    number, currency = str(amount).split(" ")
    assert Money.parse(number, currency) == amount


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        *(("1.234", "CNY"), ("1.5", "JPY"), ("1e3", "CNY"), ("", "CNY"), ("-", "CNY")),
        *((".5", "CNY"), ("1,5", "CNY"), ("NaN", "CNY"), ("١", "CNY"), ("1", "XAU"), ("1", "cny")),
    ],
)
def test_what_is_no_amount_is_refused(text: str, currency: str) -> None:
    with pytest.raises(MalformedInput):
        Money.parse(text, currency)


def test_currencies_do_not_mix_and_amounts_do_not_overflow() -> None:
    with pytest.raises(Refused):
        Money(1, Currency("CNY")) + Money(1, Currency("KZT"))
    with pytest.raises(Refused):
        Money(2**63 - 1, Currency("CNY")) + Money(1, Currency("CNY"))
    assert Money(3, Currency("CNY")) - Money(1, Currency("CNY")) == Money(2, Currency("CNY"))


def test_a_number_of_more_than_thirty_digits_is_none() -> None:
    assert Money.parse("0" * 28 + "1.0", "CNY").minor == 100
    with pytest.raises(MalformedInput):
        Money.parse("0" * 29 + "1.0", "CNY")
    for text in ("-1.50", "1.50"):
        assert abs(Money.parse(text, "CNY").minor) == 150
    for text in ("--1", "1-", "-.5", "1.2.3", "+1", " 1"):
        with pytest.raises(MalformedInput, match="not an amount"):
            Money.parse(text, "CNY")


@pytest.mark.parametrize(("code", "exponent"), [("JPY", 0), ("CNY", 2), ("KWD", 3), ("CLF", 4)])
def test_each_currency_has_the_decimals_of_the_standard(code: str, exponent: int) -> None:
    assert Currency(code).exponent == exponent
    assert str(Money(5, Currency(code)).decimal) == str(Decimal(5).scaleb(-exponent))


def test_the_greatest_amounts_are_those_of_a_signed_integer_of_64_bits() -> None:
    for minor in (2**63 - 1, -(2**63) + 1):
        assert Money(minor, Currency("CNY")).minor == minor
    for minor in (2**63, -(2**63)):
        with pytest.raises(Refused, match="amount beyond"):
            Money(minor, Currency("CNY"))


def test_every_currency_in_use_is_told_in_order() -> None:
    told = currencies()
    assert list(told) == sorted(set(told))
    assert len(told) == 158
    assert {"CNY", "KZT", "JPY", "BHD", "UYW", "ZWG"} <= set(told)
    assert {"XAU", "XXX", "XTS"}.isdisjoint(told)


def test_sums_and_differences_are_of_one_currency() -> None:
    yuan, tenge = Money(3, Currency("CNY")), Money(1, Currency("KZT"))
    assert (yuan + yuan).minor == 6
    for act in (lambda: yuan + tenge, lambda: yuan - tenge):
        with pytest.raises(Refused, match="do not add up"):
            act()
