"""The ledger's batches on PostgreSQL: one value of records, its ids by binary COPY, one event."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any, Final
from uuid import UUID

import numpy as np

from zhidao.core.errors import Conflict
from zhidao.core.events import SignedEvent
from zhidao.core.journal import Entry
from zhidao.finance.domain.ledger.book import History
from zhidao.finance.domain.ledger.chain import Batch, Failures
from zhidao.finance.domain.ledger.columnar import fates_of
from zhidao.finance.domain.ledger.ledger import Account, AccountFlag, Resolution, Result
from zhidao.finance.domain.ledger.records import (
    RECORD_BYTES,
    TRANSFER,
    Movement,
    Name,
    big_endian,
    movements_of,
    name_of,
    uuid_of,
)
from zhidao.finance.events import BalancesStated, TransfersPosted
from zhidao.store.database import Database, Session
from zhidao.store.journal import PostgresJournal

_ACCOUNT_COLUMNS: Final = (
    *("shard", "id", "ledger", "code", "flags", "user_data_128", "user_data_64", "user_data_32"),
    *("stamped_ns", "place"),
)
_FAILED: Final = 1 << 30
"""Places from here on are those of failed ids."""
_PAGE_BATCHES: Final = 16
_FEW_MAX: Final = 512
"""Up to here the rows go by one statement, beyond by COPY."""
_FEW: Final = """
WITH lease AS MATERIALIZED (
    SELECT shard FROM finance.validator
    WHERE shard = %(shard)s::text AND epoch = %(epoch)s::int8 FOR SHARE
), batch AS (
    INSERT INTO finance.batch (shard, number, count, root, head)
    SELECT shard, %(number)s::int8, %(count)s::int4, %(root)s::bytea, %(head)s::bytea FROM lease
), ids AS (
    INSERT INTO finance.transfer_id (shard, id, batch, place)
    SELECT shard, encode(substring(%(ids)s::bytea FROM n * 16 + 1 FOR 16), 'hex')::uuid,
        %(number)s::int8,
        CASE WHEN n < %(stored)s::int4 THEN n ELSE %(failed)s::int4 + n - %(stored)s::int4 END
    FROM lease, generate_series(0, %(count)s::int4 - 1) AS n
), fates AS (
    INSERT INTO finance.resolution (shard, pending_id, posted)
    SELECT shard, encode(substring(%(pending)s::bytea FROM n * 16 + 1 FOR 16), 'hex')::uuid,
        get_byte(%(posted)s::bytea, n) = 1
    FROM lease, generate_series(0, length(%(posted)s::bytea) - 1) AS n
)
INSERT INTO finance.records (shard, batch, first_ns, last_ns, data, failures)
SELECT shard, %(number)s::int8, %(first_ns)s::int8, %(last_ns)s::int8, %(data)s::bytea,
    %(failures)s::bytea
FROM lease
"""
_PART_BYTES: Final = 8 << 20


class PostgresLedgerStore:
    """The ledger's rows in schema `finance`."""

    def __init__(self, database: Database, journal: PostgresJournal) -> None:
        self._database = database
        self._journal = journal

    async def acquire(self, shard: str, *, holder: str) -> int:
        """The next epoch, written before it is returned.

        Raises Unavailable (`lease_lost`) in a process whose lease is over.
        """
        async with self._database.session() as session:
            await session.check_fence()
            row = await session.fetch_one(
                "INSERT INTO finance.validator (shard, epoch, holder) VALUES (%s, 1, %s)"
                " ON CONFLICT (shard) DO UPDATE"
                " SET epoch = finance.validator.epoch + 1, holder = excluded.holder"
                " RETURNING epoch",
                (shard, holder),
            )
        assert row is not None, "an insert with RETURNING gives a row"
        return int(row["epoch"])

    async def shards(self) -> tuple[str, ...]:
        """The shards with accounts: one lease row each."""
        async with self._database.session() as session:
            rows = await session.fetch_all("SELECT shard FROM finance.validator ORDER BY shard")
        return tuple(str(row["shard"]) for row in rows)

    async def accounts(self, shard: str) -> tuple[Account, ...]:
        """All accounts in the order of their opening."""
        async with self._database.session() as session:
            rows = await session.fetch_all(
                "SELECT * FROM finance.account WHERE shard = %s ORDER BY place, id", (shard,)
            )
        return tuple(map(_account, rows))

    async def batches(self, shard: str, *, after: int) -> tuple[Batch, ...]:
        """The next batches behind a number."""
        async with self._database.session() as session:
            rows = await session.fetch_all(
                "SELECT b.number, b.root, b.head, r.data, r.failures FROM finance.batch b"
                " JOIN finance.records r ON r.shard = b.shard AND r.batch = b.number"
                " WHERE b.shard = %s AND b.number > %s ORDER BY b.number LIMIT %s",
                (shard, after, _PAGE_BATCHES),
            )
        return tuple(_batch(shard, row) for row in rows)

    async def batch_at(self, shard: str, *, at_ns: int) -> int:
        """The last batch that began up to a moment."""
        async with self._database.session() as session:
            row = await session.fetch_one(
                "SELECT batch FROM finance.records WHERE shard = %s AND first_ns <= %s"
                " ORDER BY first_ns DESC LIMIT 1",
                (shard, at_ns),
            )
        return 0 if row is None else int(row["batch"])

    async def find(self, shard: str, names: Sequence[Name]) -> History:
        """What the table knows of these names."""
        history = History()
        async with self._database.session(snapshot=True) as session:
            wanted = await _look_up(session, shard, names, history)
            if wanted:
                await _look_up(session, shard, wanted, history)
            held = [uuid_of(name) for name in history.transfers]
            rows = await session.fetch_all(
                "SELECT pending_id, posted FROM finance.resolution"
                " WHERE shard = %s AND pending_id = ANY(%s)",
                (shard, held),
            )
        for row in rows:
            fate = Resolution.POSTED if row["posted"] else Resolution.VOIDED
            history.fates[name_of(row["pending_id"])] = fate
        return history

    async def open_accounts(
        self, shard: str, accounts: Sequence[Account], *, epoch: int, entries: Sequence[Entry]
    ) -> None:
        """Writes accounts and their events in one transaction."""

        async def work(session: Session) -> None:
            await _fence(session, shard, epoch)
            row = await session.fetch_one(
                "SELECT count(*) AS held FROM finance.account WHERE shard = %s", (shard,)
            )
            first = int(row["held"]) if row else 0
            await session.copy(
                "finance.account",
                _ACCOUNT_COLUMNS,
                [_account_row(shard, one, first + place) for place, one in enumerate(accounts)],
            )
            for entry in entries:
                await self._journal.append_in(session, [entry], None)

        await self._database.run(work)
        self._journal.wake()

    async def commit(
        self,
        batch: Batch,
        *,
        epoch: int,
        entry: Entry,
        before: Awaitable[None] | None = None,
    ) -> None:
        """Writes a batch, its ids, its head and its event in one transaction."""
        write = _write_few if batch.count <= _FEW_MAX else _write_many

        async def work(session: Session) -> None:
            await write(session, batch, epoch)
            if before is not None:
                await before
            await self._journal.append_in(session, [entry], None)

        await self._database.run(work)
        self._journal.wake()

    async def snapshot(self, shard: str) -> tuple[bytes, str] | None:
        """The newest balances and their stated digest."""
        stated = await self._newest(f"balances/{shard}")
        if stated is None:
            return None
        fact = BalancesStated.of(stated)
        async with self._database.session() as session:
            rows = await session.fetch_all(
                "SELECT data FROM finance.snapshot WHERE shard = %s AND batch = %s ORDER BY part",
                (shard, fact.batch),
            )
        return b"".join(bytes(row["data"]) for row in rows), fact.digest

    async def keep_snapshot(
        self, shard: str, number: int, data: bytes, *, epoch: int, entry: Entry
    ) -> None:
        """Writes the parts and the event in one transaction; only the newest two stay."""
        parts = [data[start : start + _PART_BYTES] for start in range(0, len(data), _PART_BYTES)]

        async def work(session: Session) -> None:
            await _fence(session, shard, epoch)
            await session.copy(
                "finance.snapshot",
                ("shard", "batch", "part", "data"),
                [(shard, number, place, part) for place, part in enumerate(parts)],
            )
            await session.execute(
                "DELETE FROM finance.snapshot WHERE shard = %s AND batch NOT IN ("
                "SELECT DISTINCT batch FROM finance.snapshot WHERE shard = %s"
                " ORDER BY batch DESC LIMIT 2)",
                (shard, shard),
            )
            await self._journal.append_in(session, [entry], None)

        await self._database.run(work)
        self._journal.wake()

    async def statements(self, shard: str) -> int:
        """How often balances were stated."""
        async with self._database.session() as session:
            row = await session.fetch_one(
                "SELECT coalesce(max(version), 0) AS stated FROM finance.event"
                " WHERE aggregate = %s",
                (f"balances/{shard}",),
            )
        return int(row["stated"]) if row else 0

    async def stated(self, shard: str) -> tuple[int, str] | None:
        """The newest batch of the journal and its head."""
        newest = await self._newest(f"ledger/{shard}")
        if newest is None:
            return None
        fact = TransfersPosted.of(newest)
        return fact.batch, fact.head

    async def _newest(self, aggregate: str) -> SignedEvent | None:
        async with self._database.session() as session:
            row = await session.fetch_one(
                "SELECT event FROM finance.event WHERE aggregate = %s"
                " ORDER BY version DESC LIMIT 1",
                (aggregate,),
            )
        return None if row is None else SignedEvent.decode(bytes(row["event"]))


async def _look_up(
    session: Session, shard: str, names: Sequence[Name], history: History
) -> list[Name]:
    """Adds what stands under these names; returns the reservations that posts and voids name."""
    rows = await session.fetch_all(
        "SELECT t.id, t.place, substring(r.data FROM t.place * 128 + 1 FOR 128) AS record"
        " FROM finance.transfer_id t JOIN finance.records r"
        " ON r.shard = t.shard AND r.batch = t.batch AND t.place < %s"
        " WHERE t.shard = %s AND t.id = ANY(%s)"
        " UNION ALL SELECT t.id, t.place, NULL FROM finance.transfer_id t"
        " WHERE t.shard = %s AND t.id = ANY(%s) AND t.place >= %s",
        (_FAILED, shard, ids := [uuid_of(name) for name in names], shard, ids, _FAILED),
    )
    found = b"".join(bytes(row["record"]) for row in rows if row["record"] is not None)
    movements = movements_of(np.frombuffer(found, TRANSFER))
    for movement in movements:
        history.transfers[movement.id] = movement
    history.failures.update(name_of(row["id"]) for row in rows if row["record"] is None)
    return [name for name in map(_resolves, movements) if name and name not in history.transfers]


def _resolves(movement: Movement) -> Name:
    return movement.pending_id.strip(b"\x00") and movement.pending_id


async def _write_many(session: Session, batch: Batch, epoch: int) -> None:
    """A batch in columns: what is fast for thousands."""
    await _fence(session, batch.shard, epoch)
    await session.execute(
        "INSERT INTO finance.batch (shard, number, count, root, head) VALUES (%s, %s, %s, %s, %s)",
        (batch.shard, batch.number, batch.count, batch.root, batch.head),
    )
    await session.execute(
        "INSERT INTO finance.records (shard, batch, first_ns, last_ns, data, failures)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (batch.shard, batch.number, *_span(batch), batch.data, _failure_bytes(batch.failures)),
    )
    ids, resolved = _id_rows(batch), _resolution_rows(batch)
    await session.copy("finance.transfer_id", ("shard", "id", "batch", "place"), ids)
    if len(resolved):
        await session.copy("finance.resolution", ("shard", "pending_id", "posted"), resolved)


async def _write_few(session: Session, batch: Batch, epoch: int) -> None:
    """The same rows by one statement: single transfers wait for each turn to the server.

    Ids go as one value, 16 bytes each in the order of PostgreSQL's uuid.
    """
    names = [batch.records["id"]]
    if batch.failures:
        names.append(np.frombuffer(b"".join(name for name, _ in batch.failures), "V16"))
    fates = fates_of(batch.records)
    first_ns, last_ns = _span(batch)
    written = await session.execute(
        _FEW,
        {
            "shard": batch.shard,
            "epoch": epoch,
            "number": batch.number,
            "count": batch.count,
            "root": batch.root,
            "head": batch.head,
            "first_ns": first_ns,
            "last_ns": last_ns,
            "data": batch.data,
            "failures": _failure_bytes(batch.failures),
            "stored": len(batch.records),
            "failed": _FAILED,
            "ids": big_endian(np.concatenate(names)).tobytes(),
            "pending": b"".join(name[::-1] for name in fates),
            "posted": bytes(fates.values()),
        },
    )
    if not written:
        raise _over(batch.shard, epoch)


def _span(batch: Batch) -> tuple[int, int]:
    stamps = batch.records["timestamp"]
    return (int(stamps[0]), int(stamps[-1])) if len(stamps) else (0, 0)


async def _fence(session: Session, shard: str, epoch: int) -> None:
    """Keeps the lease row as it is until the transaction ends; an older validator stops here."""
    row = await session.fetch_one(
        "SELECT epoch FROM finance.validator WHERE shard = %s FOR SHARE", (shard,)
    )
    if row is None or int(row["epoch"]) != epoch:
        raise _over(shard, epoch)


def _over(shard: str, epoch: int) -> Conflict:
    return Conflict(f"epoch {epoch} of ledger {shard} is over", code="fenced")


def _id_rows(batch: Batch) -> np.ndarray[Any, Any]:
    records, shard = batch.records, batch.shard.encode()
    count = len(records)
    fields = [("shard", f"V{len(shard)}"), ("id", "V16"), ("batch", "<i8"), ("place", "<i4")]
    rows = np.zeros(count + len(batch.failures), fields)
    rows["shard"] = np.void(shard)
    rows["batch"] = batch.number
    rows["id"][:count] = big_endian(records["id"])
    rows["place"][:count] = np.arange(count)
    if batch.failures:
        names = np.frombuffer(b"".join(name for name, _ in batch.failures), "V16")
        rows["id"][count:] = big_endian(names)
        rows["place"][count:] = _FAILED + np.arange(len(names))
    return rows


def _resolution_rows(batch: Batch) -> np.ndarray[Any, Any]:
    fates, shard = fates_of(batch.records), batch.shard.encode()
    rows = np.zeros(
        len(fates), [("shard", f"V{len(shard)}"), ("pending_id", "V16"), ("posted", "?")]
    )
    if fates:
        rows["shard"] = np.void(shard)
        rows["pending_id"] = big_endian(np.frombuffer(b"".join(fates), "V16"))
        rows["posted"] = list(fates.values())
    return rows


def _failure_bytes(failures: Failures) -> bytes:
    """Each failed id and its result's name, one a line: id in hex, a space, the name."""
    return "".join(f"{name.hex()} {result}\n" for name, result in failures).encode()


def _failures(data: bytes) -> Failures:
    pairs = (line.split(" ") for line in data.decode().splitlines())
    return tuple((bytes.fromhex(name), Result(result)) for name, result in pairs)


def _batch(shard: str, row: dict[str, Any]) -> Batch:
    return Batch(
        shard,
        int(row["number"]),
        bytes(row["data"]),
        _failures(bytes(row["failures"])),
        bytes(row["root"]),
        bytes(row["head"]),
    )


def _account_row(shard: str, one: Account, place: int) -> tuple[Any, ...]:
    return (
        shard,
        one.id,
        one.ledger,
        one.code,
        int(one.flags),
        UUID(int=one.user_data_128),
        _signed(one.user_data_64),
        one.user_data_32,
        one.timestamp,
        place,
    )


def _account(row: dict[str, Any]) -> Account:
    return Account(
        row["id"],
        row["ledger"],
        row["code"],
        AccountFlag(row["flags"]),
        user_data_128=row["user_data_128"].int,
        user_data_64=row["user_data_64"] % 2**64,
        user_data_32=row["user_data_32"],
        timestamp=row["stamped_ns"],
    )


def _signed(value: int) -> int:
    """64 bits as PostgreSQL's bigint holds them."""
    return value - 2**64 if value >= 2**63 else value


assert RECORD_BYTES == 128, "the statement that reads one record names its size"
