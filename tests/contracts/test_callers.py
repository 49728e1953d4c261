"""The contract of the gate's storage, kept by the memory twin and by PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from zhidao.core.actor import Role
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.node.adapters.acts import PostgresActs
from zhidao.node.adapters.caller_store import PostgresCallers
from zhidao.node.adapters.memory_callers import MemoryCallers
from zhidao.node.security.administration import Record
from zhidao.node.security.callers import Callers, Change, Code, Person, Session, Token
from zhidao.store.journal import PostgresJournal

NOW = Utc.parse("2026-03-01T08:00:00Z")
PARTY = PartyId("exporter")
TOKEN = Token("00" * 8, PARTY, Role.PARTY, "label", b"h" * 32, NOW, "zKey")
PERSON = Person("Aigerim", PARTY, Role.ADMIN, "$argon2id$")
SESSION = Session(b"s" * 32, "Aigerim", PARTY, Role.ADMIN, "csrf", NOW)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def callers(request: pytest.FixtureRequest) -> Callers:
    if request.param == "memory":
        return MemoryCallers()
    database = request.getfixturevalue("database")
    acts = PostgresActs(database, PostgresJournal(database, "node", lambda: None))
    return PostgresCallers(database, acts)


async def test_a_token_is_found_again_and_withdrawn(callers: Callers) -> None:
    await callers.add_token(TOKEN, None)
    assert await callers.token(TOKEN.id) == TOKEN
    assert await callers.revoke_token(TOKEN.id, None)
    assert await callers.token(TOKEN.id) == replace(TOKEN, revoked=True)
    assert await callers.tokens() == [replace(TOKEN, revoked=True)]


async def test_nothing_is_found_where_nothing_is(callers: Callers) -> None:
    assert await callers.token("no") is None
    assert not await callers.revoke_token("no", None)
    assert await callers.person("no") is None
    assert await callers.session(b"no") is None
    assert await callers.take_code(b"no", "enter") is None


async def test_tokens_come_oldest_first(callers: Callers) -> None:
    later = replace(TOKEN, id="11" * 8, created_at=NOW.plus_ns(1))
    await callers.add_token(TOKEN, None)
    await callers.add_token(later, None)
    assert await callers.tokens() == [TOKEN, later]


async def test_a_name_belongs_to_the_first_who_takes_it(callers: Callers) -> None:
    assert await callers.add_person(PERSON, None)
    assert not await callers.add_person(replace(PERSON, password_hash="other"), None)
    assert await callers.person(PERSON.name) == PERSON
    assert await callers.count_persons() == 1


async def test_what_has_run_out_is_purged(callers: Callers) -> None:
    session = Session(b"s" * 32, "Aigerim", PARTY, Role.ADMIN, "csrf", NOW)
    await callers.add_session(session, None)
    await callers.purge(NOW)
    assert await callers.session(session.secret_hash) == session
    await callers.purge(NOW.plus_ns(1))
    assert await callers.session(session.secret_hash) is None


async def test_a_session_lasts_until_it_is_dropped(callers: Callers) -> None:
    session = Session(b"s" * 32, "Aigerim", PARTY, Role.ADMIN, "csrf", NOW)
    await callers.add_session(session, None)
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
    made = await asyncio.gather(*(callers.add_first_person(person, None) for person in persons))
    assert sorted(made) == [False] * 5 + [True]
    assert await callers.count_persons() == 1
    assert [await callers.take_code(c.secret_hash, c.purpose) for c in codes] == [None] * 3
    assert await callers.take_code(enter.secret_hash, enter.purpose) == enter


async def test_a_code_held_up_at_the_wrong_door_is_not_used(callers: Callers) -> None:
    code = Code(b"c" * 32, "first-admin", PARTY, Role.ADMIN, NOW)
    await callers.add_code(code)
    assert await callers.take_code(code.secret_hash, "enter") is None
    assert await callers.take_code(code.secret_hash, "first-admin") == code


async def test_a_code_that_is_only_seen_stays(callers: Callers) -> None:
    code = Code(b"c" * 32, "show", PARTY, Role.AUDITOR, NOW)
    await callers.add_code(code)
    assert await callers.see_code(code.secret_hash, "enter") is None
    assert await callers.see_code(b"no", "show") is None
    assert [await callers.see_code(code.secret_hash, "show") for _ in range(2)] == [code, code]


async def test_of_many_who_take_a_code_one_gets_it(callers: Callers) -> None:
    code = Code(b"c" * 32, "first-admin", PARTY, Role.ADMIN, NOW)
    await callers.add_code(code)
    taken = await asyncio.gather(
        *(callers.take_code(code.secret_hash, code.purpose) for _ in range(8))
    )
    assert [each for each in taken if each] == [code]


async def test_a_person_is_changed_only_from_what_was_seen(callers: Callers) -> None:
    waits = replace(PERSON, password_hash="", waiting_hash="$argon2id$new", agreed="")
    await callers.add_person(waits, None)
    agreed = replace(waits, password_hash="$argon2id$new", waiting_hash="", agreed="operator")
    assert await callers.change_person(waits, agreed, None)
    assert not await callers.change_person(waits, agreed, None)
    assert await callers.persons() == [agreed]


async def test_what_ends_sessions_ends_all_of_that_name_at_once(callers: Callers) -> None:
    await callers.add_person(PERSON, None)
    sessions = [
        Session(bytes([n]) * 32, PERSON.name, PARTY, Role.ADMIN, "c", NOW.plus_ns(n))
        for n in (2, 1)
    ]
    other = Session(b"o" * 32, "other", PARTY, Role.PARTY, "c", NOW)
    for session in (*sessions, other):
        await callers.add_session(session, None)
    assert await callers.sessions(PERSON.name) == sessions[::-1]
    assert await callers.end_sessions(PERSON.name, None) == 2
    await callers.add_session(sessions[0], None)
    changed = replace(PERSON, password_hash="$argon2id$other")
    assert await callers.change_person(PERSON, changed, None, end_sessions=True)
    assert await callers.sessions(PERSON.name) == []
    assert await callers.session(other.secret_hash) == other


async def test_the_last_admin_stays_even_if_two_withdraw_each_other(callers: Callers) -> None:
    persons = [replace(PERSON, name=name) for name in ("a", "b", "c")]
    guest = replace(PERSON, name="d", party=PartyId("other"))
    waits = replace(PERSON, name="e", password_hash="", waiting_hash="$argon2id$")
    for person in (*persons, guest, waits):
        await callers.add_person(person, None)
    told = await asyncio.gather(
        *(callers.withdraw_person(each.name, None, admins_of=PARTY) for each in persons)
    )
    assert sorted(told) == [Change.DONE, Change.DONE, Change.LAST_ADMIN]
    # An admin of another party, and one who waits, are no admins of this node.
    assert await callers.withdraw_person("d", None, admins_of=PARTY) is Change.DONE
    assert await callers.withdraw_person("d", None, admins_of=PARTY) is Change.UNKNOWN
    assert not await callers.add_person(guest, None), "a name is not given again"


async def test_the_last_admin_stays_one_even_if_two_demote_each_other(callers: Callers) -> None:
    persons = [replace(PERSON, name=name) for name in ("a", "b")]
    auditors = [replace(each, role=Role.AUDITOR) for each in persons]
    for person in persons:
        await callers.add_person(person, None)
        await callers.add_session(
            replace(SESSION, name=person.name, secret_hash=person.name.encode()), None
        )
    told = await asyncio.gather(
        *(
            callers.change_role(before, after, None, admins_of=PARTY)
            for before, after in zip(persons, auditors, strict=True)
        )
    )
    assert sorted(told) == [Change.DONE, Change.LAST_ADMIN]
    [demoted] = [each for each in await callers.persons() if each.role is Role.AUDITOR]
    assert await callers.sessions(demoted.name) == []
    # What was looked at before is no more; who administers nothing may become anything.
    before = replace(demoted, role=Role.ADMIN)
    assert await callers.change_role(before, demoted, None, admins_of=PARTY) is Change.UNKNOWN
    other = replace(demoted, role=Role.OPERATOR, acted=True)
    assert await callers.change_role(demoted, other, None, admins_of=PARTY) is Change.DONE
    assert await callers.person(other.name) == other


@pytest.mark.parametrize("what", ["withdrawn", "password", "role"])
async def test_no_session_opens_for_whoever_left_while_the_password_was_looked_at(
    callers: Callers, what: str
) -> None:
    other = replace(PERSON, name="other")
    await callers.add_person(PERSON, None)
    await callers.add_person(other, None)
    assert await callers.add_session(SESSION, None, PERSON)
    if what == "withdrawn":
        await callers.withdraw_person(PERSON.name, None, admins_of=PARTY)
    elif what == "password":
        after = replace(PERSON, password_hash="$argon2id$other")
        await callers.change_person(PERSON, after, None, end_sessions=True)
    else:
        after = replace(PERSON, role=Role.AUDITOR)
        await callers.change_role(PERSON, after, None, admins_of=PARTY)
    late = replace(SESSION, secret_hash=b"l" * 32)
    assert not await callers.add_session(late, None, PERSON)
    assert await callers.sessions(PERSON.name) == []


async def test_a_session_and_the_end_of_its_person_at_once_leave_no_session(
    callers: Callers,
) -> None:
    await callers.add_person(replace(PERSON, name="admin"), None)
    for number in range(20):
        person = replace(PERSON, name=f"p{number}")
        await callers.add_person(person, None)
        sessions = [
            replace(SESSION, name=person.name, secret_hash=bytes([number, n]) * 16)
            for n in range(4)
        ]
        await asyncio.gather(
            *(callers.add_session(each, None, person) for each in sessions[:2]),
            callers.withdraw_person(person.name, None, admins_of=PARTY),
            *(callers.add_session(each, None, person) for each in sessions[2:]),
        )
        assert await callers.sessions(person.name) == []


async def test_which_sessions_stand_is_told_at_once(callers: Callers) -> None:
    later = replace(SESSION, secret_hash=b"l" * 32, expires_at=NOW.plus_ns(2))
    for each in (SESSION, later):
        await callers.add_session(each, None)
    asked = [SESSION.secret_hash, later.secret_hash, b"n" * 32]
    assert await callers.standing(asked, NOW) == {SESSION.secret_hash, later.secret_hash}
    assert await callers.standing(asked, NOW.plus_ns(1)) == {later.secret_hash}
    await callers.drop_session(later.secret_hash)
    assert await callers.standing(asked, NOW.plus_ns(1)) == set()


async def test_tokens_are_withdrawn_with_a_person_or_neither_is(callers: Callers) -> None:
    others = [replace(TOKEN, id=each * 8, made_by="a") for each in ("11", "22")]
    for token in (TOKEN, *others):
        await callers.add_token(token, None)
    tokens: dict[str, Record | None] = dict.fromkeys(each.id for each in others)
    await callers.add_person(replace(PERSON, name="a"), None)
    told = await callers.withdraw_person("a", None, admins_of=PARTY, tokens=tokens)
    assert told is Change.LAST_ADMIN
    assert sorted(await callers.tokens(), key=lambda each: each.id) == [TOKEN, *others]
    await callers.add_person(replace(PERSON, name="b"), None)
    told = await callers.withdraw_person("a", None, admins_of=PARTY, tokens=tokens)
    assert told is Change.DONE
    gone = [replace(each, revoked=True) for each in others]
    assert sorted(await callers.tokens(), key=lambda each: each.id) == [TOKEN, *gone]


async def test_who_agreed_to_a_token_is_kept(callers: Callers) -> None:
    waits = replace(TOKEN, agreed="")
    await callers.add_token(waits, None)
    assert await callers.agree_token(TOKEN.id, "operator", None)
    assert await callers.token(TOKEN.id) == replace(TOKEN, agreed="operator")
    await callers.revoke_token(TOKEN.id, None)
    assert not await callers.revoke_token(TOKEN.id, None)
    assert not await callers.agree_token(TOKEN.id, "operator", None)
