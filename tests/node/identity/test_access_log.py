from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.events import Fact
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import FixedKeyRing, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.node.identity.access_log import PARTIES_MAX, Readings
from zhidao.store.memory import MemoryJournal
from zhidao.store.reading import Stored

NODE, BANK, BUYER, SELLER = map(PartyId, ("node", "bank", "buyer", "seller"))
AUDITOR = Actor(PartyId("ministry"), Role.AUDITOR)
ACCOUNT = "0197f6c0-0000-7000-8000-000000000001"


class Noted(Fact, frozen=True, kw_only=True):
    TYPE = "finance.Noted.v1"


class World:
    """Stored events and their consignments as given; what is noted stands in `journal`."""

    def __init__(self) -> None:
        self.journal = MemoryJournal()
        self.clock = HandClock(Utc.parse("2026-03-01T08:00:00Z"))
        randomness = SeededRandomness(1)
        self.scribe = Scribe(
            node=NODE,
            key=SoftwareKey(Algorithm.ED25519, b"n" * 32),
            ring=FixedKeyRing({}),
            clock=self.clock,
            ids=IdSource(self.clock, randomness),
            randomness=randomness,
        )
        self.stored: dict[str, Stored] = {}
        self.related: dict[str, list[str]] = {}
        self.parties = [BANK, BUYER, SELLER]
        self.owners: dict[tuple[str, str], list[str]] = {}
        self.readings = Readings(
            self.journal,
            self.scribe,
            subjects=self,
            histories=self,
            parties=self.all_parties,
            owners=self.named_by,
            clock=self.clock,
        )

    def add(self, aggregate: str, owner: PartyId, *visible: PartyId) -> UUID:
        entry = self.scribe.write(
            Noted(),
            by=NODE,
            aggregate=aggregate,
            version=1,
            owner=owner,
            visible=visible,
            occurred_at=None,
        )
        self.stored[aggregate] = Stored(entry.event, entry.salt, b"", None)
        return entry.event.id

    async def named_by(self, kind: str, name: str) -> Sequence[str]:
        return self.owners.get((kind, name), [])

    async def all_parties(self) -> Sequence[PartyId]:
        return self.parties

    async def subjects_of(self, room: str, aggregate: str) -> list[str]:
        return self.related.get(aggregate, [])

    async def of(self, room: str, aggregates: Sequence[str], *, viewer: PartyId | None):
        return [self.stored[each] for each in aggregates if each in self.stored]

    async def find(self, event_id: UUID, *, viewer: PartyId | None) -> Stored | None:
        found = [each for each in self.stored.values() if each.event.id == event_id]
        return found[0] if found else None

    def noted(self) -> list[tuple[str, set[PartyId]]]:
        """What was read, and who may see that."""
        events = [entry.event for entry in self.journal.written]
        return [
            (str(e.payload.get("what") or e.payload.get("consignment")), set(e.visible))
            for e in events
        ]


@pytest.fixture
def world() -> World:
    return World()


async def test_a_look_at_a_list_is_noted_once_an_hour_for_all_parties(world: World) -> None:
    for _ in range(3):
        await world.readings.look(AUDITOR, {}, "/v1/finance/accounts")
    assert world.noted() == [("/v1/finance/accounts", {BANK, BUYER, SELLER})]
    world.clock.advance(3600)
    await world.readings.look(AUDITOR, {}, "/v1/finance/accounts")
    assert len(world.noted()) == 2


async def test_a_look_at_an_account_is_seen_by_its_bank_and_holder(world: World) -> None:
    world.add(f"account/{ACCOUNT}", BANK, BUYER)
    # Some routes have read the path as an identifier already.
    for text in (ACCOUNT, UUID(ACCOUNT), ACCOUNT.upper(), "none", ACCOUNT.replace("1", "2")):
        await world.readings.look(AUDITOR, {"account": text}, "/v1/finance/accounts/{account}")
    assert world.noted() == [(f"finance account/{ACCOUNT}", {BANK, BUYER})]


async def test_a_look_at_an_events_proof_is_one_at_its_consignment_or_at_it(world: World) -> None:
    world.add("consignment/c-1", SELLER, BUYER)
    of_deal = world.add("deal/d-1", BANK, BUYER)
    alone = world.add("account/a-1", BANK)
    world.related["deal/d-1"] = ["consignment/c-1"]
    route = "/v1/events/{event_id}/proof"
    for event_id in (of_deal, alone, UUID(int=7)):
        await world.readings.look(AUDITOR, {"event_id": event_id}, route)
    assert world.noted() == [("c-1", {SELLER, BUYER}), ("finance account/a-1", {BANK})]


async def test_what_belongs_to_no_consignment_yet_is_noted_for_its_owner(world: World) -> None:
    world.add("order/o-1", SELLER)
    await world.readings.look(AUDITOR, {"order": "o-1"}, "/v1/industry/orders/{order}")
    await world.readings.look(AUDITOR, {"order": "none"}, "/v1/industry/orders/{order}")
    assert world.noted() == [("industry order/o-1", {SELLER})]


async def test_a_look_at_a_name_is_seen_by_all_whose_it_may_be(world: World) -> None:
    world.add("escrow/E-1", BANK)
    world.add("escrow/seller/E-1", SELLER, BUYER)
    world.owners["escrow", "E-1"] = ["seller", "gone"]
    await world.readings.look(AUDITOR, {"escrow": "E-1"}, "/v1/finance/escrows/{escrow}")
    assert world.noted() == [
        ("finance escrow/E-1", {BANK}),
        ("finance escrow/seller/E-1", {SELLER, BUYER}),
    ]


async def test_others_and_what_is_nobodys_leave_no_trace(world: World) -> None:
    for role in set(Role) - {Role.AUDITOR}:
        await world.readings.look(Actor(BANK, role), {}, "/v1/finance/accounts")
    for route in ("/v1/node/health", "/metrics", "/v1/parties", "/v1/session"):
        await world.readings.look(AUDITOR, {}, route)
    assert world.noted() == []


async def test_with_very_many_parties_a_list_is_the_nodes_own_fact(world: World) -> None:
    world.parties = [PartyId(f"p{n}") for n in range(PARTIES_MAX + 1)]
    await world.readings.look(AUDITOR, {}, "/v1/roads")
    assert world.noted() == [("/v1/roads", set())]
