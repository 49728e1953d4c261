"""The contract of kept passkeys, by the memory twin and by PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import pytest

from zhidao.core.actor import Role
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.node.adapters.acts import PostgresActs
from zhidao.node.adapters.caller_store import PostgresCallers
from zhidao.node.adapters.memory_callers import MemoryActs, MemoryCallers
from zhidao.node.adapters.sign_in.memory_passkeys import MemoryPasskeys
from zhidao.node.adapters.sign_in.passkey_store import PostgresPasskeys
from zhidao.node.security.callers import Callers, Person
from zhidao.node.security.passkeys.records import Passkey, PasskeyStore
from zhidao.store.journal import PostgresJournal

NOW = Utc.parse("2026-03-01T08:00:00Z")
LATER = Utc.parse("2026-03-02T08:00:00Z")
PERSON = Person("Aigerim", PartyId("bank"), Role.PARTY, "$argon2id$")
KEY = Passkey(b"k" * 16, PERSON.name, "phone", "node.example.org", b"public", 4, NOW)


@dataclass(frozen=True)
class Stores:
    callers: Callers
    passkeys: PasskeyStore


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        acts = MemoryActs()
        callers = MemoryCallers(acts)
        return Stores(callers, MemoryPasskeys(callers, acts))
    database = request.getfixturevalue("database")
    kept = PostgresActs(database, PostgresJournal(database, "node", lambda: None))
    return Stores(PostgresCallers(database, kept), PostgresPasskeys(database, kept))


async def test_one_credential_is_kept_once_and_gone_once_removed(stores: Stores) -> None:
    kept = stores.passkeys
    assert await kept.passkey(KEY.credential_id) is None
    assert await kept.add(KEY, None)
    assert not await kept.add(replace(KEY, name="ben"), None)
    second = replace(KEY, credential_id=b"s" * 16, created_at=LATER)
    assert await kept.add(second, None)
    assert await kept.of(KEY.name) == [KEY, second]
    assert await kept.of("ben") == []
    assert await kept.passkey(KEY.credential_id) == KEY
    assert await kept.counts() == {KEY.name: 2}
    assert await kept.remove(KEY, None)
    assert not await kept.remove(KEY, None)
    assert await kept.of(KEY.name) == [second]


@pytest.mark.parametrize(
    ("known", "told", "taken"), [(4, 5, True), (4, 4, False), (4, 0, False), (0, 0, True)]
)
async def test_a_use_is_noted_only_with_a_count_that_grows_or_none_at_all(
    stores: Stores, known: int, told: int, *, taken: bool
) -> None:
    passkey = replace(KEY, sign_count=known)
    await stores.passkeys.add(passkey, None)
    assert await stores.passkeys.used(passkey, told, LATER) is taken
    after = replace(passkey, sign_count=told, used_at=LATER) if taken else passkey
    assert await stores.passkeys.passkey(KEY.credential_id) == after


async def test_of_many_uses_of_one_count_at_the_same_time_one_is_noted(stores: Stores) -> None:
    await stores.passkeys.add(KEY, None)
    noted = await asyncio.gather(*(stores.passkeys.used(KEY, 5, LATER) for _ in range(8)))
    assert sorted(noted) == [False] * 7 + [True]


async def test_passkeys_go_with_a_change_of_their_person_or_stay_with_it(stores: Stores) -> None:
    await stores.callers.add_person(PERSON, None)
    await stores.passkeys.add(KEY, None)
    await stores.passkeys.mark(KEY.name, falls=True)
    assert [each.falls for each in await stores.passkeys.of(KEY.name)] == [True]
    await stores.passkeys.mark(KEY.name, falls=False)
    after = replace(PERSON, password_hash="$argon2id$new")
    gone = {KEY.credential_id: None, b"none of that name": None}
    assert not await stores.callers.change_person(after, PERSON, None, passkeys=gone)
    assert await stores.passkeys.of(KEY.name) == [KEY]
    assert await stores.callers.change_person(PERSON, after, None, passkeys=gone)
    assert await stores.passkeys.of(KEY.name) == []
    await stores.passkeys.add(KEY, None)
    await stores.callers.withdraw_person(
        KEY.name, None, admins_of=PartyId("node"), passkeys={KEY.credential_id: None}
    )
    assert await stores.passkeys.of(KEY.name) == []
