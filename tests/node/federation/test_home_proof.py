"""Which proof a node gives of a consignment: its own, or that of the node that writes the history."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from tests.node.federation.sides_bench import ABROAD, EXPORTER, HOME

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import NotFound
from zhidao.core.ids import PartyId
from zhidao.exchange.events import Delivery
from zhidao.node.federation.home_proof import HomeProofs
from zhidao.store.memory import MemoryArchive

ACTOR = Actor(EXPORTER, Role.PARTY)
LETTER = Delivery(
    document="d", from_party=HOME, to_party=EXPORTER, consignment="c-1", sequence=1,
    kind="zhidao.proof", media_type="application/octet-stream", digest="", content="",
    state="accepted", outcome="", code="", reason="", sender=HOME,
    received_at="2026-11-29T06:00:00Z",
)  # fmt: skip


@dataclass
class World:
    """A node that hears from the home; what it would write itself is `own`."""

    home_is: PartyId = HOME
    letters: list[Delivery] = field(default_factory=list)
    archive: MemoryArchive = field(default_factory=MemoryArchive)

    async def home(self, consignment: str) -> PartyId:
        assert consignment == "c-1"
        return self.home_is

    async def stored(self, actor: Actor, consignment: str) -> list[Any]:
        if (actor, consignment) != (ACTOR, "c-1"):
            raise NotFound("no consignment of that name")
        return []

    async def listed(
        self, actor: Actor, *, consignment: str = "", limit: int = 50
    ) -> list[Delivery]:
        assert (actor, consignment, limit > 50) == (ACTOR, "c-1", True)
        return self.letters

    async def proof(self, actor: Actor, consignment: str, *, corridor: str = "") -> bytes:
        return b"own " + corridor.encode()

    async def got(self, data: bytes, **changed: str) -> None:
        """The newest letter comes first."""
        digest = await self.archive.put(data)
        letter = msgspec.structs.replace(LETTER, **{"content": digest, **changed})
        self.letters.insert(0, letter)

    def proofs(self) -> HomeProofs:
        return HomeProofs(self, self, self, self.archive, self)


async def test_the_newest_proof_of_the_home_is_given_for_the_own_one():
    world = World()
    assert await world.proofs().proof(ACTOR, "c-1") == b"own "
    for content in (b"first", b"second"):
        await world.got(content)
        assert await world.proofs().proof(ACTOR, "c-1") == content


@pytest.mark.parametrize(
    "changed",
    [{"kind": "zhidao.facts"}, {"sender": ABROAD}, {"content": ""}],
    ids=["another kind", "another node", "no content yet"],
)
async def test_nothing_else_that_came_is_taken_for_it(changed: dict[str, str]):
    world = World()
    await world.got(b"something", **changed)
    assert await world.proofs().proof(ACTOR, "c-1") == b"own "


async def test_a_corridors_witnesses_sign_the_own_log_alone():
    world = World()
    await world.got(b"came")
    assert await world.proofs().proof(ACTOR, "c-1", corridor="east") == b"own east"


async def test_a_stranger_gets_neither():
    world = World()
    await world.got(b"came")
    with pytest.raises(NotFound):
        await world.proofs().proof(Actor(PartyId("stranger"), Role.PARTY), "c-1")
