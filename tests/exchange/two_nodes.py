"""Two nodes that exchange over a line that loses, repeats and cuts as a seed says."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from uuid import UUID

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import Unavailable
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import FixedKeyRing, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.exchange.adapters.memory import MemoryExchange
from zhidao.exchange.domain.peer import Card, Peer
from zhidao.exchange.events import Delivery, Dispatch
from zhidao.exchange.service.bundle_exchange import ExchangeService
from zhidao.exchange.service.dispatch import Dispatcher
from zhidao.exchange.service.inbox import Inbox
from zhidao.exchange.service.outbox import Outbox
from zhidao.exchange.service.peers import Peers
from zhidao.exchange.service.ports import Store
from zhidao.exchange.service.signing_identity import SigningIdentity
from zhidao.exchange.wire.card import sign_card
from zhidao.exchange.wire.sealing import SealingKey

START = Utc.parse("2026-05-04T08:00:00Z")
OPERATOR = Actor(PartyId("operator"), Role.OPERATOR)
CONTENT = b"commercial invoice 17"


class Line:
    """A transport between the two nodes; `faults` is the share of calls that go wrong."""

    def __init__(self, seed: int = 1, faults: float = 0.0) -> None:
        self.chance = random.Random(seed)
        self.faults = faults
        self.ends: dict[str, Node] = {}
        self.posts = 0
        self.bundles: list[tuple[str, bytes]] = []

    def to(self, sender: str) -> _End:
        return _End(self, sender)


@dataclass
class _End:
    line: Line
    sender: str

    async def get_ready(self, peer: Peer) -> None:
        pass

    async def post(self, peer: Peer, bundle: bytes) -> bytes:
        line = self.line
        line.posts += 1
        line.bundles.append((self.sender, bundle))
        fate = line.chance.random()
        if fate < line.faults / 3:
            raise Unavailable("lost on its way")
        other = line.ends[peer.node]
        if fate < line.faults * 2 / 3 and len(line.bundles) > 1:
            # A bundle of before comes again, out of its order.
            sender, old = line.chance.choice(line.bundles)
            if sender == self.sender:
                await other.exchange.take_bundle(other.peers.of(self.sender), old)
        answer = await other.exchange.take_bundle(other.peers.of(self.sender), bundle)
        if fate < line.faults:
            raise Unavailable("the answer is lost on its way")
        return answer


@dataclass
class Node:
    """One node with all its parts."""

    name: PartyId
    key: SoftwareKey
    clock: HandClock
    store: Store
    peers: Peers
    outbox: Outbox
    inbox: Inbox
    dispatcher: Dispatcher
    exchange: ExchangeService
    card: bytes
    party: Actor
    told: list[Delivery] = field(default_factory=list)

    async def send(
        self,
        number: int,
        to: Node,
        content: bytes = CONTENT,
        *,
        consignment: str = "C-1",
        kind: str = "trade.invoice",
    ) -> Dispatch:
        return await self.exchange.send(
            self.party,
            document=UUID(int=number),
            recipient=to.name,
            to_party=to.party.party,
            consignment=consignment,
            kind=kind,
            media_type="text/plain",
            content=content,
        )


def make_node(name: str, line: Line, store: Store | None = None, seed: int = 5) -> Node:
    clock, randomness = HandClock(START), SeededRandomness(f"{name}{seed}".encode())
    key = SoftwareKey(Algorithm.ED25519, randomness.token(32))
    party = PartyId(f"{name}-trader")
    scribe = Scribe(
        node=PartyId(name),
        key=key,
        ring=FixedKeyRing({party: SoftwareKey(Algorithm.ED25519, randomness.token(32))}),
        clock=clock,
        ids=IdSource(clock, randomness),
        randomness=randomness,
    )
    kept = store or MemoryExchange()
    sealing = SealingKey(randomness.token(32))
    peers, identity = Peers(kept, scribe, lambda _: ()), SigningIdentity(key)
    outbox = Outbox(
        kept, peers, scribe=scribe, identity=identity, clock=clock, randomness=randomness
    )

    async def is_party(asked: PartyId) -> bool:
        return asked == party

    inbox = Inbox(
        kept,
        peers,
        scribe=scribe,
        identity=identity,
        sealing=sealing,
        clock=clock,
        is_party=is_party,
    )
    dispatcher = Dispatcher(kept, peers, outbox, line.to(name), clock=clock, randomness=randomness)
    card = Card(
        node=PartyId(name),
        organisation=name.title(),
        url=f"https://{name}.example",
        key=key.public,
        sealing=sealing.public,
        sealing_hybrid=sealing.hybrid,
        certificate="",
        at=START,
    )
    node = Node(
        name=PartyId(name),
        key=key,
        clock=clock,
        store=kept,
        peers=peers,
        outbox=outbox,
        inbox=inbox,
        dispatcher=dispatcher,
        exchange=ExchangeService(kept, peers, outbox, inbox, ids=IdSource(clock, randomness)),
        card=sign_card(card, key),
        party=Actor(party, Role.PARTY),
    )
    inbox.told = node.told.append
    line.ends[name] = node
    return node


async def make_pair(
    line: Line | None = None, stores: tuple[Store, Store] | None = None
) -> tuple[Node, Node]:
    """An exporter's and an importer's node that have admitted each other."""
    line = line or Line()
    first, second = stores or (None, None)
    one, two = make_node("exporter", line, first), make_node("importer", line, second)
    for here, there in ((one, two), (two, one)):
        await here.peers.admit(OPERATOR, there.card, keys=[there.key.public], trust="corridor")
    return one, two


async def carry(*nodes: Node, rounds: int = 400) -> None:
    """Lets the dispatchers work until nothing waits any more."""
    for _ in range(rounds):
        for node in nodes:
            for peer in node.peers.every():
                await node.dispatcher.step(peer.node)
        waits = [
            (
                await node.store.waiting(peer.node, limit=1, bytes_max=1),
                await node.store.due_receipts(peer.node, limit=1),
            )
            for node in nodes
            for peer in node.peers.every()
        ]
        if not any(rows or dues for rows, dues in waits):
            return
    raise AssertionError("the exchange does not come to rest")
