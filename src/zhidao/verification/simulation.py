"""What of a consignment was played and not lived: said first, and by the proof's own facts."""

from __future__ import annotations

from typing import Final

from zhidao.connectivity.events import NetworkChecked, ShortMessageReceived
from zhidao.core.timescale import NS
from zhidao.devices.events import PositionsRecorded, WindowReceived
from zhidao.finance.events import Decided
from zhidao.industry.events import LotFinished
from zhidao.positioning.events import ArrivalNotProven, ArrivalProven
from zhidao.trust.domain.proof import Statement
from zhidao.verification.case import Case
from zhidao.verification.simulated import trajectory_is_simulated

# A deadline that is this far from the clock of the node ran on another time.
_APART_NS: Final = 2 * 86_400 * NS


def simulated_parts(case: Case) -> tuple[Statement, ...]:
    """One sentence for each simulated part; none if nothing says so."""
    found = []
    if case.entered.simulated:
        found.append(
            Statement("simulated_parties", "Parties, goods and papers are SIMULATED: a play.")
        )
    if any(told.fact.simulated for told in case.every(LotFinished)):
        found.append(
            Statement("simulated_machine", "The machine that made the goods is SIMULATED.")
        )
    signals = _signals_are_simulated(case)
    if signals:
        found.append(
            Statement(
                "simulated_observations",
                "The satellite signals are SIMULATED: nothing drove, nothing was received.",
            )
        )
    if trajectory_is_simulated(
        # Batches of positions stay out of proofs; a window tells of the same way.
        reported=any(
            case.every(kind) for kind in (PositionsRecorded, ShortMessageReceived, WindowReceived)
        ),
        played=case.entered.simulated,
        signals=signals,
    ):
        found.append(
            Statement(
                "simulated_trajectory",
                "The way that the terminal reported is SIMULATED: nothing was carried on it.",
            )
        )
    if any(told.fact.simulated for told in case.every(NetworkChecked)):
        found.append(
            Statement("simulated_network", "The mobile network that was asked is SIMULATED.")
        )
    if _runs_on_scenario_time(case):
        found.append(
            Statement("scenario_time", "Deadlines ran on SCENARIO TIME, not on a clock's.")
        )
    return tuple(found)


def _signals_are_simulated(case: Case) -> bool:
    return (
        any(told.fact.simulated for told in case.every(WindowReceived))
        or any(told.fact.simulated for told in case.every(ArrivalProven))
        or any(told.fact.simulated for told in case.every(ArrivalNotProven))
    )


def _runs_on_scenario_time(case: Case) -> bool:
    return any(
        abs(told.event.recorded_at.since_ns(told.event.occurred_at)) > _APART_NS
        for told in case.every(Decided)
    )
