"""Processes for heavy work: made when needed, replaced when one dies, gone when the node is."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Workers(Executor):
    """A pool of spawned processes that outlives the death of any of them.

    Whoever waits for a task of a dead process gets BrokenProcessPool; the next task finds a new
    process.
    """

    def __init__(self, processes_max: int = 1) -> None:
        self._processes_max = processes_max
        self._pool = self._made()

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Runs a function of a module in a process; see `concurrent.futures`."""
        try:
            return self._pool.submit(fn, *args, **kwargs)
        except BrokenProcessPool:
            self._pool.shutdown(wait=False)
            self._pool = self._made()
            return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 (the signature of Executor)
        """Ends the processes."""
        self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)

    def _made(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            max_workers=self._processes_max,
            mp_context=get_context("spawn"),
            initializer=_end_with_parent,
        )


def _end_with_parent() -> None:
    """Makes this process end with the node, also when the node is killed.

    The executor's own pipes tell nothing: the worker holds both of their ends.
    """
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()
