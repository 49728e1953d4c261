"""The contract of kept invitations, by the memory twin and by PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import pytest

from zhidao.core.actor import Role
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.node.adapters.acts import PostgresActs
from zhidao.node.adapters.caller_store import PostgresCallers
from zhidao.node.adapters.invitation_store import PostgresInvitations
from zhidao.node.adapters.memory_callers import MemoryCallers, MemoryInvitations
from zhidao.node.security.callers import Callers, Person, Session
from zhidao.node.security.invitations import Invitation, InvitationStore, State
from zhidao.store.journal import PostgresJournal

NOW = Utc.parse("2026-03-01T08:00:00Z")
PERSON = Person("Aigerim", PartyId("bank"), Role.PARTY, "")
LINK = Invitation(b"i" * 32, PERSON.name, "seen", counts=True, expires_at=NOW)
JOINED = replace(PERSON, password_hash="$argon2id$")


@dataclass(frozen=True)
class Stores:
    callers: Callers
    links: InvitationStore


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        callers = MemoryCallers()
        return Stores(callers, MemoryInvitations(callers))
    database = request.getfixturevalue("database")
    acts = PostgresActs(database, PostgresJournal(database, "node", lambda: None))
    return Stores(PostgresCallers(database, acts), PostgresInvitations(database, acts))


async def test_a_link_is_kept_with_its_new_person_and_only_under_a_free_name(
    stores: Stores,
) -> None:
    assert await stores.links.invitation(LINK.secret_hash) is None
    assert await stores.links.invite(LINK, PERSON, None)
    assert await stores.links.invitation(LINK.secret_hash) == LINK
    assert await stores.callers.person(PERSON.name) == PERSON
    other = replace(LINK, secret_hash=b"o" * 32)
    assert not await stores.links.invite(other, replace(PERSON, role=Role.ADMIN), None)
    assert await stores.links.invitation(other.secret_hash) is None
    assert await stores.links.invitation(LINK.secret_hash) == LINK


async def test_a_newer_link_replaces_open_ones_of_its_name_only(stores: Stores) -> None:
    bob = replace(PERSON, name="bob")
    of_bob = replace(LINK, secret_hash=b"b" * 32, name="bob")
    newer = replace(LINK, secret_hash=b"n" * 32)
    await stores.links.invite(LINK, PERSON, None)
    await stores.links.invite(of_bob, bob, None)
    assert await stores.links.invite(newer, None, None)
    told = [await stores.links.invitation(each.secret_hash) for each in (LINK, of_bob, newer)]
    assert told == [replace(LINK, state=State.REPLACED), of_bob, newer]
    assert not await stores.links.accept(LINK, PERSON, JOINED, None)
    assert await stores.links.accept(newer, PERSON, JOINED, None)
    # What was used stays used.
    await stores.links.invite(replace(LINK, secret_hash=b"l" * 32), None, None)
    assert await stores.links.invitation(newer.secret_hash) == replace(newer, state=State.USED)


async def test_of_many_who_use_one_link_one_gets_through(stores: Stores) -> None:
    await stores.links.invite(LINK, PERSON, None)
    wishes = [replace(PERSON, password_hash=f"$argon2id${number}") for number in range(6)]
    told = await asyncio.gather(
        *(stores.links.accept(LINK, PERSON, after, None) for after in wishes)
    )
    assert sorted(told) == [False] * 5 + [True]
    assert await stores.callers.person(PERSON.name) == wishes[told.index(True)]


@pytest.mark.parametrize("counts", [True, False])
async def test_a_password_that_counts_ends_the_sessions_of_the_one_before(
    stores: Stores, *, counts: bool
) -> None:
    before = replace(PERSON, password_hash="$argon2id$old")
    after = replace(before, **{"password_hash" if counts else "waiting_hash": "$argon2id$new"})
    session = Session(b"s" * 32, PERSON.name, PERSON.party, PERSON.role, "c", NOW, "192.0.2.0/24")
    await stores.callers.add_person(before, None)
    await stores.callers.add_session(session, None)
    await stores.links.invite(LINK, None, None)
    assert await stores.links.accept(LINK, before, after, None)
    assert await stores.callers.sessions(PERSON.name) == ([] if counts else [session])


async def test_a_person_changed_meanwhile_leaves_the_link_open(stores: Stores) -> None:
    await stores.links.invite(LINK, PERSON, None)
    assert not await stores.links.accept(LINK, JOINED, PERSON, None)
    assert await stores.links.invitation(LINK.secret_hash) == LINK


async def test_links_that_ran_out_long_ago_are_forgotten(stores: Stores) -> None:
    await stores.links.invite(LINK, PERSON, None)
    await stores.links.forget(NOW)
    assert await stores.links.invitation(LINK.secret_hash) == LINK
    await stores.links.forget(NOW.plus_ns(1))
    assert await stores.links.invitation(LINK.secret_hash) is None
