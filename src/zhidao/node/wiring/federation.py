"""Builds what lets one consignment live on several nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zhidao.core.ids import PartyId
from zhidao.core.keys import PublicKey
from zhidao.exchange.domain.peer import Peer
from zhidao.node.adapters.roads import PostgresRelated
from zhidao.node.alarms import Alarms
from zhidao.node.api import federation as api
from zhidao.node.federation.abroad import Abroad
from zhidao.node.federation.adoption import Adoption
from zhidao.node.federation.couriers import Courier
from zhidao.node.federation.errands import Errands
from zhidao.node.federation.key_news import KeyNews, KeyStudy
from zhidao.node.federation.realm import Realm
from zhidao.node.federation.shareable import SHAREABLE
from zhidao.node.federation.sharing import Sharing
from zhidao.node.ground import Consumer, Ground, Room
from zhidao.node.own_list import OwnList
from zhidao.node.parties import Party
from zhidao.node.road.export import ProofExport
from zhidao.node.road.service import RoadService, StoredEvents
from zhidao.node.wiring.exchange import ExchangeServices
from zhidao.node.wiring.finance import FinanceServices
from zhidao.node.wiring.trust_titles import TitleServices
from zhidao.store.journal import PostgresJournal
from zhidao.trust.service.proving import ProofWriter


class LateRoads:
    """Finds a consignment's events once roads are built, for those that are built before."""

    def __init__(self) -> None:
        self.sharing: Sharing | None = None

    async def check_home(self, consignment: str) -> None:
        """Raises Refused where another node writes a consignment's history."""
        if self.sharing is not None:
            await self.sharing.check_home(consignment)


def realm_of(ground: Ground, peers: Callable[[], Sequence[Peer]]) -> Realm:
    """Who is at home here: the node, and the parties whose keys it keeps."""

    def is_here(party: PartyId) -> bool:
        return party == ground.node or ground.ring.signer(party) is not None

    return Realm(peers, is_here)


def known_elsewhere(realm: Realm) -> Callable[[], Sequence[Party]]:
    """The parties at other nodes, as pages name them."""

    def parties() -> Sequence[Party]:
        return [
            Party(
                party=each.party,
                name=each.name,
                trade_role=each.role,
                country="",
                keys=[_multikey(key) for key in each.keys],
                custodial=False,
            )
            for each in realm.parties()
        ]

    return parties


def build(
    ground: Ground,
    *,
    others: ExchangeServices,
    realm: Realm,
    roads: RoadService,
    proofs: ProofExport,
    writer: ProofWriter,
    own_list: OwnList,
    titles: TitleServices,
    money: FinanceServices,
    types: tuple[str, ...],
    alarms: Alarms,
    events: StoredEvents,
) -> tuple[Sharing, Room]:
    """The federation's services, with their routes, consumer and errands."""
    related = PostgresRelated(ground.database)
    sharing = Sharing(
        records=others.records,
        consigned=roads,
        writer=writer,
        archive=ground.archive,
        outgoing=others.exchange,
        related=related,
        realm=realm,
        ids=ground.ids,
    )
    adoption = Adoption(
        records=others.records,
        journals={
            room: PostgresJournal(ground.database, room, ground.wake_relay) for room in SHAREABLE
        },
        archive=ground.archive,
        realm=realm,
        own_list=own_list.now,
        sharing=sharing,
    )
    errands = Errands(
        node=ground.node,
        inbox=others.inbox,
        archive=ground.archive,
        realm=realm,
        adoption=adoption,
        keys=KeyStudy(archive=ground.archive, realm=realm, peers=others.peers),
        accounts=money.accounts,
        lines=money.lines,
        deals=money.deals,
    )
    others.listeners.append(errands.arrived)
    news = KeyNews(
        node=ground.node,
        peers=others.peers.every,
        events=events,
        writer=writer,
        outgoing=others.exchange,
        sent=others.outbox,
        voice=others.voice,
    )
    courier = Courier(
        node=ground.node,
        sharing=sharing,
        related=related,
        realm=realm,
        outgoing=others.exchange,
        archive=ground.archive,
        deals=money.deals,
        titles=titles.titles,
        proof=proofs.proof,
        alarms=alarms,
    )
    abroad = Abroad(
        outgoing=others.exchange,
        inbox=others.inbox,
        archive=ground.archive,
        deals=money.deals,
        title_history=titles.titles.history,
        sign=titles.titles.sign_custody,
    )
    room = Room(
        name="federation",
        routers=(api.routes(sharing, roads, abroad, realm),),
        consumers=(Consumer("federation", types, courier.on_event),),
        background=(errands.run, news.run),
    )
    return sharing, room


def _multikey(key: PublicKey) -> str:
    return key.multikey
