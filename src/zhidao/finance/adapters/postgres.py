"""Finance's ports on PostgreSQL: rows by binary COPY, one transaction with the events."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from zhidao.core.errors import Conflict
from zhidao.core.journal import Entry
from zhidao.finance.domain.chain import Batch
from zhidao.finance.domain.ledger import Account, AccountFlag, Transfer, TransferFlag
from zhidao.finance.service.ports import IndexedDeal
from zhidao.store.database import Database, Session
from zhidao.store.journal import PostgresJournal

_TRANSFER_COLUMNS: Final = (
    "shard",
    "id",
    "batch",
    "place",
    "debit_account_id",
    "credit_account_id",
    "amount",
    "pending_id",
    "user_data_128",
    "ledger",
    "code",
    "flags",
    "stamped_ns",
)
_ACCOUNT_COLUMNS: Final = ("shard", "id", "ledger", "code", "flags")


class PostgresLedgerStore:
    """The ledger's rows in schema `finance`."""

    def __init__(self, database: Database, journal: PostgresJournal) -> None:
        self._database = database
        self._journal = journal

    async def acquire(self, shard: str, *, holder: str) -> int:
        """The next epoch, written before it is returned."""
        async with self._database.session() as session:
            row = await session.fetch_one(
                "INSERT INTO finance.validator (shard, epoch, holder) VALUES (%s, 1, %s)"
                " ON CONFLICT (shard) DO UPDATE"
                " SET epoch = finance.validator.epoch + 1, holder = excluded.holder"
                " RETURNING epoch",
                (shard, holder),
            )
        assert row is not None, "an insert with RETURNING gives a row"
        return int(row["epoch"])

    async def load(self, shard: str) -> tuple[tuple[Account, ...], tuple[Batch, ...]]:
        """All rows of a shard, in one snapshot."""
        async with self._database.session(snapshot=True) as session:
            accounts = await session.fetch_all(
                "SELECT id, ledger, code, flags FROM finance.account WHERE shard = %s ORDER BY id",
                (shard,),
            )
            heads = await session.fetch_all(
                "SELECT number, root, head FROM finance.batch WHERE shard = %s ORDER BY number",
                (shard,),
            )
            rows = await session.fetch_all(
                "SELECT * FROM finance.transfer WHERE shard = %s ORDER BY batch, place", (shard,)
            )
        by_batch = {
            number: tuple(_transfer(row) for row in group)
            for number, group in groupby(rows, key=lambda row: int(row["batch"]))
        }
        return tuple(_account(row) for row in accounts), tuple(
            Batch(
                shard,
                int(head["number"]),
                by_batch.get(int(head["number"]), ()),
                bytes(head["root"]),
                bytes(head["head"]),
            )
            for head in heads
        )

    async def open_accounts(
        self, shard: str, accounts: Sequence[Account], *, epoch: int, entries: Sequence[Entry]
    ) -> None:
        """Writes accounts and their events in one transaction."""
        rows = [(shard, one.id, one.ledger, one.code, int(one.flags)) for one in accounts]

        async def work(session: Session) -> None:
            await _fence(session, shard, epoch)
            await session.copy("finance.account", _ACCOUNT_COLUMNS, rows)
            for entry in entries:
                await self._journal.append_in(session, [entry], None)

        await self._database.run(work)
        self._journal.wake()

    async def commit(self, batch: Batch, *, epoch: int, entry: Entry) -> None:
        """Writes a batch, its head and its event in one transaction."""

        async def work(session: Session) -> None:
            await _fence(session, batch.shard, epoch)
            await session.execute(
                "INSERT INTO finance.batch (shard, number, count, root, head)"
                " VALUES (%s, %s, %s, %s, %s)",
                (batch.shard, batch.number, len(batch.transfers), batch.root, batch.head),
            )
            await session.copy("finance.transfer", _TRANSFER_COLUMNS, _rows(batch))
            await self._journal.append_in(session, [entry], None)

        await self._database.run(work)
        self._journal.wake()


class PostgresDealIndex:
    """The finder of deals in table `finance.deal`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, entry: IndexedDeal) -> None:
        """Adds an entry once."""
        async with self._database.session() as session:
            await session.execute(
                "INSERT INTO finance.deal (consignment, deal, terminal, is_open)"
                " VALUES (%s, %s, %s, true) ON CONFLICT DO NOTHING",
                (entry.consignment, entry.deal, entry.terminal),
            )

    async def close(self, deal: IndexedDeal) -> None:
        """Closes an entry."""
        async with self._database.session() as session:
            await session.execute(
                "UPDATE finance.deal SET is_open = false WHERE consignment = %s AND deal = %s",
                (deal.consignment, deal.deal),
            )

    async def of_consignment(self, consignment: str) -> tuple[str, ...]:
        """By consignment, open or closed."""
        return await self._names("WHERE consignment = %s", (consignment,))

    async def open_of_terminal(self, terminal: str) -> tuple[str, ...]:
        """By terminal, open only."""
        return await self._names("WHERE terminal = %s AND is_open", (terminal,))

    async def open(self) -> tuple[str, ...]:
        """All that are open."""
        return await self._names("WHERE is_open", ())

    async def _names(self, where: str, parameters: tuple[str, ...]) -> tuple[str, ...]:
        async with self._database.session() as session:
            rows = await session.fetch_all(
                f"SELECT deal FROM finance.deal {where} ORDER BY deal",  # noqa: S608 (our own text)
                parameters,
            )
        return tuple(row["deal"] for row in rows)


async def _fence(session: Session, shard: str, epoch: int) -> None:
    """Locks the lease row until the transaction ends; an older validator stops here."""
    row = await session.fetch_one(
        "SELECT epoch FROM finance.validator WHERE shard = %s FOR UPDATE", (shard,)
    )
    if row is None or int(row["epoch"]) != epoch:
        raise Conflict(f"epoch {epoch} of ledger {shard} is over", code="fenced")


def _rows(batch: Batch) -> list[tuple[Any, ...]]:
    return [
        (
            batch.shard,
            one.id,
            batch.number,
            place,
            one.debit_account_id,
            one.credit_account_id,
            one.amount,
            one.pending_id,
            UUID(int=one.user_data_128),
            one.ledger,
            one.code,
            int(one.flags),
            one.timestamp,
        )
        for place, one in enumerate(batch.transfers)
    ]


def _account(row: dict[str, Any]) -> Account:
    return Account(row["id"], row["ledger"], row["code"], AccountFlag(row["flags"]))


def _transfer(row: dict[str, Any]) -> Transfer:
    return Transfer(
        id=row["id"],
        debit_account_id=row["debit_account_id"],
        credit_account_id=row["credit_account_id"],
        amount=row["amount"],
        pending_id=row["pending_id"],
        user_data_128=row["user_data_128"].int,
        ledger=row["ledger"],
        code=row["code"],
        flags=TransferFlag(row["flags"]),
        timestamp=row["stamped_ns"],
    )
