"""Builds the exchange room in the node's runtime context."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from litestar import Router

from zhidao.core.errors import Unavailable
from zhidao.core.ids import PartyId
from zhidao.core.journal import Records
from zhidao.core.keys import Algorithm
from zhidao.exchange.adapters.http_invitations import HttpNodes
from zhidao.exchange.adapters.http_transport import HttpTransport
from zhidao.exchange.adapters.links import PostgresLinks
from zhidao.exchange.adapters.postgres import PostgresExchange
from zhidao.exchange.domain.peer import Card, Peer
from zhidao.exchange.events import Delivery
from zhidao.exchange.service.bundle_exchange import ExchangeService
from zhidao.exchange.service.dispatch import Dispatcher
from zhidao.exchange.service.inbox import Inbox
from zhidao.exchange.service.outbox import Outbox
from zhidao.exchange.service.peer_invitations import PeerInvitations
from zhidao.exchange.service.peers import Peers
from zhidao.exchange.service.signing_identity import SigningIdentity
from zhidao.exchange.wire.card import sign_card
from zhidao.exchange.wire.invitation import encode_invitation
from zhidao.exchange.wire.sealing import SealingKey
from zhidao.node.adapters.keys.files import KeyFiles
from zhidao.node.api.exchange import documents as exchange_api
from zhidao.node.api.exchange import peer_links as links_api
from zhidao.node.api.exchange import peers as peers_api
from zhidao.node.federation.party_directory import parties_in
from zhidao.node.federation.stranger_alarms import StrangerAlarms
from zhidao.node.identity.organisation import Organisation
from zhidao.node.identity.parties import Parties
from zhidao.node.operations.alarms import Alarms
from zhidao.node.runtime.live import DocumentArrived, Live
from zhidao.node.runtime.runtime_context import Room, RuntimeContext
from zhidao.node.security.administration import Administration
from zhidao.node.security.peer_gate import PeerGate
from zhidao.node.wiring.settings import Settings
from zhidao.store.journal import PostgresJournal


@dataclass(frozen=True, slots=True)
class ExchangeServices:
    """The exchange room, ready for use. `exchange` implements `commands.Exchange`.

    `peer_of`: an admitted peer by its name; raises NotFound. `identity`: with which key each peer
    is spoken to. `listeners` hear of every accepted document; whoever wants to adds itself.
    """

    exchange: ExchangeService
    peer_of: Callable[[str], Peer]
    inbox: Inbox
    outbox: Outbox
    identity: SigningIdentity
    peers: Peers
    card: Callable[[], bytes]
    records: Records
    listeners: list[Callable[[Delivery], None]]
    gate: PeerGate
    live: Live
    room: Room


async def build(
    context: RuntimeContext,
    settings: Settings,
    keys: KeyFiles,
    parties: Parties,
    organisation: Organisation,
    alarms: Alarms,
) -> ExchangeServices:
    """The room over PostgreSQL and HTTPS, with the peers that were admitted before."""
    journal = PostgresJournal(context.database, "exchange", context.wake_relay)
    store = PostgresExchange(context.database, journal)
    sealing = SealingKey(keys.make("sealing", Algorithm.ED25519).secret)
    peers = Peers(store, context.scribe, parties_in)
    await peers.load()
    identity = SigningIdentity(context.signer, context.meeting_key)
    outbox = Outbox(
        store,
        peers,
        scribe=context.scribe,
        identity=identity,
        clock=context.clock,
        randomness=context.randomness,
    )

    # A party stays one: who was found need not be looked for again.
    found: set[PartyId] = set()

    async def is_party(asked: PartyId) -> bool:
        if asked not in found:
            found.update(await parties.names())
        return asked in found

    inbox = Inbox(
        store,
        peers,
        scribe=context.scribe,
        identity=identity,
        sealing=sealing,
        clock=context.clock,
        is_party=is_party,
    )
    transport = HttpTransport(identity, context.clock)
    dispatcher = Dispatcher(
        store, peers, outbox, transport, clock=context.clock, randomness=context.randomness
    )
    outbox.wake = inbox.wake = dispatcher.wake
    outbox.committed = dispatcher.committed
    strangers = StrangerAlarms(alarms, lambda: [peer.node for peer in peers.every()])
    dispatcher.ended = strangers.ended

    def peers_changed() -> None:
        strangers.peers_changed()
        dispatcher.peers_changed()

    peers.changed = peers_changed
    live = Live()

    listeners: list[Callable[[Delivery], None]] = []

    def told(delivery: Delivery) -> None:
        for listener in listeners:
            listener(delivery)
        live.arrived(
            delivery.to_party,
            DocumentArrived(
                document=delivery.document,
                sender=delivery.sender,
                consignment=delivery.consignment,
                kind=delivery.kind,
            ),
        )

    inbox.told = told
    service = ExchangeService(store, peers, outbox, inbox, ids=context.ids)

    def card() -> bytes:
        if not settings.url:
            raise Unavailable("this node does not say where it is reached", code="no_address")
        file = Path(settings.certificate)
        said = Card(
            node=context.node,
            organisation=organisation.name[:200],
            url=settings.url,
            key=context.signer.public,
            sealing=sealing.public,
            sealing_hybrid=sealing.hybrid,
            certificate=file.read_text() if settings.certificate and file.exists() else "",
            at=context.clock.now(),
            revoked=context.revoked_keys,
        )
        return sign_card(said, context.signer)

    async def run() -> None:
        try:
            await dispatcher.run()
        finally:
            await asyncio.shield(transport.close())

    parts = exchange_api.Parts(
        exchange=service, outbox=outbox, inbox=inbox, live=live, ids=context.ids
    )
    return ExchangeServices(
        exchange=service,
        peer_of=peers.of,
        inbox=inbox,
        outbox=outbox,
        identity=identity,
        peers=peers,
        card=card,
        records=Records(journal, context.scribe),
        listeners=listeners,
        gate=PeerGate(peers.by_key, context.clock),
        live=live,
        room=Room(
            name="exchange",
            routers=(
                exchange_api.routes(parts),
                peers_api.routes(service, peers, card, context.clock),
            ),
            background=(run,),
        ),
    )


def invitations(
    context: RuntimeContext,
    card: Callable[[], bytes],
    trust: Callable[[], Awaitable[str]],
    administration: Administration,
) -> Router:
    """Routes of invitations by link. `trust`: this node's own list as it stands, as its text."""

    async def own() -> bytes:
        return encode_invitation(card().decode(), await trust())

    service = PeerInvitations(
        PostgresLinks(context.database),
        HttpNodes(),
        own,
        clock=context.clock,
        randomness=context.randomness,
    )
    return links_api.routes(service, context.clock.now, administration)
