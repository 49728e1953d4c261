"""One process that does one task at a time, watched and ended when it uses too much."""

from __future__ import annotations

import contextlib
import os
import pickle
import threading
import time
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Final

from zhidao.core.errors import ZhidaoError
from zhidao.core.judging import Effort
from zhidao.core.programs.fork_server import FROM_SERVER
from zhidao.core.remedies import remedy_of

_STARTED: Final = "started"
_DONE: Final = "done"
_FAILED: Final = "failed"
# A task of some milliseconds is answered at once; the limits need no finer clock.
_LOOK_S: Final = 0.02
# Importing what a task needs is not the task's doing, nor is waiting for a processor.
_IMPORT_S: Final = 60.0
_WALL_FACTOR: Final = 5.0
_WALL_S_MIN: Final = 10.0
# Below everything that answers callers.
_NICENESS: Final = 10
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


class Overrun(Exception):
    """The task used more than its effort and was ended; the words say what."""


class Ended(Exception):
    """The process ended by itself or by somebody else."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a task gave: `value`, or `error` if it raised one; and what it cost."""

    value: Any
    error: BaseException | None
    cpu_s: float


class WorkerProcess:
    """A process of this program, started with the first task."""

    def __init__(self) -> None:
        self._process: Any = None
        self._link: Connection | None = None
        self._killed = False

    def run(self, effort: Effort, task: bytes) -> Outcome:
        """Does a pickled (function, arguments, named arguments). Raises Overrun, Ended."""
        link = self._running()
        try:
            link.send_bytes(task)
            before_s = self._begun(link)
            kind, value = self._watched(link, effort, before_s)
        except (EOFError, OSError) as error:
            self.end()
            raise Ended("the process ended without an answer") from error
        except Overrun:
            self.end()
            raise
        cpu_s = self._cpu_s() - before_s
        outcome = Outcome(None, value, cpu_s) if kind == _FAILED else Outcome(value, None, cpu_s)
        if self._memory_bytes() > effort.memory_bytes // 2:
            # What it took, it keeps; the next task gets a fresh one.
            self.end()
        return outcome

    def kill(self) -> None:
        """Kills the process from another thread, for good; who waits for its task sees it end."""
        self._killed = True
        process = self._process
        if process is not None:
            with contextlib.suppress(ValueError):  # It was closed meanwhile.
                process.kill()

    def end(self) -> None:
        """Kills the process, if there is one, and forgets it."""
        process, self._process = self._process, None
        link, self._link = self._link, None
        if link is not None:
            link.close()
        if process is not None:
            process.kill()
            process.join()
            process.close()

    def _running(self) -> Connection:
        if self._link is not None and self._process.is_alive():
            return self._link
        self.end()
        mine, theirs = FROM_SERVER.Pipe()
        process = FROM_SERVER.Process(target=_serve, args=(theirs,), daemon=True, name="worker")
        process.start()
        theirs.close()
        self._process, self._link = process, mine
        if self._killed:
            # Told so while it started, when there was nothing to kill yet.
            self.end()
            raise Ended("the process was killed while it started")
        return mine

    def _begun(self, link: Connection) -> float:
        """Waits until the task's modules are there; the processor time so far."""
        if not link.poll(_IMPORT_S):
            raise Overrun(f"its modules were not loaded in {_IMPORT_S:g} s")
        link.recv_bytes()
        return self._cpu_s()

    def _watched(self, link: Connection, effort: Effort, before_s: float) -> tuple[str, Any]:
        wall_s = max(_WALL_S_MIN, _WALL_FACTOR * effort.cpu_s)
        until = time.monotonic() + wall_s
        while not link.poll(_LOOK_S):
            used_s = self._cpu_s() - before_s
            if used_s > effort.cpu_s:
                raise Overrun(f"more than {effort.cpu_s:g} s of processor time")
            if self._memory_bytes() > effort.memory_bytes:
                raise Overrun(f"more than {effort.memory_bytes >> 20} MiB of memory")
            if time.monotonic() > until:
                raise Overrun(f"more than {wall_s:g} s")
        answer: tuple[str, Any] = pickle.loads(link.recv_bytes())  # noqa: S301 (of our own process)
        return answer

    def _cpu_s(self) -> float:
        fields = self._told("stat").rpartition(")")[2].split()
        # Fields 14 and 15 of proc_pid_stat(5): user and system time.
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S if fields else 0.0

    def _memory_bytes(self) -> int:
        fields = self._told("statm").split()
        return int(fields[1]) * _PAGE_BYTES if fields else 0

    def _told(self, name: str) -> str:
        try:
            return Path(f"/proc/{self._process.pid}/{name}").read_text()
        except OSError:
            return ""


def _serve(link: Connection) -> None:
    """The process: takes a task, does it, answers, until nobody is there any more."""
    _end_with_parent()
    os.nice(_NICENESS)
    with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            data = link.recv_bytes()
            try:
                work, args, named = pickle.loads(data)  # noqa: S301 (of our own node)
                link.send_bytes(_STARTED.encode())
                answer = pickle.dumps((_DONE, work(*args, **named)))
            except Exception as error:  # noqa: BLE001 (whoever asked gets what the task raised)
                answer = _as_bytes(error)
            link.send_bytes(answer)


def _as_bytes(error: Exception) -> bytes:
    if isinstance(error, ZhidaoError):
        # The way that it came is not sent along, and with it who can help.
        error.remedy = remedy_of(error)
    try:
        data = pickle.dumps((_FAILED, error))
        # Some can be written and not be read again.
        pickle.loads(data)  # noqa: S301 (written one line above)
    except Exception:  # noqa: BLE001 (a reader of its own may raise anything)
        return pickle.dumps((_FAILED, RuntimeError(f"{type(error).__name__}: {error}"[:1000])))
    return data


def _end_with_parent() -> None:
    """Makes this process end with the node, also when the node is killed.

    The pipe alone tells nothing while a task runs.
    """
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()
