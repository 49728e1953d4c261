from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from zhidao.core.ambient import HandClock
from zhidao.core.retry_policy import RetryPolicy
from zhidao.core.timescale import Utc
from zhidao.node.operations.alarms import Alarms
from zhidao.node.runtime.jobs import Job, JobBook, JobKeeper


def book() -> JobBook:
    return JobBook(HandClock(Utc.parse("2026-11-29T10:00:00Z")))


@contextlib.asynccontextmanager
async def kept(job: Job, alarms: Alarms, *, well_after_s: float = 60.0) -> AsyncIterator[None]:
    keeper = JobKeeper(alarms, book(), pauses=RetryPolicy(0.001, 0.01), well_after_s=well_after_s)
    task = asyncio.create_task(keeper.keep(job))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.002)


async def test_a_job_that_fails_is_started_again_and_named_in_an_alarm():
    runs = 0

    async def fails() -> None:
        nonlocal runs
        runs += 1
        raise ValueError("of all things")

    alarms = Alarms()
    async with kept(Job("finance run", fails), alarms):
        await until(lambda: runs >= 3)
    (alarm,) = alarms.standing()
    assert alarm.code == "job_failing:finance run"
    assert "ValueError: of all things" in alarm.sentence


async def test_a_job_that_ends_is_started_again():
    runs = 0

    async def ends() -> None:
        nonlocal runs
        runs += 1

    async with kept(Job("a", ends), Alarms()):
        await until(lambda: runs >= 3)


async def test_the_alarm_ends_when_the_job_has_run_well_for_a_while():
    runs = 0

    async def fails_twice() -> None:
        nonlocal runs
        runs += 1
        if runs <= 2:
            raise RuntimeError("not yet")
        await asyncio.Event().wait()

    alarms = Alarms()
    async with kept(Job("a", fails_twice), alarms, well_after_s=0.05):
        await until(lambda: runs == 2 and alarms.standing())
        await until(lambda: not alarms.standing())
    assert runs == 3


async def test_cancelling_ends_the_job_itself():
    ended = asyncio.Event()

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with kept(Job("a", waits), Alarms()):
        await asyncio.sleep(0.01)
    assert ended.is_set()


async def test_a_job_that_does_not_hear_it_is_told_again_to_end():
    runs, ends = 0, 0

    async def loses_the_first() -> None:
        nonlocal runs, ends
        runs += 1
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                ends += 1
                if ends > 1:
                    raise

    keeper = JobKeeper(Alarms(), book(), said_again_s=0.02)
    task = asyncio.create_task(keeper.keep(Job("a", loses_the_first)))
    await until(lambda: runs == 1)
    task.cancel()
    async with asyncio.timeout(5):
        await asyncio.gather(task, return_exceptions=True)
    assert (runs, ends) == (1, 2)


async def test_who_looks_sees_since_when_a_job_runs_and_why_it_failed():
    told = book()
    keeper = JobKeeper(Alarms(), told, pauses=RetryPolicy(0.001, 0.01), well_after_s=0.02)
    fails = True

    async def work():
        if fails:
            raise ValueError("no such thing")
        await asyncio.sleep(60)

    task = asyncio.create_task(keeper.keep(Job("sick", work)))
    other = asyncio.create_task(keeper.keep(Job("aside", lambda: asyncio.sleep(60))))
    await until(lambda: any(each.failures > 1 for each in told.states()))
    first, second = told.states()
    assert (first.name, second.name, second.failures) == ("sick", "aside", 0)
    assert first.reason == "ValueError: no such thing"
    assert second.since == "2026-11-29T10:00:00Z"
    fails = False
    await until(lambda: not any(each.failures for each in told.states()))
    for each in (task, other):
        each.cancel()
    await asyncio.gather(task, other, return_exceptions=True)
