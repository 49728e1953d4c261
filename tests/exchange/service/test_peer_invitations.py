"""Links of invitations: one use, an end that says so, and no admission by themselves."""

from __future__ import annotations

import pytest
from tests.exchange.wire.test_any_input import CARD

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import Conflict, Forbidden, MalformedInput, NotFound, Refused
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.exchange.adapters.links import MemoryLinks
from zhidao.exchange.service.peer_invitations import INVITATION_SECONDS, PeerInvitations
from zhidao.exchange.wire.invitation import encode_invitation
from zhidao.exchange.wire.peer_link import PeerLink

OPERATOR = Actor(PartyId("node"), Role.OPERATOR)
OWN = encode_invitation(CARD.decode(), "a list")
THEIRS = SoftwareKey(Algorithm.ED25519, b"t" * 32).public


class Far:
    """Another node, which keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes]] = []

    async def ask(self, link: PeerLink, invitation: bytes = b"") -> bytes:
        self.asked.append((link.code, invitation))
        return b"theirs"


class World:
    """One node's invitations, by a clock in hand."""

    def __init__(self) -> None:
        self.clock, self.far = HandClock(Utc.parse("2026-03-01T08:00:00Z")), Far()
        self.invitations = PeerInvitations(
            MemoryLinks(), self.far, self.own, clock=self.clock, randomness=SeededRandomness(1)
        )

    async def own(self) -> bytes:
        return OWN


@pytest.fixture
def world() -> World:
    return World()


async def test_a_link_may_be_looked_at_and_is_used_once(world: World) -> None:
    kept, link = await world.invitations.make(OPERATOR)
    assert await world.invitations.asked(link.code) == OWN
    assert await world.invitations.asked(link.code, OWN) == OWN
    [taken] = await world.invitations.every(OPERATOR)
    assert (taken.name, taken.state, taken.taken) == (kept.name, "used", OWN)
    # The same node may ask again: its line may have broken.
    assert await world.invitations.asked(link.code, OWN) == OWN
    with pytest.raises(Refused) as refused:
        await world.invitations.asked(link.code)
    assert refused.value.code == "link_used"
    with pytest.raises(Conflict) as late:
        await world.invitations.withdraw(OPERATOR, kept.name)
    assert late.value.code == "link_used"


async def test_a_link_that_ran_out_or_was_taken_back_says_so(world: World) -> None:
    kept, link = await world.invitations.make(OPERATOR)
    await world.invitations.withdraw(OPERATOR, kept.name)
    await world.invitations.withdraw(OPERATOR, kept.name)
    with pytest.raises(Refused) as refused:
        await world.invitations.asked(link.code, OWN)
    assert refused.value.code == "link_withdrawn"
    _, later = await world.invitations.make(OPERATOR)
    world.clock.advance(INVITATION_SECONDS)
    assert await world.invitations.asked(later.code) == OWN
    world.clock.advance(1)
    with pytest.raises(Refused) as over:
        await world.invitations.asked(later.code, OWN)
    assert over.value.code == "link_expired"
    with pytest.raises(NotFound) as unknown:
        await world.invitations.asked("A" * 32)
    assert unknown.value.code == "no_such_link"
    with pytest.raises(NotFound):
        await world.invitations.withdraw(OPERATOR, "00" * 32)


async def test_only_what_is_an_invitation_uses_a_link_up(world: World) -> None:
    _, link = await world.invitations.make(OPERATOR)
    with pytest.raises(MalformedInput):
        await world.invitations.asked(link.code, b"{}")
    assert await world.invitations.asked(link.code, OWN) == OWN


async def test_taking_gives_the_own_invitation_and_looking_does_not(world: World) -> None:
    link = PeerLink("https://there.example:8443", "A" * 32, THEIRS)
    assert await world.invitations.look(OPERATOR, str(link)) == b"theirs"
    assert await world.invitations.take(OPERATOR, f" {link}\n") == b"theirs"
    assert world.far.asked == [(link.code, b""), (link.code, OWN)]


async def test_no_node_takes_its_own_link_and_the_link_stays_good(world: World) -> None:
    kept, link = await world.invitations.make(OPERATOR)
    with pytest.raises(Refused, match="this very node") as refused:
        await world.invitations.take(OPERATOR, str(link))
    assert refused.value.code == "own_card"
    assert world.far.asked == []
    [still] = await world.invitations.every(OPERATOR)
    assert (still.name, still.state) == (kept.name, "open")


async def test_no_party_makes_or_takes_a_link(world: World) -> None:
    party = Actor(PartyId("bank"), Role.PARTY)
    _, link = await world.invitations.make(OPERATOR)
    for act in (
        world.invitations.make(party),
        world.invitations.every(party),
        world.invitations.withdraw(party, "00" * 32),
        world.invitations.look(party, str(link)),
        world.invitations.take(party, str(link)),
    ):
        with pytest.raises(Forbidden):
            await act
    assert world.far.asked == []
