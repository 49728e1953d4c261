"""Carries the leaves of a former log over into a new one, inside one database transaction."""

from __future__ import annotations

from typing import Final

from zhidao.core.errors import Conflict
from zhidao.store.database import Database, Session
from zhidao.trust.domain.merkle import Edge

_HEAD: Final = "select size, edge from trust.log_head where origin = %s"
_LEAVES: Final = (
    "insert into trust.log_leaf (origin, leaf_index, entry)"
    " select %(new)s, leaf_index, entry from trust.log_leaf where origin = %(old)s"
)
_TILES: Final = (
    "insert into trust.log_tile (origin, level, tile, hashes)"
    " select %(new)s, level, tile, hashes from trust.log_tile where origin = %(old)s"
)
_PUT: Final = (
    "insert into trust.log_head as head (origin, size, edge, epoch)"
    " values (%(new)s, %(size)s, %(edge)s, 1) on conflict (origin) do update"
    " set size = excluded.size, edge = excluded.edge, epoch = head.epoch + 1"
    " where head.size = 0"
)


class PostgresSuccession:
    """Looks at logs by origin, and begins one where another ends."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def edge(self, origin: str) -> Edge:
        """The committed head of a log; an empty one if there is no such log."""
        async with self._database.session() as session:
            return await _edge(session, origin)

    async def carry_over(self, *, former: str, new: str) -> Edge:
        """Copies leaves, tiles and head; again: no change. Returns the head of the new log.

        Raises Conflict if the new log holds something else.
        """
        async with self._database.session() as session:
            old, begun = await _edge(session, former), await _edge(session, new)
            if begun.size:
                if begun.size < old.size:
                    raise Conflict(f"the log {new} was begun with other leaves")
                return begun
            if not old.size:
                return old
            names = {"old": former, "new": new, "size": old.size, "edge": old.encode()}
            await session.execute(_PUT, names)
            await session.execute(_LEAVES, names)
            await session.execute(_TILES, names)
            return old


async def _edge(session: Session, origin: str) -> Edge:
    row = await session.fetch_one(_HEAD, (origin,))
    return Edge() if row is None else Edge.decode(int(row["size"]), bytes(row["edge"]))
