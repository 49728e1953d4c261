"""How database, log and free disk grow: sampled over time, so that nobody is surprised."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from zhidao.core.ambient import Clock
from zhidao.core.errors import Unavailable
from zhidao.core.timescale import NS, Utc
from zhidao.node.events import Sample

EVERY_S: Final = 900
KEPT_DAYS: Final = 90
_POINTS: Final = 300


class Samples(Protocol):
    """Where samples are kept."""

    async def database_bytes(self) -> int:
        """What the database takes of its disk now."""
        ...

    async def add_sample(self, sample: Sample, *, forget: Utc) -> None:
        """Keeps a sample, and forgets those before `forget`."""
        ...

    async def samples(self) -> list[Sample]:
        """All that are kept, oldest first."""
        ...


class Growth:
    """Takes samples, and tells them."""

    def __init__(
        self,
        kept: Samples,
        free_bytes: Callable[[], int],
        leaves: Callable[[], Awaitable[int]],
        clock: Clock,
    ) -> None:
        self._kept = kept
        self._free_bytes = free_bytes
        self._leaves = leaves
        self._clock = clock

    async def run(self) -> None:
        """Samples until cancelled; on a full disk nothing is kept."""
        while True:
            try:
                await self.sample()
            except Unavailable:
                # The node tells of it by its own alarms; the next sample comes all the same.
                await asyncio.sleep(0)
            await asyncio.sleep(EVERY_S)

    async def sample(self) -> None:
        """Takes one now."""
        now = self._clock.now()
        sample = Sample(
            at=now,
            database_bytes=await self._kept.database_bytes(),
            free_bytes=self._free_bytes(),
            leaves=await self._leaves(),
        )
        await self._kept.add_sample(sample, forget=now.plus_ns(-KEPT_DAYS * 86_400 * NS))

    async def told(self) -> list[Sample]:
        """What is kept, thinned evenly to what a plot shows; first and last stand."""
        return thinned(await self._kept.samples(), _POINTS)


def thinned(samples: Sequence[Sample], most: int) -> list[Sample]:
    """At most so many, evenly, the first and the last among them."""
    if len(samples) <= most:
        return list(samples)
    last = len(samples) - 1
    return [samples[round(place * last / (most - 1))] for place in range(most)]
