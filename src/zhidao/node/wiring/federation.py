"""Builds what lets one consignment live on several nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zhidao.core.ids import PartyId
from zhidao.core.keys import PublicKey
from zhidao.core.timescale import Utc
from zhidao.exchange.domain.peer import Peer
from zhidao.exchange.events import PeerAdmitted
from zhidao.node.adapters.postgres import PostgresRelated
from zhidao.node.api import federation as api
from zhidao.node.federation.adoption import Adoption
from zhidao.node.federation.event_forwarding import EventForwarder
from zhidao.node.federation.hand_over_resumption import HandOverResumption
from zhidao.node.federation.incoming_requests import IncomingRequests
from zhidao.node.federation.key_news import KeyNews, KeyStudy
from zhidao.node.federation.party_clashes import PartyClashes
from zhidao.node.federation.party_directory import PartyDirectory
from zhidao.node.federation.party_news import PartyNews, PartyStudy
from zhidao.node.federation.refused_shares import RefusedShares
from zhidao.node.federation.remote_operations import RemoteOperations
from zhidao.node.federation.shareable import SHAREABLE
from zhidao.node.federation.sharing import Sharing
from zhidao.node.identity.parties import Parties, RegisteredParty
from zhidao.node.identity.trust_list import OwnList
from zhidao.node.operations.alarms import Alarms
from zhidao.node.runtime.runtime_context import Consumer, Room, RuntimeContext
from zhidao.node.shipment_timeline.export import ProofExport
from zhidao.node.shipment_timeline.histories import StoredEvents
from zhidao.node.shipment_timeline.service import TimelineService
from zhidao.node.wiring.exchange import ExchangeServices
from zhidao.node.wiring.finance import FinanceServices
from zhidao.node.wiring.trust.titles import TitleServices
from zhidao.store.journal import PostgresJournal
from zhidao.trust.service.witness.proving import ProofWriter


class LateTimelines:
    """Finds a consignment's events once timelines are built, for those that are built before."""

    def __init__(self) -> None:
        self.sharing: Sharing | None = None

    async def check_home(self, consignment: str) -> None:
        """Raises Refused where another node writes a consignment's history."""
        if self.sharing is not None:
            await self.sharing.check_home(consignment)


def directory_of(
    context: RuntimeContext, peers: Callable[[], Sequence[Peer]], parties: Parties
) -> PartyDirectory:
    """Who is at home here: the node, and the parties whose keys it keeps."""

    def is_here(party: PartyId) -> bool:
        return party == context.node or context.ring.signer(party) is not None

    return PartyDirectory(peers, is_here, parties.keys_of)


def known_elsewhere(directory: PartyDirectory) -> Callable[[], Sequence[RegisteredParty]]:
    """The parties at other nodes, as pages name them."""

    def parties() -> Sequence[RegisteredParty]:
        return [
            RegisteredParty(
                party=each.party,
                name=each.name,
                trade_role=each.role,
                country="",
                keys=[_multikey(key) for key in each.keys],
                custodial=False,
            )
            for each in directory.parties()
        ]

    return parties


def watch_clashes(others: ExchangeServices, directory: PartyDirectory, alarms: Alarms) -> None:
    """Tells with each peer which of its ids are another's here, now and when peers change."""
    clashes = PartyClashes(directory, others.peers.every, alarms)
    before = others.peers.changed

    def changed() -> None:
        before()
        clashes.watch()

    others.peers.changed = changed
    others.peers.clashes = clashes.of
    clashes.watch()


def build(
    context: RuntimeContext,
    *,
    others: ExchangeServices,
    directory: PartyDirectory,
    timelines: TimelineService,
    proofs: ProofExport,
    writer: ProofWriter,
    own_list: OwnList,
    titles: TitleServices,
    money: FinanceServices,
    types: tuple[str, ...],
    alarms: Alarms,
    events: StoredEvents,
) -> tuple[Sharing, Room]:
    """The federation's services, with their routes, consumer and incoming requests."""
    related = PostgresRelated(context.database)
    sharing = Sharing(
        records=others.records,
        consigned=timelines,
        writer=writer,
        archive=context.archive,
        outgoing=others.exchange,
        related=related,
        directory=directory,
        ids=context.ids,
        logged=context.logged,
        letters=others.inbox,
    )
    adoption = Adoption(
        records=others.records,
        journals={
            room: PostgresJournal(context.database, room, context.wake_relay) for room in SHAREABLE
        },
        archive=context.archive,
        directory=directory,
        own_list=own_list.now,
        sharing=sharing,
    )
    incoming = IncomingRequests(
        node=context.node,
        inbox=others.inbox,
        archive=context.archive,
        directory=directory,
        adoption=adoption,
        keys=KeyStudy(archive=context.archive, directory=directory, peers=others.peers),
        parties=PartyStudy(archive=context.archive, peers=others.peers),
        accounts=money.accounts,
        lines=money.lines,
        deals=money.deals,
    )
    others.listeners.append(incoming.arrived)
    news = KeyNews(
        node=context.node,
        peers=others.peers.every,
        events=events,
        writer=writer,
        outgoing=others.exchange,
        sent=others.outbox,
        identity=others.identity,
    )

    async def admitted_at(peer: str) -> Utc | None:
        history = await others.records.history(f"peer/{peer}")
        admitted = [e.recorded_at for e in history if PeerAdmitted.is_told_by(e.type)]
        return admitted[-1] if admitted else None

    told = PartyNews(
        node=context.node,
        peers=others.peers.every,
        own_list=own_list.now,
        since=own_list.since,
        clock=context.clock,
        admitted_at=admitted_at,
        outgoing=others.exchange,
        sent=others.outbox,
    )
    own_list.parties.made = told.wake
    before = others.peers.changed

    def changed() -> None:
        before()
        sharing.peers_changed()
        told.wake()

    others.peers.changed = changed
    forwarder = EventForwarder(
        node=context.node,
        sharing=sharing,
        related=related,
        directory=directory,
        outgoing=others.exchange,
        archive=context.archive,
        deals=money.deals,
        titles=titles.titles,
        proof=proofs.proof,
        alarms=alarms,
        logged=context.logged,
    )
    refused = RefusedShares(context.node, others.outbox, sharing, alarms, others.inbox)
    others.outbox.decided = refused.decided
    incoming.decided = refused.answered
    remote = RemoteOperations(
        outgoing=others.exchange,
        inbox=others.inbox,
        archive=context.archive,
        deals=money.deals,
        title_history=titles.titles.history,
        sign=titles.titles.sign_custody,
    )
    room = Room(
        name="federation",
        routers=(api.routes(sharing, timelines, remote, directory),),
        consumers=(Consumer("federation", types, forwarder.on_event),),
        background=(
            incoming.run,
            news.run,
            told.run,
            refused.run,
            HandOverResumption(sharing).run,
        ),
    )
    return sharing, room


def _multikey(key: PublicKey) -> str:
    return key.multikey
