"""Payment versus payment: the model's states, seeded runs of the real services, two processes.

The two processes have a PostgreSQL each (fsync on) and speak over loopback TCP; the first also
decides. The second asks the first's public log before it posts.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import multiprocessing
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from benchmarks.measuring import claim
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import SeededRandomness
from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.events import SignedEvent
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.money import Currency
from zhidao.core.timescale import Utc
from zhidao.finance.adapters.postgres_ledger import PostgresLedgerStore
from zhidao.finance.domain.ledger.ledger import Account, Transfer, ledger_number
from zhidao.finance.domain.pvp.fx import Rate, convert
from zhidao.finance.domain.pvp.pvp import BATCH_MAX, Leg, Side, Terms
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.pvp.decider import PvpDecider
from zhidao.finance.service.pvp.participant import PvpParticipant, RoundingAccounts
from zhidao.finance.wire.pvp import read_terms
from zhidao.store.database import Database
from zhidao.store.embedded import EmbeddedPostgres
from zhidao.store.journal import PostgresJournal
from zhidao.store.migrate import migrate

RUNS: Final = 10_000
BUG_RUNS: Final = 100
ROUNDS: Final = 3
BATCHES: Final = 8
SHARDS: Final = {Side.FIRST: "CNY", Side.SECOND: "KZT"}
PAYER, PAYEE, POSITION, ROUNDING = (UUID(int=number) for number in range(1, 5))
KEYS: Final = {
    name: SoftwareKey(Algorithm.ED25519, hashlib.sha256(name.encode()).digest())
    for name in ("first", "second", "decider")
}
_LENGTH: Final = struct.Struct(">I")


class _WallClock:
    def now(self) -> Utc:
        return Utc.from_unix_ns(time.time_ns())


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (the contract of all benchmarks)
    """Model, seeds (the long run ten times as many), planted bugs, throughput."""
    yield from _model()
    yield from _seeds(RUNS * (10 if long else 1))
    yield from _bugs()
    yield claim("pvp_two_processes_per_s", asyncio.run(_throughput()), "1/s", target=2_000)


def _model() -> Iterator[dict[str, Any]]:
    from tests.finance.domain.pvp.test_pvp import _explore, honest

    states, violation = _explore(honest)
    yield claim("pvp_model_states", [len(states)], "states", target=1_000)
    yield claim("pvp_model_violations", [int(bool(violation))], "", target=0, at_most=True)


def _seeds(count: int) -> Iterator[dict[str, Any]]:
    from tests.finance.pvp_simulator import World

    wrong = committed = starts = 0
    began = time.perf_counter()
    traces = []
    for seed in range(count):
        world = World(seed)
        violations = world.run()
        if violations:
            wrong += 1
            print(f"seed {seed}: {violations}", file=sys.stderr)
        committed += world.committed
        starts += sum(party.starts - 1 for party in world.parties.values())
        if seed < 50:
            traces.append(world.trace.digest())
    seconds = time.perf_counter() - began
    differing = 0
    for seed, trace in enumerate(traces):
        world = World(seed)
        world.run()
        differing += world.trace.digest() != trace
    yield claim(f"pvp_violations_in_{count}_runs", [wrong], "runs", target=0, at_most=True)
    yield claim("pvp_runs_per_s", [count / seconds], "1/s")
    yield claim("pvp_settled_in_runs", [committed], "deals")
    yield claim("pvp_crashes_in_runs", [starts], "restarts")
    yield claim("pvp_same_seed_other_trace", [differing], "of 50", target=0, at_most=True)


def _bugs() -> Iterator[dict[str, Any]]:
    from tests.finance.pvp_simulator import BUGS, World

    for bug in BUGS:
        caught = sum(bool(World(seed, bug=bug).run()) for seed in range(BUG_RUNS))
        yield claim(f"pvp_{bug}_caught", [caught], f"of {BUG_RUNS} runs", target=1)
    bug, harmed = "unlogged_decision", 0
    for seed in range(BUG_RUNS):
        harmed += bool(World(seed, bug=bug, trusting=True).run())
    yield claim(f"pvp_{bug}_caught_without_asking_the_log", [harmed], f"of {BUG_RUNS} runs")


# -- two processes -------------------------------------------------------------------------------


async def _throughput() -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        servers = [EmbeddedPostgres(Path(folder) / name) for name in ("first", "second")]
        here, there = multiprocessing.get_context("spawn").Pipe()
        child = None
        try:
            urls = [server.start() for server in servers]
            child = multiprocessing.get_context("spawn").Process(
                target=_second, args=(urls[1], there), daemon=True
            )
            child.start()
            return await _first(urls[0], here)
        finally:
            if child is not None:
                child.terminate()
                child.join(10)
            for server in servers:
                server.stop()


async def _first(url: str, pipe: Any) -> list[float]:
    database = await Database.open(url)
    try:
        await migrate(database)
        logged: set[str] = set()
        ledger, records = _node(database, "first")
        decider_records = _node(database, "decider")[1]
        participant = await _participant(Side.FIRST, ledger, records, logged)
        decider = PvpDecider(
            records=decider_records,
            actor=Actor(PartyId("decider"), Role.NODE),
            keys={KEYS["decider"].public.multikey},
            clock=_WallClock(),
        )
        log = await asyncio.start_server(lambda r, w: _answer(r, w, logged), "127.0.0.1", 0)
        pipe.send(log.sockets[0].getsockname()[1])
        assert await asyncio.to_thread(pipe.poll, 90), "the second process does not answer"
        peer = _Peer(*await asyncio.open_connection("127.0.0.1", pipe.recv()))
        rates = []
        for turn in range(ROUNDS):
            deals = [_deals(f"{turn} {batch}") for batch in range(BATCHES)]
            began = time.perf_counter()
            await _settle(participant, decider, peer, deals, logged)
            rates.append(BATCHES * BATCH_MAX / (time.perf_counter() - began))
        state = json.loads(await peer.ask("state", b""))
        mine = await ledger.account("CNY", PAYEE)
        both = ROUNDS * BATCHES * BATCH_MAX
        assert state["decisions"] == await participant.cursor(), "both followed all decisions"
        assert mine.credits_posted == both * 1_000_000, "every first leg is posted"
        assert state["posted"] == both * 237_142, "every second leg is posted"
        log.close()
        return rates
    finally:
        await database.close()


async def _settle(
    participant: PvpParticipant,
    decider: PvpDecider,
    peer: _Peer,
    batches: list[list[Terms]],
    logged: set[str],
) -> None:
    """Batch after batch; while one is applied the next is reserved."""
    following: set[asyncio.Task[Any]] = set()
    for deals in batches:
        proposal = jcs([deal.plain for deal in deals])
        mine, theirs = await asyncio.gather(participant.take(deals), peer.ask("propose", proposal))
        for votes in (*mine, theirs):
            await decider.hear(votes)
        decision = await decider.decide()
        assert decision is not None, "two yes are a commit"
        logged.add(str(SignedEvent.decode(decision).id))
        for act in (participant.follow(decision), peer.ask("decision", decision)):
            following.add(asyncio.ensure_future(act))
    assert all(await asyncio.gather(*following))


def _second(url: str, pipe: Any) -> None:
    asyncio.run(_serve(url, pipe))


async def _serve(url: str, pipe: Any) -> None:
    database = await Database.open(url)
    await migrate(database)
    log = _Peer(*await asyncio.open_connection("127.0.0.1", pipe.recv()))
    ledger, records = _node(database, "second")
    participant = await _participant(Side.SECOND, ledger, records, log)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            kind, data = await _read(reader)
            if kind == "propose":
                (reply,) = await participant.take([read_terms(p) for p in parse_strict(data)])
            elif kind == "decision":
                reply = b"yes" if await participant.follow(data) else b""
            else:
                account = await ledger.account("KZT", PAYEE)
                told = {"decisions": await participant.cursor(), "posted": account.credits_posted}
                reply = json.dumps(told).encode()
            _send(writer, kind, reply)
            await writer.drain()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    pipe.send(server.sockets[0].getsockname()[1])
    await asyncio.Event().wait()


class _Peer:
    """The other process: one question after the other on one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._one = asyncio.Lock()

    async def ask(self, kind: str, data: bytes) -> bytes:
        """The answer."""
        async with self._one:
            _send(self._writer, kind, data)
            await self._writer.drain()
            return (await _read(self._reader))[1]

    async def logged(self, event: SignedEvent) -> bool:
        """Whether the log holds it."""
        return await self.ask("logged", str(event.id).encode()) == b"yes"


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, logged: set[str]
) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, asyncio.CancelledError):
        while True:
            kind, data = await _read(reader)
            _send(writer, kind, b"yes" if data.decode() in logged else b"no")
            await writer.drain()


def _send(writer: asyncio.StreamWriter, kind: str, data: bytes) -> None:
    body = kind.encode() + b"\n" + data
    writer.write(_LENGTH.pack(len(body)) + body)


async def _read(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    kind, _, data = (await reader.readexactly(length)).partition(b"\n")
    return kind.decode(), data


def _node(database: Database, name: str) -> tuple[Ledger, Records]:
    clock, chance = _WallClock(), SeededRandomness(time.time_ns())
    scribe = Scribe(
        node=PartyId(name),
        key=KEYS[name],
        ring=FixedKeyRing({}),
        clock=clock,
        ids=IdSource(clock, chance),
        randomness=chance,
    )
    journal = PostgresJournal(database, "finance", lambda: None)
    store = PostgresLedgerStore(database, journal)
    return Ledger(store, scribe=scribe, clock=clock, holder=name), Records(journal, scribe)


async def _participant(
    side: Side, ledger: Ledger, records: Records, log: _Peer | set[str]
) -> PvpParticipant:
    shard = SHARDS[side]
    number = ledger_number(Currency(shard))
    names = (PAYER, PAYEE, POSITION, ROUNDING)
    await ledger.open_accounts(shard, [Account(name, number, 1) for name in names], [])
    await ledger.submit(shard, [Transfer(UUID(int=9), PAYEE, PAYER, 1, ledger=number, code=1)])

    async def mine(event: SignedEvent) -> bool:
        return str(event.id) in log if isinstance(log, set) else await log.logged(event)

    return PvpParticipant(
        side=side,
        shard=shard,
        ledger=ledger,
        records=records,
        actor=Actor(PartyId(side.value), Role.NODE),
        signer=KEYS[side.value],
        deciders=lambda: {KEYS["decider"].public.multikey},
        logged=mine,
        rounding=RoundingAccounts(POSITION, ROUNDING) if side is Side.SECOND else None,
    )


def _deals(label: str) -> list[Terms]:
    rate, sold = Rate(83, 350), 1_000_000
    return [
        Terms(
            nonce=f"{label} {place}",
            first=Leg("CNY", PAYER, PAYEE, sold),
            second=Leg("KZT", PAYER, PAYEE, convert(sold, rate).bought_minor),
            rate=rate,
            first_key=KEYS["first"].public.multikey,
            second_key=KEYS["second"].public.multikey,
            decider_key=KEYS["decider"].public.multikey,
            deadline_ns=time.time_ns() + 600 * 10**9,
        )
        for place in range(BATCH_MAX)
    ]
