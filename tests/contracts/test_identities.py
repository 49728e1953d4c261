"""The contract of kept identities, by the memory twin and by PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from zhidao.core.timescale import Utc
from zhidao.node.adapters.acts import PostgresActs
from zhidao.node.adapters.memory_callers import MemoryActs
from zhidao.node.adapters.sign_in.identity_store import PostgresIdentities
from zhidao.node.adapters.sign_in.memory_identities import MemoryIdentities
from zhidao.node.security.openid.identities import Identity, IdentityStore, Named
from zhidao.store.journal import PostgresJournal

NOW = Utc.parse("2026-03-01T08:00:00Z")
NAMED = Named("https://id.example.org", "sub", "a-1")
AIDA = Identity(NAMED, "aida", NOW)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def store(request: pytest.FixtureRequest) -> IdentityStore:
    if request.param == "memory":
        return MemoryIdentities(MemoryActs())
    database = request.getfixturevalue("database")
    acts = PostgresActs(database, PostgresJournal(database, "node", lambda: None))
    return PostgresIdentities(database, acts)


async def test_an_identity_is_one_persons_and_a_person_has_one_of_each_provider(
    store: IdentityStore,
) -> None:
    assert await store.find(NAMED) is None
    assert await store.add(AIDA, None)
    assert not await store.add(replace(AIDA, name="ben"), None)
    assert not await store.add(replace(AIDA, named=replace(NAMED, value="a-2")), None)
    elsewhere = replace(AIDA, named=replace(NAMED, issuer="https://id.example.net"))
    assert await store.add(elsewhere, None)
    assert await store.of("aida") == [elsewhere, AIDA]
    assert await store.find(NAMED) == AIDA
    # The same word of another claim names somebody else.
    assert await store.find(replace(NAMED, claim="email")) is None
    assert not await store.remove(replace(AIDA, name="ben"), None)
    assert await store.remove(AIDA, None)
    assert not await store.remove(AIDA, None)
    assert await store.of("aida") == [elsewhere]


async def test_of_many_who_link_one_identity_one_gets_it(store: IdentityStore) -> None:
    names = [f"person {number}" for number in range(8)]
    added = await asyncio.gather(*(store.add(replace(AIDA, name=name), None) for name in names))
    assert sorted(added) == [False] * 7 + [True]
