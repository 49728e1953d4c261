"""Reports are views of one book: debits equal credits, assets equal what stands against them."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import Refused
from zhidao.finance.domain.ledger.reports import (
    Line,
    Side,
    balance_sheet,
    income,
    side_of,
    trial_balance,
)
from zhidao.finance.domain.naming import AccountCode

CODES = [*map(int, AccountCode), 700, 810, 900, 12]


def line(number: int, code: int, debits: int, credits_: int) -> Line:
    return Line(UUID(int=number), code, "bank", "holder", "purpose", debits, credits_)


@given(
    st.lists(
        st.tuples(st.integers(0, len(CODES) - 1), st.integers(0, len(CODES) - 1), st.integers(0)),
        max_size=20,
    )
)
def test_every_double_entry_balances_in_every_view(moves: list[tuple[int, int, int]]) -> None:
    sums = [[0, 0] for _ in CODES]
    for debit, credit, amount in moves:
        sums[debit][0] += amount
        sums[credit][1] += amount
    lines = [line(place, code, *sums[place]) for place, code in enumerate(CODES)]
    trial = trial_balance(lines)
    assert trial.debits_minor == trial.credits_minor == sum(amount for *_, amount in moves)
    sheet = balance_sheet(lines)
    against = sheet.liabilities_minor + sheet.equity_minor + sheet.earned_minor
    assert sheet.assets_minor == against
    assert sheet.earned_minor == income(lines).income_minor - income(lines).expenses_minor


def test_a_ledger_that_does_not_balance_is_refused_a_part_of_it_is_not() -> None:
    lines = [line(1, 100, 5, 0)]
    with pytest.raises(Refused):
        trial_balance(lines)
    assert trial_balance(lines, whole=False).debits_minor == 5


def test_accounts_stand_on_the_side_of_their_code() -> None:
    assert side_of(AccountCode.CUSTOMER) is Side.LIABILITY
    assert side_of(AccountCode.DUE_FROM_BANK) is Side.ASSET
    assert (side_of(799), side_of(800), side_of(999)) == (Side.INCOME, Side.EXPENSE, Side.EQUITY)
    assert line(1, 700, 0, 9).balance_minor == line(1, 200, 9, 0).balance_minor == 9
