"""Files of the finance room on spoiled input, and what was written read again."""

from __future__ import annotations

import contextlib
import csv
import io
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.spoiling import BOUNDED, spoiled

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.money import Currency
from zhidao.finance.domain.ledger.chain import Batch
from zhidao.finance.domain.ledger.ledger import Account
from zhidao.finance.domain.payments.statement import AccountStatement, StatementEntry
from zhidao.finance.wire.ledger_bundle import check_bundle, write_bundle
from zhidao.finance.wire.obligations import read_balances, read_obligations
from zhidao.finance.wire.statement_csv import csv_of

malformed = contextlib.suppress(MalformedInput)
names = st.text("abcXYZ 中,\"'", min_size=1, max_size=8).filter(lambda each: each == each.strip())
debts = st.lists(st.tuples(names, names, st.integers(1, 10**9)), min_size=1, max_size=6)


def rows(head: list[str], lines: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([head, *lines])
    return out.getvalue().encode()


@BOUNDED
@given(debts)
def test_obligations_are_read_as_another_library_wrote_them(told: list[tuple]) -> None:
    told = [each for each in told if each[0] != each[1]]
    data = rows(
        ["debtor", "creditor", "amount", "currency"],
        [[one, two, f"{Decimal(minor) / 100:.2f}", "CNY"] for one, two, minor in told],
    )
    if not told:
        with pytest.raises(MalformedInput):
            read_obligations(data)
        return
    [table] = read_obligations(data)
    found = table.obligations
    assert [
        (table.names[one], table.names[two], minor)
        for one, two, minor in zip(
            found.debtor.tolist(), found.creditor.tolist(), found.amount_minor.tolist(), strict=True
        )
    ] == told
    balances = rows(["party", "balance"], [[name, "1.50"] for name in table.names])
    assert read_balances(balances, table).tolist() == [150] * len(table.names)


TABLE = b"debtor,creditor,amount,currency\r\nA,B,1.00,CNY\r\nB,C,2.50,EUR\r\n"


@BOUNDED
@given(spoiled(TABLE), st.binary(max_size=60))
def test_any_table_of_obligations_is_read_or_malformed(changed: bytes, data: bytes) -> None:
    first = read_obligations(TABLE)[0]
    for told in (changed, data, TABLE + data):
        with malformed:
            assert read_obligations(told)
        with malformed:
            read_balances(told, first)


@BOUNDED
@given(
    st.lists(st.integers(-(10**12), 10**12).filter(bool), max_size=6),
    st.integers(-(10**9), 10**9),
    st.sampled_from(("CNY", "JPY", "KWD")),
)
def test_a_statement_as_csv_adds_up_to_its_own_end(
    moved: list[int], opening: int, code: str
) -> None:
    day = date(2026, 9, 1)
    entries = tuple(StatementEntry(UUID(int=n), minor, day) for n, minor in enumerate(moved, 1))
    statement = AccountStatement(
        *("m", "a", Currency(code), datetime(2026, 9, 2, tzinfo=UTC), day, day),
        *(opening, opening + sum(moved), entries),
    )
    table = list(csv.DictReader(io.StringIO(csv_of(statement))))
    scale = 10 ** Currency(code).exponent
    assert [Decimal(row["amount"]) * scale for row in table[1:-1]] == moved
    assert Decimal(table[0]["balance"]) * scale == opening
    assert Decimal(table[-1]["balance"]) * scale == opening + sum(moved)
    assert {row["currency"] for row in table} == {code}


def empty_bundle() -> bytes:
    async def batches() -> AsyncIterator[Batch]:
        for batch in ():
            yield batch

    file = io.BytesIO()
    accounts = [Account(UUID(int=n), 7, 1) for n in (1, 2)]
    anyio.run(lambda: write_bundle(file, "CNY", accounts, batches(), told={}))
    return file.getvalue()


BUNDLE = empty_bundle()


def rewritten(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(BUNDLE)) as before, zipfile.ZipFile(out, "w") as after:
        for each in before.namelist():
            after.writestr(each, content if each == name else before.read(each))
    return out.getvalue()


@BOUNDED
@given(
    spoiled(BUNDLE), st.sampled_from(("ledger.json", "accounts.jsonl", "batches.jsonl")), st.data()
)
def test_any_bundle_holds_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, changed: bytes, name: str, data: st.DataObject
) -> None:
    with zipfile.ZipFile(io.BytesIO(BUNDLE)) as archive:
        inside = data.draw(spoiled(archive.read(name)))
    file: Path = tmp_path_factory.mktemp("bundle") / "one.zip"
    file.write_bytes(BUNDLE)
    assert check_bundle(file).accounts == 2
    for told in (changed, rewritten(name, inside)):
        file.write_bytes(told)
        with contextlib.suppress(MalformedInput, Refused):
            assert check_bundle(file).batches == 0
