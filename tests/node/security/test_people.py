"""People: how long a password is, who gets which role, and that no admin is the last to go."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.node.security.gate_world import ADMIN, OPERATING, PARTY, PASSWORD, World

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused, Unauthenticated
from zhidao.node.security.gate import GUEST, Origin
from zhidao.node.security.people import PASSWORD_CHARACTERS_MIN

HERE = Origin(address="203.0.113.7")


@pytest.fixture
def world() -> World:
    return World()


async def made(world: World, name: str, role: Role, password: str = PASSWORD) -> None:
    await world.people.make(ADMIN, name=name, password=password, party=ADMIN.party, role=role)


async def test_a_password_has_as_many_characters_as_it_needs_and_no_fewer(world: World) -> None:
    with pytest.raises(Refused, match="12 characters") as refused:
        await made(world, "short", Role.ADMIN, "p" * (PASSWORD_CHARACTERS_MIN - 1))
    assert refused.value.code == "short_password"
    await made(world, "long", Role.ADMIN, "p" * PASSWORD_CHARACTERS_MIN)


def test_pages_ask_for_the_length_that_routes_take() -> None:
    page = Path(__file__).parents[3].joinpath("web/src/session.ts").read_text()
    asked = re.findall(r"PASSWORD_LETTERS_MIN = (\d+);", page)
    assert asked == [str(PASSWORD_CHARACTERS_MIN)]


async def test_nobody_takes_the_name_that_links_sign_in_under(world: World) -> None:
    with pytest.raises(Conflict) as refused:
        await made(world, GUEST, Role.ADMIN)
    assert refused.value.code == "name_taken"


async def test_another_role_counts_at_once_and_ends_the_sessions_of_the_old_one(
    world: World,
) -> None:
    await made(world, "aida", Role.ADMIN)
    await made(world, "ben", Role.OPERATOR)
    session = await world.gate.sign_in("ben", PASSWORD, HERE)
    changed = await world.people.change_role(ADMIN, "ben", Role.AUDITOR)
    assert (changed.role, changed.may_enter) == (Role.AUDITOR, True)
    with pytest.raises(Unauthenticated):
        await world.gate.session(session.secret)
    assert (await world.gate.sign_in("ben", PASSWORD, HERE)).session.role is Role.AUDITOR
    # The same role again is no act; the node itself is no role of a person.
    told = world.told()
    assert await world.people.change_role(ADMIN, "ben", Role.AUDITOR) == changed
    assert world.told() == told
    assert told.count("person_changed") == 1
    with pytest.raises(Refused, match="cannot be the node"):
        await world.people.change_role(ADMIN, "ben", Role.NODE)
    with pytest.raises(NotFound):
        await world.people.change_role(ADMIN, "nobody", Role.AUDITOR)
    with pytest.raises(Forbidden):
        await world.people.change_role(OPERATING, "ben", Role.ADMIN)


async def test_the_last_admin_is_not_demoted_and_leaves_no_trace_of_a_try(world: World) -> None:
    await made(world, "aida", Role.ADMIN)
    with pytest.raises(Conflict) as refused:
        await world.people.change_role(ADMIN, "aida", Role.OPERATOR)
    assert refused.value.code == "last_admin"
    assert world.told() == ["person_made"]
    await made(world, "ben", Role.ADMIN)
    await world.people.change_role(ADMIN, "aida", Role.OPERATOR)
    with pytest.raises(Conflict, match="last admin"):
        await world.people.change_role(ADMIN, "ben", Role.OPERATOR)


async def test_another_partys_person_of_another_role_waits_for_its_word(world: World) -> None:
    for name in ("aigerim", "daniyar"):
        await world.people.make(ADMIN, name=name, password=PASSWORD, party=PARTY, role=Role.PARTY)
    await world.people.agree(OPERATING, "aigerim")
    aigerim = Actor(PARTY, Role.PARTY, "aigerim")
    await world.people.agree(aigerim, "daniyar")
    changed = await world.people.change_role(ADMIN, "daniyar", Role.AUDITOR)
    assert not changed.may_enter
    with pytest.raises(Unauthenticated):
        await world.gate.sign_in("daniyar", PASSWORD, HERE)
    await world.people.agree(aigerim, "daniyar")
    assert (await world.gate.sign_in("daniyar", PASSWORD, HERE)).session.role is Role.AUDITOR


async def test_one_session_ends_or_all_but_the_one_that_asks(world: World) -> None:
    await made(world, "ben", Role.OPERATOR)
    await made(world, "carl", Role.OPERATOR)
    ben = Actor(ADMIN.party, Role.OPERATOR, "ben")
    signed_in = [await world.gate.sign_in("ben", PASSWORD, HERE) for _ in range(4)]
    of_carl = (await world.gate.sign_in("carl", PASSWORD, HERE)).session
    seen = await world.people.sessions(ben, "ben")
    assert [each.block for each in seen] == ["203.0.113.0/24"] * 4
    first, second, *_ = (each.session.id for each in signed_in)
    assert await world.people.end_sessions(ben, "ben", session=first) == 1
    assert await world.people.end_sessions(ADMIN, "ben", session=second) == 1
    for gone in (first, of_carl.id):
        with pytest.raises(NotFound):
            await world.people.end_sessions(ben, "ben", session=gone)
    with pytest.raises(Forbidden):
        await world.people.end_sessions(ben, "carl", session=of_carl.id)
    assert await world.people.end_sessions(ben, "ben", besides=signed_in[3].secret) == 1
    assert await world.people.sessions(ben, "ben") == [signed_in[3].session]
    assert await world.people.sessions(ADMIN, "carl") == [of_carl]
    assert world.told().count("sessions_ended") == 3


async def test_a_leaver_takes_no_token_along_whose_secret_he_saw(world: World) -> None:
    await made(world, "aida", Role.ADMIN)
    await made(world, "ben", Role.ADMIN)
    texts = {}
    for name in ("aida", "ben"):
        maker = Actor(ADMIN.party, Role.ADMIN, name)
        texts[name] = await world.tokens.make(
            maker, party=ADMIN.party, role=Role.OPERATOR, label=name
        )
        await world.gate.by_token(f"Bearer {texts[name]}")
    with pytest.raises(Conflict):
        await world.people.make(ADMIN, name="ben", password=PASSWORD, party=PARTY, role=Role.PARTY)
    await world.people.withdraw(ADMIN, "ben", with_tokens=True)
    with pytest.raises(Unauthenticated):
        await world.gate.by_token(f"Bearer {texts['ben']}")
    await world.gate.by_token(f"Bearer {texts['aida']}")
    assert world.told()[-2:] == ["person_withdrawn", "token_withdrawn"]
    # Without being asked for, tokens stay: programs may need them.
    await made(world, "carl", Role.ADMIN)
    await world.people.withdraw(ADMIN, "aida")
    await world.gate.by_token(f"Bearer {texts['aida']}")


async def test_only_an_admin_withdraws_the_tokens_of_a_leaver(world: World) -> None:
    for name in ("aigerim", "daniyar"):
        await world.people.make(ADMIN, name=name, password=PASSWORD, party=PARTY, role=Role.PARTY)
    await world.people.agree(OPERATING, "aigerim")
    aigerim = Actor(PARTY, Role.PARTY, "aigerim")
    with pytest.raises(Forbidden):
        await world.people.withdraw(aigerim, "daniyar", with_tokens=True)
    await world.people.withdraw(aigerim, "daniyar")
