"""Statements and reports of a node's database, as a person asks for them."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.finance.conftest import Durable, World

from zhidao.cli.main import main
from zhidao.finance.adapters.postgres_ledger import PostgresLedgerStore
from zhidao.finance.wire.iso20022.messages import camt053
from zhidao.store.database import Database
from zhidao.store.journal import PostgresJournal

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def filled(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A database with two banks and a deposit; the importer's account."""

    async def fill() -> str:
        database = await Database.open(database_url, connections_max=3)
        try:
            durable = Durable()
            durable.journal = PostgresJournal(database, "finance", lambda: None)  # type: ignore[assignment]
            durable.store = PostgresLedgerStore(database, durable.journal)  # type: ignore[assignment, arg-type]
            world = await World(durable).fill()
            return str((await world.accounts.customer("importer-bank", "importer", "CNY")).account)
        finally:
            await database.close()

    monkeypatch.setenv("ZHIDAO_DATABASE_URL", database_url)
    monkeypatch.setenv("ZHIDAO_NODE_DATA", str(tmp_path))
    return asyncio.run(fill())


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    def call(*words: object) -> tuple[int, str, str]:
        status = main(["finance", *map(str, words)])
        told = capsysbinary.readouterr()
        return status, told.out.decode(), told.err.decode()

    return call


@pytest.mark.service
def test_statements_come_in_every_form(filled: str, run: Run, tmp_path: Path) -> None:
    days = ("--from", "2026-05-01", "--to", "2026-05-01")
    status, out, _ = run("statement", filled, *days)
    assert status == 0
    told = camt053.decode(out.encode())
    assert (told.opening_minor, told.closing_minor) == (0, 10_000_000)
    status, out, _ = run("statement", filled, *days, "--form", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["balance"] for row in rows] == ["0.00", "100000.00", "100000.00"]
    status, out, _ = run("statement", filled, *days, "--json")
    assert json.loads(out)["closing_minor"] == 10_000_000
    file = tmp_path / "may.xml"
    assert run("statement", filled, *days, "--form", "camt052", "-o", file)[0] == 0
    assert camt053.decode(file.read_bytes(), camt053.REPORT).entries == told.entries
    status, _, said = run("statement", filled, *days, "--form", "pdf", "-o", tmp_path / "may.pdf")
    if status == 3:
        assert "./run setup print" in said
    else:
        assert (tmp_path / "may.pdf").read_bytes().startswith(b"%PDF")
    assert run("statement", "00" * 16, *days)[0] == 1
    assert run("statement", "nonsense", *days)[0] == 2


@pytest.mark.service
def test_reports_balance_and_the_bundle_checks_itself(
    filled: str, run: Run, tmp_path: Path
) -> None:
    status, out, _ = run("report", "trial-balance", "CNY", "--json")
    told = json.loads(out)
    assert (status, told["debits_minor"], told["credits_minor"]) == (0, 10_000_000, 10_000_000)
    status, out, _ = run("report", "balance-sheet", "CNY", "--bank", "importer-bank", "--json")
    sheet = json.loads(out)
    assert (sheet["assets_minor"], sheet["liabilities_minor"]) == (10_000_000, 10_000_000)
    status, out, _ = run("report", "income", "CNY", "--from", "2026-05-01", "--to", "2026-05-02")
    assert (status, "income: 0" in out) == (0, True)
    status, out, _ = run("report", "trial-balance", "CNY", "--to", "2026-04-30", "--json")
    assert json.loads(out)["debits_minor"] == 0
    assert run("report", "trial-balance", "XXX")[0] == 1
    file = tmp_path / "cny.zip"
    assert run("report", "audit", "CNY", "-o", file)[0] == 0
    status, out, _ = run("report", "check", file, "--json")
    assert (status, json.loads(out)["transfers"]) == (0, 1)
    file.write_bytes(file.read_bytes()[:-9])
    assert run("report", "check", file)[0] == 2
