"""One contract for numbers of declarations, in memory and in PostgreSQL."""

from __future__ import annotations

import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.ids import IdSource, party_id
from zhidao.core.journal import FixedKeyRing, Journal, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.store.database import Database
from zhidao.store.journal import PostgresJournal
from zhidao.store.memory import MemoryJournal
from zhidao.trade.adapters.lodged_numbers import MemoryLodgedNumbers, PostgresLodgedNumbers
from zhidao.trade.events import DeclarationCancelled
from zhidao.trade.service.ports import LodgedNumbers

IMPORTER = Actor(party_id("importer"), Role.PARTY)


async def test_numbers_in_memory_keep_the_contract() -> None:
    journal = MemoryJournal()
    await a_number_is_found_however_it_is_written(journal, MemoryLodgedNumbers(journal))


@pytest.mark.service
async def test_numbers_in_postgresql_keep_the_contract(database: Database) -> None:
    journal = PostgresJournal(database, "trade", lambda: None)
    await a_number_is_found_however_it_is_written(journal, PostgresLodgedNumbers(database))


async def a_number_is_found_however_it_is_written(journal: Journal, numbers: LodgedNumbers) -> None:
    clock, dice = HandClock(Utc.parse("2026-09-12T08:00:00Z")), SeededRandomness(7)
    key = SoftwareKey(Algorithm.ED25519, dice.token(32))
    scribe = Scribe(
        node=party_id("node"),
        key=key,
        ring=FixedKeyRing({IMPORTER.party: key}),
        clock=clock,
        ids=IdSource(clock, dice),
        randomness=dice,
    )
    assert await numbers.same_as("X-1") == ()
    # Two that were lodged before a number was one in whatever case, and what is no declaration.
    for name in ("declaration/X-1", "declaration/x-1", "declaration/X-12", "consignment/X-1"):
        for version in (0, 1):
            fact = DeclarationCancelled(declaration="X-1", version=1, reason=str(version))
            await Records(journal, scribe).record(
                IMPORTER, name, [fact], after=version, owner=IMPORTER.party
            )
    for written in ("X-1", "x-1", " x - 1"):
        assert await numbers.same_as(written) == ("X-1", "x-1")
    assert await numbers.same_as("x-12") == ("X-12",)
    assert await numbers.same_as("%") == ()
