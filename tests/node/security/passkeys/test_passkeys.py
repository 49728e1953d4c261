from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.node.security.gate_world import ADMIN, OPERATING, PARTY, PASSWORD, World
from tests.node.security.passkeys.soft_authenticator import PRESENT, SoftAuthenticator

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused, Unauthenticated
from zhidao.core.ids import PartyId
from zhidao.node.security.gate import Origin, SignedIn
from zhidao.node.security.passkeys.passkeys import PASSKEYS_OF_ONE_MAX
from zhidao.node.security.pending_answers import ANSWERED_WITHIN_S, PENDING_OF_ONE_MAX
from zhidao.node.security.second_factor import PasskeyAsked, Site

HERE = Origin("203.0.113.5", site=Site("node.example.org", ("https://node.example.org",)))
ELSEWHERE = replace(HERE, site=Site("localhost", ("https://localhost:8443",)))
NODE = ADMIN.party


async def person(world: World, name: str, party: PartyId = NODE, role: Role = Role.OPERATOR) -> Any:
    await world.people.make(ADMIN, name=name, password=PASSWORD, party=party, role=role)
    return Actor(party, role, name)


async def signed_in(world: World, name: str) -> SignedIn:
    return await world.gate.sign_in(name, PASSWORD, HERE)


async def added(world: World, actor: Actor, key: SoftAuthenticator, session: str = "s") -> None:
    asked = await world.passkeys.begin_adding(
        actor, PASSWORD, session=session, origin=HERE, organisation="Node"
    )
    answer = key.make(asked.options)
    await world.passkeys.add(actor, asked.ticket, answer, label="phone", session=session)


async def asked_of(world: World, name: str, origin: Origin = HERE) -> PasskeyAsked:
    with pytest.raises(PasskeyAsked) as asked:
        await world.gate.sign_in(name, PASSWORD, origin)
    return asked.value


@pytest.fixture
async def aida(world: World) -> tuple[Actor, SoftAuthenticator]:
    actor, key = await person(world, "aida"), SoftAuthenticator()
    await added(world, actor, key)
    return actor, key


@pytest.fixture
def world() -> World:
    return World()


async def test_who_has_a_passkey_is_asked_for_it_after_the_password(
    world: World, aida: tuple[Actor, SoftAuthenticator]
) -> None:
    _, key = aida
    asked = await asked_of(world, "aida")
    done = await world.passkeys.sign_in(asked.ticket, key.show(asked.options), HERE)
    assert done.session.name == "aida"
    assert done.device, "a device that signed in is known from now on"
    assert world.told()[-2:] == ["passkey_added", "signed_in"]
    said = world.acts.records[-1].pending.fact
    assert (said.credential, said.values["passkey"]) == (
        "password and passkey",
        (await world.passkeys.every(ADMIN, "aida"))[0].id,
    )
    assert await world.people.passkeys() == {"aida": 1}


async def test_a_passkey_alone_signs_in_only_once_its_holder_was_looked_at(
    world: World, aida: tuple[Actor, SoftAuthenticator]
) -> None:
    _, key = aida
    asked = await world.passkeys.begin_alone(HERE)
    assert asked.options.get("allowCredentials", []) == [], "nobody was named"
    with pytest.raises(Unauthenticated, match="does not open"):
        await world.passkeys.sign_in(asked.ticket, key.show(asked.options, flags=PRESENT), HERE)
    asked = await world.passkeys.begin_alone(HERE)
    with pytest.raises(Unauthenticated, match="does not open"):
        await world.passkeys.sign_in(asked.ticket, key.show(asked.options, handle=b"other"), HERE)
    asked = await world.passkeys.begin_alone(HERE)
    done = await world.passkeys.sign_in(asked.ticket, key.show(asked.options), HERE)
    assert done.session.name == "aida"


LIES: list[dict[str, Any]] = [
    {"origin": "https://evil.example.org"},
    {"origin": "http://node.example.org"},
    {"origin": "https://node.example.org:8443"},
    {"host": "evil.example.org"},
    {"challenge": "AAAA"},
    {"kind": "webauthn.create"},
    {"flags": 0},
    {"count": 0},
]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: "-".join(map(str, *lie.items())))
async def test_each_lie_of_an_answer_is_refused_and_uses_its_question_up(
    world: World, aida: tuple[Actor, SoftAuthenticator], lie: dict[str, Any]
) -> None:
    _, key = aida
    asked = await asked_of(world, "aida")
    await world.passkeys.sign_in(asked.ticket, key.show(asked.options), HERE)
    asked = await asked_of(world, "aida")
    answer = key.show(asked.options, **lie)
    with pytest.raises(Unauthenticated) as refused:
        await world.passkeys.sign_in(asked.ticket, answer, HERE)
    assert refused.value.code == "wrong_passkey"
    with pytest.raises(Unauthenticated) as late:
        await world.passkeys.sign_in(asked.ticket, key.show(asked.options), HERE)
    assert late.value.code == "passkey_late"


async def test_an_answer_counts_once_in_its_time_and_for_its_own_question(
    world: World, aida: tuple[Actor, SoftAuthenticator]
) -> None:
    _, key = aida
    first, second = await asked_of(world, "aida"), await asked_of(world, "aida")
    answer = key.show(first.options)
    with pytest.raises(Unauthenticated, match="does not open"):
        await world.passkeys.sign_in(second.ticket, answer, HERE)
    await world.passkeys.sign_in(first.ticket, answer, HERE)
    with pytest.raises(Unauthenticated, match="second time"):
        await world.passkeys.sign_in(first.ticket, answer, HERE)
    third = await asked_of(world, "aida")
    world.clock.advance(ANSWERED_WITHIN_S + 1)
    with pytest.raises(Unauthenticated, match="too late"):
        await world.passkeys.sign_in(third.ticket, key.show(third.options), HERE)


async def test_two_tabs_both_get_in_and_a_copy_that_counts_no_further_does_not(
    world: World, aida: tuple[Actor, SoftAuthenticator]
) -> None:
    _, key = aida
    copy = replace(key)
    one, two = await asked_of(world, "aida"), await asked_of(world, "aida")
    await world.passkeys.sign_in(one.ticket, key.show(one.options), HERE)
    await world.passkeys.sign_in(two.ticket, key.show(two.options), HERE)
    three = await asked_of(world, "aida")
    with pytest.raises(Unauthenticated, match="does not open"):
        await world.passkeys.sign_in(three.ticket, copy.show(three.options), HERE)


async def test_an_authenticator_that_never_counts_is_taken_each_time(world: World) -> None:
    actor, key = await person(world, "aida"), SoftAuthenticator(count=None)
    await added(world, actor, key)
    for _ in range(2):
        asked = await asked_of(world, "aida")
        await world.passkeys.sign_in(asked.ticket, key.show(asked.options), HERE)


async def test_another_persons_passkey_opens_nothing_even_with_the_right_password(
    world: World, aida: tuple[Actor, SoftAuthenticator]
) -> None:
    ben, bens = await person(world, "ben"), SoftAuthenticator(credential_id=b"of ben")
    await added(world, ben, bens)
    asked = await asked_of(world, "aida")
    with pytest.raises(Unauthenticated, match="does not open"):
        await world.passkeys.sign_in(asked.ticket, bens.show(asked.options), HERE)
    # Nor may one authenticator's answer be kept as somebody else's.
    with pytest.raises(Conflict) as known:
        await added(world, ben, replace(aida[1]))
    assert known.value.code == "passkey_known"


async def test_a_passkey_is_added_in_the_session_that_gave_the_password(world: World) -> None:
    actor, key = await person(world, "aida"), SoftAuthenticator()
    with pytest.raises(Unauthenticated, match="wrong name or password"):
        await world.passkeys.begin_adding(
            actor, "another", session="s", origin=HERE, organisation=""
        )
    for asking, session in ((replace(actor, person="ben"), "s"), (actor, "another session")):
        asked = await world.passkeys.begin_adding(
            actor, PASSWORD, session="s", origin=HERE, organisation=""
        )
        made = key.make(asked.options)
        with pytest.raises(Unauthenticated) as refused:
            await world.passkeys.add(asking, asked.ticket, made, label="x", session=session)
        assert refused.value.code == "passkey_late"
    with pytest.raises(Forbidden):
        await world.passkeys.begin_adding(
            replace(actor, person=""), PASSWORD, session="s", origin=HERE, organisation=""
        )
    with pytest.raises(Refused, match="by an address"):
        await world.passkeys.begin_adding(
            actor, PASSWORD, session="s", origin=Origin("203.0.113.5"), organisation=""
        )
    assert world.told()[-1] == "person_made"


async def test_under_another_name_of_the_node_nobody_gets_past_a_passkey(
    world: World, aida: tuple[Actor, SoftAuthenticator]
) -> None:
    for origin in (ELSEWHERE, Origin("203.0.113.5")):
        with pytest.raises(Unauthenticated) as refused:
            await world.gate.sign_in("aida", PASSWORD, origin)
        assert refused.value.code == "passkey_elsewhere"
    # What was asked under one name is not answered under another.
    asked = await asked_of(world, "aida")
    with pytest.raises(Unauthenticated, match="does not open"):
        await world.passkeys.sign_in(asked.ticket, aida[1].show(asked.options), ELSEWHERE)
    with pytest.raises(Unauthenticated, match="wrong name or password"):
        await world.gate.sign_in("aida", "a guess of a stranger", ELSEWHERE)


@pytest.mark.bound("node.security.passkeys.passkeys.PASSKEYS_OF_ONE_MAX")
async def test_a_person_has_only_so_many(world: World) -> None:
    actor = await person(world, "aida")
    for number in range(PASSKEYS_OF_ONE_MAX):
        await added(world, actor, SoftAuthenticator(credential_id=bytes([number]) * 16))
    with pytest.raises(Refused) as refused:
        await added(world, actor, SoftAuthenticator())
    assert refused.value.code == "too_many_passkeys"


async def test_only_the_holder_and_an_admin_of_the_party_remove_a_passkey(
    world: World, aida: tuple[Actor, SoftAuthenticator]
) -> None:
    actor, _ = aida
    [kept] = await world.passkeys.every(actor, "aida")
    ben = await person(world, "ben")
    for other in (ben, OPERATING):
        with pytest.raises(Forbidden):
            await world.passkeys.remove(other, "aida", kept.id)
        with pytest.raises(Forbidden):
            await world.passkeys.every(other, "aida")
    foreign = Actor(PartyId("elsewhere"), Role.ADMIN, "zoe")
    with pytest.raises(Forbidden):
        await world.passkeys.remove(foreign, "aida", kept.id)
    with pytest.raises(NotFound):
        await world.passkeys.remove(actor, "aida", "0" * 16)
    await world.passkeys.remove(actor, "aida", kept.id)
    assert world.told()[-1] == "passkey_removed"
    await signed_in(world, "aida")


async def colleague(world: World, *, daniyar: Actor) -> Actor:
    """A second person of the party, whom the first has agreed to."""
    await person(world, "erlan", PARTY, Role.PARTY)
    await world.people.agree(daniyar, "erlan")
    return Actor(PARTY, Role.PARTY, "erlan")


async def test_a_reset_takes_passkeys_away_of_other_parties_once_they_agree(
    world: World, aida: tuple[Actor, SoftAuthenticator]
) -> None:
    await world.people.reset(ADMIN, "aida", f"{PASSWORD}!")
    assert world.told()[-2:] == ["password_reset", "passkey_removed"]
    await world.gate.sign_in("aida", f"{PASSWORD}!", HERE)

    await person(world, "daniyar", PARTY, Role.PARTY)
    await world.people.agree(OPERATING, "daniyar")
    daniyar, key = Actor(PARTY, Role.PARTY, "daniyar"), SoftAuthenticator(credential_id=b"d")
    await added(world, daniyar, key)
    erlan = await colleague(world, daniyar=daniyar)
    await world.people.reset(ADMIN, "daniyar", f"{PASSWORD}!")
    await asked_of(world, "daniyar")
    await world.people.agree(erlan, "daniyar")
    assert world.told()[-2:] == ["person_agreed", "passkey_removed"]
    await world.gate.sign_in("daniyar", f"{PASSWORD}!", HERE)


async def test_agreeing_to_something_else_leaves_passkeys(world: World) -> None:
    await person(world, "daniyar", PARTY, Role.PARTY)
    await world.people.agree(OPERATING, "daniyar")
    actor = Actor(PARTY, Role.PARTY, "daniyar")
    await added(world, actor, SoftAuthenticator())
    erlan = await colleague(world, daniyar=actor)
    # The person finds the old password again: what an admin gave counts no more, nor what it took.
    await world.people.reset(ADMIN, "daniyar", f"{PASSWORD}!")
    await world.people.change_password(actor, old=PASSWORD, new=PASSWORD, origin=HERE)
    await world.people.change_role(ADMIN, "daniyar", Role.AUDITOR)
    await world.people.agree(erlan, "daniyar")
    await asked_of(world, "daniyar")


async def test_who_leaves_loses_the_passkeys(
    world: World, aida: tuple[Actor, SoftAuthenticator]
) -> None:
    asked = await asked_of(world, "aida")
    alone = await world.passkeys.begin_alone(HERE)
    await world.people.withdraw(ADMIN, "aida")
    for question in (asked, alone):
        with pytest.raises(Unauthenticated, match="does not open"):
            await world.passkeys.sign_in(question.ticket, aida[1].show(question.options), HERE)
    assert world.callers.passkeys == {}


async def test_a_password_changed_meanwhile_voids_the_question(
    world: World, aida: tuple[Actor, SoftAuthenticator]
) -> None:
    actor, key = aida
    asked = await asked_of(world, "aida")
    await world.people.change_password(actor, old=PASSWORD, new=f"{PASSWORD}!", origin=HERE)
    with pytest.raises(Unauthenticated):
        await world.passkeys.sign_in(asked.ticket, key.show(asked.options), HERE)


async def test_an_invitation_for_somebody_with_a_passkey_asks_for_it(
    world: World, aida: tuple[Actor, SoftAuthenticator]
) -> None:
    _, link = await world.invitations.invite_again(ADMIN, "aida")
    with pytest.raises(PasskeyAsked) as asked:
        await world.invitations.join(link, f"{PASSWORD}!", HERE)
    done = await world.passkeys.sign_in(asked.value.ticket, aida[1].show(asked.value.options), HERE)
    assert done.session.name == "aida"


async def test_strangers_who_only_ask_push_out_none_but_their_own(
    world: World, aida: tuple[Actor, SoftAuthenticator]
) -> None:
    asked = await asked_of(world, "aida")
    alone = await world.passkeys.begin_alone(HERE)
    for _ in range(PENDING_OF_ONE_MAX * 3):
        await world.passkeys.begin_alone(replace(HERE, address="198.51.100.7"))
    for question in (asked, alone):
        await world.passkeys.sign_in(question.ticket, aida[1].show(question.options), HERE)
