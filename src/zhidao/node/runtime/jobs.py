"""Keeps background work going: what fails is named, waits, and starts anew; the node stays up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from zhidao.core.ambient import Clock
from zhidao.core.retry_policy import RetryPolicy
from zhidao.node.operations.alarms import Alarms

PAUSES: Final = RetryPolicy(first_s=0.1, longest_s=30.0)
# A job that ran this long without failing is well again.
WELL_AFTER_S: Final = 60.0
# Longer than a job needs to put its things away.
SAID_AGAIN_S: Final = 5.0
_LOG: Final = logging.getLogger("zhidao.jobs")


@dataclass(frozen=True, slots=True)
class Job:
    """Work that runs until cancelled. `name` is what an operator reads."""

    name: str
    run: Callable[[], Awaitable[None]]


class JobState(msgspec.Struct, kw_only=True):
    """How a job is: since when it runs, how often it failed in a row, and why it did last."""

    name: str
    since: str = ""
    failures: int = 0
    reason: str = ""


class JobBook:
    """What is known of jobs, by their names, for who looks at the node."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._states: dict[str, JobState] = {}

    def started(self, job: Job) -> None:
        """It runs, for the first time or again."""
        known = self._states.setdefault(job.name, JobState(name=job.name))
        known.since = str(self._clock.now())

    def failed(self, job: Job, failures: int, reason: str) -> None:
        """It ended, and starts again after a pause."""
        known = self._states[job.name]
        known.failures, known.reason, known.since = failures, reason, ""

    def well(self, job: Job) -> None:
        """It ran long enough to be well again."""
        self._states[job.name].failures = 0

    def states(self) -> list[JobState]:
        """All jobs by name, those that fail first."""
        return sorted(self._states.values(), key=lambda each: (-each.failures, each.name))


@dataclass(frozen=True, slots=True)
class JobKeeper:
    """Runs jobs for ever; an alarm stands while one keeps failing."""

    alarms: Alarms
    book: JobBook
    pauses: RetryPolicy = PAUSES
    well_after_s: float = WELL_AFTER_S
    said_again_s: float = SAID_AGAIN_S

    async def keep(self, job: Job) -> None:
        """Runs one job until cancelled, again after a growing pause whenever it ends."""
        failures = 0
        while True:
            ended = await self._once(job)
            failures = 1 if ended.ran_well else failures + 1
            self.book.failed(job, failures, ended.reason)
            self.alarms.sound(
                _code(job),
                f"{job.name} failed {failures} times in a row: {ended.reason}",
                "it starts again by itself; report the trace in the node's log",
                args={"job": job.name, "failures": failures},
            )
            await asyncio.sleep(self.pauses.ceiling_s(failures))

    async def _once(self, job: Job) -> _Ended:
        running = asyncio.ensure_future(job.run())
        self.book.started(job)
        ran_well = False
        try:
            done, _ = await asyncio.wait((running,), timeout=self.well_after_s)
            if not done:
                ran_well = True
                self.alarms.clear(_code(job))
                self.book.well(job)
                await asyncio.wait((running,))
        finally:
            while not running.done():
                # Said again after a while: a library that waits by Python 3.11's `wait_for` (the
                # bus's client does) loses a cancellation that comes with what it waited for.
                running.cancel()
                await asyncio.wait((running,), timeout=self.said_again_s)
            error = None if running.cancelled() else running.exception()
        if error is None:
            _LOG.error("%s ended; starting it again", job.name, extra={"service": job.name})
            return _Ended(ran_well, "it ended")
        if not isinstance(error, Exception):
            raise error
        _LOG.error(
            "%s failed; starting it again", job.name, exc_info=error, extra={"service": job.name}
        )
        return _Ended(ran_well, f"{type(error).__name__}: {error}")


@dataclass(frozen=True, slots=True)
class _Ended:
    ran_well: bool
    reason: str


def _code(job: Job) -> str:
    return f"job_failing:{job.name}"
