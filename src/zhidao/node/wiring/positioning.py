"""Wires the positioning room."""

from __future__ import annotations

from dataclasses import dataclass

from zhidao.connectivity.commands import NetworkView
from zhidao.core.journal import Records
from zhidao.devices.commands import Custody
from zhidao.devices.events import WindowReceived
from zhidao.node.api import positioning as api
from zhidao.node.runtime.runtime_context import Consumer, Room, RuntimeContext
from zhidao.positioning.service.arrivals import CONSUMER, ArrivalService
from zhidao.positioning.service.bases import BaseService
from zhidao.positioning.service.navigation import NavigationService
from zhidao.store.journal import PostgresJournal


@dataclass(frozen=True, slots=True)
class PositioningServices:
    """What the positioning room offers; `arrivals` implements `positioning.commands.Arrivals`."""

    navigation: NavigationService
    arrivals: ArrivalService
    room: Room


async def build(
    context: RuntimeContext, *, custody: Custody, network: NetworkView, method: str
) -> PositioningServices:
    """Builds the room on PostgreSQL and the node's worker processes.

    method: of `Settings`. Raises MalformedInput for one that there is not.
    """
    journal = PostgresJournal(context.database, "positioning", context.wake_relay)
    records = Records(journal, context.scribe)
    navigation = NavigationService(records, context.archive, context.workers)
    bases = BaseService(records, context.archive, context.workers)
    arrivals = ArrivalService(
        records=records,
        archive=context.archive,
        navigation=navigation,
        bases=bases,
        custody=custody,
        network=network,
        workers=context.workers,
        method=method,
    )
    room = Room(
        name="positioning",
        routers=[api.routes(navigation, bases, arrivals)],
        consumers=[Consumer(CONSUMER, (WindowReceived.TYPE,), arrivals.on_window)],
    )
    return PositioningServices(navigation, arrivals, room)
