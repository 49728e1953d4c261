"""Outbox -> log -> bus: each event once in the log, and on the bus in the log's order.

One transaction takes rows that have no leaf yet, writes the leaves and the tree head and marks
the rows; then the checkpoint is signed; then the bus gets the events. Dying anywhere repeats at
most the last step, which the message id (the leaf's index) makes harmless. A bus that comes back
with less than it had gets the rest again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import Final

from zhidao.bus.port import Bus, Message
from zhidao.core.errors import Unavailable, ZhidaoError
from zhidao.core.remedies import remedy_of
from zhidao.node.operations.alarms import RELAY_STOPPED, Alarms
from zhidao.node.operations.metrics import Metrics
from zhidao.node.operations.signing_permit import LEASE_REMEDY, SigningPermit
from zhidao.node.runtime.wakeup import Wakeup
from zhidao.store import outbox
from zhidao.store.database import Database
from zhidao.trust.commands import Log

BATCH_ROWS_MAX: Final = 512
DRAIN_S: Final = 5.0
# Works that share a commit gather for less than this before they write.
_QUIET_S: Final = 0.05
_IDLE_S: Final = 0.5
# A step costs a signed head and two synchronised files however little it moves. The first event
# goes at once; those that follow within this time go together, unless they fill a batch.
APART_S: Final = 0.05
_PAUSE_AFTER_FAILURE_S: Final = 0.2
# What the world's absence does not explain needs a person: asking often helps nobody.
_PAUSE_AFTER_REFUSAL_S: Final = 2.0
# A world that stays away for so long is told; a restart of the database or the bus is shorter.
WAITED_S: Final = 30.0
_LOG: Final = logging.getLogger("zhidao.relay")


def subject(event_type: str) -> str:
    """The bus subject of an event type: `zhidao.trade.Delivered.v1`."""
    return f"zhidao.{event_type}"


@dataclass(frozen=True, slots=True)
class Watch:
    """What the relay tells whom, and the node's permit to sign.

    `logged` wakes those who wait for events to stand under a signed tree head.
    """

    alarms: Alarms
    permit: SigningPermit
    metrics: Metrics
    logged: Wakeup = field(default_factory=Wakeup)


class Relay:
    """Moves events out of the database; one runs in a node."""

    def __init__(
        self, database: Database, log: Log, bus: Bus, watch: Watch, *, apart_s: float = APART_S
    ) -> None:
        self._database = database
        self._apart_s = apart_s
        self._log = log
        self._bus = bus
        self._alarms = watch.alarms
        self._permit = watch.permit
        self._metrics = watch.metrics
        self._logged = watch.logged
        self._woken = asyncio.Event()
        # After a crash between commit and signature the newest tree head is still unsigned.
        self._unsigned = True
        self._generation: int | None = None

    def wake(self) -> None:
        """Says that an outbox row was committed."""
        self._woken.set()

    async def run(self) -> None:
        """Runs until cancelled; what the world refuses now is tried again.

        Raises nothing that it knows: a log that is recovering or was taken by another process
        is an alarm, and the node goes on reading.
        """
        well_s = time.monotonic()
        while True:
            # Cleared before the look, never after it: a commit between the two sets it again.
            self._woken.clear()
            begun_s = time.monotonic()
            try:
                moved = await self.step()
            except Unavailable as error:
                if error.code == "lease_lost":
                    await self._refused(error)
                _LOG.warning("the relay waits: %s", error, extra={"code": error.code})
                if begun_s - well_s > WAITED_S:
                    self._sound(error)
                await asyncio.sleep(_PAUSE_AFTER_FAILURE_S)
                continue
            except ZhidaoError as error:
                await self._refused(error)
                continue
            self._alarms.clear(RELAY_STOPPED)
            well_s = time.monotonic()
            if not moved:
                try:
                    async with asyncio.timeout(_IDLE_S):
                        await self._woken.wait()
                except TimeoutError:
                    continue
            elif moved < BATCH_ROWS_MAX:
                await asyncio.sleep(begun_s + self._apart_s - time.monotonic())

    async def step(self) -> int:
        """Moves one batch as far as it goes; returns how many rows moved."""
        # Log, head, bus, in this order: who hears of an event by the bus can ask for its proof at
        # once, and a bus that loses everything loses nothing.
        # A signed head says when.
        self._permit.check_clock()
        logged = await self._to_log()
        if self._unsigned:
            await self._log.sign_checkpoint()
            self._unsigned = False
            # Only now: a proof needs the head, and who looks before it would wait once more.
            self._logged.wake()
        # Before publishing: a stream that was made anew has to get the older events first.
        if self._generation != self._bus.generation:
            await self._refill_bus()
        return logged + await self._to_bus()

    async def drain(self) -> None:
        """Moves what is left when the node stops; the next start moves what cannot go now.

        What was cut short may still be committing: that is waited for, and looked for once more.
        """
        try:
            async with asyncio.timeout(DRAIN_S):
                while await self._step_once_still():
                    continue
                await asyncio.sleep(_QUIET_S)
                while await self._step_once_still():
                    continue
        except (ZhidaoError, TimeoutError) as error:
            _LOG.warning("some events wait for the next start: %s", error or "out of time")

    async def _step_once_still(self) -> int:
        async with self._database.session() as session:
            await outbox.still(session)
        return await self.step()

    async def _refused(self, error: ZhidaoError) -> None:
        """Waits for a person; for ever, or until it is ended, if another process writes the log."""
        if error.code == "lease_lost":
            self._permit.withdraw(str(error.args[0]))
            sentence = "another process has taken this node's log: this one writes nothing more"
            self._alarms.sound("lease_lost", sentence, LEASE_REMEDY)
            _LOG.error("%s", sentence, extra={"code": error.code})
            await asyncio.Event().wait()
        # While recovering, the health report says so by itself.
        if error.code != "recovering":
            self._sound(error)
        _LOG.error("the relay needs an operator: %s", error, extra={"code": error.code})
        await asyncio.sleep(_PAUSE_AFTER_REFUSAL_S)

    def _sound(self, error: ZhidaoError) -> None:
        self._alarms.sound(
            RELAY_STOPPED,
            f"no event goes into the log or onto the bus: {error}",
            remedy_of(error),
            args={"problem": error.code},
        )

    async def _refill_bus(self) -> None:
        """Compares the bus with the outbox after each new connection."""
        generation = self._bus.generation
        newest = _leaf_index(await self._bus.newest_id())
        async with self._database.session() as session:
            again = await outbox.republish_after(session, newest)
        if again:
            _LOG.warning("the bus misses %d events after leaf %d; they go again", again, newest)
        self._generation = generation

    async def _to_log(self) -> int:
        async with self._database.session() as session:
            rows = await outbox.pending(session, BATCH_ROWS_MAX)
            if rows:
                await session.check_fence()
                # A commit whose answer is lost leaves leaves that this process does not know of.
                self._unsigned = True
                appended = await self._log.append(session, [row.leaf for row in rows])
                await outbox.mark(session, rows, appended.first)
        return len(rows)

    async def _to_bus(self) -> int:
        async with self._database.session() as session:
            rows = await outbox.unpublished(session, BATCH_ROWS_MAX)
        if not rows:
            return 0
        await self._bus.publish(
            [Message(subject(row.type), f"leaf-{row.leaf_index}", row.event) for row in rows]
        )
        async with self._database.session() as session:
            await outbox.mark_published(session, rows)
        self._metrics.relayed.inc(len(rows))
        return len(rows)


def _leaf_index(message_id: str | None) -> int:
    """The index in a message's id; -1 (the bus has nothing of ours) if there is none."""
    text = (message_id or "").removeprefix("leaf-")
    return int(text) if text.isascii() and text.isdigit() else -1
