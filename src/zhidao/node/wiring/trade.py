"""Puts the trade room together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from zhidao.core.actor import Actor
from zhidao.core.errors import MalformedInput, NotFound
from zhidao.core.journal import Records
from zhidao.exchange.events import DocumentLook
from zhidao.industry.commands import Lots
from zhidao.node.api.trade import codes as codes_api
from zhidao.node.api.trade import consignments as api
from zhidao.node.api.trade import crossings as crossings_api
from zhidao.node.api.trade import entry as entry_api
from zhidao.node.api.trade import origin as origin_api
from zhidao.node.api.trade import transparency as transparency_api
from zhidao.node.api.trade import window as window_api
from zhidao.node.runtime.runtime_context import Consumer, Room, RuntimeContext
from zhidao.positioning.events import ArrivalProven
from zhidao.store.journal import PostgresJournal
from zhidao.trade.adapters.code_store import StoredCodes, default_file
from zhidao.trade.adapters.listing_file import ListingFile
from zhidao.trade.adapters.lodged_numbers import PostgresLodgedNumbers
from zhidao.trade.adapters.packs import default_folder
from zhidao.trade.adapters.postgres_drafts import PostgresDrafts
from zhidao.trade.adapters.printing.entry_printing import print_document
from zhidao.trade.adapters.rule_worker import RuleWorker
from zhidao.trade.domain.clearance.reference import REFERENCE
from zhidao.trade.service.carried_documents import CarriedDocuments
from zhidao.trade.service.clearance import Clearance
from zhidao.trade.service.consignments import ConsignmentService, everywhere
from zhidao.trade.service.crossings import Crossings
from zhidao.trade.service.customs_rule import CustomsRule, MustBeCustoms, anybody
from zhidao.trade.service.delivery import CONSUMER, Journey
from zhidao.trade.service.issuing import Issuing
from zhidao.trade.service.papers import PaperShelf
from zhidao.trade.service.presenting import PresentationService
from zhidao.trade.service.releases import Releases
from zhidao.trade.service.transparency import Transparency
from zhidao.trade.service.validation import Validation
from zhidao.trade.wire.risk_file import read_rules
from zhidao.trust.commands import Credentials


@dataclass(frozen=True, slots=True)
class TradeServices:
    """The trade room's use cases; `consignments` is its command for higher rooms."""

    consignments: ConsignmentService
    validation: Validation
    journey: Journey
    rules: RuleWorker
    clearance: Clearance
    presentations: PresentationService
    inspection: PapersInspection
    room: Room


def containers_of(
    consignments: ConsignmentService,
) -> Callable[[Actor, str], Awaitable[Sequence[str]]]:
    """What the devices room asks: a consignment's containers; none where the actor sees none."""

    async def found(actor: Actor, consignment: str) -> Sequence[str]:
        try:
            entered = (await consignments.consignment(actor, consignment)).entered
        except (MalformedInput, NotFound):
            return ()
        return [each for each in entered.every_container if each]

    return found


class PapersInspection:
    """Implements `exchange.service.ports.Inspection` by what the trade room knows of papers."""

    def __init__(self, papers: CarriedDocuments) -> None:
        self.check = papers.check
        self._papers = papers

    async def look(self, media_type: str, content: bytes, *, kind: str = "") -> DocumentLook:
        """What a document is by its bytes."""
        found = await self._papers.look(media_type, content, kind=kind)
        return DocumentLook(media_type=media_type, size=len(content), **asdict(found))


class PapersBills:
    """Implements `trust.service.chain.ports.Bills` over the consignments' papers."""

    def __init__(self, consignments: ConsignmentService) -> None:
        self._consignments = consignments

    async def face(
        self, actor: Actor, *, consignment: str, document: str
    ) -> tuple[str, str] | None:
        """Carrier code and number of a consignment's bill of lading, or None."""
        return await self._consignments.bill_of_lading(actor, consignment, document)


async def build(
    context: RuntimeContext,
    *,
    credentials: Credentials,
    lots: Lots,
    packs: Path | None = None,
    risk_rules: Path | None = None,
    screening_list: Path | None = None,
    check_home: Callable[[str], Awaitable[None]] = everywhere,
    must_be_known: Callable[..., Awaitable[None]] = anybody,
    must_be_customs: MustBeCustoms = anybody,
    witnessed: bool = False,
) -> TradeServices:
    """The trade room in this node's runtime context, with the credentials and lots of lower rooms.

    `risk_rules`, `screening_list`: the operator's files; without rules the reference ones hold.
    `witnessed`: witnesses are asked for this node's log.
    `check_home` refuses to write a consignment's history that another node goes on with,
    `must_be_known` parties that this node does not know, `must_be_customs` one that is no customs.
    """
    records = Records(
        PostgresJournal(context.database, "trade", context.wake_relay), context.scribe
    )
    rules = RuleWorker(packs or default_folder())
    judges = context.judges
    customs = CustomsRule(must_be_customs)
    validation = Validation(rules, judges)
    codes = StoredCodes(default_file())
    consignments = ConsignmentService(
        records=records,
        archive=context.archive,
        issuing=Issuing(
            archive=context.archive,
            validation=validation,
            credentials=credentials,
            lots=lots,
            judges=judges,
            witnessed=witnessed,
        ),
        shelf=PaperShelf(archive=context.archive, lots=lots, node=context.node, judges=judges),
        clock=context.clock,
        check_home=check_home,
        must_be_known=must_be_known,
        customs=customs,
        judges=judges,
        codes=codes,
    )
    journey = Journey(records)
    risk = read_rules(await asyncio.to_thread(risk_rules.read_bytes)) if risk_rules else REFERENCE
    clearance = Clearance(
        records=records,
        archive=context.archive,
        rules=risk,
        listings=ListingFile(screening_list),
        numbers=PostgresLodgedNumbers(context.database),
        judges=judges,
        customs=customs,
        codes=codes,
        clock=context.clock,
    )
    presentations = PresentationService(
        records=records,
        archive=context.archive,
        ring=context.ring,
        clock=context.clock,
        judges=judges,
        validation=validation,
        codes=codes,
    )

    transparency = Transparency(
        archive=context.archive, consignments=consignments, credentials=credentials, judges=judges
    )

    async def end_rules_with_node() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await rules.close()

    releases = Releases(consignments, clearance)
    room = Room(
        name="trade",
        routers=(
            api.routes(consignments, validation, releases),
            entry_api.routes(
                PostgresDrafts(context.database),
                context.clock,
                print_document,
                judges,
                validation,
                codes,
            ),
            codes_api.routes(codes),
            origin_api.routes(codes, judges),
            window_api.routes(clearance, releases, presentations),
            transparency_api.routes(transparency),
            crossings_api.routes(
                Crossings(records=records, consignments=consignments, clock=context.clock)
            ),
        ),
        consumers=(Consumer(CONSUMER, ArrivalProven.types(), journey.on_arrival),),
        background=(end_rules_with_node,),
    )
    return TradeServices(
        consignments,
        validation,
        journey,
        rules,
        clearance,
        presentations,
        PapersInspection(CarriedDocuments(validation, judges)),
        room,
    )
