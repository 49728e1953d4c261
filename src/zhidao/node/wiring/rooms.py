"""Builds the rooms from below and hands each what it asks of the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.actor import Actor, Role
from zhidao.core.ids import PartyId
from zhidao.core.journal import Records
from zhidao.core.keys import Algorithm
from zhidao.core.timescale import NS, Utc
from zhidao.finance.domain.naming import uetr
from zhidao.finance.service.payments.bank_transfers import BankTransfers
from zhidao.node.adapters.keys.files import KeyFiles
from zhidao.node.adapters.postgres import (
    PostgresListTimes,
    PostgresRelated,
    PostgresStoredEvents,
)
from zhidao.node.adapters.search_index import PostgresSearchIndex
from zhidao.node.api import arrivals as arrivals_api
from zhidao.node.api import proofs as proofs_api
from zhidao.node.api import search as search_api
from zhidao.node.api import shipment_timelines as timelines_api
from zhidao.node.federation.home_proof import HomeProofs
from zhidao.node.identity.key_rotation import Renewal
from zhidao.node.identity.log_keys import log_keys_of
from zhidao.node.identity.organisation import Organisation
from zhidao.node.identity.parties import Parties
from zhidao.node.identity.standing_persons import StandingPersons
from zhidao.node.identity.trust_list import OwnList
from zhidao.node.operations.alarms import Alarms
from zhidao.node.operations.health import LogState
from zhidao.node.runtime.live import Live
from zhidao.node.runtime.runtime_context import Consumer, Room, RuntimeContext
from zhidao.node.search.finding import Search
from zhidao.node.security.administration import Administration
from zhidao.node.security.callers import Callers
from zhidao.node.security.peer_gate import PeerGate
from zhidao.node.security.standing import OpenPages
from zhidao.node.shipment_timeline.event_proofs import EventProofs
from zhidao.node.shipment_timeline.exchange_proofs import ExchangeProofs
from zhidao.node.shipment_timeline.export import ProofExport
from zhidao.node.shipment_timeline.positions import LivePositions
from zhidao.node.shipment_timeline.service import TimelineService
from zhidao.node.wiring import (
    connectivity,
    devices,
    exchange,
    federation,
    finance,
    industry,
    insight,
    positioning,
    trade,
)
from zhidao.node.wiring.finance_services import Others
from zhidao.node.wiring.settings import Settings
from zhidao.node.wiring.trust import anchor as trust_anchor
from zhidao.node.wiring.trust import log as trust_log
from zhidao.node.wiring.trust import titles as trust_titles
from zhidao.node.wiring.trust import witness as trust_witness
from zhidao.node.worklist import sources
from zhidao.node.worklist.service import Source
from zhidao.store.journal import PostgresJournal
from zhidao.store.migrate import JOURNAL_ROOMS
from zhidao.trust.adapters.log.cosigned_notes import PostgresCosignedNotes
from zhidao.trust.domain.policy import Policy
from zhidao.trust.service.log.reader import LogReader
from zhidao.trust.service.log.sequencer import Sequencer
from zhidao.trust.service.witness.title_watch import TitleWatch
from zhidao.trust.service.witness.watch import Watch
from zhidao.trust.wire.governance.trust_list import encode_trust_list
from zhidao.trust.wire.log.note import decode_note, parse_checkpoint

CARRIER_ROLE: Final = "carrier"
# Rooms whose facts name what people look for; the others tell of points, frames and networks.
_NAMING: Final = ("trade.>", "devices.>", "trust.>", "finance.>", "industry.>")
# The node's own facts and those of exchanges come in great numbers and stand beside a timeline.
_BESIDE_TIMELINES: Final = ("node", "exchange")
_ON_TIMELINES: Final = tuple(f"{room}.>" for room in JOURNAL_ROOMS if room not in _BESIDE_TIMELINES)


@dataclass(frozen=True, slots=True)
class Rooms:
    """All rooms, and what the node's own parts need of them."""

    rooms: Sequence[Room]
    log: Sequencer
    watch: Watch
    titles_watch: TitleWatch
    log_state: Callable[[], Awaitable[LogState]]
    devices_address: Callable[[], str]
    devices_probe: Callable[[], Awaitable[str]]
    peers: PeerGate
    transfers: BankTransfers
    ledgers: Callable[[], Mapping[str, str]]
    work: Sequence[Source]
    open_pages: Sequence[OpenPages]


async def build(
    context: RuntimeContext,
    settings: Settings,
    keys: KeyFiles,
    parties: Parties,
    organisation: Organisation,
    alarms: Alarms,
    administration: Administration,
    callers: Callers,
) -> Rooms:
    """Builds every room, lowest floor first."""
    records = Records(
        PostgresJournal(context.database, "trust", context.wake_relay), context.scribe
    )
    await Renewal(keys, records, context.clock).finish_all()
    log_keys = log_keys_of(context.own_keys or keys)
    log = await trust_log.build(
        context,
        key=log_keys[-1],
        timed=keys.make("log", Algorithm.ML_DSA_44),
        host=settings.public_host or "localhost",
    )
    witness = await trust_witness.build(context, keys, log, alarms)

    async def may_mint(party: PartyId) -> bool:
        return await parties.trade_role(party) == CARRIER_ROLE

    network = await connectivity.build(context, settings.networks)
    terminals = await devices.build(
        context,
        host=settings.devices_host,
        port=settings.devices_port,
        limits=settings.devices_limits,
        ports=settings.devices_ports,
        alarms=alarms,
        stored=network.cells.hear,
    )
    reports = await insight.build(context, log_key=log_keys[-1].public)
    others = await exchange.build(context, settings, keys, parties, organisation, alarms)
    directory = federation.directory_of(context, others.peers.every, parties)
    parties.elsewhere, parties.peers = federation.known_elsewhere(directory), directory.nodes
    parties.home_of = directory.bearer_of
    federation.watch_clashes(others, directory, alarms)
    late = federation.LateTimelines()
    live = Live()
    related = PostgresRelated(context.database)
    moving = LivePositions(related, live)
    positions = await positioning.build(
        context,
        custody=terminals.custody,
        network=network.network,
        method=settings.positioning_method,
    )
    factory = await industry.build(
        context, trade_role=parties.trade_role, machine_networks=settings.machine_networks
    )
    papers = await trade.build(
        context,
        credentials=log.credentials,
        lots=factory.lots,
        packs=settings.packs,
        check_home=late.check_home,
        must_be_known=parties.must_be_known,
        must_be_customs=parties.must_be_customs,
        risk_rules=settings.risk_rules,
        screening_list=settings.screening_list,
        witnessed=any(
            policy.needs_witnesses and policy.log_keys(log.origin)
            for policy in witness.policies.values()
        ),
    )
    others.outbox.inspection = others.inbox.inspection = papers.inspection
    others.exchange.inspection = papers.inspection
    factory.recalls.consignments = industry.NamedConsignments(
        related, papers.consignments, Actor(context.node, Role.NODE)
    )
    terminals.seals.containers_of = trade.containers_of(papers.consignments)
    titles = await trust_titles.build(
        context,
        log_key=context.node_key.public,
        custody_secret=keys.make("custody", Algorithm.ED25519).secret,
        bills=trade.PapersBills(papers.consignments),
        origins=_watched(log.origin, witness.policies),
        may_mint=may_mint,
        elsewhere=directory,
        chain=settings.titles_chain,
        written_runs=settings.titles_written_runs,
        alarms=alarms,
    )
    papers.consignments.check_untitled = titles.titles.untitled.check

    async def called() -> dict[str, str]:
        node = Actor(context.node, Role.NODE)
        return {each.party: each.name for each in await parties.every(node)}

    money = await finance.build(
        context,
        settings,
        receivables_seed=keys.make("receivables", Algorithm.ED25519).secret,
        others=Others(
            others.exchange,
            others.peer_of,
            called,
            StandingPersons(callers),
            log.reader,
            policies=tuple(witness.policies.values()),
            cosigned=PostgresCosignedNotes(context.database, log.origin),
            selective=log.selective,
        ),
        titles=titles.titles,
        arrivals=positions.arrivals,
        consignments=papers.consignments,
        business=parties.trade_role,
    )
    events = PostgresStoredEvents(context.database)
    others.exchange.proofs = ExchangeProofs(
        events, log.proofs, origin=log.origin, logged=context.logged
    )
    timelines = TimelineService(
        related=related,
        events=events,
        parties=parties,
        tracks=terminals.tracks,
        rides=terminals.custody,
        changed=live.timeline_changed,
    )
    proofs = ProofExport(
        timelines,
        events,
        log.proofs,
        context.archive,
        terminals.custody,
        origin=log.origin,
        foreign_chain=settings.titles_chain.chain_id if settings.titles_chain else 0,
    )
    own_list = OwnList(
        parties=parties,
        organisation=organisation,
        clock=context.clock,
        log_key=log.note_key,
        keys=list(dict.fromkeys((*context.recording_keys, *(key.public for key in log_keys)))),
        node=context.node,
        policies=witness.policies,
        since=PostgresListTimes(context.database).since,
    )

    async def own_text() -> str:
        return encode_trust_list(await own_list.now()).decode()

    sharing, together = federation.build(
        context,
        others=others,
        directory=directory,
        timelines=timelines,
        proofs=proofs,
        writer=log.proofs,
        own_list=own_list,
        titles=titles,
        money=money,
        types=_ON_TIMELINES,
        alarms=alarms,
        events=events,
    )
    late.sharing = sharing
    timelines.home = sharing.home
    finding = _search(context, parties)
    page = Room(
        name="node",
        routers=(
            timelines_api.routes(
                timelines,
                EventProofs(log.reader, log_key=log.note_key.key.multikey, origin=log.origin),
                live,
            ),
            proofs_api.routes(
                HomeProofs(sharing, timelines, others.inbox, context.archive, proofs),
                own_list,
                directory.with_peers,
            ),
            exchange.invitations(context, others.card, own_text, administration),
            arrivals_api.routes(positions.arrivals, papers.consignments, money.deals),
        ),
        consumers=(Consumer("node-roads", _ON_TIMELINES, timelines.on_event, adopted=True),),
        background=(moving.run,),
    )
    host, port = terminals.gateway.address
    return Rooms(
        rooms=[
            *(log.room, witness.room, titles.room, terminals.room, network.room, positions.room),
            *(factory.room, papers.room, money.room, reports.room, others.room, together, page),
            finding,
            *_anchors(settings, keys, log.reader, alarms),
        ],
        log=log.log,
        watch=witness.watch,
        titles_watch=titles.watch,
        log_state=_log_state(log.log),
        devices_address=lambda: f"{host}:{port}",
        devices_probe=_connects(host, port),
        peers=others.gate,
        transfers=money.transfers,
        ledgers=lambda: money.ledger.differing,
        work=(
            sources.moves(timelines),
            sources.approvals(money.approvals),
            sources.screenings(money.screening),
            sources.declarations(papers.clearance),
        ),
        open_pages=(live, others.live),
    )


def _search(context: RuntimeContext, parties: Parties) -> Room:
    """The index of names, what fills it, and its route."""
    index = PostgresSearchIndex(context.database)

    async def known(actor: Actor) -> Sequence[tuple[str, str]]:
        return [(each.party, each.name) for each in await parties.every(actor)]

    search = Search(index, known, uetr)

    async def fill() -> None:
        await search.fill(index.everything)
        await asyncio.Event().wait()

    return Room(
        name="search",
        routers=(search_api.routes(search),),
        consumers=(Consumer("node-search", _NAMING, search.on_event, adopted=True),),
        background=(fill,),
    )


def _anchors(settings: Settings, keys: KeyFiles, reader: LogReader, alarms: Alarms) -> list[Room]:
    anchor = settings.anchor
    return [trust_anchor.build(anchor, keys, reader, alarms)] if anchor else []


def _watched(own: str, policies: Mapping[str, Policy]) -> list[str]:
    """This node's log and all that its policies make it mirror."""
    named = (log.key.name for policy in policies.values() for log in policy.logs)
    return list(dict.fromkeys((own, *named)))


def _log_state(log: Sequencer) -> Callable[[], Awaitable[LogState]]:
    async def state() -> LogState:
        note = decode_note(await log.reader.checkpoint())
        checkpoint = parse_checkpoint(note.text)
        # The log's own timed line: when it signed, by its word.
        times = [line.at_s for line in note.cosigned_by(log.keys)]
        return LogState(
            size=checkpoint.size,
            root=checkpoint.root.hex(),
            checkpoint_at=str(Utc.from_unix_ns(min(times) * NS)) if times else "",
        )

    return state


def _connects(host: str, port: int) -> Callable[[], Awaitable[str]]:
    async def probe() -> str:
        async with asyncio.timeout(1.0):
            _, writer = await asyncio.open_connection(host, port)
        writer.close()
        return f"JT/T 808 at {host}:{port}"

    return probe
