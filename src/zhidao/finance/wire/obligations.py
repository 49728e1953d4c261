"""Obligations and balances as CSV: `debtor,creditor,amount,currency` and `party,balance`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zhidao.core.errors import MalformedInput
from zhidao.core.money import Currency, Money
from zhidao.finance.domain.receivables.netting import OBLIGATIONS_MAX, Obligations

BYTES_MAX = 512 * 1024 * 1024
_NAME_MAX = 140
_COLUMNS = ("debtor", "creditor", "amount", "currency")


@dataclass(frozen=True, slots=True)
class NamedObligations:
    """Obligations of one currency and the names of their parties."""

    currency: Currency
    names: tuple[str, ...]
    obligations: Obligations


def read_obligations(data: bytes) -> tuple[NamedObligations, ...]:
    """The obligations of a file, by currency. Raises MalformedInput with the line."""
    tables: dict[str, tuple[dict[str, int], list[int], list[int], list[int]]] = {}
    for line, row in _rows(data, _COLUMNS):
        debtor, creditor, text, currency = row
        if debtor == creditor:
            raise MalformedInput(f"{debtor[:40]!r} owes itself", where=f"line {line}")
        try:
            amount = Money.parse(text, currency).minor
        except MalformedInput as error:
            raise MalformedInput(str(error.args[0]), where=f"line {line}") from error
        if amount <= 0:
            raise MalformedInput(f"an amount of {text} is no debt", where=f"line {line}")
        names, debtors, creditors, amounts = tables.setdefault(currency, ({}, [], [], []))
        debtors.append(names.setdefault(debtor, len(names)))
        creditors.append(names.setdefault(creditor, len(names)))
        amounts.append(amount)
        if len(amounts) > OBLIGATIONS_MAX:
            raise MalformedInput(f"more than {OBLIGATIONS_MAX} obligations", where=f"line {line}")
    if not tables:
        raise MalformedInput("no obligation stands in this file")
    return tuple(
        NamedObligations(
            Currency(currency),
            tuple(names),
            Obligations(
                np.array(debtors, np.int32),
                np.array(creditors, np.int32),
                np.array(amounts, np.int64),
                len(names),
            ),
        )
        for currency, (names, debtors, creditors, amounts) in sorted(tables.items())
    )


def read_balances(data: bytes, table: NamedObligations) -> NDArray[np.int64]:
    """The balance of each party of one currency, zero where none is given, minor units."""
    places: Mapping[str, int] = {name: place for place, name in enumerate(table.names)}
    found = np.zeros(len(places), np.int64)
    for line, (party, text) in _rows(data, ("party", "balance")):
        try:
            balance = Money.parse(text, table.currency.code).minor
        except MalformedInput as error:
            raise MalformedInput(str(error.args[0]), where=f"line {line}") from error
        if party in places:
            found[places[party]] = balance
    return found


def _rows(data: bytes, columns: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    if len(data) > BYTES_MAX:
        raise MalformedInput(f"a file of more than {BYTES_MAX} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedInput(f"not UTF-8: {error}") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if reader.line_num == 1:
                if tuple(cell.strip().lower() for cell in row) != columns:
                    raise MalformedInput(f"the first line is not {','.join(columns)}")
                continue
            if not row:
                continue
            cells = [cell.strip() for cell in row]
            if len(cells) != len(columns) or not all(0 < len(c) <= _NAME_MAX for c in cells):
                raise MalformedInput(
                    f"{len(columns)} filled cells of at most {_NAME_MAX} characters are needed",
                    where=f"line {reader.line_num}",
                )
            yield reader.line_num, cells
    except csv.Error as error:
        raise MalformedInput(f"not CSV: {error}", where=f"line {reader.line_num}") from error
