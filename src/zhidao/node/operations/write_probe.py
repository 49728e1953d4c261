"""Whether the node can write: it does so every few seconds, as any of its acts would.

A database may answer and yet take nothing (a full disk, a role without rights, a standby), which
no question to it shows.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

from zhidao.core.errors import ZhidaoError
from zhidao.store.database import Database

EVERY_S: Final = 5.0
# Two writes may be late on a busy machine.
AGE_S_MAX: Final = 3 * EVERY_S
_AGAIN_S: Final = 1.0
_WRITE: Final = (
    "insert into node.write_probe (probe, written_at) values (1, now())"
    " on conflict (probe) do update set written_at = excluded.written_at"
)


class WriteProbe:
    """Let `run` run; `wrong` is read by whoever asks for readiness."""

    def __init__(self, database: Database, *, every_s: float = EVERY_S) -> None:
        self._database = database
        self._every_s = every_s
        self._written_s = time.monotonic()
        self._tried_s = 0.0
        self._refused = ""

    async def run(self) -> None:
        """Writes until cancelled."""
        while True:
            await self.write()
            await asyncio.sleep(self._every_s)

    async def write(self) -> None:
        """Writes once and notes how it went."""
        self._tried_s = time.monotonic()
        try:
            async with self._database.session() as session:
                await session.execute(_WRITE)
        except (ZhidaoError, OSError) as error:
            self._refused = str(error)
        else:
            self._refused, self._written_s = "", time.monotonic()

    async def asked(self) -> str:
        """As `wrong`; after a refusal it tries again first, at most once a second."""
        if self._refused and time.monotonic() - self._tried_s > _AGAIN_S:
            await self.write()
        return self.wrong()

    def wrong(self) -> str:
        """Why the node cannot write, or that it has not for too long; empty if it can."""
        if self._refused:
            return self._refused
        age_s = time.monotonic() - self._written_s
        return f"the last write is {age_s:.0f} s old" if age_s > AGE_S_MAX else ""
