from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused, Unavailable
from zhidao.core.events import SignedEvent, Speaker
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import FixedKeyRing, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.node.events import Stated
from zhidao.node.identity.party_statements import Statement, Statements, aggregate_of
from zhidao.store.memory import MemoryJournal

NODE, SENSOR, READER = PartyId("node"), PartyId("sensor"), PartyId("bank")
NODE_KEY = SoftwareKey(Algorithm.ED25519, b"n" * 32)
KEY = SoftwareKey(Algorithm.ED25519, b"s" * 32)
NOW = Utc.parse("2026-03-01T08:00:00Z")
ACTOR = Actor(SENSOR, Role.PARTY)


def scribe() -> Scribe:
    clock, randomness = HandClock(NOW), SeededRandomness(1)
    return Scribe(
        node=NODE,
        key=NODE_KEY,
        ring=FixedKeyRing({}),
        clock=clock,
        ids=IdSource(clock, randomness),
        randomness=randomness,
    )


def statement(number: int, *, text: str = "", key: SoftwareKey = KEY) -> Statement:
    draft = Statement(
        id=UUID(int=number),
        name=f"t-{number}",
        key=key.public,
        fact=Stated(kind="temperature", consignment="", text=text, values={"celsius": "4.5"}),
        occurred_at=NOW,
        readers=(READER,),
        assertion=b"",
    )
    event = SignedEvent(
        id=draft.id,
        type=Stated.TYPE,
        aggregate=aggregate_of(SENSOR, draft.name),
        version=1,
        owner=SENSOR,
        visible=(READER,),
        occurred_at=NOW,
        recorded_at=NOW,
        payload=draft.fact.payload(),
        open=False,
        custodian=False,
        asserted_by=Speaker(SENSOR, key.public),
        recorded_by=Speaker(NODE, NODE_KEY.public),
    )
    return replace(draft, assertion=key.sign(event.assertion_message()))


class CountingJournal(MemoryJournal):
    """Counts transactions, and lets others gather while one is written."""

    def __init__(self) -> None:
        super().__init__()
        self.transactions = 0
        self.broken = False

    async def open_all(self, entries):
        self.transactions += 1
        await asyncio.sleep(0)
        if self.broken:
            raise Unavailable("the database is gone")
        return await super().open_all(entries)


def statements(journal: CountingJournal) -> Statements:
    async def has_key(party: PartyId, key: str) -> bool:
        return (party, key) == (SENSOR, KEY.public.multikey)

    return Statements(journal, scribe(), has_key)


async def test_many_statements_share_a_transaction_and_each_is_recorded() -> None:
    journal = CountingJournal()
    stated = statements(journal)
    events = await asyncio.gather(*(stated.state(ACTOR, statement(n)) for n in range(1, 65)))
    assert len(journal.written) == 64
    assert journal.transactions <= 3
    for event in events:
        event.verify()
        assert not event.custodian
        assert event.recorded_by.party == NODE


async def test_the_same_statement_again_is_the_same_event() -> None:
    journal = CountingJournal()
    stated = statements(journal)
    first = await stated.state(ACTOR, statement(1))
    assert await stated.state(ACTOR, statement(1)) == first
    assert len(journal.written) == 1
    with pytest.raises(Conflict, match="something else"):
        await stated.state(ACTOR, replace(statement(1, text="other"), name="t-1"))


async def test_a_wrong_assertion_or_an_unknown_key_is_refused_and_nothing_stored() -> None:
    journal = CountingJournal()
    stated = statements(journal)
    with pytest.raises(Refused) as wrong:
        await stated.state(ACTOR, replace(statement(1), occurred_at=NOW.plus_ns(1)))
    assert wrong.value.code == "bad_signature"
    with pytest.raises(Refused) as unknown:
        await stated.state(ACTOR, statement(1, key=SoftwareKey(Algorithm.ED25519, b"x" * 32)))
    assert unknown.value.code == "unknown_key"
    with pytest.raises(Forbidden):
        await stated.state(Actor(SENSOR, Role.AUDITOR), statement(1))
    assert journal.written == []


async def test_when_the_database_fails_every_waiting_caller_hears_it() -> None:
    journal = CountingJournal()
    stated = statements(journal)
    journal.broken = True
    told = await asyncio.gather(
        *(stated.state(ACTOR, statement(n)) for n in range(1, 5)), return_exceptions=True
    )
    assert [type(each) for each in told] == [Unavailable] * 4
    journal.broken = False
    await stated.state(ACTOR, statement(1))


async def test_only_readers_find_a_statement() -> None:
    stated = statements(CountingJournal())
    event = await stated.state(ACTOR, statement(1))
    assert await stated.one(Actor(READER, Role.PARTY), SENSOR, "t-1") == event
    with pytest.raises(NotFound):
        await stated.one(Actor(PartyId("stranger"), Role.PARTY), SENSOR, "t-1")
