"""Parts of divided messages in PostgreSQL, until the message is whole or told to be incomplete."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from zhidao.core.journal import Entry
from zhidao.core.timescale import Utc
from zhidao.devices.domain.custody import Part, StoredFrame, Unfinished
from zhidao.store.database import Database, Session
from zhidao.store.journal import PostgresJournal

# More than one message can have, so that one that is cut by it can be left for the next page.
_ROWS: Final = 1_024
_ADD: Final = (
    "insert into devices.part"
    " (terminal, message, first_serial, number, total, digest, received_tai_ns)"
    " select * from unnest(%s::text[], %s::integer[], %s::integer[], %s::integer[],"
    " %s::integer[], %s::bytea[], %s::bigint[]) on conflict do nothing"
)
_DROP: Final = "delete from devices.part where terminal = %s and message = %s and first_serial = %s"
_LEFT: Final = (
    "select p.terminal, p.message, p.first_serial, p.number, p.total, f.plain"
    " from devices.part p join devices.frame f"
    " on f.terminal = p.terminal and f.digest = p.digest"
    " where not exists (select 1 from devices.part q where q.terminal = f.terminal"
    " and q.message = p.message and q.first_serial = p.first_serial"
    " and q.received_tai_ns >= %s)"
    " order by p.terminal, p.message, p.first_serial, p.number limit %s"
)
_MESSAGE: Final = itemgetter("terminal", "message", "first_serial", "total")


class Parts:
    """The part of `service.ports.Vault` that knows what of a divided message came."""

    def __init__(self, database: Database, journal: PostgresJournal) -> None:
        self._database = database
        self._journal = journal

    async def note(self, s: Session, frames: Sequence[StoredFrame]) -> None:
        """Writes down parts, and forgets messages that are whole, in the frames' transaction."""
        waiting = [
            (f.terminal, *p.message, p.number, p.total, f.digest, f.received_at.tai_ns)
            for f in frames
            if (p := f.part) is not None and p.number and not p.completes
        ]
        if waiting:
            await s.execute(_ADD, tuple(map(list, zip(*waiting, strict=True))))
        for frame in frames:
            if frame.part is not None and frame.part.completes:
                await s.execute(_DROP, (frame.terminal, *frame.part.message))

    async def left(self, before: Utc) -> tuple[Unfinished, ...]:
        """Messages of which nothing came since; the first page of them."""
        rows = await self._database.read(_LEFT, (before.tai_ns, _ROWS))
        found = [_unfinished(key, list(group)) for key, group in groupby(rows, key=_MESSAGE)]
        return tuple(found[:-1] if len(rows) == _ROWS else found)

    async def give_up(self, terminal: str, message: Part, entries: Sequence[Entry]) -> None:
        """Forgets a message, in one transaction with what is told of it."""

        async def work(s: Session) -> None:
            await s.execute(_DROP, (terminal, *message.message))
            if entries:
                await self._journal.append_in(s, entries)

        await self._database.run(work)
        if entries:
            self._journal.wake()


def _unfinished(key: tuple[str, int, int, int], rows: Sequence[Any]) -> Unfinished:
    terminal, message, first_serial, total = key
    pieces = tuple((row["number"], bytes(row["plain"])) for row in rows)
    return Unfinished(terminal, Part(message, first_serial, 0, total), pieces)
