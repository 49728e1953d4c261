"""Wires the industry room."""

from __future__ import annotations

from dataclasses import dataclass

from zhidao.core.journal import Records
from zhidao.industry.adapters.opcua import OpcUaMachines
from zhidao.industry.service.lots import LotService
from zhidao.node.api import industry as api
from zhidao.node.ground import Ground, Room
from zhidao.store.journal import PostgresJournal


@dataclass(frozen=True, slots=True)
class IndustryServices:
    """What the industry room offers."""

    lots: LotService
    room: Room


async def build(ground: Ground) -> IndustryServices:
    """Builds the room on PostgreSQL and OPC UA."""
    journal = PostgresJournal(ground.database, "industry", ground.wake_relay)
    lots = LotService(
        Records(journal, ground.scribe),
        ground.archive,
        OpcUaMachines(ground.clock, allow_private=ground.demo),
        ground.clock,
    )
    return IndustryServices(lots, Room(name="industry", routers=[api.routes(lots)]))
