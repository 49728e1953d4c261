"""A fenced process writes no fact, takes no log and no ledger."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

import pytest

from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import Unavailable
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import Entry, FixedKeyRing, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.finance.adapters.postgres_ledger import PostgresLedgerStore
from zhidao.node.adapters.leases.postgres import PostgresLeases, fence_of
from zhidao.node.events import OrganisationNamed
from zhidao.node.leases.lease import expected
from zhidao.store.database import Database
from zhidao.store.journal import PostgresJournal
from zhidao.trust.adapters.log.postgres import PostgresLogStore

pytestmark = pytest.mark.service
CLOCK = HandClock(Utc.parse("2026-05-01T08:00:00Z"))
SCRIBE = Scribe(
    node=PartyId("node"),
    key=SoftwareKey(Algorithm.ED25519, hashlib.sha256(b"node").digest()),
    ring=FixedKeyRing({}),
    clock=CLOCK,
    ids=IdSource(CLOCK, SeededRandomness(1)),
    randomness=SeededRandomness(2),
)


def entry(aggregate: str, version: int = 1) -> Entry:
    return SCRIBE.write(
        OrganisationNamed(name="A"),
        by=SCRIBE.node,
        aggregate=aggregate,
        version=version,
        owner=SCRIBE.node,
        visible=(),
        occurred_at=None,
    )


@pytest.fixture
async def late(database: Database, database_url: str) -> AsyncIterator[Database]:
    """The database as a process has it whose lease another took."""
    leases = PostgresLeases(database, "node")
    grant = await leases.take(["log"], "late", {})
    assert grant is not None
    opened = await Database.open(database_url, fence=fence_of("node", grant))
    journal = PostgresJournal(opened, "node", lambda: None)
    assert await journal.append([entry("a/1")])
    assert await leases.take(["log"], "next", expected(await leases.look()))
    yield opened
    await opened.close()


async def count(database: Database) -> int:
    rows = await database.read("select count(*) as many from node.event")
    return int(rows[0]["many"])


async def test_no_fact_is_written_by_who_lost_the_lease(late: Database):
    journal = PostgresJournal(late, "node", lambda: None)
    with pytest.raises(Unavailable) as refused:
        await journal.append([entry("a/1", 2)])
    assert refused.value.code == "lease_lost"
    with pytest.raises(Unavailable):
        await journal.open_all([entry("a/2"), entry("a/3")])

    async def many() -> None:
        async with late.session() as session:
            await journal.append_many_in(session, [entry("a/4"), entry("a/5")])

    with pytest.raises(Unavailable):
        await many()
    assert await count(late) == 1


async def test_facts_that_are_sent_at_once_with_others_are_fenced_too(
    late: Database, database: Database
):
    async def at_once(where: Database, *entries: Entry) -> None:
        journal = PostgresJournal(where, "node", lambda: None)
        async with where.session() as session, session.at_once():
            await session.execute("select 1")
            await journal.append_many_in(session, entries)

    with pytest.raises(Unavailable) as refused:
        await at_once(late, entry("a/6"), entry("a/7"))
    assert refused.value.code == "lease_lost"
    await at_once(database, entry("a/6"), entry("a/7"))
    assert await count(database) == 3


async def test_log_and_ledger_are_not_taken_back_by_who_comes_late(late: Database):
    with pytest.raises(Unavailable) as refused:
        await PostgresLogStore(late, "origin").take()
    assert refused.value.code == "lease_lost"
    ledger = PostgresLedgerStore(late, PostgresJournal(late, "finance", lambda: None))
    with pytest.raises(Unavailable):
        await ledger.acquire("CNY", holder="late")


async def test_a_lease_that_was_edited_or_deleted_lets_nobody_write(
    database: Database, database_url: str
):
    leases = PostgresLeases(database, "node")
    for damage in (
        "update node.lease set holder = 'somebody'",
        "update node.lease set epoch = 1",
        "delete from node.lease",
    ):
        grant = await leases.take(["log"], "a", expected(await leases.look()))
        assert grant is not None
        opened = await Database.open(database_url, fence=fence_of("node", grant))
        async with database.session() as session:
            await session.execute(damage)
        with pytest.raises(Unavailable):
            await PostgresJournal(opened, "node", lambda: None).append([entry(f"b/{damage}")])
        assert not await leases.renew(grant)
        await opened.close()
