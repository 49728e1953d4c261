"""Opens a node's own log out of its database: every leaf hashed, every event held against its own.

The root over all stored leaves must be the signed one; then whatever equals its leaf is what the
checkpoint commits to. One snapshot is read, so a node may go on writing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from psycopg import sql as composing

from zhidao.core.errors import NotFound, Refused
from zhidao.core.events import SignedEvent, leaf_bytes
from zhidao.core.ids import PartyId
from zhidao.core.keys import PublicKey
from zhidao.insight.domain.opened import LogHead, OpenedLog, open_log
from zhidao.store.database import Database, Session
from zhidao.store.migrate import JOURNAL_ROOMS
from zhidao.trust.domain.merkle import Edge, grow, leaf_hash
from zhidao.trust.domain.note import Checkpoint, Note, NoteKey
from zhidao.trust.wire.log.note import decode_note, parse_checkpoint

_PAGE_ROWS: Final = 4096
_NOTES: Final = (
    "select distinct on (origin) origin, note from trust.log_checkpoint order by origin, size desc"
)
_ENTRIES: Final = (
    "select entry from trust.log_leaf where origin = %(origin)s and leaf_index >= %(first)s"
    " and leaf_index < %(end)s order by leaf_index"
)
_EVENTS: Final = (
    "select e.event, e.salt, box.leaf_index, leaf.entry from {room}.outbox as box"
    " join {room}.event as e on e.aggregate = box.aggregate and e.id = box.event_id"
    " join trust.log_leaf as leaf"
    " on leaf.origin = %(origin)s and leaf.leaf_index = box.leaf_index"
    " where box.leaf_index >= %(first)s and box.leaf_index < %(end)s"
    " and (%(viewer)s::text is null or e.owner = %(viewer)s::text"
    " or %(viewer)s::text = any (e.visible)) order by box.leaf_index"
)


@dataclass(frozen=True, slots=True)
class _Head:
    note: Note
    checkpoint: Checkpoint
    key: NoteKey | None


class DatabaseLog:
    """Implements `insight.service.ports.LogSource` over a node's database.

    `key`: the node's own public key, against which the head's signature is checked; without it
    the head counts as unchecked.
    """

    def __init__(self, database: Database, key: PublicKey | None) -> None:
        self._database = database
        self._key = key

    async def opened(self, viewer: PartyId | None) -> OpenedLog:
        """Every logged event that the viewer may see.

        Raises NotFound before the first checkpoint, Refused (`log_damaged`, `not_its_leaf`,
        `bad_signature`) if the database does not hold what its log says.
        """
        async with self._database.session(snapshot=True) as session:
            head = await self._head(session)
            await _check_root(session, head.checkpoint)
            leaves: list[tuple[int, int, SignedEvent]] = []
            for first in range(0, head.checkpoint.size, _PAGE_ROWS):
                end = min(first + _PAGE_ROWS, head.checkpoint.size)
                rows = await _events(session, head.checkpoint.origin, first, end, viewer)
                leaves += await asyncio.to_thread(_checked, rows)
        return open_log([_log_head(head)], leaves)

    async def _head(self, session: Session) -> _Head:
        rows = await session.fetch_all(_NOTES)
        heads = [self._read(row["origin"], decode_note(bytes(row["note"]))) for row in rows]
        own = [head for head in heads if head.key] or heads
        if not own:
            raise NotFound("the log has signed no checkpoint yet", remedy="ask again in a second")
        if len(own) > 1:
            names = ", ".join(head.checkpoint.origin for head in own)
            raise Refused(f"the database holds several logs: {names}", code="several_logs")
        return own[0]

    def _read(self, origin: str, note: Note) -> _Head:
        checkpoint = parse_checkpoint(note.text)
        known = [NoteKey(origin, self._key)] if self._key else []
        signed = note.signed_by(known)
        return _Head(note, checkpoint, signed[0] if signed else None)


def _log_head(head: _Head) -> LogHead:
    line = head.note.signatures[0]
    return LogHead(
        origin=head.checkpoint.origin,
        size=head.checkpoint.size,
        root=head.checkpoint.root.hex(),
        signed_by=head.key.key.fingerprint if head.key else f"{line.name} {line.key_id.hex()}",
        checked="own_key" if head.key else "unchecked",
    )


async def _check_root(session: Session, checkpoint: Checkpoint) -> None:
    edge = Edge()
    for first in range(0, checkpoint.size, _PAGE_ROWS):
        end = min(first + _PAGE_ROWS, checkpoint.size)
        where = {"origin": checkpoint.origin, "first": first, "end": end}
        rows = await session.fetch_all(_ENTRIES, where)
        edge = await asyncio.to_thread(_grown, edge, [bytes(row["entry"]) for row in rows])
    if edge.size != checkpoint.size or edge.root != checkpoint.root:
        raise Refused(
            f"the stored leaves of {checkpoint.origin} are not those of its signed head over"
            f" {checkpoint.size} leaves",
            code="log_damaged",
            remedy="restore a backup; nothing can be reported from this database",
        )


def _grown(edge: Edge, entries: Sequence[bytes]) -> Edge:
    return grow(edge, map(leaf_hash, entries)).after


async def _events(
    session: Session, origin: str, first: int, end: int, viewer: PartyId | None
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for room in JOURNAL_ROOMS:
        query = composing.SQL(_EVENTS).format(room=composing.Identifier(room)).as_string(None)
        found += await session.fetch_all(
            query, {"origin": origin, "first": first, "end": end, "viewer": viewer}
        )
    return found


def _checked(rows: Sequence[dict[str, Any]]) -> list[tuple[int, int, SignedEvent]]:
    checked = []
    for row in rows:
        index, event = int(row["leaf_index"]), SignedEvent.decode(bytes(row["event"]))
        if leaf_bytes(event, bytes(row["salt"])) != bytes(row["entry"]):
            raise Refused(
                f"event {event.id} is not what leaf {index} says",
                code="not_its_leaf",
                remedy="restore a backup; nothing can be reported from this database",
            )
        event.verify()
        checked.append((0, index, event))
    return checked
