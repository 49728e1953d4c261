from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.node.federation.sides_bench import ABROAD, EXPORTER, HOME, START, sides

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Refused, Unavailable
from zhidao.core.ids import PartyId
from zhidao.exchange.events import Delivery
from zhidao.finance.domain.deals.deal import Deal
from zhidao.finance.events import Conditions, DealOpened
from zhidao.node.federation.kinds import (
    LINE_ASKED,
    TITLE_ASKED,
    AccountAsked,
    LineAsked,
    TitleSigned,
    decode_form,
)
from zhidao.node.federation.kinds import encode_form as encoded
from zhidao.node.federation.remote_operations import RemoteOperations
from zhidao.positioning.events import Site
from zhidao.trust.domain.evm import Address, address_text
from zhidao.trust.events import CustodyAsked, CustodyOpened, TitleMoved
from zhidao.trust.wire.evm.title_contract import Registry

ACTOR = Actor(EXPORTER, Role.PARTY)
TITLE, REGISTRAR, CUSTODY = "ab" * 32, "0x" + "11" * 20, "0x" + "22" * 20
TOKEN = address_text(Registry.of(Address(b"\x11" * 20)).token)
ASKED = CustodyAsked(
    title=TITLE, deal="d-1", registrar=REGISTRAR, custody=CUSTODY, chain_id=7, nonce=0
)


@dataclass
class World:
    """What stands at the exporter's node: a letter, the deal, and the title's adopted history."""

    asked: CustodyAsked | None = ASKED
    registry: str = TOKEN
    has_custody: bool = True
    side: Any = field(default_factory=lambda: sides()[0])
    sent: list[dict[str, Any]] = field(default_factory=list)
    decided: list[str] = field(default_factory=list)
    signed: list[CustodyAsked] = field(default_factory=list)

    async def send(self, actor: Actor, **document: Any) -> Any:
        self.sent.append(document | {"by": actor.party})

    async def listed(self, actor: Actor, **_: Any) -> list[Delivery]:
        if self.asked is None:
            return []
        found = await self.side.got(sides()[1], encoded(self.asked))
        fields = {name: getattr(found, name) for name in found.__struct_fields__}
        return [Delivery(**fields | {"kind": TITLE_ASKED, "document": str(UUID(int=5))})]

    async def decide(self, actor: Actor, **word: Any) -> Any:
        self.decided.append(word["outcome"])

    async def deal(self, actor: Actor, name: str) -> Deal:
        site = Site(name="s", latitude_ndeg=0, longitude_ndeg=0, radius_mm=1000)
        conditions = Conditions(
            marks=[], site=site, not_before="", not_after=str(START), risk_ppb=1, needs=[]
        )
        opened = DealOpened(
            deal=name,
            consignment="c-1",
            payer="importer",
            payee="exporter",
            payer_bank="importer-bank",
            payee_bank="exporter-bank",
            amount_minor=1,
            currency="CNY",
            terminal="t",
            title=TITLE,
            conditions=conditions,
        )
        return Deal(opened, START, version=1)

    async def history(self, title: str) -> list[Any]:
        moved = TitleMoved(
            title=title,
            registry=self.registry,
            chain_id=7,
            action="mint",
            holder="0x",
            beneficiary="0x",
            holder_party=EXPORTER,
            beneficiary_party=EXPORTER,
            transaction="0x",
        )
        opened = CustodyOpened(title=title, deal="d-1", account=CUSTODY, from_party=EXPORTER)
        await self.side.say(ABROAD, "title/x", moved, room="trust")
        if self.has_custody:
            await self.side.say(ABROAD, "title/x", opened, room="trust")
        return [e.event for e in self.side.journals["trust"].written]

    def sign(self, party: PartyId, asked: CustodyAsked) -> bytes:
        self.signed.append(asked)
        return b"\x02signed by " + party.encode()

    def remote(self) -> RemoteOperations:
        return RemoteOperations(
            outgoing=self,
            inbox=self,
            archive=self.side.archive,
            deals=self,
            title_history=self.history,
            sign=self.sign,
        )


async def test_a_title_is_signed_where_its_holders_key_is_and_sent_to_the_deal():
    world = World()
    await world.remote().reserve_title(ACTOR, "d-1")
    await world.remote().reserve_title(ACTOR, "d-1")
    (first, again) = world.sent
    assert first == again, "asked twice, one document"
    assert (first["recipient"], first["by"]) == (HOME, EXPORTER)
    assert decode_form(first["content"], TitleSigned).raw == b"\x02signed by exporter".hex()
    assert world.decided == ["accepted", "accepted"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"custody": "0x" + "33" * 20},
        {"title": "cd" * 32},
        {"registrar": "0x" + "44" * 20},
        {"chain_id": 8},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
async def test_nothing_is_signed_that_the_logged_facts_do_not_say(wrong: dict[str, Any]):
    world = World(asked=msgspec.structs.replace(ASKED, **wrong))
    with pytest.raises(Refused) as refused:
        await world.remote().reserve_title(ACTOR, "d-1")
    assert refused.value.code == "request_differs"
    assert (world.signed, world.sent, world.decided) == ([], [], [])


@pytest.mark.parametrize("world", [World(asked=None), World(has_custody=False)])
async def test_what_is_on_its_way_is_waited_for(world: World):
    with pytest.raises(Unavailable, match=r"not asked|on its way"):
        await world.remote().reserve_title(ACTOR, "d-1")
    assert world.signed == []


async def test_the_same_account_is_asked_for_once():
    world = World()
    account = AccountAsked(
        holder="exporter", currency="CNY", name="Pumps", town="Xi'an", country="CN"
    )
    for _ in range(2):
        await world.remote().ask_account(ACTOR, node=HOME, account=account)
    assert world.sent[0] == world.sent[1]
    assert (world.sent[0]["to_party"], world.sent[0]["consignment"]) == (HOME, "accounts")


async def test_a_line_is_set_once_for_each_request():
    world = World()
    for request in ("r-1", "r-1", "r-2"):
        line = LineAsked(request=request, peer="importer-bank", currency="CNY", limit_minor=7)
        await world.remote().ask_line(ACTOR, node=HOME, line=line)
    first, again, second = world.sent
    assert first == again
    assert first["document"] != second["document"]
    assert (first["kind"], first["consignment"]) == (LINE_ASKED, "accounts")
