"""What the node's own database says of its copies."""

from __future__ import annotations

from typing import Final

from zhidao.node.availability.copies import Copies, Copy
from zhidao.store.database import Database

# A role without pg_monitor sees that there are standbys, and nothing of them.
_STANDBYS: Final = (
    "select coalesce(state, '') as state, coalesce(sync_state, '') as sync"
    " from pg_stat_replication limit 100"
)
_NAMES: Final = "select current_setting('synchronous_standby_names') as names"


class DatabaseCopies:
    """Reads pg_stat_replication (PostgreSQL, The Cumulative Statistics System)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def now(self) -> Copies:
        """The copies as they are now. Raises Unavailable if the database is away."""
        names = await self._database.read(_NAMES)
        rows = await self._database.read(_STANDBYS)
        standbys = [Copy(state=row["state"], sync=row["sync"]) for row in rows]
        return Copies(str(names[0]["names"]), standbys)
