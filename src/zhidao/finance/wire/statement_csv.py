"""A statement as comma-separated values."""

from __future__ import annotations

import csv
import io
from typing import Final

from zhidao.finance.domain.payments.statement import (
    NO_DETAILS,
    AccountStatement,
    StatementEntry,
)
from zhidao.finance.wire.iso20022.syntax.trees import account_number, at

_COLUMNS: Final = (
    *("day", "transfer", "uetr", "amount", "balance", "currency"),
    *("value_day", "end_to_end", "counterparty", "counterparty_account", "remittance", "returned"),
)
# A spreadsheet takes what begins so for a formula; what others wrote is text.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_of(statement: AccountStatement) -> str:
    """A statement as comma-separated values: what was booked, the balance after it, and by whom."""
    code, exponent = statement.currency.code, statement.currency.exponent
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(_COLUMNS)
    nothing = [""] * 6
    balance = statement.opening_minor
    opening = _decimal(balance, exponent)
    rows.writerow([statement.first_day, "opening", "", "", opening, code, *nothing])
    for one in statement.entries:
        balance += one.amount_minor
        rows.writerow(
            [
                *(one.booked, one.transfer, one.uetr),
                *(_decimal(one.amount_minor, exponent), _decimal(balance, exponent), code),
                *map(_text, _told(one)),
            ]
        )
    closing = _decimal(balance, exponent)
    rows.writerow([statement.last_day, "closing", "", "", closing, code, *nothing])
    return out.getvalue()


def _told(one: StatementEntry) -> tuple[str, ...]:
    told = one.details or NO_DETAILS
    comes = (one.amount_minor > 0) != bool(told.returned)
    party, account = (told.payer, told.payer_account) if comes else (told.payee, told.payee_account)
    return (
        one.valued.isoformat(),
        told.end_to_end,
        at(party, "Nm"),
        account_number(account),
        at(told.remittance, "Ustrd") or at(told.remittance, "Strd", "CdtrRefInf", "Ref"),
        told.returned,
    )


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA) else value


def _decimal(minor: int, exponent: int) -> str:
    sign, digits = "-" if minor < 0 else "", str(abs(minor)).rjust(exponent + 1, "0")
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}" if exponent else f"{sign}{digits}"
