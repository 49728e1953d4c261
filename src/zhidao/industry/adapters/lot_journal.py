"""The journal of orders, which takes a serial of an article only once.

The serials of a lot are claimed in the transaction that writes the lot, so that there is no moment
at which one stands without the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from zhidao.core.errors import Conflict
from zhidao.core.journal import Entry, Handled
from zhidao.industry.events import LotFinished
from zhidao.store.database import Database, Session
from zhidao.store.journal import PostgresJournal
from zhidao.store.memory import MemoryJournal

_CLAIM: Final = (
    "insert into industry.piece (gtin, serial, aggregate, lot)"
    " select gtin, serial, aggregate, lot from unnest(%(gtins)b::text[], %(serials)b::text[],"
    " %(aggregates)b::text[], %(lots)b::text[]) as new (gtin, serial, aggregate, lot)"
    " on conflict do nothing returning serial"
)
Piece = tuple[str, str, str, str]


def pieces_of(entries: Sequence[Entry]) -> Iterator[Piece]:
    """GTIN, serial, aggregate and lot of each piece that these events bring into the world."""
    for entry in entries:
        if LotFinished.is_told_by(entry.event.type):
            fact = LotFinished.of(entry.event)
            for serial in fact.serials:
                yield fact.gtin, serial, entry.event.aggregate, fact.lot


def serial_taken(gtin: str, serial: str) -> Conflict:
    """What a factory hears that makes a piece twice; not where it was made first."""
    return Conflict(
        f"serial {serial} of GTIN {gtin} was commissioned on this node before",
        code="serial_taken",
        where="$.serials",
        remedy="give each piece a serial of its own",
    )


class LotJournal(PostgresJournal):
    """`PostgresJournal` of the room, with the table of pieces beside it."""

    def __init__(self, database: Database, wake: Callable[[], None]) -> None:
        super().__init__(database, "industry", wake)
        self._pieces = database

    async def append(self, entries: Sequence[Entry], *, handled: Handled | None = None) -> bool:
        """Writes events and their pieces. Raises Conflict (`serial_taken`) beside the port's."""
        pieces = list(pieces_of(entries))
        if not pieces:
            return await super().append(entries, handled=handled)

        async def work(session: Session) -> bool:
            # The lot first: whoever lost the race for its version has not taken a serial either.
            if not await self.append_in(session, entries, handled):
                return False
            columns = [list(column) for column in zip(*pieces, strict=True)]
            names = ("gtins", "serials", "aggregates", "lots")
            rows = await session.fetch_all(_CLAIM, dict(zip(names, columns, strict=True)))
            claimed = {row["serial"] for row in rows}
            for gtin, serial, *_ in pieces:
                if serial not in claimed:
                    raise serial_taken(gtin, serial)
            return True

        written = await self._pieces.run(work)
        self.wake()
        return written


class MemoryLotJournal(MemoryJournal):
    """The same in this process."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: set[tuple[str, str]] = set()

    async def append(self, entries: Sequence[Entry], *, handled: Handled | None = None) -> bool:
        """Writes events and their pieces; see the PostgreSQL twin."""
        pieces = [(gtin, serial) for gtin, serial, *_ in pieces_of(entries)]
        for gtin, serial in pieces:
            if (gtin, serial) in self._pieces:
                raise serial_taken(gtin, serial)
        written = await super().append(entries, handled=handled)
        if written:
            self._pieces.update(pieces)
        return written
