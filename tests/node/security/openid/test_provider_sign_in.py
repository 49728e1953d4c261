from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.node.security.gate_world import ADMIN, OPERATING, PARTY, PASSWORD, World
from tests.node.security.passkeys.soft_authenticator import SoftAuthenticator

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused, Unauthenticated
from zhidao.core.ids import PartyId
from zhidao.node.security.callers import Session
from zhidao.node.security.gate import Origin, SignedIn
from zhidao.node.security.openid.identities import Named
from zhidao.node.security.openid.provider_sign_in import ProviderSignIn, Question
from zhidao.node.security.pending_answers import ANSWERED_WITHIN_S
from zhidao.node.security.second_factor import PasskeyAsked, Site

ISSUER = "https://id.example.org"
BACK = "https://node.example.org/login/back"
HERE = Origin("203.0.113.5", site=Site("node.example.org", ("https://node.example.org",)))
AIDA = Named(ISSUER, "sub", "aida there")


class Provider:
    """Knows whom each code stands for, and which question it was given to."""

    name, issuer = "ID", ISSUER

    def __init__(self) -> None:
        self.codes = {"aida": AIDA, "stranger": replace(AIDA, value="a stranger")}
        self.questions: list[Question] = []

    def named(self, value: str) -> Named:
        return replace(AIDA, value=value)

    async def address(self, question: Question) -> str:
        self.questions.append(question)
        return f"{ISSUER}/auth?state={question.state}"

    async def identity(self, code: str, question: Question) -> Named:
        assert question in self.questions, "the nonce and the verifier are those that went out"
        return self.codes[code]


class Ways:
    def __init__(self, world: World) -> None:
        self.world = world
        self.provider = Provider()
        self.sign_in = ProviderSignIn(
            self.provider, world.identities, world.gate, world.clock, world.gate._randomness
        )
        self.browser = self.sign_in.browser("")

    async def begun(self, browser: str = "") -> str:
        url = await self.sign_in.begin(browser=browser or self.browser, back=BACK, origin=HERE)
        return parse_qs(urlsplit(url).query)["state"][0]

    async def begun_link(self, session: SignedIn, password: str = PASSWORD) -> str:
        held = session.session
        url = await self.sign_in.begin_link(
            *(Actor(held.party, held.role, held.name), password),
            browser=self.browser, back=BACK, session=session.secret, origin=HERE,
        )  # fmt: skip
        return parse_qs(urlsplit(url).query)["state"][0]

    async def back(self, state: str, code: str = "aida", **more: str) -> SignedIn | Session:
        told = {"issuer": "", "browser": self.browser, "back": BACK, "session": ""} | more
        return await self.sign_in.finish(code, state, origin=HERE, **told)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def ways(world: World) -> Ways:
    for name in ("aida", "ben"):
        await world.people.make(
            ADMIN, name=name, password=PASSWORD, party=ADMIN.party, role=Role.OPERATOR
        )
    return Ways(world)


@pytest.fixture
async def linked(ways: Ways) -> Ways:
    await ways.world.identities.link(ADMIN, "aida", AIDA)
    return ways


async def test_who_is_linked_gets_in_and_leaves_a_trace(linked: Ways) -> None:
    done = await linked.back(await linked.begun())
    assert isinstance(done, SignedIn)
    assert done.session.name == "aida"
    assert linked.world.told()[-2:] == ["identity_linked", "signed_in"]
    fact = linked.world.acts.records[-1].pending.fact
    assert (fact.credential, fact.person) == ("provider", "aida")
    assert AIDA.value not in repr(linked.world.acts.records), "it may be an address of mail"


async def test_whom_nobody_linked_is_nobody_and_nobody_is_made(ways: Ways) -> None:
    before = await ways.world.callers.persons()
    for code in ("aida", "stranger"):
        with pytest.raises(Unauthenticated) as refused:
            await ways.back(await ways.begun(), code)
        assert refused.value.code == "not_linked"
    assert await ways.world.callers.persons() == before


async def test_an_answer_counts_once_in_its_time_in_its_browser_and_at_its_name(
    linked: Ways,
) -> None:
    state = await linked.begun()
    await linked.back(state)
    late = [state, "a state of nobody", ""]
    linked_elsewhere = await linked.begun(browser=linked.sign_in.browser(""))
    late.append(linked_elsewhere)
    for each in late:
        with pytest.raises(Unauthenticated) as refused:
            await linked.back(each)
        assert refused.value.code == "provider_late"
    state = await linked.begun()
    with pytest.raises(Unauthenticated, match="begin again"):
        await linked.back(state, back="https://localhost:8443/login/back")
    state = await linked.begun()
    linked.world.clock.advance(ANSWERED_WITHIN_S + 1)
    with pytest.raises(Unauthenticated, match="too long ago"):
        await linked.back(state)


async def test_an_answer_of_another_provider_than_was_asked_is_refused(linked: Ways) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await linked.back(await linked.begun(), issuer="https://evil.example.org")
    assert refused.value.code == "provider_refused"
    await linked.back(await linked.begun(), issuer=ISSUER)


async def test_two_tabs_of_one_browser_both_come_back(linked: Ways) -> None:
    one = await linked.begun()
    assert linked.sign_in.browser(linked.browser) == linked.browser
    two = await linked.begun()
    for state in (one, two):
        await linked.back(state)


async def test_a_person_links_in_the_session_that_gave_the_password(ways: Ways) -> None:
    session = await ways.world.gate.sign_in("aida", PASSWORD, HERE)
    with pytest.raises(Unauthenticated, match="wrong name or password"):
        await ways.begun_link(session, "another password")
    # An attacker's own way, ended in the browser of somebody who is signed in, links nothing.
    bens = await ways.world.gate.sign_in("ben", PASSWORD, HERE)
    for secret in (bens.secret, "", "none"):
        state = await ways.begun_link(session)
        with pytest.raises(Unauthenticated):
            await ways.back(state, session=secret)
    done = await ways.back(await ways.begun_link(session), session=session.secret)
    assert done == session.session
    assert [each.named for each in await ways.world.identities.every(ADMIN, "aida")] == [AIDA]
    with pytest.raises(Conflict) as taken:
        await ways.back(await ways.begun_link(bens), session=bens.secret)
    assert taken.value.code == "identity_taken"
    with pytest.raises(Forbidden):
        await ways.sign_in.begin_link(
            *(ADMIN, PASSWORD), browser=ways.browser, back=BACK, session="", origin=HERE
        )


async def test_who_has_a_passkey_is_asked_for_it_after_the_provider(linked: Ways) -> None:
    world, key = linked.world, SoftAuthenticator()
    aida = Actor(ADMIN.party, Role.OPERATOR, "aida")
    asked = await world.passkeys.begin_adding(
        aida, PASSWORD, session="s", origin=HERE, organisation=""
    )
    made = key.make(asked.options)
    await world.passkeys.add(aida, asked.ticket, made, label="key", session="s")
    with pytest.raises(PasskeyAsked) as second:
        await linked.back(await linked.begun())
    done = await world.passkeys.sign_in(second.value.ticket, key.show(second.value.options), HERE)
    assert done.session.name == "aida"
    assert world.acts.records[-1].pending.fact.credential == "provider and passkey"


async def test_who_may_not_enter_does_not_by_a_provider_either(linked: Ways) -> None:
    world = linked.world
    await world.people.withdraw(ADMIN, "aida")
    with pytest.raises(Unauthenticated) as refused:
        await linked.back(await linked.begun())
    assert refused.value.code == "not_linked"
    # What a leaver was linked to may be somebody else's now.
    await world.identities.link(ADMIN, "ben", AIDA)
    assert world.told()[-2:] == ["identity_unlinked", "identity_linked"]
    await linked.back(await linked.begun())


async def test_an_admin_links_the_own_partys_people_and_nobody_elses(ways: Ways) -> None:
    world = ways.world
    await world.people.make(ADMIN, name="daniyar", password=PASSWORD, party=PARTY, role=Role.PARTY)
    await world.people.agree(OPERATING, "daniyar")
    with pytest.raises(Forbidden) as refused:
        await world.identities.link(ADMIN, "daniyar", AIDA)
    assert refused.value.code == "party_must_agree"
    for actor in (OPERATING, Actor(PartyId("elsewhere"), Role.ADMIN, "zoe")):
        with pytest.raises(Forbidden):
            await world.identities.link(actor, "aida", AIDA)
    with pytest.raises(NotFound):
        await world.identities.link(ADMIN, "nobody", AIDA)
    for value in (" ", "a\nb"):
        with pytest.raises(Refused, match="a word"):
            await world.identities.link(ADMIN, "aida", replace(AIDA, value=value))
    made = await world.identities.link(ADMIN, "aida", AIDA)
    with pytest.raises(NotFound):
        await world.identities.unlink(ADMIN, "ben", made.id)
    aida = Actor(ADMIN.party, Role.OPERATOR, "aida")
    await world.identities.unlink(aida, "aida", made.id)
    assert world.told()[-1] == "identity_unlinked"


async def test_a_node_without_a_provider_says_so(world: World) -> None:
    alone = ProviderSignIn(None, world.identities, world.gate, world.clock, world.gate._randomness)
    assert alone.name == ""
    with pytest.raises(Refused) as refused:
        await alone.begin(browser="", back=BACK, origin=HERE)
    assert refused.value.code == "no_provider"
