"""Puts the trade room together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from zhidao.core.actor import Actor
from zhidao.core.journal import Records
from zhidao.industry.commands import Lots
from zhidao.node.api import trade as api
from zhidao.node.api import trade_entry as entry_api
from zhidao.node.api import trade_transparency as transparency_api
from zhidao.node.api import trade_window as window_api
from zhidao.node.ground import Consumer, Ground, Room
from zhidao.positioning.events import ArrivalProven
from zhidao.store.journal import PostgresJournal
from zhidao.trade.adapters.listing_file import ListingFile
from zhidao.trade.adapters.packs import default_folder
from zhidao.trade.adapters.postgres_drafts import PostgresDrafts
from zhidao.trade.adapters.rule_worker import RuleWorker
from zhidao.trade.domain.clearance.reference import REFERENCE
from zhidao.trade.service.clearance import Clearance
from zhidao.trade.service.consignments import ConsignmentService, everywhere
from zhidao.trade.service.issuing import Issuing
from zhidao.trade.service.journey import CONSUMER, Journey
from zhidao.trade.service.papers import PaperShelf
from zhidao.trade.service.presentation import PresentationDesk
from zhidao.trade.service.transparency import Transparency
from zhidao.trade.service.validation import Validation
from zhidao.trade.wire.risk_file import read_rules
from zhidao.trust.commands import Credentials
from zhidao.trust.domain.title_tag import Bill


@dataclass(frozen=True, slots=True)
class TradeServices:
    """The trade room's use cases; `consignments` is its command for higher rooms."""

    consignments: ConsignmentService
    validation: Validation
    journey: Journey
    rules: RuleWorker
    clearance: Clearance
    presentations: PresentationDesk
    room: Room


class PapersBills:
    """Implements `trust.service.title_ports.Bills` over the consignments' papers."""

    def __init__(self, consignments: ConsignmentService) -> None:
        self._consignments = consignments

    async def bill(self, actor: Actor, *, consignment: str, document: str) -> Bill | None:
        """The bill of a consignment with a carrier code, or None."""
        found = await self._consignments.bill_of_lading(actor, consignment, document)
        return Bill(*found) if found and found[0] else None


async def build(
    ground: Ground,
    *,
    credentials: Credentials,
    lots: Lots,
    packs: Path | None = None,
    risk_rules: Path | None = None,
    screening_list: Path | None = None,
    check_home: Callable[[str], Awaitable[None]] = everywhere,
) -> TradeServices:
    """The trade room on this node's ground, with the credentials and lots of lower rooms.

    `risk_rules`, `screening_list`: the operator's files; without rules the reference ones hold.
    `check_home` refuses to write a consignment's history that another node goes on with.
    """
    records = Records(PostgresJournal(ground.database, "trade", ground.wake_relay), ground.scribe)
    rules = RuleWorker(packs or default_folder())
    validation = Validation(rules)
    consignments = ConsignmentService(
        records=records,
        archive=ground.archive,
        issuing=Issuing(
            archive=ground.archive, validation=validation, credentials=credentials, lots=lots
        ),
        shelf=PaperShelf(archive=ground.archive, lots=lots, node=ground.node),
        check_home=check_home,
    )
    journey = Journey(records)
    risk = read_rules(await asyncio.to_thread(risk_rules.read_bytes)) if risk_rules else REFERENCE
    clearance = Clearance(
        records=records,
        archive=ground.archive,
        rules=risk,
        listings=ListingFile(screening_list),
    )
    presentations = PresentationDesk(
        records=records, archive=ground.archive, ring=ground.ring, clock=ground.clock
    )

    transparency = Transparency(
        archive=ground.archive, consignments=consignments, credentials=credentials
    )

    async def end_rules_with_node() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await rules.close()

    room = Room(
        name="trade",
        routers=(
            api.routes(consignments, validation),
            entry_api.routes(PostgresDrafts(ground.database), ground.clock),
            window_api.routes(clearance, presentations),
            transparency_api.routes(transparency),
        ),
        consumers=(Consumer(CONSUMER, (ArrivalProven.TYPE,), journey.on_arrival),),
        background=(end_rules_with_node,),
    )
    return TradeServices(consignments, validation, journey, rules, clearance, presentations, room)
