"""Whether another machine could take over: its Patroni answers here, and reaches etcd.

Without a quorum of etcd all goes on, and nothing tells of it until the leader is lost as well and
nobody follows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from zhidao.core.errors import Unavailable
from zhidao.node.operations.alarms import Alarms

CODE: Final = "takeover_away"
EVERY_S: Final = 5.0
# Three rounds of a Patroni (`loop_wait` of the plan); a new election takes less.
AWAY_S: Final = 15.0
_REMEDY: Final = "zhidao ha check tells which part of which machine is away, and what to type"


class TakeoverWatch:
    """Looks again and again. `dcs_away_s`: for how long this machine's Patroni has lacked etcd.

    It raises Unavailable where Patroni does not answer.
    """

    def __init__(self, dcs_away_s: Callable[[], Awaitable[float]], alarms: Alarms) -> None:
        self._dcs_away_s = dcs_away_s
        self._alarms = alarms
        self._silent = 0

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Looks once. A Patroni is given as long to answer as it is to reach etcd."""
        try:
            away_s = await self._dcs_away_s()
        except Unavailable as error:
            self._silent += 1
            if self._silent * EVERY_S >= AWAY_S:
                what = f"this machine's Patroni does not answer: {error.args[0]}"
                self._alarms.sound(CODE, what, _REMEDY)
            return
        self._silent = 0
        if away_s < AWAY_S:
            self._alarms.clear(CODE)
            return
        what = (
            f"Patroni has not reached etcd for {away_s:.0f} s: all goes on, but if the leading"
            " database is lost, no other takes over"
        )
        self._alarms.sound(CODE, what, _REMEDY)
