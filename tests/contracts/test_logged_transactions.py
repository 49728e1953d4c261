"""The contract of trust's LoggedTransactions, kept by the memory twin and by PostgreSQL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.events import SignedEvent
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.store.memory import MemoryJournal
from zhidao.trust.adapters.chain.logged_transactions import (
    MemoryLoggedTransactions,
    PostgresLoggedTransactions,
)
from zhidao.trust.events import ChainTransaction
from zhidao.trust.service.chain.ports import LoggedTransactions

if TYPE_CHECKING:
    from zhidao.store.database import Database

NODE = Actor(PartyId("node.test"), Role.NODE)


@dataclass
class Place:
    """A journal, the port under test, and a relay that gives leaves to what waits."""

    records: Records
    logged: LoggedTransactions
    give_leaves: Callable[[int], Awaitable[None]]

    async def write(self, aggregate: str, count: int) -> None:
        after = len(await self.records.history(aggregate))
        facts = [
            ChainTransaction(chain_id=1, raw=f"{n:02x}", hash="", purpose="", title="")
            for n in range(count)
        ]
        await self.records.record(NODE, aggregate, facts, after=after, owner=NODE.party)

    async def replayed(self, aggregate: str, after: int = 0) -> list[int]:
        return [event.version async for event in self.logged.replay(aggregate, after=after)]


def scribe() -> Scribe:
    clock, chance = HandClock(Utc.parse("2026-03-01T08:00:00Z")), SeededRandomness(3)
    return Scribe(
        node=NODE.party,
        key=SoftwareKey(Algorithm.ED25519, bytes(32)),
        ring=FixedKeyRing({}),
        clock=clock,
        ids=IdSource(clock, chance),
        randomness=chance,
    )


def memory() -> Place:
    journal, logged = MemoryJournal(), MemoryLoggedTransactions()

    async def give_leaves(count: int) -> None:
        for entry in journal.written[:count]:
            logged.log(entry.event)

    return Place(Records(journal, scribe()), logged, give_leaves)


def postgres(database: Database) -> Place:
    from zhidao.store.journal import PostgresJournal
    from zhidao.store.outbox import mark, pending

    journal = PostgresJournal(database, "trust", lambda: None)

    async def give_leaves(count: int) -> None:
        async with database.session() as session:
            rows = (await pending(session, 1000))[:count]
            await mark(session, rows, 0)

    return Place(Records(journal, scribe()), PostgresLoggedTransactions(database), give_leaves)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "memory":
        return memory()
    return postgres(request.getfixturevalue("database"))


async def test_only_what_has_a_leaf_is_replayed_in_order(place: Place) -> None:
    assert await place.replayed("chain/1") == []
    await place.write("chain/1", 5)
    assert await place.replayed("chain/1") == []
    await place.give_leaves(3)
    assert await place.replayed("chain/1") == [1, 2, 3]
    assert await place.replayed("chain/1", after=2) == [3]


async def test_other_chains_are_not_replayed(place: Place) -> None:
    await place.write("chain/1", 2)
    await place.write("chain/2", 1)
    await place.give_leaves(3)
    assert await place.replayed("chain/2") == [1]


async def test_a_long_chain_comes_whole(place: Place) -> None:
    await place.write("chain/1", 600)
    await place.give_leaves(600)
    assert await place.replayed("chain/1") == list(range(1, 601))
    events: list[SignedEvent] = [e async for e in place.logged.replay("chain/1", after=599)]
    events[0].verify()
