"""Processes for the node's heavy work and for judging what others send: bounded, fair, replaced."""

from __future__ import annotations

import asyncio
import math
import pickle
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any, Final, ParamSpec, TypeVar

from zhidao.core.errors import Unavailable
from zhidao.core.judging import ON_BEHALF_OF, Effort, TooMuchWork
from zhidao.node.runtime.fair_queue import FairQueue
from zhidao.node.runtime.worker_process import Ended, Outcome, Overrun, WorkerProcess

_P = ParamSpec("_P")
_T = TypeVar("_T")

WAITING_MAX: Final = 256
# One caller's tasks that may wait; more are refused at once.
EACH_MAX: Final = 16
# A recording of a day is read in well under a minute.
HEAVY_CPU_S: Final = 600.0
HEAVY_MEMORY_BYTES: Final = 2 * 1024 * 1024 * 1024
HEAVY: Final = Effort(HEAVY_CPU_S, HEAVY_MEMORY_BYTES)
# Whoever used more seconds of late than this waits for the processes that are not kept free.
_LIGHT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Task:
    effort: Effort
    data: bytes
    future: Future[Any]


class Workers(Executor):
    """Spawned processes, each with one task at a time, that outlive the death of any of them.

    Tasks are taken by fair share: whoever used least of late is next, and one process of several
    is kept for callers who used little. As an Executor it gives each task `effort`; whoever waits
    for a task of a dead process gets BrokenProcessPool, for one that used too much TooMuchWork.
    """

    def __init__(self, processes_max: int = 1, *, effort: Effort = HEAVY) -> None:
        self._effort = effort
        self._queue: FairQueue[_Task] = FairQueue(waiting_max=WAITING_MAX, each_max=EACH_MAX)
        self._wake = threading.Condition()
        self._ended = False
        self._processes = [WorkerProcess() for _ in range(processes_max)]
        self._threads: list[threading.Thread] = []

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Runs a function of a module in a process; see `concurrent.futures`."""
        return self._put(self._effort, fn, args, kwargs)

    async def run(
        self, effort: Effort, work: Callable[_P, _T], /, *args: _P.args, **named: _P.kwargs
    ) -> _T:
        """Implements `core.judging.Judges`."""
        future: Future[_T] = self._put(effort, work, args, named)
        try:
            return await asyncio.wrap_future(future)
        except BrokenProcessPool as error:
            raise Unavailable(
                "the process that read this ended; send it again", code="worker_ended"
            ) from error

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 (the signature of Executor)
        """Ends the processes; without `wait` also those that work."""
        with self._wake:
            self._ended = True
            if cancel_futures or not wait:
                for task in self._queue.drain():
                    task.future.cancel()
            self._wake.notify_all()
        if not wait:
            for process in self._processes:
                process.kill()
        for thread in self._threads:
            thread.join()

    def _put(self, effort: Effort, work: Any, args: Any, named: Any) -> Future[Any]:
        task = _Task(effort, pickle.dumps((work, args, named)), Future())
        caller = ON_BEHALF_OF.get()
        with self._wake:
            if self._ended:
                raise RuntimeError("cannot schedule new futures after shutdown")
            if not self._queue.put(caller, task):
                raise Unavailable(
                    f"too much work waits here already: at most {WAITING_MAX} tasks do, and"
                    f" {EACH_MAX} of one caller",
                    code="too_much_waiting",
                    remedy="send less at once; try again in a few seconds",
                )
            self._start_threads()
            self._wake.notify_all()
        return task.future

    def _start_threads(self) -> None:
        if self._threads:
            return
        for place, process in enumerate(self._processes):
            # The last of several is kept for those who use little.
            kept = len(self._processes) > 1 and place == len(self._processes) - 1
            thread = threading.Thread(
                target=self._work, args=(process, _LIGHT_S if kept else math.inf), daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def _work(self, process: WorkerProcess, used_max: float) -> None:
        while (found := self._next(used_max)) is not None:
            caller, task = found
            if not task.future.set_running_or_notify_cancel():
                continue
            cost_s = _done(process, task)
            with self._wake:
                self._queue.charge(caller, cost_s, time.monotonic())
        process.end()

    def _next(self, used_max: float) -> tuple[str, _Task] | None:
        with self._wake:
            while True:
                found = self._queue.take(time.monotonic(), used_max=used_max)
                if found is not None or self._ended:
                    return found
                # What a caller used counts less by the second, and nobody tells when.
                self._wake.wait(1.0 if len(self._queue) else None)


def _done(process: WorkerProcess, task: _Task) -> float:
    """Does a task and settles its future; the seconds that it cost."""
    started = time.monotonic()
    try:
        outcome: Outcome = process.run(task.effort, task.data)
    except Overrun as error:
        task.future.set_exception(
            TooMuchWork(
                f"reading this takes {error}",
                remedy="send a smaller or simpler document",
            )
        )
        return task.effort.cpu_s
    except Ended as error:
        task.future.set_exception(BrokenProcessPool(str(error)))
        return time.monotonic() - started
    if outcome.error is not None:
        task.future.set_exception(outcome.error)
    else:
        task.future.set_result(outcome.value)
    return outcome.cpu_s
