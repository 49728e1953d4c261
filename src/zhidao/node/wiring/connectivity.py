"""Builds the connectivity room in the node's runtime context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.connectivity.adapters.postgres import PostgresObservations, ScenarioNetwork
from zhidao.connectivity.domain.observation import Point
from zhidao.connectivity.service.location import Location
from zhidao.connectivity.service.network import NetworkChecks
from zhidao.connectivity.service.ports import Observations
from zhidao.connectivity.service.short_messages import ShortMessages
from zhidao.core.geo import Frame
from zhidao.core.journal import Records
from zhidao.devices.domain.track import TrackPoint
from zhidao.node.api import camara
from zhidao.node.api.connectivity import routes
from zhidao.node.runtime.runtime_context import Room, RuntimeContext
from zhidao.store.journal import PostgresJournal

_BEARER: Final = "jt808"
_NDEG_PER_UDEG: Final = 1000


@dataclass(frozen=True, slots=True)
class ConnectivityServices:
    """The connectivity room, ready for use. `network` implements `commands.NetworkView`.

    `sink` is to be handed to the devices room, so that a position counts once over both bearers.
    """

    network: NetworkChecks
    short_messages: ShortMessages
    location: Location
    sink: PositionSink
    room: Room


class PositionSink:
    """Hands what terminals report over TCP to the observations of this room."""

    def __init__(self, observations: Observations) -> None:
        self._observations = observations

    async def take(self, terminal: str, points: Sequence[TrackPoint]) -> None:
        """Notes valid WGS 84 points; noting them again changes nothing."""
        noted = [
            Point.on_grid(
                at=point.observed_at,
                latitude_ndeg=point.latitude_udeg * _NDEG_PER_UDEG,
                longitude_ndeg=point.longitude_udeg * _NDEG_PER_UDEG,
            )
            for point in points
            if point.valid and point.frame is Frame.WGS84
        ]
        await self._observations.take(terminal, noted, _BEARER)


async def build(context: RuntimeContext) -> ConnectivityServices:
    """The room over PostgreSQL, with the demonstration's network as its backend.

    Outside of a demonstration nobody can tell that network anything: every check is unknown and
    every CAMARA question ends in IDENTIFIER_NOT_FOUND.
    """
    journal = PostgresJournal(context.database, "connectivity", context.wake_relay)
    records = Records(journal, context.scribe)
    network = ScenarioNetwork(context.database)
    observations = PostgresObservations(context.database, journal)
    short_messages = ShortMessages(observations, records, context.scribe)
    location = Location(network, context.scenario_clock)
    routers = (routes(short_messages, network, demo=context.demo), camara.routes(location))
    return ConnectivityServices(
        network=NetworkChecks(network, records),
        short_messages=short_messages,
        location=location,
        sink=PositionSink(observations),
        room=Room(name="connectivity", routers=routers),
    )
