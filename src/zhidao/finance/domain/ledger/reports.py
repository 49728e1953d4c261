"""Three views of one book: trial balance, balance sheet, income statement. All in minor units.

Which side an account stands on follows from its code: what a bank keeps for customers and owes to
banks is a liability, what it holds elsewhere and is owed an asset; 700 to 799 are income, 800 to
899 expenses, 900 to 999 equity. A debit balance of an asset or expense counts positive, a credit
balance of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from zhidao.core.errors import Refused
from zhidao.finance.domain.naming import AccountCode


class Side(StrEnum):
    """Where an account stands in the books of its bank."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


_SIDES: Final = {
    AccountCode.CUSTOMER: Side.LIABILITY,
    AccountCode.CASH: Side.ASSET,
    AccountCode.ESCROW: Side.LIABILITY,
    AccountCode.DUE_TO_BANK: Side.LIABILITY,
    AccountCode.DUE_FROM_BANK: Side.ASSET,
    AccountCode.CREDIT_CLAIMS: Side.ASSET,
    AccountCode.CLEARING: Side.LIABILITY,
}
_BY_HUNDRED: Final = {7: Side.INCOME, 8: Side.EXPENSE, 9: Side.EQUITY}
_DEBIT_SIDES: Final = (Side.ASSET, Side.EXPENSE)


def side_of(code: int) -> Side:
    """The side of an account by its code; an unknown one counts as a liability."""
    known = {int(named): side for named, side in _SIDES.items()}.get(code)
    return known or _BY_HUNDRED.get(code // 100, Side.LIABILITY)


class Line(NamedTuple):
    """One account of a trial balance."""

    account: UUID
    code: int
    bank: str
    holder: str
    purpose: str
    debits_minor: int
    credits_minor: int

    @property
    def balance_minor(self) -> int:
        """Positive on the account's own side."""
        difference = self.debits_minor - self.credits_minor
        return difference if side_of(self.code) in _DEBIT_SIDES else -difference


class TrialBalance(NamedTuple):
    """All accounts with their sums; both sums are the same."""

    lines: tuple[Line, ...]
    debits_minor: int
    credits_minor: int


class BalanceSheet(NamedTuple):
    """What is owned and what is owed. `assets_minor` = liabilities + equity + what was earned."""

    assets: tuple[Line, ...]
    liabilities: tuple[Line, ...]
    equity: tuple[Line, ...]
    assets_minor: int
    liabilities_minor: int
    equity_minor: int
    earned_minor: int


class Income(NamedTuple):
    """What came in and what went out between two moments."""

    income: tuple[Line, ...]
    expenses: tuple[Line, ...]
    income_minor: int
    expenses_minor: int

    @property
    def earned_minor(self) -> int:
        """What is left."""
        return self.income_minor - self.expenses_minor


def trial_balance(lines: Iterable[Line], *, whole: bool = True) -> TrialBalance:
    """All lines in order. `whole`: they are all of a ledger.

    Raises Refused with code `ledger_unbalanced` if the sums of a whole ledger differ.
    """
    told = tuple(lines)
    debits = sum(line.debits_minor for line in told)
    credits_ = sum(line.credits_minor for line in told)
    if whole and debits != credits_:
        raise Refused(
            f"debits of {debits} and credits of {credits_} differ",
            code="ledger_unbalanced",
            remedy="audit the ledger: zhidao finance ledger audit",
        )
    return TrialBalance(told, debits, credits_)


def balance_sheet(lines: Sequence[Line]) -> BalanceSheet:
    """The sheet of these accounts; `earned_minor` is income less expenses so far.

    It balances for a ledger as a whole, and for a bank whose own books are closed in themselves.
    """
    assets, liabilities, equity = (
        _on(lines, side) for side in (Side.ASSET, Side.LIABILITY, Side.EQUITY)
    )
    return BalanceSheet(
        assets,
        liabilities,
        equity,
        _sum(assets),
        _sum(liabilities),
        _sum(equity),
        income(lines).earned_minor,
    )


def income(lines: Sequence[Line]) -> Income:
    """Income and expenses among these lines, whose sums are those of a time."""
    earned, spent = _on(lines, Side.INCOME), _on(lines, Side.EXPENSE)
    return Income(earned, spent, _sum(earned), _sum(spent))


def _on(lines: Sequence[Line], side: Side) -> tuple[Line, ...]:
    return tuple(line for line in lines if side_of(line.code) is side)


def _sum(lines: Sequence[Line]) -> int:
    return sum(line.balance_minor for line in lines)
