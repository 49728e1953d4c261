"""Receivables over three nodes and PostgreSQL: a pledge, double pledges, what a peer learns.

A million histories stand in the registry's table before anything is measured. They are copies of
a real one's first row under names of their own, written by the database, with the signed body left
out: what is measured finds its own rows among them, and reads none of theirs.

Double pledges come at once from all sides: the same receivable at its home under other share
names, at the other two nodes, and in other spellings. A curious peer holds the whole list of
tokens and a dictionary that contains every invoice.
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

from benchmarks.measuring import claim
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import SeededRandomness
from zhidao.core.errors import Refused
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.money import Currency
from zhidao.core.timescale import Utc
from zhidao.finance.domain.payments.approval import Limits
from zhidao.finance.domain.receivables.receivable import Receivable, home_of
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.receivables.registry import Payment, Receivables
from zhidao.finance.wire.blinded import secret_of, token
from zhidao.store.database import Database
from zhidao.store.embedded import EmbeddedPostgres
from zhidao.store.journal import PostgresJournal
from zhidao.store.migrate import migrate

NODES: Final = ("node-a", "node-b", "node-c")
SINGLES: Final = 300
STANDING: Final = 1_000_000
RECEIVABLES: Final = 500
ATTEMPTS: Final = 20
GUESSES: Final = 10_000
SELLER, BUYER = Actor(PartyId("seller"), Role.PARTY), Actor(PartyId("buyer"), Role.PARTY)


class _WallClock:
    def now(self) -> Utc:
        return Utc.from_unix_ns(time.time_ns())


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (the contract of all benchmarks)
    """Everything on one server with fsync on; the long run has ten times as many receivables."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder) / "data")
        try:
            yield from asyncio.run(_measure(server.start(), RECEIVABLES * (10 if long else 1)))
        finally:
            server.stop()
    yield _learned()


async def _measure(url: str, count: int) -> list[dict[str, Any]]:
    database = await Database.open(url)
    try:
        await migrate(database)
        registries = {node: _receivables(database, node) for node in NODES}
        standing = await _fill(database, registries)
        times, cpu = await _singles(registries)
        succeeded, doubled, seconds = await _race(registries, count)
        attempts = count * ATTEMPTS
        return [
            claim("receivables_standing", [standing], "histories", target=STANDING),
            claim("receivables_pledge_ms", times, "ms", target=2, at_most=True),
            # Of this process; a fair figure where others share the machine.
            claim("receivables_pledge_cpu_ms", cpu, "ms", target=2, at_most=True),
            claim(
                "receivables_double_pledges",
                [doubled],
                f"of {attempts} attempts",
                target=0,
                at_most=True,
            ),
            claim("receivables_pledged_once", [succeeded], f"of {count}", target=count),
            claim("receivables_attempts_per_s", [attempts / seconds], "1/s"),
        ]
    finally:
        await database.close()


async def _fill(database: Database, registries: dict[str, Receivables]) -> int:
    """Registers, confirms and pledges one, and copies its rows; how many histories stand."""
    receivables, name = await _registered(registries, "the first")
    await receivables.pledge(SELLER, name, share="s", holder=PartyId("bank"), amount_minor=1_000)
    async with database.session() as session:
        await session.execute(
            "INSERT INTO finance.event"
            " SELECT 'receivable/' || encode(sha256(int8send(n)), 'hex'), version,"
            " gen_random_uuid(), type, owner, visible, salt, ''::bytea"
            " FROM finance.event, generate_series(1, %s) n"
            " WHERE aggregate = %s AND version = 1",
            (STANDING, f"receivable/{name}"),
        )
    async with database.session() as session:
        await session.execute("ANALYZE finance.event")
        rows = await session.fetch_all(
            "SELECT count(*) AS n FROM finance.event"
            " WHERE aggregate LIKE 'receivable/%%' AND version = 1",
            (),
        )
    return int(rows[0]["n"])


async def _singles(registries: dict[str, Receivables]) -> tuple[list[float], list[float]]:
    """Milliseconds of each pledge, by the clock and of the processor."""
    times, cpu = [], []
    for number in range(SINGLES):
        receivables, name = await _registered(registries, f"single {number}")
        began, spent = time.perf_counter(), time.process_time()
        await receivables.pledge(
            SELLER, name, share="s", holder=PartyId("bank"), amount_minor=1_000
        )
        times.append((time.perf_counter() - began) * 1000)
        cpu.append((time.process_time() - spent) * 1000)
    return times, cpu


async def _race(registries: dict[str, Receivables], count: int) -> tuple[int, int, float]:
    succeeded = doubled = 0
    spent = 0
    for number in range(count):
        receivables, name = await _registered(registries, f"race {number}")
        began = time.perf_counter_ns()
        answers = await asyncio.gather(
            *(_attempt(registries, receivables, name, number, place) for place in range(ATTEMPTS))
        )
        spent += time.perf_counter_ns() - began
        won = sum(answers)
        succeeded += won > 0
        doubled += max(0, won - 1)
    return succeeded, doubled, spent / 1e9


async def _attempt(
    registries: dict[str, Receivables], home: Receivables, name: str, number: int, place: int
) -> bool:
    """A whole pledge, tried in one of three ways; whether it was given."""
    try:
        if place % 4 == 1:
            node = NODES[place % 3]
            told = f"race {number}".upper().replace("0", "o")
            other = await registries[node].register(SELLER, _owed(told), obligor_party=BUYER.party)
            assert other == name, "another spelling is the same receivable"
        receivables = registries[NODES[place % 3]] if place % 4 == 2 else home
        await receivables.pledge(
            SELLER, name, share=f"s{place}", holder=PartyId("bank"), amount_minor=1_000
        )
    except Refused:
        return False
    return True


async def _registered(registries: dict[str, Receivables], label: str) -> tuple[Receivables, str]:
    owed = _owed(label)
    receivables = registries[home_of(owed.obligor, NODES)]
    name = await receivables.register(SELLER, owed, obligor_party=BUYER.party)
    await receivables.confirm(BUYER, name)
    return receivables, name


def _owed(label: str) -> Receivable:
    return Receivable(
        obligor=f"DK {int(hashlib.sha256(label.lower()[:4].encode()).hexdigest(), 16) % 10**8}",
        supplier="CN 91320594MA1ABCDE7X",
        invoice=f"INV {label}",
        shipment=f"BL {label}",
        amount_minor=1_000,
        currency=Currency("EUR"),
        due_on="2026-12-15",
    )


def _learned() -> dict[str, Any]:
    """How many registered invoices a peer finds with the tokens and the right dictionary."""
    home = secret_of(b"home")
    guesses = [_owed(f"guess {number}").invoice_key for number in range(GUESSES)]
    tokens = {token(guess, home) for guess in guesses}
    theirs = secret_of(b"peer")
    found = sum(token(guess, theirs) in tokens for guess in guesses)
    found += sum(hashlib.sha256(guess).hexdigest() in tokens for guess in guesses)
    return claim(
        "receivables_learned_by_a_peer", [found], f"of {GUESSES} guesses", target=0, at_most=True
    )


def _receivables(database: Database, node: str) -> Receivables:
    clock, chance = _WallClock(), SeededRandomness(f"{node} {time.time_ns()}".encode())
    keys = {
        party: SoftwareKey(Algorithm.ED25519, hashlib.sha256(party.encode()).digest())
        for party in (SELLER.party, BUYER.party)
    }
    scribe = Scribe(
        node=PartyId(node),
        key=SoftwareKey(Algorithm.ED25519, hashlib.sha256(node.encode()).digest()),
        ring=FixedKeyRing(keys),
        clock=clock,
        ids=IdSource(clock, chance),
        randomness=chance,
    )

    async def shipped(shipment: str) -> bool:
        return shipment.startswith("BL ")

    async def paid(currency: str, transfer: UUID) -> Payment | None:
        del currency, transfer  # nothing is paid here

    records = Records(PostgresJournal(database, "finance", lambda: None), scribe)
    return Receivables(
        node=node,
        nodes=NODES,
        secret=secret_of(node.encode()),
        records=records,
        clock=clock,
        shipped=shipped,
        paid=paid,
        randomness=chance,
        approvals=Approvals(records=records, clock=clock, limits=Limits({})),
        holds=None,
    )
