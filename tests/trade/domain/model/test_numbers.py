"""Two numbers of papers are one whatever case and blanks they are written with."""

from __future__ import annotations

import pytest

from zhidao.trade.domain.model.numbers import number_keys, same_number


@pytest.mark.parametrize(
    ("one", "other"), [("X-1", "X-1"), ("X-1", "x-1"), ("KZ 50401 / 1", "kz50401/1")]
)
def test_case_and_blanks_make_no_other_number(one: str, other: str) -> None:
    assert same_number(one, other)
    assert same_number(other, one)


@pytest.mark.parametrize(
    ("one", "other"), [("X-1", "X-11"), ("X-1", "X1"), ("O-1", "0-1"), ("", "X-1")]
)
def test_whatever_else_differs_is_another_number(one: str, other: str) -> None:
    assert not same_number(one, other)


def test_several_numbers_are_compared_by_what_each_is() -> None:
    assert number_keys(["INV-1", "inv-1", "INV-2"]) == number_keys(["Inv-2", "Inv-1"])
