"""Builds the connectivity room in the node's runtime context."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.connectivity.adapters.fleet import FleetNetwork
from zhidao.connectivity.adapters.network_settings import NetworkSettings
from zhidao.connectivity.adapters.postgres import (
    PostgresObservations,
    PostgresQuestions,
    ScenarioNetwork,
)
from zhidao.connectivity.adapters.reported_cells import PostgresReportedCells
from zhidao.connectivity.domain.observation import Point
from zhidao.connectivity.service.location import Location
from zhidao.connectivity.service.network import NetworkChecks
from zhidao.connectivity.service.networks import Networks, NoNetwork
from zhidao.connectivity.service.ports import Observations, ReportedCells, SimNetwork
from zhidao.connectivity.service.questions import Questions
from zhidao.connectivity.service.short_messages import ShortMessages
from zhidao.connectivity.service.track_checks import TrackChecks
from zhidao.connectivity.wire.network_files import FleetPlan, Open5gsPlan, Plan
from zhidao.core.geo import Frame
from zhidao.core.journal import Records
from zhidao.devices.domain.track import TrackPoint
from zhidao.node.api import camara
from zhidao.node.api import networks as networks_api
from zhidao.node.api.connectivity import routes
from zhidao.node.api.sims import questions as questions_api
from zhidao.node.api.sims import track_checks as track_checks_api
from zhidao.node.runtime.runtime_context import Room, RuntimeContext
from zhidao.node.runtime.terminal_cells import TerminalCells
from zhidao.store.journal import PostgresJournal

_BEARER: Final = "jt808"
_NDEG_PER_UDEG: Final = 1000


@dataclass(frozen=True, slots=True)
class ConnectivityServices:
    """The connectivity room, ready for use. `network` implements `commands.NetworkView`.

    `sink` is to be handed to the devices room, so that a position counts once over both bearers;
    `cells` hears there of stored frames.
    """

    network: NetworkChecks
    short_messages: ShortMessages
    location: Location
    sink: PositionSink
    cells: TerminalCells
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


async def build(context: RuntimeContext, settings: NetworkSettings) -> ConnectivityServices:
    """The room over PostgreSQL, with the networks that the operator connected.

    About a number of no table a demonstration asks its scenario; any other node asks nobody: the
    check is unknown and a CAMARA question ends in IDENTIFIER_NOT_FOUND.
    """
    journal = PostgresJournal(context.database, "connectivity", context.wake_relay)
    records = Records(journal, context.scribe)
    scenario = ScenarioNetwork(context.database)
    reported = PostgresReportedCells(context.database)
    fleets = [plan.name for plan in settings.plans if isinstance(plan, FleetPlan)]
    cells = TerminalCells(
        reported, [sim.terminal for sim in settings.sims.values() if sim.network in fleets]
    )
    network = Networks(
        settings.sims,
        {plan.name: _network(plan, settings, context, reported) for plan in settings.plans},
        scenario if context.demo else NoNetwork(),
    )
    observations = PostgresObservations(context.database, journal)
    short_messages = ShortMessages(observations, records, context.scribe)
    questions = Questions(
        PostgresQuestions(context.database, journal),
        context.scribe,
        ids=context.ids,
        clock=context.clock,
        take=context.quota.take,
    )
    location = Location(network, context.scenario_clock, questions)
    routers = (
        routes(short_messages, scenario, demo=context.demo),
        networks_api.routes(network, location),
        questions_api.routes(questions),
        track_checks_api.routes(TrackChecks(location, records)),
        camara.routes(location),
    )

    async def close_networks_with_node() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.shield(network.close())

    return ConnectivityServices(
        network=NetworkChecks(network, records, questions),
        short_messages=short_messages,
        location=location,
        sink=PositionSink(observations),
        cells=cells,
        room=Room(
            name="connectivity",
            routers=routers,
            background=(
                *((close_networks_with_node,) if settings.plans else ()),
                *((cells.run,) if fleets else ()),
            ),
        ),
    )


def _network(
    plan: Plan, settings: NetworkSettings, context: RuntimeContext, reported: ReportedCells
) -> SimNetwork:
    # Real networks go by the node's own clock; their adapters load an HTTP client.
    sims = settings.sims_of(plan.name)
    if isinstance(plan, Open5gsPlan):
        from zhidao.connectivity.adapters.open5gs import Open5gsNetwork

        return Open5gsNetwork(plan, settings.cells[plan.name], sims, context.clock)
    if isinstance(plan, FleetPlan):
        return FleetNetwork(plan, settings.sites[plan.name], sims, reported, context.clock)
    from zhidao.connectivity.adapters.camara_client import CamaraNetwork

    return CamaraNetwork(
        plan,
        settings.secrets[plan.name],
        len(sims),
        context.clock,
        settings.authorities[plan.name],
    )
