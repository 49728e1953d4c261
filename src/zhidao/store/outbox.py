"""The way of facts out of the database: outbox, then log, then bus, and nothing is lost between.

A row waits while it has no leaf, whenever its transaction committed; ids and times decide nothing
about *whether* a row is taken. Only one relay writes at a time (its lease says so).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from psycopg import sql as composing

from zhidao.core.errors import Conflict
from zhidao.store.database import Session
from zhidao.store.migrate import JOURNAL_ROOMS


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A fact on its way out. `leaf` is its public log entry, `event` its whole byte form."""

    room: str
    aggregate: str
    version: int
    event_id: UUID
    leaf: bytes
    event: bytes
    type: str
    leaf_index: int | None = None


def _over_rooms(text: str) -> str:
    return "(" + ") union all (".join(_of_room(text, room) for room in JOURNAL_ROOMS) + ")"


def _of_room(text: str, room: str) -> str:
    query = composing.SQL(text).format(
        room=composing.Identifier(room), name=composing.Literal(room)
    )
    return query.as_string(None)


# `limit` counts the oldest rows and not the result, or a long history of one aggregate could
# cut off its own beginning.
# Whoever takes a version takes the aggregate's earlier ones too, even if their ids are larger.
_PENDING = _over_rooms(
    "select {name} as room, box.aggregate, box.version, box.event_id, box.leaf, full_event.event,"
    " full_event.type"
    " from (select aggregate, max(version) as version from"
    " (select aggregate, version from {room}.outbox where leaf_index is null"
    " order by event_id limit %(limit)s) as oldest group by aggregate) as taken"
    " join {room}.outbox as box on box.aggregate = taken.aggregate"
    " and box.version <= taken.version and box.leaf_index is null"
    " join {room}.event as full_event on full_event.aggregate = box.aggregate"
    " and full_event.version = box.version"
)
_UNPUBLISHED = "select * from ({rooms}) as waiting order by leaf_index limit %(limit)s".replace(
    "{rooms}",
    _over_rooms(
        "select {name} as room, box.aggregate, box.version, box.event_id, box.leaf,"
        " full_event.event, full_event.type, box.leaf_index"
        " from {room}.outbox as box join {room}.event as full_event"
        " on full_event.aggregate = box.aggregate and full_event.version = box.version"
        " where box.leaf_index is not null and not box.published"
        " order by box.leaf_index limit %(limit)s"
    ),
)
_MARK = {
    room: _of_room(
        "update {room}.outbox as box set leaf_index = new.leaf_index from"
        " unnest(%(aggregates)s::text[], %(ids)s::uuid[], %(indices)s::bigint[])"
        " as new (aggregate, event_id, leaf_index)"
        " where box.aggregate = new.aggregate and box.event_id = new.event_id"
        " and box.leaf_index is null",
        room,
    )
    for room in JOURNAL_ROOMS
}
_MARK_PUBLISHED = {
    room: _of_room(
        "update {room}.outbox as box set published = true from"
        " unnest(%(aggregates)s::text[], %(ids)s::uuid[]) as new (aggregate, event_id)"
        " where box.aggregate = new.aggregate and box.event_id = new.event_id",
        room,
    )
    for room in JOURNAL_ROOMS
}
_WAITING = "select sum(waiting)::bigint as waiting from ({rooms}) as counts".replace(
    "{rooms}",
    _over_rooms(
        "select (select count(*) from {room}.outbox where leaf_index is null)"
        " + (select count(*) from {room}.outbox where leaf_index is not null and not published)"
        " as waiting"
    ),
)
# Whoever writes a row holds what this waits for until its transaction has ended.
_STILL = "lock table {tables} in share mode".replace(
    "{tables}", ", ".join(_of_room("{room}.outbox", room) for room in JOURNAL_ROOMS)
)
_REPUBLISH = {
    room: _of_room(
        "update {room}.outbox set published = false"
        " where published and leaf_index > %(leaf_index)s",
        room,
    )
    for room in JOURNAL_ROOMS
}


async def pending(session: Session, limit: int) -> tuple[OutboxRow, ...]:
    """Rows of all rooms that have no leaf yet, in the order in which to log them.

    `limit` bounds the rows taken per room by age; their aggregates' earlier versions come along.
    An aggregate's versions follow each other; between aggregates, older ids come first.
    """
    rows = await session.fetch_all(_PENDING, {"limit": limit})
    return in_log_order(OutboxRow(**row) for row in rows)


def in_log_order(rows: Iterable[OutboxRow]) -> tuple[OutboxRow, ...]:
    """By id, but never a version before an earlier one of its aggregate."""
    by_version = sorted(rows, key=lambda row: (row.room, row.aggregate, row.version))
    placed: list[tuple[int, str, str, int, OutboxRow]] = []
    for (room, aggregate), versions in groupby(by_version, key=lambda r: (r.room, r.aggregate)):
        newest = 0
        for row in versions:
            # Ids are time-ordered, but of the clock of whoever wrote: a later version may have the
            # smaller one. Carrying the largest so far forward keeps both orders.
            newest = max(newest, row.event_id.int)
            placed.append((newest, room, aggregate, row.version, row))
    return tuple(place[4] for place in sorted(placed, key=lambda place: place[:4]))


async def mark(session: Session, rows: Sequence[OutboxRow], first_index: int) -> None:
    """Writes leaf indices first_index, first_index + 1, … to the rows, in the log's transaction.

    Raises Conflict if a row has a leaf already: another relay was at work, and must win.
    """
    numbered = [(row, first_index + offset) for offset, row in enumerate(rows)]
    for room in sorted({row.room for row in rows}):
        mine = [(row, index) for row, index in numbered if row.room == room]
        touched = await session.execute(
            _MARK[room],
            {
                "aggregates": [row.aggregate for row, _ in mine],
                "ids": [row.event_id for row, _ in mine],
                "indices": [index for _, index in mine],
            },
        )
        # Fewer rows took a leaf than were read as waiting: the other relay committed first. Raised
        # inside the transaction that appended the leaves, so that they go too.
        if touched != len(mine):
            raise Conflict(f"{room}: another relay logged these events", code="lease_lost")


async def unpublished(session: Session, limit: int) -> tuple[OutboxRow, ...]:
    """Rows that are in the log but not known to be on the bus, in log order."""
    rows = await session.fetch_all(_UNPUBLISHED, {"limit": limit})
    return tuple(OutboxRow(**row) for row in rows)


async def waiting(session: Session) -> int:
    """How many rows of all rooms are not known to be in the log and on the bus."""
    row = await session.fetch_one(_WAITING)
    return int(row["waiting"]) if row else 0


async def still(session: Session) -> None:
    """Waits until every transaction that has written a row has ended.

    A caller who gave up while it committed cannot tell whether it did; a look after this can.
    """
    await session.execute(_STILL)


async def mark_published(session: Session, rows: Sequence[OutboxRow]) -> None:
    """Notes that the bus has stored these rows."""
    for room in sorted({row.room for row in rows}):
        mine = [row for row in rows if row.room == room]
        ids = [row.event_id for row in mine]
        await session.execute(
            _MARK_PUBLISHED[room], {"aggregates": [row.aggregate for row in mine], "ids": ids}
        )


async def republish_after(session: Session, leaf_index: int) -> int:
    """Forgets that the bus has the leaves after this one (-1: any); returns how many rows.

    For a bus that lost its folder, or its newest messages with the power. Consumers meet these
    events again and their inboxes make that harmless.
    """
    newest = {"leaf_index": leaf_index}
    return sum([await session.execute(_REPUBLISH[room], newest) for room in JOURNAL_ROOMS])
