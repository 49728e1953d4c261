"""How far a log's mirrors have it, in memory and in PostgreSQL."""

from __future__ import annotations

from typing import Final

from zhidao.store.database import Database
from zhidao.trust.domain.mirroring import Pushed

_OF: Final = (
    "select leaves, cosigned, at_s, lines from trust.mirror_push where origin = %s and url = %s"
)
_KEEP: Final = (
    "insert into trust.mirror_push (origin, url, leaves, cosigned, at_s, lines)"
    " values (%s, %s, %s, %s, %s, %s) on conflict (origin, url) do update"
    " set leaves = excluded.leaves, cosigned = excluded.cosigned, at_s = excluded.at_s,"
    " lines = excluded.lines"
)


class MemoryMirrorPositions:
    """Implements `MirrorPositions`."""

    def __init__(self) -> None:
        self._pushed: dict[str, Pushed] = {}

    async def of(self, url: str) -> Pushed:
        """What was kept last."""
        return self._pushed.get(url, Pushed())

    async def keep(self, url: str, pushed: Pushed) -> None:
        """Replaces it."""
        self._pushed[url] = pushed


class PostgresMirrorPositions:
    """Implements `MirrorPositions` for one log."""

    def __init__(self, database: Database, origin: str) -> None:
        self._database = database
        self._origin = origin

    async def of(self, url: str) -> Pushed:
        """What was kept last."""
        rows = await self._database.read(_OF, (self._origin, url))
        if not rows:
            return Pushed()
        leaves, cosigned, at_s = (int(rows[0][name]) for name in ("leaves", "cosigned", "at_s"))
        return Pushed(leaves, cosigned, at_s, bytes(rows[0]["lines"]))

    async def keep(self, url: str, pushed: Pushed) -> None:
        """Replaces it."""
        row = (pushed.leaves, pushed.cosigned, pushed.at_s, pushed.lines)
        async with self._database.session() as session:
            await session.execute(_KEEP, (self._origin, url, *row))
