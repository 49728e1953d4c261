"""The contract of the gate's storage, kept by the memory twin and by PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from zhidao.core.actor import Role
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.node.adapters.callers import MemoryCallers, PostgresCallers
from zhidao.node.security.callers import Callers, Code, Person, Session, Token

NOW = Utc.parse("2026-03-01T08:00:00Z")
PARTY = PartyId("exporter")
TOKEN = Token("00" * 8, PARTY, Role.PARTY, "label", b"h" * 32, NOW, "zKey")
PERSON = Person("Aigerim", PARTY, Role.ADMIN, "$argon2id$")


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def callers(request: pytest.FixtureRequest) -> Callers:
    if request.param == "memory":
        return MemoryCallers()
    return PostgresCallers(request.getfixturevalue("database"))


async def test_a_token_is_found_again_and_withdrawn(callers: Callers) -> None:
    await callers.add_token(TOKEN)
    assert await callers.token(TOKEN.id) == TOKEN
    assert await callers.revoke_token(TOKEN.id)
    assert await callers.token(TOKEN.id) == replace(TOKEN, revoked=True)
    assert await callers.tokens() == [replace(TOKEN, revoked=True)]


async def test_nothing_is_found_where_nothing_is(callers: Callers) -> None:
    assert await callers.token("no") is None
    assert not await callers.revoke_token("no")
    assert await callers.person("no") is None
    assert await callers.session(b"no") is None
    assert await callers.take_code(b"no", "enter") is None


async def test_tokens_come_oldest_first(callers: Callers) -> None:
    later = replace(TOKEN, id="11" * 8, created_at=NOW.plus_ns(1))
    await callers.add_token(TOKEN)
    await callers.add_token(later)
    assert await callers.tokens() == [TOKEN, later]


async def test_a_name_belongs_to_the_first_who_takes_it(callers: Callers) -> None:
    assert await callers.add_person(PERSON)
    assert not await callers.add_person(replace(PERSON, password_hash="other"))
    assert await callers.person(PERSON.name) == PERSON
    assert await callers.count_persons() == 1


async def test_of_many_attempts_at_once_only_a_few_get_through(callers: Callers) -> None:
    await callers.add_person(PERSON)
    later = NOW.plus_ns(900 * 10**9)

    async def attempt(now: Utc) -> Person | None:
        return await callers.count_attempt(PERSON.name, now=now, attempts_max=5, locked_until=later)

    found = await asyncio.gather(*(attempt(NOW) for _ in range(30)))
    assert sum(person is not None for person in found) == 5
    assert await attempt(NOW) is None
    # A lock that ran out starts the count anew.
    assert await attempt(later) is not None
    kept = await callers.person(PERSON.name)
    assert kept is not None
    assert (kept.failures, kept.locked_until) == (1, None)
    await callers.forget_attempts(PERSON.name)
    assert await callers.person(PERSON.name) == PERSON
    assert (
        await callers.count_attempt("nobody", now=NOW, attempts_max=5, locked_until=later) is None
    )


async def test_what_has_run_out_is_purged(callers: Callers) -> None:
    session = Session(b"s" * 32, "Aigerim", PARTY, Role.ADMIN, "csrf", NOW)
    await callers.add_session(session)
    await callers.purge(NOW)
    assert await callers.session(session.secret_hash) == session
    await callers.purge(NOW.plus_ns(1))
    assert await callers.session(session.secret_hash) is None


async def test_a_session_lasts_until_it_is_dropped(callers: Callers) -> None:
    session = Session(b"s" * 32, "Aigerim", PARTY, Role.ADMIN, "csrf", NOW)
    await callers.add_session(session)
    assert await callers.session(session.secret_hash) == session
    await callers.drop_session(session.secret_hash)
    assert await callers.session(session.secret_hash) is None


async def test_of_many_first_persons_at_once_one_stands_and_its_codes_are_gone(
    callers: Callers,
) -> None:
    codes = [Code(bytes([n]) * 32, "first-admin", PARTY, Role.ADMIN, NOW) for n in range(3)]
    enter = Code(b"e" * 32, "enter", PARTY, Role.AUDITOR, NOW)
    for code in (*codes, enter):
        await callers.add_code(code)
    persons = [replace(PERSON, name=f"p{n}") for n in range(6)]
    made = await asyncio.gather(*(callers.add_first_person(person) for person in persons))
    assert sorted(made) == [False] * 5 + [True]
    assert await callers.count_persons() == 1
    assert [await callers.take_code(c.secret_hash, c.purpose) for c in codes] == [None] * 3
    assert await callers.take_code(enter.secret_hash, enter.purpose) == enter


async def test_a_code_held_up_at_the_wrong_door_is_not_used(callers: Callers) -> None:
    code = Code(b"c" * 32, "first-admin", PARTY, Role.ADMIN, NOW)
    await callers.add_code(code)
    assert await callers.take_code(code.secret_hash, "enter") is None
    assert await callers.take_code(code.secret_hash, "first-admin") == code


async def test_of_many_who_take_a_code_one_gets_it(callers: Callers) -> None:
    code = Code(b"c" * 32, "first-admin", PARTY, Role.ADMIN, NOW)
    await callers.add_code(code)
    taken = await asyncio.gather(
        *(callers.take_code(code.secret_hash, code.purpose) for _ in range(8))
    )
    assert [each for each in taken if each] == [code]
