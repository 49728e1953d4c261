"""Machines in memory: values that were put there, under the same rules as real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from zhidao.core.ambient import Clock
from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.industry.domain.quality import Sample


class MemoryMachines:
    """Answers from a table: endpoint -> name -> values, repeated as often as asked."""

    def __init__(
        self, machines: Mapping[str, Mapping[str, Sequence[Decimal]]], clock: Clock
    ) -> None:
        self._machines = machines
        self._clock = clock

    async def samples(self, endpoint: str, names: Sequence[str], count: int) -> list[Sample]:
        """`count` values of each name."""
        machine = self._machines.get(endpoint)
        if machine is None:
            raise Unavailable(f"no machine answers at {endpoint}", code="machine_unavailable")
        missing = [name for name in names if not machine.get(name)]
        if missing:
            raise MalformedInput(f"the machine has no value {missing[0]!r}", where=endpoint)
        now = self._clock.now()
        return [
            Sample(name, machine[name][turn % len(machine[name])], now)
            for turn in range(count)
            for name in names
        ]
