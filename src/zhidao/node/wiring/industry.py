"""Wires the industry room."""

from __future__ import annotations

from dataclasses import dataclass

from zhidao.core.journal import Records
from zhidao.industry.adapters.lot_journal import LotJournal
from zhidao.industry.adapters.opcua import OpcUaMachines, machine_networks_of
from zhidao.industry.adapters.postgres_events import PostgresEventStore
from zhidao.industry.service.epcis import EpcisService
from zhidao.industry.service.lots import LotService
from zhidao.node.api.industry import epcis as epcis_api
from zhidao.node.api.industry import orders as api
from zhidao.node.runtime.runtime_context import Room, RuntimeContext


@dataclass(frozen=True, slots=True)
class IndustryServices:
    """What the industry room offers."""

    lots: LotService
    epcis: EpcisService
    room: Room


async def build(context: RuntimeContext, *, machine_networks: str = "") -> IndustryServices:
    """Builds the room on PostgreSQL and OPC UA.

    machine_networks: as the setting of that name has it; no private address without it.
    """
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
    routers = [api.routes(lots), epcis_api.routes(epcis)]
    return IndustryServices(lots, epcis, Room(name="industry", routers=routers))
