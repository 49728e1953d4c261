from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest
from tests.node.runtime import judged_work as work

from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.core.judging import DOCUMENT, ON_BEHALF_OF, Effort, TooMuchWork
from zhidao.node.runtime.workers import EACH_MAX, Workers

pytestmark = pytest.mark.service

NODE = """
import os, sys, time
from zhidao.node.runtime.workers import Workers
if __name__ == "__main__":
    print(Workers().submit(os.getpid).result(), flush=True)
    time.sleep(60)
"""


def test_the_death_of_a_worker_costs_one_task():
    workers = Workers()
    try:
        pid = workers.submit(os.getpid).result(timeout=20)
        dying = workers.submit(time.sleep, 30)
        # A process that dies before the task is sent costs none.
        time.sleep(0.5)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(BrokenProcessPool):
            dying.result(timeout=20)
        assert workers.submit(os.getpid).result(timeout=20) != pid
    finally:
        workers.shutdown()


def test_no_worker_outlives_a_killed_node(tmp_path: Path):
    program = tmp_path / "node.py"
    program.write_text(NODE)
    node = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True)
    assert node.stdout
    worker = int(node.stdout.readline())
    node.kill()
    node.wait()
    node.stdout.close()
    until = time.monotonic() + 10
    while _lives(worker) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _lives(worker)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(name="workers")
def _workers() -> Iterator[Workers]:
    made = Workers(2)
    yield made
    made.shutdown(wait=False)


async def test_a_task_returns_and_raises_as_it_would_here(workers: Workers) -> None:
    assert await workers.run(DOCUMENT, work.doubled, 21) == 42
    with pytest.raises(MalformedInput) as told:
        await workers.run(DOCUMENT, work.refuse)
    assert (told.value.code, told.value.where, told.value.remedy) == (
        *("of_its_own", "byte 3", "send another"),
    )
    with pytest.raises(TypeError, match="pickle"):
        await workers.run(DOCUMENT, work.lock)


async def test_a_task_over_its_time_is_killed_and_the_next_goes_on(workers: Workers) -> None:
    started = time.monotonic()
    with pytest.raises(TooMuchWork, match=r"more than 0.3 s of processor"):
        await workers.run(Effort(0.3), work.spin, 60.0)
    assert time.monotonic() - started < 30
    assert await workers.run(DOCUMENT, work.doubled, 1) == 2


async def test_a_task_over_its_memory_is_killed(workers: Workers) -> None:
    with pytest.raises(TooMuchWork, match="200 MiB of memory"):
        await workers.run(Effort(60.0, 200 << 20), work.hold, 4_000)
    assert await workers.run(DOCUMENT, work.doubled, 1) == 2


async def test_a_process_that_ends_by_itself_is_told_as_such(workers: Workers) -> None:
    with pytest.raises(Unavailable) as told:
        await workers.run(DOCUMENT, work.die)
    assert told.value.code == "worker_ended"
    assert await workers.run(DOCUMENT, work.doubled, 1) == 2


async def test_a_caller_of_much_work_does_not_hold_up_one_of_little(workers: Workers) -> None:
    """Sixteen tasks of a second each wait; another's small ones are done beside them."""
    await asyncio.gather(*(workers.run(DOCUMENT, work.spin, 0.0) for _ in range(2)))
    ON_BEHALF_OF.set("greedy")
    greedy = [asyncio.ensure_future(workers.run(DOCUMENT, work.spin, 1.0)) for _ in range(16)]
    await asyncio.wait(greedy, return_when=asyncio.FIRST_COMPLETED)
    ON_BEHALF_OF.set("modest")
    for number in range(5):
        assert await workers.run(DOCUMENT, work.doubled, number) == 2 * number
    # Two of the greedy one's ran, or were begun, before the modest one came.
    assert sum(task.done() for task in greedy) <= 8
    for task in greedy:
        task.cancel()
    await asyncio.gather(*greedy, return_exceptions=True)


async def test_what_waits_of_one_caller_is_bounded(workers: Workers) -> None:
    ON_BEHALF_OF.set("greedy")
    tasks = [
        asyncio.ensure_future(workers.run(DOCUMENT, work.spin, 9.0)) for _ in range(3 * EACH_MAX)
    ]
    # Two are begun, as many as may wait do; which of the others came too late is a race.
    refused, others = await asyncio.wait(tasks, timeout=3)
    assert EACH_MAX <= len(others) <= EACH_MAX + 2
    assert {getattr(one.exception(), "code", None) for one in refused} == {"too_much_waiting"}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
