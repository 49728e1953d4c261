"""What becomes of days that are over: kept, archived, or deleted, family by family.

An archived day is first a file that was read back, then an open leaf of the log with its root, and
only then no longer in the database: whoever holds the file can prove what it held, and nobody can
put another in its place. Interrupted anywhere, the next look goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Protocol

from zhidao.core.ambient import Clock
from zhidao.core.errors import Conflict, MalformedInput, Refused, Unavailable
from zhidao.node.events import DayArchived
from zhidao.node.operations.alarms import Alarms
from zhidao.store.day_files import DayManifest
from zhidao.store.families.partitions import day_of

KEEP: Final = "keep"
ARCHIVE: Final = "archive"
DELETE: Final = "delete"
EVERY_S: Final = 3_600.0
# While a leaf is awaited.
SOON_S: Final = 30.0
DAMAGED: Final = "archive_damaged"
BEHIND: Final = "archive_behind"


class Days(Protocol):
    """The days of one table: in the database, and as files."""

    async def before(self, day: date) -> list[date]:
        """Days in the database before one, oldest first; none while rows may still come to them."""
        ...

    async def archived(self, day: date) -> DayManifest | None:
        """What its file says, read whole and checked. Raises MalformedInput if it is damaged."""
        ...

    async def write(self, day: date) -> DayManifest:
        """Writes its file anew from the database."""
        ...

    async def drop(self, day: date, rows: int | None) -> None:
        """Takes it out of the database. Raises Conflict if it has not so many rows (None: any)."""
        ...


class DayLog(Protocol):
    """The log, as far as it tells of archived days."""

    async def newest(self, table: str, day: date) -> tuple[DayArchived | None, bool]:
        """What was last said of a day, and whether that is a leaf already."""
        ...

    async def say(self, fact: DayArchived) -> None:
        """Says it, after whatever was said of that day before."""
        ...


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of a table's days, and after how many."""

    table: str
    what: str
    after_days: int

    def __post_init__(self) -> None:
        if self.what not in (KEEP, ARCHIVE, DELETE) or self.after_days < 1:
            raise MalformedInput(
                f"no rule for old days: {self.what[:24]!r} after {self.after_days} days",
                code="bad_setting",
                where="devices.positions_retention",
                remedy=f"one of {KEEP}, {ARCHIVE}, {DELETE}, after one day or more",
            )


POSITIONS_KEPT: Final = Rule("devices.position", KEEP, 90)


class Retention:
    """Looks every hour for days that are over."""

    def __init__(self, rule: Rule, days: Days, log: DayLog, alarms: Alarms, clock: Clock) -> None:
        self._rule = rule
        self._days = days
        self._log = log
        self._alarms = alarms
        self._clock = clock

    async def run(self, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Looks until cancelled."""
        while True:
            await pause(EVERY_S if await self.look() else SOON_S)

    async def look(self) -> bool:
        """Does what is due; whether nothing is left to be done."""
        if self._rule.what == KEEP:
            return True
        end = day_of(self._clock.now()) - timedelta(days=self._rule.after_days)
        try:
            done = [await self._one(day) for day in await self._days.before(end)]
        except Unavailable:
            return False  # The node tells of an absent database or a full disk by its own alarms.
        except (Refused, MalformedInput) as error:
            code = DAMAGED if error.code == DAMAGED else BEHIND
            self._alarms.sound(
                code, str(error.args[0]), error.remedy, args={"table": self._rule.table}
            )
            return True
        self._alarms.clear(DAMAGED)
        self._alarms.clear(BEHIND)
        return all(done)

    async def _one(self, day: date) -> bool:
        """One day as far as it goes now; whether it is out of the database."""
        if self._rule.what == DELETE:
            await self._days.drop(day, None)
            return True
        said, logged = await self._log.newest(self._rule.table, day)
        file = await self._days.archived(day)
        if file is None or said is None or said.root != file.root:
            file = file or await self._days.write(day)
            await self._log.say(_fact(file))
            return False
        if not logged:
            return False
        try:
            await self._days.drop(day, file.rows)
        except Conflict:
            # Rows came to it since: what is said next has them too.
            await self._log.say(_fact(await self._days.write(day)))
            return False
        return True


def _fact(file: DayManifest) -> DayArchived:
    return DayArchived(
        table=file.table,
        day=file.day,
        rows=file.rows,
        root=file.root,
        sha256=file.sha256,
        bytes=file.bytes,
    )
