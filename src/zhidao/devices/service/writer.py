"""Stores frames of many sessions in few transactions; whoever waits for one knows that it stands.

There is no artificial delay: while one transaction runs, the next batch gathers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from zhidao.core.errors import Unavailable
from zhidao.devices.domain.custody import StoredChunk, StoredFrame
from zhidao.devices.service.ports import Vault

BATCH_MAX: Final = 512
QUEUE_MAX: Final = 2048

_Job = tuple[StoredFrame, Sequence[StoredChunk], "asyncio.Future[None]"]


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
        await self._queue.put((frame, chunks, done))
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
            for _, _, done in jobs:
                if not done.done():
                    done.set_exception(Unavailable("the node is stopping; send the frame again"))

    async def _write(self, jobs: Sequence[_Job]) -> None:
        # Two copies of one frame may meet in one batch after a reconnect.
        frames = {(frame.terminal, frame.digest): frame for frame, _, _ in jobs}
        chunks = {(c.terminal, c.window, c.sequence): c for _, cs, _ in jobs for c in cs}
        try:
            await self._vault.keep(list(frames.values()), list(chunks.values()))
        except Exception as error:  # noqa: BLE001 (whoever waits must hear it, whatever it is)
            for _, _, done in jobs:
                if not done.done():
                    done.set_exception(error)
            return
        for _, _, done in jobs:
            if not done.done():
                done.set_result(None)
        self._stored(list(frames.values()))
