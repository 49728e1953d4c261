"""Machines in memory: values that were put there, under the same rules as real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from zhidao.core.ambient import Clock
from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.core.timescale import Utc
from zhidao.industry.domain.quality import GOOD, Reading

INTERVAL_NS: Final = 40_000_000


class MemoryMachines:
    """Answers from a table: endpoint -> name -> values, repeated as often as asked.

    A value is a plain number, or a whole reading with whatever status and times it should have.
    """

    def __init__(
        self,
        machines: Mapping[str, Mapping[str, Sequence[Decimal | Reading]]],
        clock: Clock,
    ) -> None:
        self._machines = machines
        self._clock = clock

    async def readings(self, endpoint: str, names: Sequence[str], count: int) -> list[Reading]:
        """`count` answers for each name, 40 ms apart."""
        machine = self._machines.get(endpoint)
        if machine is None:
            raise Unavailable(f"no machine answers at {endpoint}", code="machine_unavailable")
        missing = [name for name in names if not machine.get(name)]
        if missing:
            raise MalformedInput(f"the machine has no value {missing[0]!r}", where=endpoint)
        now = self._clock.now()
        return [
            _reading(
                name, machine[name][turn % len(machine[name])], now.plus_ns(turn * INTERVAL_NS)
            )
            for turn in range(count)
            for name in names
        ]


def _reading(name: str, value: Decimal | Reading, at: Utc) -> Reading:
    if isinstance(value, Reading):
        return value
    return Reading(name, value, "Double", GOOD, at, at)
