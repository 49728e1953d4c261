"""Wires the industry room."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from zhidao.core.actor import Actor
from zhidao.core.errors import NotFound
from zhidao.core.ids import PartyId
from zhidao.core.journal import Records
from zhidao.industry.adapters.lot_journal import LotJournal
from zhidao.industry.adapters.opcua import OpcUaMachines, machine_networks_of
from zhidao.industry.adapters.postgres_events import PostgresEventStore
from zhidao.industry.adapters.recall_book import PostgresRecallBook
from zhidao.industry.service.epcis import EpcisService
from zhidao.industry.service.lots import LotService
from zhidao.industry.service.ports import AffectedConsignment
from zhidao.industry.service.recalls import RecallService
from zhidao.node.adapters.postgres import PostgresRelated
from zhidao.node.api.industry import epcis as epcis_api
from zhidao.node.api.industry import orders as api
from zhidao.node.api.industry import recalls as recalls_api
from zhidao.node.runtime.runtime_context import Room, RuntimeContext
from zhidao.trade.events import ConsignmentEntered, NamedLot
from zhidao.trade.service.consignments import ConsignmentService

# With these parts in trade the trust list names who may call back what others made.
AUTHORITY_ROLES: Final = ("authority", "corridor_authority", "customs", "market_surveillance")


@dataclass(frozen=True, slots=True)
class IndustryServices:
    """What the industry room offers."""

    lots: LotService
    epcis: EpcisService
    recalls: RecallService
    room: Room


@dataclass(frozen=True, slots=True)
class NamedConsignments:
    """Implements `HeldConsignments`: what consignments' entries name, by the node's own eyes."""

    related: PostgresRelated
    consignments: ConsignmentService
    node: Actor

    async def holding(self, lots: Sequence[tuple[str, str]]) -> list[AffectedConsignment]:
        """The consignments that name one of these lots, by name."""
        wanted = set(lots)
        names: set[str] = set()
        for order in sorted({order for order, _ in lots}):
            subjects = await self.related.subjects_of("industry", f"order/{order}")
            told = (each.partition("/") for each in subjects)
            names.update(name for kind, _, name in told if kind == "consignment")
        found = []
        for name in sorted(names):
            # Other facts name consignments too, also such as were never entered here.
            with suppress(NotFound):
                entered = (await self.consignments.consignment(self.node, name)).entered
                held = [each for each in entered.every_lot if (each.order, each.lot) in wanted]
                if held:
                    found.append(_affected(entered, held))
        return found


def _affected(entered: ConsignmentEntered, held: Sequence[NamedLot]) -> AffectedConsignment:
    parties = (entered.importer, entered.carrier, entered.importer_bank, entered.exporter_bank)
    return AffectedConsignment(
        consignment=entered.consignment,
        owner=PartyId(entered.exporter),
        parties=tuple(PartyId(each) for each in (*parties, entered.customs) if each),
        lots=tuple(f"{each.order}/{each.lot}" for each in held),
    )


async def build(
    context: RuntimeContext,
    *,
    trade_role: Callable[[PartyId], Awaitable[str]],
    machine_networks: str = "",
) -> IndustryServices:
    """Builds the room on PostgreSQL and OPC UA.

    machine_networks: as the setting of that name has it; no private address without it.
    trade_role: the part in trade with which the node's trust list names a party.
    """

    async def is_authority(party: PartyId) -> bool:
        return await trade_role(party) in AUTHORITY_ROLES

    journal = LotJournal(context.database, context.wake_relay)
    epcis = EpcisService(
        PostgresEventStore(context.database, journal),
        context.scribe,
        context.archive,
        context.clock,
    )
    lots = LotService(
        Records(journal, context.scribe),
        context.archive,
        OpcUaMachines(context.clock, context.judges, machine_networks_of(machine_networks)),
        context.clock,
        epcis,
    )
    recalls = RecallService(
        PostgresRecallBook(context.database, journal),
        Records(journal, context.scribe),
        context.scribe,
        context.archive,
        context.clock,
        epcis,
        is_authority,
    )
    routers = [api.routes(lots), epcis_api.routes(epcis), recalls_api.routes(recalls)]
    return IndustryServices(lots, epcis, recalls, Room(name="industry", routers=routers))
