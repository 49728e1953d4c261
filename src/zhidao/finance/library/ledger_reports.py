"""What the command line uses of finance without a running node: audits, statements, reports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from zhidao.core.ambient import Clock
from zhidao.core.errors import MalformedInput, NotFound, Refused
from zhidao.core.files.output import written
from zhidao.finance.adapters.postgres_ledger import PostgresLedgerStore
from zhidao.finance.adapters.postgres_messages import PostgresMessageIndex
from zhidao.finance.domain.ledger.chain import Batch
from zhidao.finance.domain.ledger.reports import balance_sheet, income, trial_balance
from zhidao.finance.domain.payments.statement import AccountStatement
from zhidao.finance.events import AccountOpened
from zhidao.finance.service.ledger.account_statements import Statements
from zhidao.finance.service.ledger.recovery import recover
from zhidao.finance.service.ledger.reports import ALWAYS_NS, Reports
from zhidao.finance.service.payments.entry_sources import EntrySources
from zhidao.finance.wire.ledger_bundle import write_bundle
from zhidao.store.archive import PostgresArchive
from zhidao.store.database import Database
from zhidao.store.journal import PostgresJournal

KINDS: Final = ("trial-balance", "balance-sheet", "income")
_NS_PER_S: Final = 1_000_000_000


class LedgerReports:
    """Reads one node's ledgers."""

    def __init__(self, database: Database) -> None:
        self._journal = PostgresJournal(database, "finance", lambda: None)
        self._store = PostgresLedgerStore(database, self._journal)
        self._sources = EntrySources(
            PostgresMessageIndex(database), PostgresArchive(database), self._store
        )

    async def statement(
        self, account: str, *, first_day: date, last_day: date, clock: Clock
    ) -> tuple[AccountStatement, AccountOpened]:
        """An account between two days, both within, and what it is. Raises NotFound."""
        try:
            name = UUID(account)
        except ValueError as error:
            raise MalformedInput(f"no account's id: {account[:40]!r}") from error
        opened = await self._opened(name)
        if opened is None:
            raise NotFound(f"no account {account}")
        made = await Statements(self._store, clock).statement(
            opened.currency,
            name,
            message=f"ST{first_day:%Y%m%d}{last_day:%Y%m%d}.{name.hex[:12]}",
            first_day=first_day,
            last_day=last_day,
        )
        entries = await self._sources.told(opened.bank, opened.currency, made.entries)
        return replace(made, entries=entries), opened

    async def report(
        self, kind: str, shard: str, *, bank: str, first_day: date | None, last_day: date | None
    ) -> dict[str, Any]:
        """One of the three reports of a ledger, or of one bank's accounts in it.

        Without days: all that stands. Sums are of transfers from the first to the last day (UTC).
        """
        opened = await self._all_opened(shard)
        lines = await Reports(self._store).lines(
            shard,
            opened,
            bank=bank,
            after_ns=0 if first_day is None else _start_ns(first_day) - 1,
            until_ns=ALWAYS_NS if last_day is None else _start_ns(last_day + timedelta(1)) - 1,
        )
        if not lines:
            raise NotFound(f"no accounts in {shard}", remedy="give a currency such as CNY")
        told: dict[str, Any] = {"report": kind, "ledger": shard, "bank": bank}
        if kind == "trial-balance":
            found = trial_balance(lines, whole=not bank)
        elif kind == "balance-sheet":
            found = balance_sheet(lines)  # type: ignore[assignment]
        else:
            found = income(lines)  # type: ignore[assignment]
        return told | {
            name: [_line(one) for one in value] if isinstance(value, tuple) else value
            for name, value in found._asdict().items()
        }

    async def bundle(self, shard: str, file: Path) -> dict[str, Any]:
        """The audit bundle of a ledger. Raises Refused if it is not what the log says."""
        held = await recover(self._store, shard, from_start=True)
        accounts = list(held.book.accounts())
        if not accounts:
            raise NotFound(f"no ledger {shard!r} here", remedy="give a currency such as CNY")
        opened = await self._all_opened(shard)
        told = {name: {"bank": one.bank, "holder": one.holder} for name, one in opened.items()}
        with written(file) as out:
            return await write_bundle(out, shard, accounts, self._batches(shard), told=told)

    async def _batches(self, shard: str) -> AsyncIterator[Batch]:
        after = 0
        while batches := await self._store.batches(shard, after=after):
            for batch in batches:
                yield batch
            after = batches[-1].number

    async def _all_opened(self, shard: str) -> dict[UUID, AccountOpened]:
        accounts = await self._store.accounts(shard)
        found = {one.id: await self._opened(one.id) for one in accounts}
        return {name: opened for name, opened in found.items() if opened is not None}

    async def _opened(self, name: UUID) -> AccountOpened | None:
        history = await self._journal.load(f"account/{name}", viewer=None)
        return AccountOpened.of(history[0].event) if history else None


@asynccontextmanager
async def ledger_reports(url: str) -> AsyncIterator[LedgerReports]:
    """The reports of a database for as long as the block runs."""
    database = await Database.open(url, connections_max=2)
    try:
        yield LedgerReports(database)
    finally:
        await database.close()


def _start_ns(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp()) * _NS_PER_S


def _line(one: Any) -> dict[str, Any]:
    return {**one._asdict(), "account": str(one.account), "balance_minor": one.balance_minor}


def plain_of(statement: AccountStatement) -> dict[str, Any]:
    """A statement as JSON takes it."""
    told = asdict(statement)
    for name in ("first_day", "last_day", "created"):
        told[name] = told[name].isoformat()
    told["currency"] = statement.currency.code
    told["entries"] = [
        {
            "transfer": str(one.transfer),
            "amount_minor": one.amount_minor,
            "booked": one.booked.isoformat(),
            "value_day": one.valued.isoformat(),
            "uetr": one.uetr,
            "details": None if one.details is None else one.details._asdict(),
        }
        for one in statement.entries
    ]
    return told


async def audit(url: str, shards: Sequence[str]) -> list[dict[str, Any]]:
    """What each ledger holds after all its batches.

    Raises Refused with code `ledger_head_differs` or `ledger_unbalanced`, NotFound for none.
    """
    database = await Database.open(url, connections_max=2)
    try:
        store = PostgresLedgerStore(database, PostgresJournal(database, "finance", lambda: None))
        return [await _audited(store, shard) for shard in shards]
    finally:
        await database.close()


async def _audited(store: PostgresLedgerStore, shard: str) -> dict[str, Any]:
    held = await recover(store, shard, from_start=True)
    accounts = list(held.book.accounts())
    if not accounts:
        raise NotFound(f"no ledger {shard!r} here", remedy="give a currency such as CNY")
    for pending in (False, True):
        debits = sum(one.debits_pending if pending else one.debits_posted for one in accounts)
        credits_ = sum(one.credits_pending if pending else one.credits_posted for one in accounts)
        if debits != credits_:
            raise Refused(
                f"ledger {shard}: debits {debits} and credits {credits_} differ",
                code="ledger_unbalanced",
                remedy="restore the database from a backup",
            )
    return {
        "ledger": shard,
        "batches": held.number,
        "accounts": len(accounts),
        "head": held.head.hex(),
    }
