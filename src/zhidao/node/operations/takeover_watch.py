"""Whether another machine could take over: etcd, in which they agree on that, has a quorum.

Without one all goes on, and nothing tells of it until the leader is lost as well and nobody
follows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from zhidao.node.operations.alarms import Alarms

CODE: Final = "takeover_away"
EVERY_S: Final = 5.0
# An election, or the restart of one etcd, takes less than so many looks.
LOOKS: Final = 3
_REMEDY: Final = "zhidao ha check tells which part of which machine is away, and what to type"


class TakeoverWatch:
    """Looks again and again. `ill`: what is wrong with this machine's etcd; empty: nothing."""

    def __init__(self, ill: Callable[[], Awaitable[str]], alarms: Alarms) -> None:
        self._ill = ill
        self._alarms = alarms
        self._bad = 0

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Looks once."""
        what = await self._ill()
        self._bad = self._bad + 1 if what else 0
        if not what:
            self._alarms.clear(CODE)
        elif self._bad >= LOOKS:
            sentence = (
                f"this machine's etcd has no quorum ({what}): all goes on, but if the leading"
                " database is lost, no other takes over"
            )
            self._alarms.sound(CODE, sentence, _REMEDY)
