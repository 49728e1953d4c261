"""Stores frames of many sessions in few transactions; whoever waits for one knows that it stands.

There is no artificial delay: while one transaction runs, the next batch gathers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import Unavailable
from zhidao.devices.domain.custody import StoredChunk, StoredFrame
from zhidao.devices.domain.track import Report
from zhidao.devices.service.points import reports_of
from zhidao.devices.service.ports import Vault

BATCH_MAX: Final = 512
QUEUE_MAX: Final = 2048


@dataclass(frozen=True, slots=True)
class _Job:
    frame: StoredFrame
    chunks: Sequence[StoredChunk]
    reports: Sequence[Report]
    done: asyncio.Future[None]


def _nobody(_: Sequence[StoredFrame]) -> None:
    """Nobody listens."""


class FrameWriter:
    """The one writer of frames in this process. `stored` hears of frames once they are durable."""

    def __init__(
        self, vault: Vault, stored: Callable[[Sequence[StoredFrame]], None] = _nobody
    ) -> None:
        self._vault = vault
        self._stored = stored
        self._queue: asyncio.Queue[_Job] = asyncio.Queue(QUEUE_MAX)

    async def put(
        self, frame: StoredFrame, chunks: Sequence[StoredChunk] = ()
    ) -> asyncio.Future[None]:
        """Queues a frame and returns what is done when it is durable.

        Waits while the queue is full: the session then stops reading its socket.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Read here and not in the batch, which would hold up everybody for all of them.
        await self._queue.put(_Job(frame, chunks, reports_of(frame), done))
        return done

    async def run(self) -> None:
        """Writes until cancelled; those who wait then hear that nothing was stored."""
        jobs: list[_Job] = []
        try:
            while True:
                jobs = [await self._queue.get()]
                while len(jobs) < BATCH_MAX and not self._queue.empty():
                    jobs.append(self._queue.get_nowait())
                await self._write(jobs)
        finally:
            while not self._queue.empty():
                jobs.append(self._queue.get_nowait())
            _refuse(jobs, Unavailable("the node is stopping; send the frame again"))

    async def _write(self, jobs: Sequence[_Job]) -> None:
        # Two copies of one frame may meet in one batch after a reconnect.
        frames = {(job.frame.terminal, job.frame.digest): job.frame for job in jobs}
        chunks = {(c.terminal, c.window, c.sequence): c for job in jobs for c in job.chunks}
        reports = [report for job in jobs for report in job.reports]
        try:
            await self._vault.keep(list(frames.values()), list(chunks.values()), reports)
        except Exception as error:  # noqa: BLE001 (whoever waits must hear it, whatever it is)
            _refuse(jobs, error)
            return
        for job in jobs:
            if not job.done.done():
                job.done.set_result(None)
        self._stored(list(frames.values()))


def _refuse(jobs: Sequence[_Job], error: Exception) -> None:
    for job in jobs:
        if not job.done.done():
            job.done.set_exception(error)
