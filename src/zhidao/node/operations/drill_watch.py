"""Signs drills that were done beside the node, and says when one is due or went wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from zhidao.core.ambient import Clock
from zhidao.core.errors import Unavailable
from zhidao.core.timescale import NS, Utc
from zhidao.node.events import DrillDone
from zhidao.node.operations.alarms import Alarms
from zhidao.store.reading import Stored

# A command waits for its drill to be signed.
EVERY_S: Final = 2.0
# So many rounds lie between two looks for what is due.
_LOOKS_EACH: Final = 300
OVERDUE: Final = "drill_overdue"
FAILED: Final = "drill_failed"
SHOWN: Final = 100
_DAY_NS: Final = 86_400 * NS
_REMEDY: Final = "zhidao drill FILE, with the newest backup; once a week by zhidao-drill.timer"


class Drills(Protocol):
    """The drills of a node."""

    async def sign_waiting(self) -> int:
        """Signs those that wait; returns how many."""
        ...

    async def newest(self, limit: int) -> Sequence[Stored]:
        """The signed ones, newest first."""
        ...

    async def watched_since(self) -> Utc | None:
        """Since when this node has run, as far as it remembers."""
        ...


class DrillWatch:
    """Signs within two seconds, looks every ten minutes.

    `days`: a drill must be so recent; 0: nobody is asked for one.
    """

    def __init__(
        self,
        drills: Drills,
        backup_at: Callable[[], Awaitable[str]],
        alarms: Alarms,
        clock: Clock,
        *,
        days: int,
    ) -> None:
        self._drills = drills
        self._backup_at = backup_at
        self._alarms = alarms
        self._clock = clock
        self._days = days

    async def run(self, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Signs and looks until cancelled."""
        rounds = 0
        while True:
            try:
                if await self._drills.sign_waiting() or rounds % _LOOKS_EACH == 0:
                    await self.look()
                rounds += 1
            except Unavailable:
                # The node signs nothing now, or has no database: other alarms tell of it.
                rounds = 0
            await pause(EVERY_S)

    async def look(self) -> None:
        """Raises the alarms, or takes them back."""
        events = [each.event for each in await self._drills.newest(SHOWN)]
        drills = [(DrillDone.of(event), event.occurred_at) for event in events]
        self._judge(drills[0][0] if drills else None)
        await self._remind(next((at for drill, at in drills if not drill.wrong), None))

    def _judge(self, newest: DrillDone | None) -> None:
        if newest is None or not newest.wrong:
            self._alarms.clear(FAILED)
            return
        self._alarms.sound(
            FAILED,
            f"backup {newest.backup} does not bring the node back whole: {newest.wrong[0]}",
            "make a new backup (zhidao backup), drill it, and keep the wrong one as evidence",
            args={"number": newest.backup},
        )

    async def _remind(self, good_at: Utc | None) -> None:
        if not self._days or not await self._backup_at():
            # Of a node without any backup another rule tells.
            self._alarms.clear(OVERDUE)
            return
        since = good_at or await self._drills.watched_since()
        now = self._clock.now()
        days = 0 if since is None else (now.tai_ns - since.tai_ns) // _DAY_NS
        if days < self._days:
            self._alarms.clear(OVERDUE)
            return
        said = f"the last good one was {days} days ago" if good_at else "there was none yet"
        self._alarms.sound(
            OVERDUE, f"no backup was drilled in time: {said}", _REMEDY, args={"days": days}
        )
