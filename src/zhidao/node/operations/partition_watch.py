"""Makes partitions of coming days, and says in time when that does not succeed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from zhidao.core.errors import Unavailable
from zhidao.node.operations.alarms import Alarms

EVERY_S: Final = 3_600.0
# After a failure sooner, since a day begins whether or not the database answers.
AGAIN_S: Final = 300.0
SHORT: Final = "partitions_short"


class Partitions(Protocol):
    """Partitions of the tables that have one for each day."""

    async def make_ahead(self) -> int:
        """Makes what is missing of today and the coming days; returns how many."""
        ...

    async def tighten(self) -> int:
        """Makes smaller what is over; returns how many days."""
        ...

    async def days_ahead(self) -> int:
        """For how many days after today all is made."""
        ...


class PartitionWatch:
    """Makes partitions every hour; an alarm stands while fewer days than `least` are ahead."""

    def __init__(self, partitions: Partitions, alarms: Alarms, least: int) -> None:
        self._partitions = partitions
        self._alarms = alarms
        self._least = least

    async def run(self, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Makes and looks until cancelled."""
        while True:
            await pause(EVERY_S if await self.look() else AGAIN_S)

    async def look(self) -> bool:
        """Makes what is missing, and raises the alarm or takes it back; whether all was made."""
        why = ""
        try:
            await self._partitions.make_ahead()
            while await self._partitions.tighten():
                pass
        except Unavailable as error:
            why = str(error.args[0])
        try:
            days = await self._partitions.days_ahead()
        except Unavailable:
            # The database is away, of which other alarms tell; what was made stands.
            return False
        if days >= self._least:
            self._alarms.clear(SHORT)
            return not why
        self._alarms.sound(
            SHORT,
            f"partitions are made for {days} days ahead only" + (f": {why}" if why else ""),
            "look at what the database says; a day without one is made when its first row comes",
            args={"days": days},
        )
        return False
