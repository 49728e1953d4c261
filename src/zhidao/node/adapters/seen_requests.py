"""Where seen requests are kept: PostgreSQL, and a memory twin under the same contract."""

from __future__ import annotations

from collections.abc import Sequence

from zhidao.node.security.seen_requests import Seen
from zhidao.store.database import Database

_TAKE = (
    "INSERT INTO node.seen_request (minute, mark)"
    " SELECT minute, mark FROM unnest(%(minutes)b::bigint[], %(marks)b::bytea[])"
    " AS new (minute, mark) ON CONFLICT DO NOTHING RETURNING mark"
)


class PostgresSeen:
    """Seen requests in the schema `node`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, marks: Sequence[Seen]) -> frozenset[bytes]:
        """Keeps marks durably and returns the new ones; see the port."""
        # In one order, so that two processes never wait for each other in a circle.
        ordered = sorted(set(marks))
        async with self._database.session() as session:
            rows = await session.fetch_all(
                _TAKE,
                {
                    "minutes": [minute for minute, _ in ordered],
                    "marks": [mark for _, mark in ordered],
                },
            )
        return frozenset(row["mark"] for row in rows)

    async def forget(self, before_minute: int) -> None:
        """Forgets what was signed before this minute."""
        async with self._database.session() as session:
            await session.execute(
                "DELETE FROM node.seen_request WHERE minute < %s", (before_minute,)
            )


class MemorySeen:
    """Seen requests in a set."""

    def __init__(self) -> None:
        self._marks: set[Seen] = set()

    async def take(self, marks: Sequence[Seen]) -> frozenset[bytes]:
        """Keeps marks and returns the new ones; see the port."""
        new = set(marks) - self._marks
        self._marks |= new
        return frozenset(mark for _, mark in new)

    async def forget(self, before_minute: int) -> None:
        """Forgets what was signed before this minute."""
        self._marks = {seen for seen in self._marks if seen[0] >= before_minute}
