"""Another node in a peer's place has nothing of what the one before had."""

from __future__ import annotations

import pytest
from tests.node.federation.sides_bench import (
    ABROAD,
    CARRIER,
    EXPORTER,
    HOME,
    IMPORTER,
    PAPER,
    Side,
    added,
)

from zhidao.core.actor import Actor, Role
from zhidao.core.archive import digest_of
from zhidao.core.errors import Refused
from zhidao.core.events import Fact
from zhidao.exchange.events import DocumentSent, PeerAdmitted, PeerDismissed, PeerKeysLearned

PARTY = Actor(EXPORTER, Role.PARTY)


class Telling(Side):
    """A side whose outbox and admissions are written down, as the exchange writes them."""

    async def note(self, aggregate: str, fact: Fact) -> None:
        after = len(await self.records.history(aggregate))
        node = Actor(self.name, Role.NODE)
        await self.records.record(node, aggregate, [fact], after=after, owner=self.name)
        self.clock.advance(1)

    async def send(self, actor: Actor, **document: object) -> None:  # type: ignore[override]
        await super().send(actor, **document)
        aggregate = f"outgoing/{document['document']}"
        if not await self.records.history(aggregate):
            fact = DocumentSent(
                document=str(document["document"]),
                recipient=str(document["recipient"]),
                from_party=self.name,
                to_party=HOME,
                consignment="c-1",
                sequence=1,
                kind="zhidao.facts",
                media_type="",
                digest="00" * 32,
                content="00" * 32,
            )
            await self.note(aggregate, fact)
        self.clock.advance(1)

    async def admit(self, other: Side, *more: Side) -> None:
        """`more`: nodes whose keys stand beside, as while a key is changed."""
        self.meet(other)
        keys = [side.key.public.multikey for side in (other, *more)]
        fact = PeerAdmitted(peer=other.name, url="", card="00" * 32, keys=keys, trust="t")
        await self.note(f"peer/{other.name}", fact)
        self.sharing.peers_changed()


async def handed_over() -> tuple[Telling, Side]:
    one, two = Telling(ABROAD, (EXPORTER,)), Side(HOME, (IMPORTER, CARRIER))
    await one.admit(two)
    two.meet(one)
    await one.enter()
    await two.adoption.take(await one.hand_over(two))
    assert await one.sharing.home("c-1") == HOME
    return one, two


async def test_a_consignment_goes_again_to_the_node_that_took_its_homes_place() -> None:
    one, two = await handed_over()
    successor = Side(HOME, (IMPORTER, CARRIER), b"other")
    successor.meet(one)
    await one.admit(successor)
    assert await one.sharing.home("c-1") == ABROAD
    assert await one.sharing.nodes("c-1") == [ABROAD]
    (refusal,) = await one.sharing.refusals("c-1")
    assert (refusal.peer, refusal.code, refusal.home) == (HOME, "peer_replaced", True)
    await successor.adoption.take(await one.hand_over(successor))
    assert await successor.history("consignment/c-1") == await two.history("consignment/c-1")
    assert await one.sharing.home("c-1") == HOME
    assert await one.sharing.refusals("c-1") == []
    sent = len(one.post)
    await one.sharing.hand_over(PARTY, "c-1", HOME)
    assert len(one.post) == sent, "again: nothing more"


async def test_who_comes_back_with_a_key_that_it_had_is_the_same() -> None:
    one, two = await handed_over()
    await one.note(f"peer/{HOME}", PeerDismissed(peer=HOME))
    await one.admit(two)
    assert await one.sharing.home("c-1") == HOME
    # It goes over to another key, first beside the old one, and is then renewed with that alone.
    new = Side(HOME, (IMPORTER, CARRIER), b"new")
    both = [side.key.public.multikey for side in (two, new)]
    await one.note(f"peer/{HOME}", PeerKeysLearned(peer=HOME, keys=both, proof="00" * 32))
    await one.admit(new)
    assert await one.sharing.home("c-1") == HOME
    assert await one.sharing.refusals("c-1") == []


async def test_what_the_former_node_brought_is_not_known_to_the_next() -> None:
    one, two = await handed_over()
    assert await one.sharing.members("c-1") == {HOME}
    await two.say(CARRIER, "consignment/c-1", added("packing_list", digest_of(PAPER)))
    await two.relay()
    await two.sharing.share("c-1", ABROAD)
    await one.adoption.take(await one.got(two, two.post[-1]["content"]))
    one.clock.advance(1)
    successor = Side(HOME, (IMPORTER, CARRIER), b"other")
    await one.admit(successor)
    assert await one.sharing.members("c-1") == set()
    successor.meet(one)
    # What the former one wrote under the same name is not its successor's: that is told.
    delivery = await one.hand_over(successor)
    with pytest.raises(Refused):
        await successor.adoption.take(delivery)
    assert await successor.history("consignment/c-1") == []
