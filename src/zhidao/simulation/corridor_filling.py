"""The simulated consignments beside the walked one, brought into the importer's side."""

from __future__ import annotations

from pathlib import Path

from zhidao.core.ambient import Clock, Randomness
from zhidao.simulation import participants
from zhidao.simulation.client import client_of
from zhidao.simulation.corridor import Corridor
from zhidao.simulation.entrance import let_in
from zhidao.simulation.scenario import Scenario
from zhidao.simulation.sides import Sides


async def fill_corridor(
    sides: Sides,
    scenario: Scenario,
    *,
    folder: Path,
    randomness: Randomness,
    seed: int,
    clock: Clock,
) -> int:
    """Brings them in, and says how many were."""
    async with client_of(sides.importer.url, timeout_s=60.0) as here:
        callers = await let_in(here, sides.importer, [])
        if participants.SHIPPER[0] not in callers:
            # A run that goes on from data of before them has nobody who could enter them.
            return 0
        return await Corridor(
            callers,
            seed=seed,
            clock=clock,
            played_at=scenario.window_ends,
            randomness=randomness,
            folder=folder,
            devices_port=sides.importer.devices_port,
        ).fill()
