"""Whether as many machines have what is written as there must be: of the database, of the bus.

A database whose synchronous standby is lost goes on, and acknowledges what a second machine does
not have; nothing else tells of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from zhidao.core.errors import Unavailable
from zhidao.node.availability.copies import Copies
from zhidao.node.operations.alarms import Alarms

EVERY_S: Final = 2.0
CODE: Final = "replication_degraded"
REMEDY: Final = (
    "bring back the machine of the missing standby: zhidao ha check tells which, and what to type"
)
BUS_CODE: Final = "bus_degraded"
_BUS_REMEDY: Final = "bring back the missing server of NATS; its copy catches up by itself"
_UNSEEN_REMEDY: Final = "as the database's superuser: grant pg_monitor to the node's role"
_SYNCHRONOUS: Final = ("sync", "quorum")
_STREAMING: Final = "streaming"


class ReplicationWatch:
    """Looks again and again. `database`: its copies; `bus`: how many replicas its stream lacks.

    `wanted`: synchronous standbys that there must be, 0 if nobody looks. `strict`: `stopped` tells
    why nothing may be written while there are fewer.
    """

    def __init__(
        self,
        database: Callable[[], Awaitable[Copies]],
        bus: Callable[[], Awaitable[int]],
        alarms: Alarms,
        *,
        wanted: int,
        strict: bool,
    ) -> None:
        self._database = database
        self._bus = bus
        self._alarms = alarms
        self._wanted = wanted
        self._strict = strict
        self._short = ""

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Looks at both once; of what is away itself, other alarms tell."""
        await asyncio.gather(self._look_at_database(), self._look_at_bus())

    def stopped(self) -> str:
        """Why nothing may be written now; empty if it may, or if that is not asked for."""
        return self._short if self._strict else ""

    async def _look_at_database(self) -> None:
        if not self._wanted:
            return
        try:
            copies = await self._database()
        except Unavailable:
            # What was seen last stands: a database that was lost comes back with fewer copies.
            return
        streaming = [each for each in copies.standbys if each.state == _STREAMING]
        held = sum(each.sync in _SYNCHRONOUS for each in streaming)
        if held >= self._wanted:
            self._short = ""
            self._alarms.clear(CODE)
            return
        self._short, remedy = _why(copies, held, self._wanted)
        args: dict[str, str | int] = {"held": held, "wanted": self._wanted}
        self._alarms.sound(CODE, self._short, remedy, args=args)

    async def _look_at_bus(self) -> None:
        try:
            lacking = await self._bus()
        except Unavailable:
            self._alarms.clear(BUS_CODE)
            return
        if not lacking:
            self._alarms.clear(BUS_CODE)
            return
        sentence = f"{lacking} replicas of the bus's stream are absent or behind"
        self._alarms.sound(BUS_CODE, sentence, _BUS_REMEDY, args={"lacking": lacking})


def _why(copies: Copies, held: int, wanted: int) -> tuple[str, str]:
    """What is wrong, and what to do."""
    if any(not each.state for each in copies.standbys):
        return "the database does not tell this role about its standbys", _UNSEEN_REMEDY
    goes = "commits wait for one" if copies.names else "what is written now is on no second one"
    return f"{held} of {wanted} synchronous standbys have what is written; {goes}", REMEDY
