"""Builds the insight room in the node's runtime context."""

from __future__ import annotations

from dataclasses import dataclass

from zhidao.core.keys import PublicKey
from zhidao.insight.service.reports import Reports
from zhidao.node.adapters.log_source import DatabaseLog
from zhidao.node.api.insight_reports import routes
from zhidao.node.runtime.runtime_context import Room, RuntimeContext


@dataclass(frozen=True, slots=True)
class InsightServices:
    """The insight room, ready for use."""

    reports: Reports
    room: Room


async def build(context: RuntimeContext, *, log_key: PublicKey) -> InsightServices:
    """The room over the node's own log, whose heads `log_key` signs."""
    reports = Reports(DatabaseLog(context.database, log_key))
    return InsightServices(reports, Room(name="insight", routers=(routes(reports),)))
