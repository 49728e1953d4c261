"""Outbox -> log -> bus: each event once in the log, and on the bus in the log's order.

One transaction takes rows that have no leaf yet, writes the leaves and the tree head and marks
the rows; then the checkpoint is signed; then the bus gets the events. Dying anywhere repeats at
most the last step, which the message id (the leaf's index) makes harmless.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from zhidao.bus.port import Bus, Message
from zhidao.core.errors import Unavailable
from zhidao.core.events import SignedEvent
from zhidao.node.metrics import Metrics
from zhidao.store import outbox
from zhidao.store.database import Database
from zhidao.trust.commands import Log

BATCH_ROWS_MAX: Final = 512
_IDLE_S: Final = 0.5
_PAUSE_AFTER_FAILURE_S: Final = 0.5
_LOG: Final = logging.getLogger("zhidao.relay")


def subject(event_type: str) -> str:
    """The bus subject of an event type: `zhidao.trade.Delivered.v1`."""
    return f"zhidao.{event_type}"


class Relay:
    """Moves events out of the database; one runs in a node."""

    def __init__(self, database: Database, log: Log, bus: Bus, metrics: Metrics) -> None:
        self._database = database
        self._log = log
        self._bus = bus
        self._metrics = metrics
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Says that an outbox row was committed."""
        self._woken.set()

    async def run(self) -> None:
        """Runs until cancelled; what the world refuses now is tried again."""
        await self._sign()
        while True:
            self._woken.clear()
            try:
                moved = await self.step()
            except Unavailable as error:
                _LOG.warning("the relay waits: %s", error, extra={"code": error.code})
                await asyncio.sleep(_PAUSE_AFTER_FAILURE_S)
                continue
            if not moved:
                try:
                    await asyncio.wait_for(self._woken.wait(), _IDLE_S)
                except TimeoutError:
                    continue

    async def step(self) -> int:
        """Moves one batch as far as it goes; returns how many rows moved."""
        logged = await self._to_log()
        if logged:
            await self._log.sign_checkpoint()
        return logged + await self._to_bus()

    async def _sign(self) -> None:
        # After a crash between commit and signature the newest tree head is still unsigned.
        while True:
            try:
                await self._log.sign_checkpoint()
            except Unavailable:
                await asyncio.sleep(_PAUSE_AFTER_FAILURE_S)
            else:
                return

    async def _to_log(self) -> int:
        async with self._database.session() as session:
            rows = await outbox.pending(session, BATCH_ROWS_MAX)
            if rows:
                appended = await self._log.append(session, [row.leaf for row in rows])
                await outbox.mark(session, rows, appended.first)
                self._metrics.leaves.set(appended.size)
        return len(rows)

    async def _to_bus(self) -> int:
        async with self._database.session() as session:
            rows = await outbox.unpublished(session, BATCH_ROWS_MAX)
        if not rows:
            return 0
        await self._bus.publish(
            [
                Message(
                    subject(SignedEvent.decode(row.event).type), f"leaf-{row.leaf_index}", row.event
                )
                for row in rows
            ]
        )
        async with self._database.session() as session:
            await outbox.mark_published(session, rows)
        self._metrics.relayed.inc(len(rows))
        return len(rows)
