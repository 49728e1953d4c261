"""Builds the insight room on the node's ground."""

from __future__ import annotations

from dataclasses import dataclass

from zhidao.insight.service.reports import Reports
from zhidao.node.adapters.log_source import DatabaseLog
from zhidao.node.api.insight import routes
from zhidao.node.ground import Ground, Room


@dataclass(frozen=True, slots=True)
class InsightServices:
    """The insight room, ready for use."""

    reports: Reports
    room: Room


async def build(ground: Ground) -> InsightServices:
    """The room over the node's own log."""
    reports = Reports(DatabaseLog(ground.database, ground.node_key.public))
    return InsightServices(reports, Room(name="insight", routers=(routes(reports),)))
