"""A statement as comma-separated values."""

from __future__ import annotations

from zhidao.finance.domain.payments.statement import AccountStatement


def csv_of(statement: AccountStatement) -> str:
    """A statement as comma-separated values: day, transfer, UETR, amount, balance after it."""
    code, exponent = statement.currency.code, statement.currency.exponent
    lines = ["day,transfer,uetr,amount,balance,currency"]
    balance = statement.opening_minor
    lines.append(f"{statement.first_day},opening,,,{_decimal(balance, exponent)},{code}")
    for one in statement.entries:
        balance += one.amount_minor
        lines.append(
            f"{one.booked},{one.transfer},{one.uetr},{_decimal(one.amount_minor, exponent)},"
            f"{_decimal(balance, exponent)},{code}"
        )
    lines.append(f"{statement.last_day},closing,,,{_decimal(balance, exponent)},{code}")
    return "\r\n".join(lines) + "\r\n"


def _decimal(minor: int, exponent: int) -> str:
    sign, digits = "-" if minor < 0 else "", str(abs(minor)).rjust(exponent + 1, "0")
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}" if exponent else f"{sign}{digits}"
