"""Whose word counts: who stands, under a name of the own, agreed to by who acts for the party."""

from __future__ import annotations

import asyncio

import pytest
from tests.node.security.gate_world import ADMIN, OPERATING, PARTY, PASSWORD, World

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, Forbidden, MalformedInput, ZhidaoError
from zhidao.node.identity.standing_persons import StandingPersons
from zhidao.node.security.person_names import PersonNames

AIDA = Actor(PARTY, Role.PARTY, "aida")
OMAR = Actor(PARTY, Role.OPERATOR, "omar")
HIDING = ["bo1 ", " bo1", "b  o1", "bo1\n", "bo1\u3164", "bo1\ufe0f", "bo1\u2028", "\u2800", " "]
ALIKE = ["BO1", "b\u043e1", "bol", "Bo1", "B01"]


@pytest.fixture
def world() -> World:
    return World()


async def person(world: World, name: str, role: Role, *, by: Actor | None = None) -> None:
    await world.people.make(ADMIN, name=name, password=PASSWORD, party=PARTY, role=role)
    if by is not None:
        await world.people.agree(by, name)


async def test_nobody_stands_for_whom_the_party_s_word_is_missing(world: World) -> None:
    persons = StandingPersons(world.callers)

    async def stands() -> bool:
        return await persons.standing("bolat") is not None

    await person(world, "aida", Role.PARTY, by=OPERATING)
    await world.invitations.invite(ADMIN, name="bolat", party=PARTY, role=Role.PARTY)
    assert not await stands()
    assert await persons.standing("nobody") is None
    await world.people.reset(ADMIN, "bolat", PASSWORD)
    assert not await stands()
    await world.people.agree(AIDA, "bolat")
    assert await persons.standing("bolat") == Actor(PARTY, Role.PARTY)
    for role in (Role.AUDITOR, Role.PARTY):
        await world.people.change_role(ADMIN, "bolat", role)
        assert not await stands()
    await world.people.agree(AIDA, "bolat")
    assert await stands()
    await world.people.reset(ADMIN, "bolat", PASSWORD + "!")
    assert not await stands()
    await world.people.agree(AIDA, "bolat")
    assert await stands()
    await world.people.withdraw(AIDA, "bolat")
    assert not await stands()


@pytest.mark.parametrize("role", [Role.PARTY, Role.ADMIN])
async def test_to_whoever_moves_money_only_who_moves_money_agrees(world: World, role: Role) -> None:
    # The first person of a party may be its operator: he agrees to the first who acts for it.
    await person(world, "omar", Role.OPERATOR, by=OPERATING)
    await person(world, "aida", Role.PARTY, by=OMAR)
    await person(world, "evil", role)
    await person(world, "olga", Role.OPERATOR)
    text = await world.tokens.make(ADMIN, party=PARTY, role=role, label="")
    token = text.split("_")[1]
    for actor in (OMAR, Actor(PARTY, Role.ADMIN, "adil"), OPERATING):
        assert [each.name for each in await world.people.waiting_for(actor)] == (
            [] if actor is OPERATING else ["olga"]
        )
        assert await world.tokens.waiting_for(actor) == []
        with pytest.raises(Forbidden) as refused:
            await world.people.agree(actor, "evil")
        assert refused.value.code == "party_must_agree"
        with pytest.raises(Forbidden):
            await world.tokens.agree(actor, token)
    await world.people.agree(OMAR, "olga")
    # Nor to a new role, nor once who acts for the party was made to wait or taken away.
    await world.people.change_role(ADMIN, "olga", role)
    with pytest.raises(Forbidden):
        await world.people.agree(OMAR, "olga")
    await world.people.change_role(ADMIN, "aida", Role.AUDITOR)
    with pytest.raises(Forbidden):
        await world.people.agree(OMAR, "evil")
    await world.people.change_role(ADMIN, "aida", Role.PARTY)
    for name in ("olga", "evil"):
        await world.people.agree(AIDA, name)
    await world.tokens.agree(AIDA, token)
    await person(world, "more", role)
    await world.people.withdraw(ADMIN, "aida")
    with pytest.raises(Forbidden):
        await world.people.agree(OMAR, "more")


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR])
async def test_who_acted_for_a_party_is_not_forgotten_with_the_role(
    world: World, role: Role
) -> None:
    await person(world, "omar", Role.OPERATOR, by=OPERATING)
    await person(world, "aida", Role.PARTY, by=OMAR)
    await person(world, "evil", Role.PARTY)
    # Nor over several roles, nor once the operator agreed to each of them.
    for each in (role, Role.ADMIN, role):
        await world.people.change_role(ADMIN, "aida", each)
        if each is role:
            await world.people.agree(OMAR, "aida")
        with pytest.raises(Forbidden) as refused:
            await world.people.agree(OMAR, "evil")
        assert refused.value.code == "party_must_agree"
    await world.people.withdraw(ADMIN, "aida")
    with pytest.raises(Forbidden):
        await world.people.agree(OMAR, "evil")


async def test_who_never_had_the_party_s_word_never_acted(world: World) -> None:
    await person(world, "omar", Role.OPERATOR, by=OPERATING)
    await person(world, "aida", Role.PARTY)
    await world.people.change_role(ADMIN, "aida", Role.AUDITOR)
    await world.people.agree(OMAR, "aida")
    await person(world, "bolat", Role.PARTY, by=OMAR)


async def test_no_name_is_read_as_another_s(world: World) -> None:
    async def made(name: str) -> str:
        try:
            await person(world, name, Role.PARTY)
        except ZhidaoError as error:
            return error.code
        return "made"

    async def invited(name: str) -> str:
        try:
            await world.invitations.invite(ADMIN, name=name, party=PARTY, role=Role.PARTY)
        except ZhidaoError as error:
            return error.code
        return "made"

    assert await made("bo1") == "made"
    for make in (made, invited):
        assert {name: await make(name) for name in HIDING} == dict.fromkeys(HIDING, "unprintable")
        assert {name: await make(name) for name in ALIKE} == dict.fromkeys(ALIKE, "name_taken")
    # Names are not given again, nor what is read as one that was.
    await world.people.withdraw(ADMIN, "bo1")
    assert await made("BO1") == "name_taken"
    # Of many at once one gets through, by whichever way.
    ways = (made("Wei"), invited("wei"), made("WEI"), invited("w\u0435i"))
    assert sorted(await asyncio.gather(*ways)) == ["made", *["name_taken"] * 3]
    assert len(await world.people.every(ADMIN)) == 2


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("李娜", ["李\U000e0100娜", "李娜\U000e0101"]),
        ("محمد", ["محمد\u200c", "محم\u200dد"]),
        ("कमल", ["क\u200dमल"]),
        ("سليم", ["سلیم"]),
        ("Wei", ["Wéi", "Wẹi", "ᴡei", "Ꮃei"]),
        ("anna", ["Ꭺnna"]),
    ],
)
async def test_of_two_who_look_the_same_one_is_made_whoever_comes_first(
    name: str, like: list[str]
) -> None:
    for other in like:
        for first, second in ((name, other), (other, name)):
            world = World()
            await person(world, first, Role.PARTY)
            with pytest.raises(Conflict) as refused:
                await person(world, second, Role.PARTY)
            assert refused.value.code == "name_taken"
            with pytest.raises(Conflict):
                await world.invitations.invite(ADMIN, name=second, party=PARTY, role=Role.PARTY)


async def test_whose_name_it_is_is_told_to_who_may_see_that_person(world: World) -> None:
    await person(world, "bo1", Role.PARTY)
    names = PersonNames(world.callers)
    for actor, told in ((ADMIN, True), (AIDA, True), (Actor(ADMIN.party, Role.PARTY), False)):
        with pytest.raises(Conflict) as refused:
            async with names.free(actor, "BO1"):
                pass
        assert (refused.value.code, "'bo1'" in str(refused.value)) == ("name_taken", told)


async def test_the_first_admin_and_labels_of_tokens_have_tidy_names_too(world: World) -> None:
    code = await world.gate.make_code(purpose="first-admin", party=ADMIN.party, role=Role.ADMIN)
    for name in HIDING:
        with pytest.raises(MalformedInput):
            await world.people.first_admin(
                code=code, name=name, password=PASSWORD, party=ADMIN.party
            )
        with pytest.raises(MalformedInput):
            await world.tokens.make(ADMIN, party=PARTY, role=Role.PARTY, label=name)
    await world.people.first_admin(code=code, name="aida", password=PASSWORD, party=ADMIN.party)
