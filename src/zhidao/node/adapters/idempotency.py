"""Where idempotency keys are kept: PostgreSQL, and a memory twin under the same contract."""

from __future__ import annotations

from typing import Final

from zhidao.node.security.idempotency import Asked, Kept
from zhidao.store.database import Database

_CLAIM: Final = (
    "INSERT INTO node.idempotency_key AS old (caller, key, hour, request, sealed)"
    " VALUES (%(caller)s, %(key)s, %(hour)s, %(request)s, '')"
    " ON CONFLICT (caller, key) DO UPDATE"
    " SET hour = excluded.hour, request = excluded.request, sealed = ''"
    " WHERE old.hour < %(oldest)s RETURNING hour"
)
_READ: Final = (
    "SELECT request, sealed FROM node.idempotency_key WHERE caller = %(caller)s AND key = %(key)s"
)
_KEEP: Final = (
    "UPDATE node.idempotency_key SET sealed = %(sealed)s"
    " WHERE caller = %(caller)s AND key = %(key)s"
)
_DROP: Final = "DELETE FROM node.idempotency_key WHERE caller = %(caller)s AND key = %(key)s"
_COUNT: Final = (
    "SELECT count(*) AS keys FROM (SELECT 1 FROM node.idempotency_key"
    " WHERE caller = %(caller)s LIMIT %(most)s) AS few"
)


class PostgresIdempotency:
    """Idempotency keys in the schema `node`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, asked: Asked, *, hour: int, oldest_hour: int) -> Kept | None:
        """Claims a key, or tells what stands under it; see the port."""
        values = _values(asked) | {"hour": hour, "oldest": oldest_hour, "request": asked.request}
        async with self._database.session() as session:
            if await session.fetch_all(_CLAIM, values):
                return None
            rows = await session.fetch_all(_READ, _values(asked))
        # Given free in between: as if it were still being done.
        return Kept(rows[0]["request"], rows[0]["sealed"]) if rows else Kept(asked.request, b"")

    async def count(self, caller: bytes, at_most: int) -> int:
        """Counts a caller's keys; see the port."""
        async with self._database.session() as session:
            [row] = await session.fetch_all(_COUNT, {"caller": caller, "most": at_most})
        return int(row["keys"])

    async def keep(self, asked: Asked, sealed: bytes) -> None:
        """Keeps an answer durably."""
        async with self._database.session() as session:
            await session.execute(_KEEP, _values(asked) | {"sealed": sealed})

    async def drop(self, asked: Asked) -> None:
        """Gives a key free."""
        async with self._database.session() as session:
            await session.execute(_DROP, _values(asked))

    async def forget(self, before_hour: int) -> None:
        """Forgets what was claimed before this hour."""
        async with self._database.session() as session:
            await session.execute(
                "DELETE FROM node.idempotency_key WHERE hour < %(hour)s", {"hour": before_hour}
            )


class MemoryIdempotency:
    """Idempotency keys in a dictionary."""

    def __init__(self) -> None:
        self._kept: dict[tuple[bytes, bytes], tuple[int, Kept]] = {}

    async def claim(self, asked: Asked, *, hour: int, oldest_hour: int) -> Kept | None:
        """Claims a key, or tells what stands under it; see the port."""
        name = (asked.caller, asked.key)
        known = self._kept.get(name)
        if known and known[0] >= oldest_hour:
            return known[1]
        self._kept[name] = (hour, Kept(asked.request, b""))
        return None

    async def count(self, caller: bytes, at_most: int) -> int:
        """Counts a caller's keys; see the port."""
        return min(at_most, sum(name[0] == caller for name in self._kept))

    async def keep(self, asked: Asked, sealed: bytes) -> None:
        """Keeps an answer."""
        hour, kept = self._kept[asked.caller, asked.key]
        self._kept[asked.caller, asked.key] = (hour, Kept(kept.request, sealed))

    async def drop(self, asked: Asked) -> None:
        """Gives a key free."""
        self._kept.pop((asked.caller, asked.key), None)

    async def forget(self, before_hour: int) -> None:
        """Forgets what was claimed before this hour."""
        self._kept = {name: held for name, held in self._kept.items() if held[0] >= before_hour}


def _values(asked: Asked) -> dict[str, bytes]:
    return {"caller": asked.caller, "key": asked.key}
