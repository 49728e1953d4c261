"""A ledger whose validator, database or both are killed at random moments, a thousand times.

A driver tells each batch before it is sent, hears which transfers were acknowledged, and kills
(SIGKILL) at a random moment. Whatever was not acknowledged the next validator sends again. At the
end every transfer must stand once, as its own sum over all that was ever told says.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import pickle
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import numpy as np

from benchmarks.measuring import claim
from zhidao.core.ambient import Clock, SeededRandomness
from zhidao.core.errors import Unavailable, ZhidaoError
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import FixedKeyRing, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.finance.adapters.postgres_ledger import PostgresLedgerStore
from zhidao.finance.domain.ledger.ledger import Account, Result, Transfer, TransferFlag
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.ledger.recovery import recover
from zhidao.store.database import Database
from zhidao.store.embedded import EmbeddedPostgres
from zhidao.store.journal import PostgresJournal
from zhidao.store.migrate import migrate


class WallClock(Clock):
    """The machine's own clock."""

    def now(self) -> Utc:
        """Unix time of now."""
        return Utc.from_unix_ns(time.time_ns())


SHARD: Final = "KILLS"
_SEED: Final = 1_206
_ACCOUNTS: Final = 40
_CALLERS: Final = 4
_GOOD: Final = {Result.CREATED, Result.EXISTS}
_AGAIN_S: Final = 60.0

Told = tuple[int, list[Transfer]]


def run(*, kills: int) -> Iterator[dict[str, Any]]:
    """What so many kills lost or doubled."""
    with tempfile.TemporaryDirectory(prefix="zl-") as folder:
        server = EmbeddedPostgres(Path(folder) / "data")
        try:
            driver = _Driver(server, kills)
            driver.go()
            lost, doubled, apart = asyncio.run(_judge(server.start(), driver.told))
        finally:
            server.stop()
    yield claim("ledger_kills", [kills], "kills")
    yield claim("ledger_kills_acknowledged", [driver.acknowledged], "transfers")
    yield claim("ledger_kills_lost", [lost], "transfers", target=0, at_most=True)
    yield claim("ledger_kills_doubled", [doubled], "transfers", target=0, at_most=True)
    yield claim("ledger_kills_apart_minor", [apart], "minor units", target=0, at_most=True)
    yield claim("ledger_kills_back_s", driver.back_s, "s")


class _Driver:
    """Starts validators, hears them, kills them or their database."""

    def __init__(self, server: EmbeddedPostgres, kills: int) -> None:
        self._server = server
        self._kills = kills
        self._chance = random.Random(_SEED)
        # A fork has everything imported already: a thousand starts take seconds.
        self._context = multiprocessing.get_context("fork")
        self.told: dict[int, list[Transfer]] = {}
        self._open: dict[int, list[Transfer]] = {}
        self.acknowledged = 0
        self.back_s: list[float] = []

    def go(self) -> None:
        """All kills; at the end a last validator finishes what is open."""
        url = self._server.start()
        asyncio.run(_prepare(url))
        process, ours = self._validator(url, number=0)
        for number in range(1, self._kills + 1):
            self._hear(ours, until=time.monotonic() + self._chance.uniform(0.0, 0.25))
            victim = self._chance.choice(("validator", "database", "both"))
            began = time.monotonic()
            if victim != "validator" and (pid := self._server.pid):
                os.kill(pid, signal.SIGKILL)
            if victim != "database":
                process.kill()
                process.join()
                self._hear(ours, until=0.0)
                ours.close()
            if victim != "validator":
                # Its pages may be half written and its other processes still dying.
                url = self._server.start()
            if victim != "database":
                process, ours = self._validator(url, number=number)
            before = self.acknowledged
            while self.acknowledged == before:
                if time.monotonic() - began > _AGAIN_S:
                    raise Unavailable(f"nothing was acknowledged {_AGAIN_S:.0f} s after a kill")
                self._hear(ours, until=time.monotonic() + 0.005)
            self.back_s.append(time.monotonic() - began)
            if number % 20 == 0:
                print(f"{number} kills, {self.acknowledged} acknowledged", flush=True)
        ours.send(None)
        while process.is_alive():
            self._hear(ours, until=time.monotonic() + 0.05)
        self._hear(ours, until=0.0)
        if self._open:
            raise Unavailable(f"{len(self._open)} batches were never acknowledged")

    def _validator(self, url: str, *, number: int) -> tuple[BaseProcess, Connection]:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_validate, args=(url, theirs, list(self._open.items()), number)
        )
        # What was told grows by a thousand objects a kill; a life of a second must not look at it.
        gc.freeze()
        process.start()
        theirs.close()
        return process, ours

    def _hear(self, ours: Connection, *, until: float) -> None:
        """Takes in what the validator says until a moment; a kill may cut its last word."""
        try:
            while ours.poll(max(0.0, until - time.monotonic())):
                word, name, transfers = pickle.loads(ours.recv_bytes())
                if word == "told":
                    self.told[name] = self._open[name] = transfers
                else:
                    self.acknowledged += len(self._open.pop(name))
        except (EOFError, OSError, pickle.UnpicklingError):
            return


async def _prepare(url: str) -> None:
    """The tables and the accounts, before anything is killed."""
    database = await Database.open(url)
    await migrate(database)
    accounts = [Account(UUID(int=n + 1), 1, 1) for n in range(_ACCOUNTS)]
    await _ledger(database, 0).open_accounts(SHARD, accounts, [])
    await database.close()


def _validate(url: str, driver: Connection, open_: list[Told], number: int) -> None:
    """One validator's life: first what is open, then new batches until it is killed or told."""
    asyncio.run(_work(url, driver, open_, number))


async def _work(url: str, driver: Connection, open_: list[Told], number: int) -> None:
    database = await Database.open(url)
    ledger = _ledger(database, number)
    chance = random.Random(f"{_SEED}/{number}")
    turn = 0

    async def submit(name: int, transfers: list[Transfer]) -> None:
        while True:
            try:
                results = await ledger.submit(SHARD, transfers)
            except Unavailable:
                # The database is away, or the outcome is unknown: the same again.
                await asyncio.sleep(0.01)
                continue
            assert set(results) <= _GOOD, f"every transfer of the load holds, but {results[:5]}"
            driver.send_bytes(pickle.dumps(("done", name, None)))
            return

    async def caller() -> None:
        nonlocal turn
        while not driver.poll():
            turn += 1
            name = (number << 32) + turn
            transfers = _batch(chance, name)
            driver.send_bytes(pickle.dumps(("told", name, transfers)))
            await submit(name, transfers)

    await asyncio.gather(*(submit(name, transfers) for name, transfers in open_))
    await asyncio.gather(*(caller() for _ in range(_CALLERS)))
    await database.close()


def _ledger(database: Database, number: int) -> Ledger:
    clock = WallClock()
    scribe = Scribe(
        node=PartyId("node"),
        key=SoftwareKey(Algorithm.ED25519, bytes(32)),
        ring=FixedKeyRing({}),
        clock=clock,
        ids=IdSource(clock, SeededRandomness(number)),
        randomness=SeededRandomness(number),
    )
    store = PostgresLedgerStore(database, PostgresJournal(database, "finance", lambda: None))
    return Ledger(store, scribe=scribe, clock=clock, holder=f"life-{number}", snapshot_each=20_000)


def _batch(chance: random.Random, name: int) -> list[Transfer]:
    """One to six hundred transfers; a third of them reserved and then posted or given back."""
    found: list[Transfer] = []
    for place in range(chance.choice((1, 1, 3, 40, 600))):
        debit, credit = chance.sample(range(1, _ACCOUNTS + 1), 2)
        one = Transfer(
            UUID(int=(name << 16) + 2 * place + 1),
            UUID(int=debit),
            UUID(int=credit),
            chance.randint(1, 10**6),
            ledger=1,
            code=1,
            flags=TransferFlag.PENDING if chance.random() < 1 / 3 else TransferFlag(0),
        )
        found.append(one)
        if one.flags:
            posts = chance.random() < 0.5
            found.append(
                Transfer(
                    UUID(int=(name << 16) + 2 * place + 2),
                    UUID(int=0),
                    UUID(int=0),
                    chance.randint(1, one.amount) if posts else 0,
                    pending_id=one.id,
                    ledger=0,
                    code=0,
                    flags=TransferFlag.POST_PENDING_TRANSFER
                    if posts
                    else TransferFlag.VOID_PENDING_TRANSFER,
                )
            )
    return found


async def _judge(url: str, told: dict[int, list[Transfer]]) -> tuple[int, int, int]:
    """How many transfers are missing, how many stand twice, and by how much balances differ."""
    database = await Database.open(url)
    try:
        store = PostgresLedgerStore(database, PostgresJournal(database, "finance", lambda: None))
        # Refuses if the heads that were logged are not those of the rows.
        held = await recover(store, SHARD, from_start=True)
        from_kept = await recover(store, SHARD)
        if (held.head, held.book.sums.tobytes()) != (
            from_kept.head,
            from_kept.book.sums.tobytes(),
        ):
            raise ZhidaoError("the kept balances are not those that all batches make")
        stand: Counter[bytes] = Counter()
        after = 0
        while batches := await store.batches(SHARD, after=after):
            for batch in batches:
                stand.update(batch.records["id"].tolist())
            after = batches[-1].number
    finally:
        await database.close()
    wanted = {each.id.bytes[::-1] for batch in told.values() for each in batch}
    lost = len(wanted - stand.keys()) + len(stand.keys() - wanted)
    doubled = sum(count - 1 for count in stand.values())
    ours = np.array(
        [[a.debits_posted, a.credits_posted] for a in held.book.accounts()], dtype=np.int64
    )
    pending = sum(a.debits_pending + a.credits_pending for a in held.book.accounts())
    return lost, doubled, int(np.abs(ours - _expected(told)).sum()) + pending


def _expected(told: dict[int, list[Transfer]]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """What each account must have, by nothing but addition: shape (accounts, 2)."""
    sums = np.zeros((_ACCOUNTS, 2), np.int64)
    for batch in told.values():
        reserved = {each.id: each for each in batch if each.flags & TransferFlag.PENDING}
        for each in batch:
            if each.flags & (TransferFlag.PENDING | TransferFlag.VOID_PENDING_TRANSFER):
                continue
            of = reserved.get(each.pending_id, each)
            sums[of.debit_account_id.int - 1, 0] += each.amount
            sums[of.credit_account_id.int - 1, 1] += each.amount
    return sums
