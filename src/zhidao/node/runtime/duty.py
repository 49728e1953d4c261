"""A process's life: it runs the node while it holds its leases, and stands by while it does not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final, Protocol

from zhidao.core.ambient import Clock
from zhidao.core.errors import ZhidaoError
from zhidao.node.leases.keeper import LeaseKeeper
from zhidao.node.leases.lease import Grant
from zhidao.node.operations.alarms import Alarms
from zhidao.node.runtime.front import Front
from zhidao.node.runtime.jobs import Job, JobBook, JobKeeper

# What made a takeover fail is seldom gone at once; another process may do better meanwhile.
_AGAIN_S: Final = 3.0
_LOG: Final = logging.getLogger("zhidao.leases")


class Serving(Protocol):
    """A built node, as far as its life goes."""

    app: Any
    alarms: Alarms
    job_book: JobBook

    def jobs(self) -> Sequence[Job]:
        """Work that runs until cancelled."""
        ...

    def close_pages(self) -> None:
        """Ends the streams of events that are open."""
        ...

    async def close(self) -> None:
        """Moves what was written into the log and lets go of everything."""
        ...


class Duty:
    """Builds the node when the leases are taken, ends it when they are lost, and waits again.

    `keeper` is None in a process that takes no lease: it stands by for ever. `announce` hears of
    each change; `own_jobs` are those of the process itself, with node or without; `waiting`,
    those of one that stands by. `warm` does what can be done of building a node, and of reading
    beside it, before the process says that it stands by.
    """

    def __init__(
        self,
        keeper: LeaseKeeper | None,
        front: Front,
        waiting: Sequence[Job],
        build: Callable[[Grant], Awaitable[Any]],
        announce: Callable[[Any], Coroutine[Any, Any, None]],
        own_jobs: Callable[[], Sequence[Job]],
        clock: Clock,
        warm: Callable[[], Awaitable[None]],
    ) -> None:
        self._warm = warm
        self._keeper = keeper
        self._front = front
        self._waiting = waiting
        self._build = build
        self._announce = announce
        self._own_jobs = own_jobs
        self._clock = clock
        self._node: Serving | None = None
        self._holding: asyncio.Task[str] | None = None

    async def begin(self) -> None:
        """Takes the leases if they are free now, and builds the node on them.

        Raises what keeps a node from starting.
        """
        if self._keeper and (grant := await self._keeper.try_once()):
            await self._take_up(grant)

    async def run(self) -> None:
        """Works and waits in turn, until cancelled; lets go of everything then."""
        try:
            while True:
                if self._node is None:
                    await self._stand_by()
                await self._work()
                await self.end()
        finally:
            await self.end()

    def close_pages(self) -> None:
        """Ends the streams of events that are open, if the node answers here."""
        if self._node is not None:
            self._node.close_pages()

    async def end(self) -> None:
        """Ends the node, if it runs, and gives its leases up: another may take them at once."""
        await self._front.withdraw()
        node, self._node = self._node, None
        holding, self._holding = self._holding, None
        try:
            if node is not None:
                await node.close()
        finally:
            if holding is not None:
                holding.cancel()
                await asyncio.wait((holding,))
            if self._keeper is not None:
                await self._keeper.release()

    async def _take_up(self, grant: Grant) -> None:
        assert self._keeper is not None, "only a keeper is granted anything"
        self._holding = asyncio.create_task(self._keeper.hold())
        try:
            self._node = await self._build(grant)
        except BaseException:
            await self.end()
            raise

    async def _stand_by(self) -> None:
        """Waits for the leases and takes them up; what goes wrong is tried again."""
        keeping = JobKeeper(Alarms(), JobBook(self._clock))
        jobs = [*self._own_jobs(), *self._waiting]
        tasks = [asyncio.create_task(keeping.keep(job), name=job.name) for job in jobs]
        try:
            await self._warm()
            # It stands by from now on: what a takeover needs is there.
            await self._announce(None)
            if self._keeper is None:
                await asyncio.Event().wait()
            else:
                await self._taken_up(self._keeper)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _taken_up(self, keeper: LeaseKeeper) -> None:
        while self._node is None:
            grant = await keeper.acquire()
            try:
                await self._take_up(grant)
            except (ZhidaoError, OSError) as error:
                _LOG.error("the takeover failed: %s", error, extra={"epoch": grant.epoch})
                await asyncio.sleep(_AGAIN_S)

    async def _work(self) -> None:
        """Runs the node until its leases are lost."""
        node, holding = self._node, self._holding
        assert node is not None, "work is for whoever holds the leases"
        assert holding is not None, "who works renews"
        keeping = JobKeeper(node.alarms, node.job_book)
        self._front.serve(node.app)

        async def lost() -> None:
            raise _Lost(await asyncio.shield(holding))

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(lost())
                group.create_task(self._announce(node))
                for job in (*self._own_jobs(), *node.jobs()):
                    group.create_task(keeping.keep(job), name=job.name)
        except* _Lost as ended:
            _LOG.error("this process becomes a standby: %s", ended.exceptions[0])


class _Lost(Exception):
    """The leases are another's."""
