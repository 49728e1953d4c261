"""Builds the rooms from below and hands each what it asks of the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.ids import PartyId
from zhidao.core.journal import Records
from zhidao.core.keys import Algorithm
from zhidao.core.timescale import NS, Utc
from zhidao.finance.service.bank_transfers import BankTransfers
from zhidao.node.adapters.key_files import KeyFiles
from zhidao.node.adapters.roads import PostgresRelated, PostgresStoredEvents
from zhidao.node.alarms import Alarms
from zhidao.node.api import proofs as proofs_api
from zhidao.node.api import roads as roads_api
from zhidao.node.exchange_proofs import ExchangeProofs
from zhidao.node.ground import Consumer, Ground, Room
from zhidao.node.health import LogState
from zhidao.node.key_renewal import Renewal
from zhidao.node.live import Live
from zhidao.node.log_keys import log_keys_of
from zhidao.node.organisation import Organisation
from zhidao.node.own_list import OwnList
from zhidao.node.parties import Parties
from zhidao.node.road.export import ProofExport
from zhidao.node.road.positions import LivePositions
from zhidao.node.road.proofs import EventProofs
from zhidao.node.road.service import RoadService
from zhidao.node.security.peer_gate import PeerGate
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
    trust_anchor,
    trust_log,
    trust_titles,
    trust_witness,
)
from zhidao.node.wiring.finance_services import Others
from zhidao.node.wiring.settings import Settings
from zhidao.store.journal import PostgresJournal
from zhidao.store.migrate import JOURNAL_ROOMS
from zhidao.trust.adapters.cosigned_notes import PostgresCosignedNotes
from zhidao.trust.domain.policy import Policy
from zhidao.trust.service.log_reader import LogReader
from zhidao.trust.service.sequencer import Sequencer
from zhidao.trust.service.title_watch import TitleWatch
from zhidao.trust.service.watch import Watch
from zhidao.trust.wire.note import decode_note, parse_checkpoint

CARRIER_ROLE: Final = "carrier"
# The node's own facts and those of exchanges come in great numbers and stand beside a road.
_BESIDE_ROADS: Final = ("node", "exchange")
_ON_ROADS: Final = tuple(f"{room}.>" for room in JOURNAL_ROOMS if room not in _BESIDE_ROADS)


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


async def build(
    ground: Ground,
    settings: Settings,
    keys: KeyFiles,
    parties: Parties,
    organisation: Organisation,
    alarms: Alarms,
) -> Rooms:
    """Builds every room, lowest floor first."""
    records = Records(PostgresJournal(ground.database, "trust", ground.wake_relay), ground.scribe)
    await Renewal(keys, records, ground.clock).finish_all()
    log_keys = log_keys_of(ground.own_keys or keys)
    log = await trust_log.build(
        ground,
        key=log_keys[-1],
        timed=keys.make("log", Algorithm.ML_DSA_44),
        host=settings.public_host or "localhost",
    )
    witness = await trust_witness.build(ground, keys, log, alarms)

    async def may_mint(party: PartyId) -> bool:
        return await parties.trade_role(party) == CARRIER_ROLE

    terminals = await devices.build(ground, host=settings.devices_host, port=settings.devices_port)
    network = await connectivity.build(ground)
    reports = await insight.build(ground, log_key=log_keys[-1].public)
    others = await exchange.build(ground, settings, keys, parties, organisation)
    realm = federation.realm_of(ground, others.peers.every)
    parties.elsewhere = federation.known_elsewhere(realm)
    late = federation.LateRoads()
    live = Live()
    related = PostgresRelated(ground.database)
    moving = LivePositions(related, live)
    positions = await positioning.build(
        ground,
        custody=terminals.custody,
        network=network.network,
        method=settings.positioning_method,
    )
    factory = await industry.build(ground, machine_networks=settings.machine_networks)
    papers = await trade.build(
        ground,
        credentials=log.credentials,
        lots=factory.lots,
        packs=settings.packs,
        check_home=late.check_home,
        risk_rules=settings.risk_rules,
        screening_list=settings.screening_list,
    )
    titles = await trust_titles.build(
        ground,
        log_key=ground.node_key.public,
        custody_secret=keys.make("custody", Algorithm.ED25519).secret,
        bills=trade.PapersBills(papers.consignments),
        origins=_watched(log.origin, witness.policies),
        may_mint=may_mint,
        elsewhere=realm,
        chain=settings.titles_chain,
        alarms=alarms,
    )
    money = await finance.build(
        ground,
        settings,
        receivables_seed=keys.make("receivables", Algorithm.ED25519).secret,
        others=Others(
            others.exchange,
            others.peer_of,
            log.reader,
            policies=tuple(witness.policies.values()),
            cosigned=PostgresCosignedNotes(ground.database, log.origin),
            selective=log.selective,
        ),
        titles=titles.titles,
        arrivals=positions.arrivals,
        consignments=papers.consignments,
    )
    events = PostgresStoredEvents(ground.database)
    others.exchange.proofs = ExchangeProofs(events, log.proofs, origin=log.origin)
    roads = RoadService(
        related=related,
        events=events,
        parties=parties,
        tracks=terminals.tracks,
        changed=live.road_changed,
    )
    proofs = ProofExport(
        roads,
        events,
        log.proofs,
        ground.archive,
        terminals.custody,
        origin=log.origin,
        foreign_chain=settings.titles_chain.chain_id if settings.titles_chain else 0,
    )
    own_list = OwnList(
        parties=parties,
        organisation=organisation,
        clock=ground.clock,
        log_key=log.note_key,
        keys=list(dict.fromkeys((*ground.recording_keys, *(key.public for key in log_keys)))),
        node=ground.node,
        policies=witness.policies,
    )
    late.sharing, together = federation.build(
        ground,
        others=others,
        realm=realm,
        roads=roads,
        proofs=proofs,
        writer=log.proofs,
        own_list=own_list,
        titles=titles,
        money=money,
        types=_ON_ROADS,
        alarms=alarms,
        events=events,
    )
    page = Room(
        name="node",
        routers=(
            roads_api.routes(
                roads,
                EventProofs(log.reader, log_key=log.note_key.key.multikey, origin=log.origin),
                live,
            ),
            proofs_api.routes(proofs, own_list),
        ),
        consumers=(Consumer("node-roads", _ON_ROADS, roads.on_event, adopted=True),),
        background=(moving.run,),
    )
    host, port = terminals.gateway.address
    return Rooms(
        rooms=[
            *(log.room, witness.room, titles.room, terminals.room, network.room, positions.room),
            *(factory.room, papers.room, money.room, reports.room, others.room, together, page),
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
