"""The ledger: durable transfers beside a raw COPY, a hot account beside row-by-row SQL, restarts.

Load: 10,000 accounts of which half have a limit, a fifth of the transfers in two phases, a tenth in
linked pairs, ids of 128 bits in the order of time, fsync on. The rival copies the same transfers,
all columns and the same key, with no check at all: what PostgreSQL itself can take.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import numpy as np

from benchmarks.inner.finance import ledger_kills
from benchmarks.inner.finance.ledger_kills import WallClock
from benchmarks.measuring import claim
from zhidao.core.ambient import SeededRandomness
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import FixedKeyRing, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.finance.adapters.postgres_ledger import PostgresLedgerStore
from zhidao.finance.domain.ledger.book import Book, History
from zhidao.finance.domain.ledger.chain import LANES
from zhidao.finance.domain.ledger.columnar import apply_fast
from zhidao.finance.domain.ledger.ledger import Account, AccountFlag, Result
from zhidao.finance.domain.ledger.machine import apply
from zhidao.finance.domain.ledger.records import (
    TRANSFER,
    Records,
    big_endian,
    movements_of,
    records_of,
)
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.ledger.recovery import recover
from zhidao.store.database import Database
from zhidao.store.embedded import EmbeddedPostgres
from zhidao.store.journal import PostgresJournal
from zhidao.store.migrate import migrate

BATCH: Final = 8_189
ACCOUNTS: Final = 10_000
_WHOLE: Final = 2**64 - 1
_RAW: Final = """
CREATE TABLE raw_transfer (shard text COLLATE "C" NOT NULL, id uuid NOT NULL,
 batch bigint NOT NULL, place integer NOT NULL, debit uuid NOT NULL, credit uuid NOT NULL,
 amount bigint NOT NULL, pending_id uuid NOT NULL, user_data_128 uuid NOT NULL,
 user_data_64 bigint NOT NULL, user_data_32 bigint NOT NULL, timeout bigint NOT NULL,
 ledger bigint NOT NULL, code integer NOT NULL, flags integer NOT NULL, stamped_ns bigint NOT NULL,
 PRIMARY KEY (shard, id));
CREATE TABLE raw_account (id integer PRIMARY KEY, debits bigint NOT NULL, credits bigint NOT NULL);
INSERT INTO raw_account SELECT i, 0, 0 FROM generate_series(0, 63) i;
CREATE TABLE raw_row (id uuid PRIMARY KEY, debit integer, credit integer, amount bigint)
"""


class Load:
    """Batches of transfers, each with ids after the last."""

    def __init__(self, *, hot: bool, first: int = 0) -> None:
        """`first`: number of its first transfer, from which the ids come."""
        self._random = np.random.default_rng(1)
        self._hot = hot
        self._next = first
        self._held: Records = np.zeros(0, TRANSFER)

    def batch(self, count: int = BATCH) -> Records:
        """A tenth reserved, a tenth posts of what the batch before reserved, a tenth linked."""
        records = np.zeros(count, TRANSFER)
        words = records.view("<u8").reshape(count, 16)
        number = self._next + np.arange(count, dtype=np.uint64)
        words[:, 0] = self._random.integers(0, 2**63, count, dtype=np.uint64)
        words[:, 1] = (np.uint64(1_764_000_000_000) << np.uint64(16)) + number
        self._next += count
        debit = self._random.integers(0, ACCOUNTS, count)
        credit = (debit + self._random.integers(1, ACCOUNTS, count)) % ACCOUNTS
        if self._hot:
            debit[:] = 0
            credit = self._random.integers(1, ACCOUNTS, count)
        words[:, 2], words[:, 4] = debit + 1, credit + 1
        records["amount"] = self._random.integers(1, 100, count)
        records["ledger"], records["code"] = 1, 1
        tenth = count // 10
        records["flags"][:tenth] = 2
        records["flags"][tenth : 2 * tenth : 2] = 1
        if len(self._held):
            posts = records[-len(self._held) :]
            posts["pending_id"] = self._held["id"]
            for column in ("debit_account_id", "credit_account_id"):
                posts[column] = np.void(bytes(16))
            posts["amount"] = posts["amount_high"] = _WHOLE
            posts["ledger"] = posts["code"] = 0
            posts["flags"] = 4
        self._held = records[:tenth].copy()
        return records


def accounts() -> list[Account]:
    """Every second one may not spend more than it has; all have enough."""
    limited = AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS
    return [
        Account(UUID(int=n + 1), 1, 1, limited if n % 2 else AccountFlag(0))
        for n in range(ACCOUNTS)
    ]


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (the contract of all benchmarks)
    """Speed and restart; the long run carries ten million transfers and events."""
    # What a node has a minute after its first large batch: the clock starts when it is compiled.
    LANES.wait()
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder) / "data")
        try:
            yield from asyncio.run(_measure(server.start(), long=long))
        finally:
            server.stop()
    yield from _equal(10_000_000 if long else 200_000)
    yield from ledger_kills.run(kills=1_000 if long else 20)


async def _measure(url: str, *, long: bool) -> list[dict[str, Any]]:
    database = await Database.open(url)
    try:
        await migrate(database)
        async with database.session() as session:
            await session.script(_RAW)
        rounds, batches = (5, 40) if long else (3, 12)
        ours, hot, raw = [], [], []
        plain, heated = await _ledger(database, "LOAD"), await _ledger(database, "HOT")
        for turn in range(rounds):
            ours.append(await _batches(plain, "LOAD", LOADS[0], batches))
            raw.append(await _raw(database, turn, batches))
            hot.append(await _batches(heated, "HOT", LOADS[1], batches))
        rows = [await _row_by_row(url, *row) for row in enumerate((1, 8, 32))]
        singles, latencies = await _singles(plain)
        lines = [
            claim(
                "ledger_transfers_per_s",
                ours,
                "1/s",
                target=0.6,
                rival="binary COPY of the rows",
                rival_values=raw,
            ),
            claim(
                "ledger_hot_account_per_s",
                hot,
                "1/s",
                target=0.8,
                rival="spread over accounts",
                rival_values=ours,
            ),
            claim(
                "ledger_hot_against_rows_per_s",
                hot,
                "1/s",
                target=2_000,
                rival="SQL row by row, one hot account",
                rival_values=rows,
            ),
            claim("ledger_singles_64_waiting_per_s", singles, "1/s", target=5_000),
            claim("ledger_single_p99_ms", latencies, "ms", target=50, at_most=True),
        ]
        return lines + await _restart(database, plain, long=long)
    finally:
        await database.close()


LOADS: Final = (Load(hot=False), Load(hot=True))


async def _ledger(database: Database, shard: str) -> Ledger:
    clock = WallClock()
    scribe = Scribe(
        node=PartyId("node"),
        key=SoftwareKey(Algorithm.ED25519, hashlib.sha256(b"node").digest()),
        ring=FixedKeyRing({}),
        clock=clock,
        ids=IdSource(clock, SeededRandomness(1)),
        randomness=SeededRandomness(2),
    )
    store = PostgresLedgerStore(database, PostgresJournal(database, "finance", lambda: None))
    ledger = Ledger(store, scribe=scribe, clock=clock, holder="bench")
    await ledger.open_accounts(shard, accounts(), [])
    await ledger.submit_records(shard, _funds())
    await ledger.submit_records(shard, _funds(second=True))
    return ledger


def _funds(*, second: bool = False) -> Records:
    """Every limited account gets a fortune."""
    half = ACCOUNTS // 2
    records = np.zeros(half, TRANSFER)
    words = records.view("<u8").reshape(half, 16)
    words[:, 0] = 1 + np.arange(half) + (half if second else 0)
    words[:, 2], words[:, 4] = 1, 2 * (1 + np.arange(half))
    records["amount"], records["ledger"], records["code"] = 10**9, 1, 1
    return records


async def _batches(ledger: Ledger, shard: str, load: Load, count: int) -> float:
    """Transfers a second, two callers at a time."""
    made = [load.batch() for _ in range(count)]
    began = time.perf_counter()
    waiting: set[asyncio.Task[list[Result]]] = set()
    for batch in made:
        if len(waiting) == 4:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            _all_created(done)
        waiting.add(asyncio.create_task(ledger.submit_records(shard, batch)))
        await asyncio.sleep(0)
    done, _ = await asyncio.wait(waiting)
    _all_created(done)
    return count * BATCH / (time.perf_counter() - began)


def _all_created(tasks: set[asyncio.Task[list[Result]]]) -> None:
    for task in tasks:
        wrong = [result for result in task.result() if result is not Result.CREATED]
        assert not wrong, f"every transfer of the load holds, but {wrong[:3]}"


async def _raw(database: Database, turn: int, count: int) -> float:
    """Rows a second that PostgreSQL takes of the same transfers without any judgement."""
    columns = tuple(
        "shard id batch place debit credit amount pending_id user_data_128 user_data_64"
        " user_data_32 timeout ledger code flags stamped_ns".split()
    )
    load = Load(hot=False, first=turn * 10_000_000)
    made = [_raw_rows(load.batch(), number) for number in range(count)]
    began = time.perf_counter()
    for rows in made:
        async with database.session() as session:
            await session.copy("raw_transfer", columns, rows)
    return count * BATCH / (time.perf_counter() - began)


def _raw_rows(batch: Records, number: int) -> np.ndarray[Any, Any]:
    kinds = [
        "V4",
        "V16",
        "i8",
        "i4",
        "V16",
        "V16",
        "i8",
        "V16",
        "V16",
        *["i8"] * 4,
        "i4",
        "i4",
        "i8",
    ]
    rows = np.zeros(len(batch), [(f"c{place}", kind) for place, kind in enumerate(kinds)])
    rows["c0"] = np.void(b"LOAD")
    rows["c2"], rows["c3"] = number, np.arange(len(batch))
    for place, name in (
        *((1, "id"), (4, "debit_account_id"), (5, "credit_account_id"), (7, "pending_id")),
        (8, "user_data_128"),
    ):
        rows[f"c{place}"] = big_endian(batch[name])
    rows["c6"] = batch["amount"].astype(np.int64) & (2**62 - 1)
    for place, name in ((11, "timeout"), (12, "ledger"), (13, "code"), (14, "flags")):
        rows[f"c{place}"] = batch[name]
    return rows


async def _row_by_row(url: str, number: int, clients: int) -> float:
    """Transfers a second as a simple program makes them on one hot account.

    Clients with connections of their own, each transfer a transaction: lock and look at the hot
    row's limit, change both rows, write the transfer under its id, commit with fsync. All clients
    wait for the one row, so that 1, 8 and 32 of them come to much the same.
    """
    import psycopg

    each = 320 // clients

    async def client(place: int) -> None:
        async with await psycopg.AsyncConnection.connect(url) as connection:
            for turn in range(each):
                credit = 1 + (place * each + turn) % 63
                cursor = await connection.execute(
                    "SELECT debits, credits FROM raw_account WHERE id = 0 FOR UPDATE"
                )
                assert await cursor.fetchone() is not None
                await connection.execute("UPDATE raw_account SET debits = debits + 1 WHERE id = 0")
                await connection.execute(
                    "UPDATE raw_account SET credits = credits + 1 WHERE id = %s", (credit,)
                )
                name = UUID(int=(number << 32) + place * each + turn)
                await connection.execute(
                    "INSERT INTO raw_row VALUES (%s, 0, %s, 1)", (name, credit)
                )
                await connection.commit()

    began = time.perf_counter()
    await asyncio.gather(*(client(place) for place in range(clients)))
    return clients * each / (time.perf_counter() - began)


async def _singles(ledger: Ledger) -> tuple[list[float], list[float]]:
    """Single transfers with 64 callers waiting: how many a second, and the p99 in ms."""
    # A load of its own: it reserves what is never sent, and nobody may post that.
    load, rates, worst = Load(hot=False, first=1 << 40), [], []
    for _ in range(3):
        records = load.batch(12_800)
        plain = records[(records["flags"] == 0)][:6_400]
        durations: list[float] = []

        async def caller(mine: Records, durations: list[float] = durations) -> None:
            for place in range(len(mine)):
                began = time.perf_counter()
                results = await ledger.submit_records("LOAD", mine[place : place + 1])
                assert results == [Result.CREATED]
                durations.append(time.perf_counter() - began)

        began = time.perf_counter()
        await asyncio.gather(*(caller(plain[start::64]) for start in range(64)))
        rates.append(len(plain) / (time.perf_counter() - began))
        worst.append(float(np.quantile(durations, 0.99)) * 1000)
    return rates, worst


async def _restart(database: Database, ledger: Ledger, *, long: bool) -> list[dict[str, Any]]:
    """A new validator's first look, and a replay of everything from the first batch on."""
    await _batches(ledger, "LOAD", LOADS[0], (10_000_000 if long else 1_000_000) // BATCH)
    store = PostgresLedgerStore(database, PostgresJournal(database, "finance", lambda: None))
    began = time.perf_counter()
    held = await recover(store, "LOAD")
    restart_s = time.perf_counter() - began
    began, cpu = time.perf_counter(), time.process_time()
    again = await recover(store, "LOAD", from_start=True)
    replay_s, replay_cpu_s = time.perf_counter() - began, time.process_time() - cpu
    assert again.head == held.head
    assert (again.book.sums == held.book.sums).all()
    async with database.session() as session:
        row = await session.fetch_one(
            "SELECT sum(count) AS n FROM finance.batch WHERE shard = 'LOAD'"
        )
    total = int(row["n"]) if row else 0
    return [
        claim("ledger_restart_s", [restart_s], "s", target=10, at_most=True),
        claim("ledger_restart_transfers", [total], "transfers", target=10_000_000),
        claim("ledger_replay_per_s", [total / replay_s], "1/s", target=1_000_000),
        claim("ledger_replay_per_cpu_s", [total / replay_cpu_s], "1/s"),
    ]


def _equal(count: int) -> Iterator[dict[str, Any]]:
    """Random events through both paths: how many answers, stored records or sums differ."""
    from tests.finance.domain.random_batches import ACCOUNTS as OF_TESTS
    from tests.finance.domain.random_batches import random_batch

    random, differences, fast_batches, done = np.random.default_rng(5), 0, 0, 0
    while done < count:
        one, other, past, known = Book(), Book(), History(), []
        for account in OF_TESTS:
            one.put_account(account)
            other.put_account(account)
        at_ns = 10**9
        for turn in range(20):
            batch = random_batch(random, 256, known, plain=turn % 3 != 2)
            known.append(batch)
            at_ns += int(random.integers(1_000, 2 * 10**9))
            one.expire(at_ns)
            other.expire(at_ns)
            stamps = at_ns + np.arange(256, dtype=np.uint64)
            outcome = apply(movements_of(batch), one, past, stamps=stamps.tolist())
            plain = batch["id"].tolist()
            fresh = not any(name in past.transfers or name in past.failures for name in plain)
            stored = apply_fast(batch, other, stamps=stamps) if fresh else None
            if stored is None:
                again = apply(movements_of(batch), other, past, stamps=stamps.tolist())
                differences += again.results != outcome.results
            else:
                fast_batches += 1
                differences += outcome.results != [Result.CREATED] * 256
                differences += stored.tobytes() != records_of(outcome.stored).tobytes()
            past.remember(outcome.stored, outcome.failures)
            differences += bool((one.sums != other.sums).any()) + (one.open != other.open)
            done += 256
    yield claim(
        "ledger_fast_path_differences",
        [differences],
        "of " + f"{done} events",
        target=0,
        at_most=True,
    )
    yield claim("ledger_fast_path_batches", [fast_batches], "batches taken")
