"""Invitations: one link, one password that nobody else knows, and a plain word for the rest."""

from __future__ import annotations

import asyncio

import pytest
from tests.node.security.gate_world import ADMIN, OPERATING, PARTY, PASSWORD, World

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused, Unauthenticated
from zhidao.node.security.gate import GUEST, Origin
from zhidao.node.security.invitations import INVITATION_SECONDS, REMEMBERED_SECONDS

OWN = ADMIN.party


@pytest.fixture
def world() -> World:
    return World()


async def invited(world: World, name: str = "ben", role: Role = Role.OPERATOR) -> str:
    _, secret = await world.invitations.invite(ADMIN, name=name, party=OWN, role=role)
    return secret


async def told(world: World, secret: str) -> str:
    """What whoever holds a link is told of it."""
    try:
        await world.invitations.look(secret)
    except (Refused, NotFound) as error:
        looked = error.code
        with pytest.raises((Refused, NotFound)) as refused:
            await world.invitations.join(secret, PASSWORD)
        assert refused.value.code == looked
        return looked
    return "open"


async def test_the_invited_person_sets_the_own_password_and_is_in(world: World) -> None:
    secret = await invited(world)
    assert (await world.people.one(ADMIN, "ben")).is_invited
    with pytest.raises(Unauthenticated):
        await world.gate.sign_in("ben", "", Origin())
    invitation, person = await world.invitations.look(secret)
    assert (person.name, person.role, invitation.counts) == ("ben", Role.OPERATOR, True)
    with pytest.raises(Refused) as refused:
        await world.invitations.join(secret, "too short")
    assert refused.value.code == "short_password"
    joined = await world.invitations.join(secret, PASSWORD)
    assert joined.signed_in is not None
    actor = await world.gate.by_session(joined.signed_in.secret, method="GET", csrf="")
    assert (actor.person, actor.role, actor.party) == ("ben", Role.OPERATOR, OWN)
    await world.gate.sign_in("ben", PASSWORD, Origin())
    assert world.told() == ["person_invited", "invitation_accepted", "signed_in"]
    for record in world.acts.records:
        assert secret.encode() not in record.encode()
        assert PASSWORD.encode() not in record.encode()


async def test_a_link_says_what_became_of_it(world: World) -> None:
    assert await told(world, "no such secret") == "invitation_unknown"
    first = await invited(world)
    _, newer = await world.invitations.invite_again(ADMIN, "ben")
    assert await told(world, first) == "invitation_replaced"
    await world.invitations.join(newer, PASSWORD)
    assert await told(world, newer) == "invitation_used"
    gone = await invited(world, "gone")
    await world.people.withdraw(ADMIN, "gone")
    assert await told(world, gone) == "invitation_withdrawn"
    late = await invited(world, "late")
    world.clock.advance(INVITATION_SECONDS)
    assert await told(world, late) == "open"
    world.clock.advance(1)
    assert await told(world, late) == "invitation_expired"
    world.clock.advance(REMEMBERED_SECONDS)
    await world.invitations.forget()
    assert await told(world, late) == "invitation_unknown"


async def test_a_password_from_elsewhere_makes_a_link_void(world: World) -> None:
    """Whoever found an old link in a drawer must not undo what was set since."""
    for change in ("reset", "own"):
        name = f"p-{change}"
        await world.invitations.join(await invited(world, name), PASSWORD)
        _, link = await world.invitations.invite_again(ADMIN, name)
        assert await told(world, link) == "open"
        other = "another long password"
        if change == "reset":
            await world.people.reset(ADMIN, name, other)
        else:
            actor = Actor(OWN, Role.OPERATOR, name)
            await world.people.change_password(actor, old=PASSWORD, new=other, origin=Origin())
        assert await told(world, link) == "invitation_replaced"


async def test_two_who_use_one_link_at_once_are_one_who_gets_in(world: World) -> None:
    secret = await invited(world)
    answers = await asyncio.gather(
        *(world.invitations.join(secret, PASSWORD) for _ in range(3)), return_exceptions=True
    )
    refused = [each for each in answers if isinstance(each, Refused)]
    assert [each.code for each in refused] == ["invitation_used"] * 2
    assert world.told().count("invitation_accepted") == 1


async def test_another_partys_person_gets_in_once_that_party_saw_who_joined(world: World) -> None:
    for name in ("aigerim", "daniyar"):
        _, secret = await world.invitations.invite(ADMIN, name=name, party=PARTY, role=Role.PARTY)
        # Nobody agrees to somebody who is not there yet.
        assert await world.people.waiting_for(OPERATING) == []
        with pytest.raises(Conflict) as early:
            await world.people.agree(OPERATING, name)
        assert early.value.code == "not_joined"
        joined = await world.invitations.join(secret, PASSWORD)
        assert joined.signed_in is None
        with pytest.raises(Unauthenticated):
            await world.gate.sign_in(name, PASSWORD, Origin())
        if name == "aigerim":
            await world.people.agree(OPERATING, name)
    aigerim = Actor(PARTY, Role.PARTY, "aigerim")
    assert [each.name for each in await world.people.waiting_for(aigerim)] == ["daniyar"]
    await world.people.agree(aigerim, "daniyar")
    await world.gate.sign_in("daniyar", PASSWORD, Origin())


async def test_only_admins_invite_and_only_under_a_free_name(world: World) -> None:
    await invited(world)
    for name in ("ben", GUEST):
        with pytest.raises(Conflict) as taken:
            await invited(world, name)
        assert taken.value.code == "name_taken"
    with pytest.raises(Refused, match="cannot be the node"):
        await invited(world, "node", Role.NODE)
    with pytest.raises(NotFound):
        await world.invitations.invite_again(ADMIN, "nobody")
    for actor in (OPERATING, Actor(PARTY, Role.PARTY, "li")):
        with pytest.raises(Forbidden):
            await world.invitations.invite(actor, name="x", party=OWN, role=Role.PARTY)
        with pytest.raises(Forbidden):
            await world.invitations.invite_again(actor, "ben")


async def test_who_is_invited_as_admin_is_none_until_the_password_is_set(world: World) -> None:
    await world.people.make(ADMIN, name="aida", password=PASSWORD, party=OWN, role=Role.ADMIN)
    secret = await invited(world, "ada", Role.ADMIN)
    with pytest.raises(Conflict, match="last admin"):
        await world.people.withdraw(ADMIN, "aida")
    await world.invitations.join(secret, PASSWORD)
    await world.people.withdraw(ADMIN, "aida")
