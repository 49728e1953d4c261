"""Reading journals across rooms: events of given aggregates, and one event by its id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from psycopg import sql as composing

from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId
from zhidao.store.database import Session
from zhidao.store.migrate import JOURNAL_ROOMS

_SEEN: Final = (
    "(%(viewer)s::text is null or e.owner = %(viewer)s::text or %(viewer)s::text = any (e.visible))"
)
_COLUMNS: Final = "e.event, e.salt, box.leaf, box.leaf_index"
_JOIN: Final = (
    "from {room}.event as e join {room}.outbox as box"
    " on box.aggregate = e.aggregate and box.event_id = e.id"
)


@dataclass(frozen=True, slots=True)
class Stored:
    """An event as it is stored: its salt, its leaf and that leaf's index once it is logged."""

    event: SignedEvent
    salt: bytes
    leaf: bytes
    leaf_index: int | None


async def read_events(
    session: Session, room: str, aggregates: Sequence[str], *, viewer: PartyId | None
) -> list[Stored]:
    """The events of these aggregates of one room that `viewer` may see, by aggregate, version."""
    rows = await session.fetch_all(
        _of_room(
            f"select {_COLUMNS} {_JOIN} where e.aggregate = any (%(aggregates)s) and {_SEEN}"
            " order by e.aggregate, e.version",
            room,
        ),
        {"aggregates": list(aggregates), "viewer": viewer},
    )
    return [_stored(row) for row in rows]


async def find_event(session: Session, event_id: UUID, *, viewer: PartyId | None) -> Stored | None:
    """The event of that id in whichever room, if `viewer` may see it."""
    for room in JOURNAL_ROOMS:
        row = await session.fetch_one(
            _of_room(f"select {_COLUMNS} {_JOIN} where box.event_id = %(id)s and {_SEEN}", room),
            {"id": event_id, "viewer": viewer},
        )
        if row is not None:
            return _stored(row)
    return None


def _of_room(text: str, room: str) -> str:
    query = composing.SQL(text).format(room=composing.Identifier(room))
    return query.as_string(None)


def _stored(row: dict[str, object]) -> Stored:
    event, salt, leaf, index = (row[name] for name in ("event", "salt", "leaf", "leaf_index"))
    assert isinstance(event, bytes)
    assert isinstance(salt, bytes)
    assert isinstance(leaf, bytes)
    assert index is None or isinstance(index, int)
    return Stored(SignedEvent.decode(event), salt, leaf, index)
