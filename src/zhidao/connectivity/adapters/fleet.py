"""Where a SIM is by the cells that its own terminal tells, and the operator's table of sites.

No network is asked. Of a location the terminal tells when it was in the cell; it counts until the
terminal tells another one, also one whose place nobody knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from zhidao.connectivity.domain.reported_cell import CellReport, Sites
from zhidao.connectivity.domain.sim import Sim
from zhidao.connectivity.domain.subscriber_location import (
    NetworkAnswer,
    SubscriberLocation,
    Unplaced,
)
from zhidao.connectivity.service.ports import BackendState, ReportedCells
from zhidao.connectivity.wire.network_files import FleetPlan
from zhidao.core.ambient import Clock
from zhidao.core.errors import Unavailable
from zhidao.core.geo import Geodetic
from zhidao.core.timescale import NS

KIND: Final = "fleet"
# What a terminal told earlier than this says nothing of now, and no fix waits for longer.
TOLD_S: Final = 86_400
REPORTS_MAX: Final = 2_000
# So lately a terminal that is switched on told something.
LATELY_S: Final = 600
_ELSEWHERE: Final = "its terminal is in a network of others"
_NO_SITE: Final = "its terminal is in a cell whose place this node does not know"
_NO_TIME: Final = "its terminal is in a cell that served elsewhere, or not at all, at that time"


@dataclass(frozen=True, slots=True)
class _Placed:
    locations: tuple[SubscriberLocation, ...]
    unplaced: tuple[Unplaced, ...]


class FleetNetwork:
    """Implements `service.ports.SimNetwork`."""

    def __init__(
        self,
        plan: FleetPlan,
        sites: Sites,
        sims: Sequence[Sim],
        reported: ReportedCells,
        clock: Clock,
    ) -> None:
        """sims: its own; of other terminals nothing is asked for."""
        self._plan = plan
        self._sites = sites
        self._terminals = tuple(each.terminal for each in sims)
        self._reported = reported
        self._clock = clock

    async def answer(self, sim: Sim) -> NetworkAnswer:
        """Where a SIM is and was within a day. Raises Unavailable without the database."""
        now = self._clock.now()
        # A report bears no later time than that of its receipt, but clocks of processes differ.
        reports = await self._reported.between(
            sim.terminal, now.plus_ns(-TOLD_S * NS), now.plus_ns(NS), REPORTS_MAX
        )
        if not reports:
            return NetworkAnswer(why="its terminal told no cell within a day")
        placed = self._placed(reports)
        newest = placed.unplaced[-1:]
        lost = newest and newest[0].at == reports[-1].at
        return NetworkAnswer(
            placed.locations, why=newest[0].why if lost else "", unplaced=placed.unplaced
        )

    def covers(self, place: Geodetic, radius_m: float, /) -> bool:
        """Whether a cell of the table serves anything of a circle now."""
        return self._sites.covers(place, radius_m, self._clock.now())

    async def state(self) -> BackendState:
        """How many terminals tell cells; it answers where one did lately."""
        now = self._clock.now()
        state = BackendState(
            name=self._plan.name,
            kind=KIND,
            plmn=self._plan.plmn,
            sims=len(self._terminals),
            cells=len(self._sites),
        )
        try:
            heard = await self._reported.heard_since(self._terminals, now.plus_ns(-LATELY_S * NS))
        except Unavailable as error:
            return replace(state, why=str(error.args[0])[:200])
        if not heard:
            return replace(state, why="no terminal of its SIMs told a cell within ten minutes")
        return replace(state, answers=True, answered_at=(now,), devices=heard)

    async def close(self) -> None:
        """Holds nothing of its own."""

    def _placed(self, reports: Sequence[CellReport]) -> _Placed:
        locations, unplaced = [], []
        for each in reports:
            for row in self._sites.of(each.cell, each.at):
                locations.append(
                    SubscriberLocation(
                        *(row.circle.centre, row.circle.radius_m, each.at, self._plan.name),
                        simulated=False,
                        own_word=True,
                        areas=row.areas,
                    )
                )
                break
            else:
                unplaced.append(Unplaced(each.at, self._why(each)))
        return _Placed(tuple(locations), tuple(unplaced))

    def _why(self, report: CellReport) -> str:
        if self._sites.knows(report.cell):
            return _NO_TIME
        return _NO_SITE if report.cell.is_of(self._plan.plmn) else _ELSEWHERE
