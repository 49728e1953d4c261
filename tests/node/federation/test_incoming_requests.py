from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from tests.node.federation.key_book import BareBook
from tests.node.federation.sides_bench import ABROAD, EXPORTER, HOME, IMPORTER, Side, sides

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Forbidden, Unavailable
from zhidao.core.ids import PartyId
from zhidao.core.remedies import remedy_of_code
from zhidao.exchange.events import Delivery
from zhidao.node.federation.incoming_requests import KINDS, IncomingRequests
from zhidao.node.federation.key_news import KeyStudy
from zhidao.node.federation.kinds import (
    ACCOUNT_ASKED,
    LINE_ASKED,
    SHARED,
    TITLE_SIGNED,
    AccountAsked,
    LineAsked,
    TitleSigned,
    encode_form,
)
from zhidao.node.federation.party_news import PartyStudy


@dataclass
class World:
    """An inbox, a ledger and deals that do as they are told."""

    side: Side
    waiting: list[Delivery] = field(default_factory=list)
    decided: list[tuple[str, str, str]] = field(default_factory=list)
    done: list[Any] = field(default_factory=list)
    trouble: list[Exception] = field(default_factory=list)

    async def undecided(self, kinds: tuple[str, ...], *, limit: int = 50) -> list[Delivery]:
        assert kinds == KINDS
        return self.waiting[:limit]

    async def decide(self, actor: Actor, **word: Any) -> Delivery:
        assert actor == Actor(self.side.name, Role.NODE)
        self.decided.append((word["outcome"], word["code"], word["reason"]))
        (one,) = [w for w in self.waiting if UUID(w.document) == word["document"]]
        self.waiting.remove(one)
        return one

    async def open(self, actor: Actor, **account: str) -> None:
        if self.trouble:
            raise self.trouble.pop()
        self.done.append((actor.party, account["holder"]))

    async def set(self, actor: Actor, **line: Any) -> None:
        self.done.append((actor.party, line))

    async def reserve_title(self, actor: Actor, name: str, *, signed: bytes = b"") -> None:
        self.done.append((actor.party, name, signed))

    async def letter(self, kind: str, content: bytes, party: str = EXPORTER) -> None:
        found = await self.side.got(Side(ABROAD, ()), content)
        fields = {name: getattr(found, name) for name in found.__struct_fields__}
        self.waiting.append(Delivery(**fields | {"kind": kind, "from_party": party}))


@pytest.fixture
def world() -> World:
    return World(sides()[1])


@pytest.fixture
def incoming(world: World) -> IncomingRequests:
    side = world.side
    return IncomingRequests(
        node=side.name,
        inbox=world,
        archive=side.archive,
        directory=side.directory,
        adoption=side.adoption,
        keys=KeyStudy(archive=side.archive, directory=side.directory, peers=BareBook(side)),
        parties=PartyStudy(archive=side.archive, peers=BareBook(side)),
        accounts=world,
        lines=world,
        deals=world,
    )


ACCOUNT = encode_form(
    AccountAsked(holder="exporter", currency="CNY", name="Pumps", town="Xi'an", country="CN")
)
TITLE = encode_form(TitleSigned(deal="d-1", title="ab" * 32, raw="02c0"))


async def test_a_bank_elsewhere_gets_its_customers_account(
    world: World, incoming: IncomingRequests
):
    await world.letter(ACCOUNT_ASKED, ACCOUNT)
    await incoming.step()
    assert world.done == [(EXPORTER, "exporter")]
    assert world.decided == [("accepted", "", "")]


async def test_a_bank_elsewhere_says_how_much_a_bank_may_owe_it(
    world: World, incoming: IncomingRequests
):
    line = LineAsked(request="r-1", peer="importer-bank", currency="CNY", limit_minor=7)
    await world.letter(LINE_ASKED, encode_form(line))
    await incoming.step()
    asked = {"peer": "importer-bank", "currency": "CNY", "limit_minor": 7}
    assert world.done == [(EXPORTER, asked)]
    assert world.decided == [("accepted", "", "")]


async def test_a_holder_elsewhere_gives_its_signed_title(world: World, incoming: IncomingRequests):
    await world.letter(TITLE_SIGNED, TITLE)
    await incoming.step()
    assert world.done == [(EXPORTER, "d-1", b"\x02\xc0")]


@pytest.mark.parametrize("party", [IMPORTER, "nobody", HOME])
async def test_a_peer_brings_the_word_of_its_own_parties_only(
    world: World, incoming: IncomingRequests, party: str
):
    await world.letter(ACCOUNT_ASKED, ACCOUNT, party)
    await incoming.step()
    assert world.done == []
    assert [(outcome, code) for outcome, code, _ in world.decided] == [("refused", "not_at_home")]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (ACCOUNT_ASKED, ACCOUNT),
        (
            LINE_ASKED,
            encode_form(LineAsked(request="r-1", peer="bank", currency="CNY", limit_minor=7)),
        ),
        (TITLE_SIGNED, TITLE),
    ],
)
async def test_a_later_peer_brings_no_word_of_an_earlier_ones_party(
    world: World, incoming: IncomingRequests, kind: str, content: bytes
):
    world.side.peers.clear()
    world.side.meet(Side(PartyId("first"), (EXPORTER,), b"first"))
    world.side.meet(Side(ABROAD, (EXPORTER,), b"later"))
    await world.letter(kind, content)
    await incoming.step()
    assert world.done == []
    assert [(outcome, code) for outcome, code, _ in world.decided] == [("refused", "party_clash")]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (ACCOUNT_ASKED, b"{}"),
        (ACCOUNT_ASKED, b'{"v":1}'),
        (ACCOUNT_ASKED, b"\xff"),
        (LINE_ASKED, ACCOUNT),
        (TITLE_SIGNED, ACCOUNT),
        (SHARED, b"not a proof"),
    ],
)
async def test_what_cannot_be_read_is_refused_with_the_reason(
    world: World, incoming: IncomingRequests, kind: str, content: bytes
):
    await world.letter(kind, content)
    await incoming.step()
    ((outcome, code, reason),) = world.decided
    assert (outcome, code) == ("refused", "malformed_input")
    assert reason


async def test_a_refusal_goes_back_in_the_words_of_the_room(
    world: World, incoming: IncomingRequests
):
    world.trouble.append(Forbidden("only a bank may do this"))
    await world.letter(ACCOUNT_ASKED, ACCOUNT)
    await incoming.step()
    ((outcome, code, reason),) = world.decided
    assert (outcome, code) == ("refused", "forbidden")
    assert reason == f"only a bank may do this; {remedy_of_code('forbidden')}"


async def test_what_the_world_cannot_do_now_stays_to_be_done(
    world: World, incoming: IncomingRequests
):
    world.trouble.append(Unavailable("the database is away"))
    await world.letter(ACCOUNT_ASKED, ACCOUNT)
    with pytest.raises(Unavailable):
        await incoming.step()
    assert (world.decided, len(world.waiting)) == ([], 1)
    await incoming.step()
    assert world.decided == [("accepted", "", "")]


async def test_what_one_peer_waits_for_does_not_stop_another(
    world: World, incoming: IncomingRequests
):
    world.trouble.append(Unavailable("no chain key of that party", code="no_key"))
    await world.letter(ACCOUNT_ASKED, ACCOUNT)
    first = world.waiting[0]
    other = {name: getattr(first, name) for name in first.__struct_fields__}
    document = "0190a5c8-0000-7000-8000-000000000001"
    world.waiting.append(Delivery(**other | {"sender": "third", "document": document}))
    with pytest.raises(Unavailable):
        await incoming.step()
    assert [code for _, code, _ in world.decided] == ["not_at_home"]
    assert world.waiting == [first]
