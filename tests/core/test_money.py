from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.money import Currency, Money


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
