"""Whether this process's clock and the database's tell the same time.

Leases run by the database's clock, so a wrong one here takes nothing from anybody; but what is
signed here says when, and callers' signatures are judged by it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from zhidao.core.ambient import Clock
from zhidao.core.errors import Unavailable
from zhidao.core.timescale import NS
from zhidao.node.operations.alarms import Alarms

AWAY_S: Final = 5.0
EVERY_S: Final = 2.0
# An answer that took longer says nothing of a few seconds.
_TOOK_S: Final = 2.0
CODE: Final = "clock_wrong"
REMEDY: Final = (
    "set the clock of this machine, or of the database's, right: timedatectl set-ntp true"
)


class DatabaseClock:
    """Looks again and again. `now_s`: the database's time, in seconds since 1970."""

    def __init__(self, now_s: Callable[[], Awaitable[float]], clock: Clock, alarms: Alarms) -> None:
        self._now_s = now_s
        self._clock = clock
        self._alarms = alarms

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Looks once; while the database is away what was seen last stands."""
        begun_s = self._wall_s()
        try:
            there_s = await self._now_s()
        except Unavailable:
            return
        ended_s = self._wall_s()
        away_s = (begun_s + ended_s) / 2 - there_s
        if ended_s - begun_s > _TOOK_S:
            return
        if abs(away_s) <= AWAY_S:
            self._alarms.clear(CODE)
            return
        seconds = round(away_s)
        sentence = f"this process's clock is {seconds:+d} s from the database's"
        self._alarms.sound(CODE, sentence, REMEDY, args={"seconds": seconds})

    def _wall_s(self) -> float:
        return self._clock.now().unix_ns / NS
