"""Counts and names every time the event loop stood still, so that none stays unnoticed.

A thread looks at a mark that the loop renews. Where the mark is old, it notes what the loop's
thread is doing: the request's task bears the request's name. What the machine is to blame for
(other programs had the processors, or a virtual one's clock woke the sleeping loop too late) is
told apart from what this program did.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

STALL_S: Final = 0.25
_MARK_S: Final = 0.05
_KEPT_MAX: Final = 100
_FRAMES_MAX: Final = 6
_NS_PER_S: Final = 1e9
_NO_TASK: Final = "no task"
# Where a thread's Python ends while its loop waits: uvloop's wait is no Python at all.
_WAITING: Final = (("selectors.py", "select"), ("runners.py", "run"), ("__init__.py", "run"))
_LOG: Final = logging.getLogger("zhidao.node.loop")


@dataclass(frozen=True, slots=True)
class Stall:
    """One time that the loop stood still.

    `seconds` of it were this program's doing; for `starved_s` more the machine gave it no
    processor. Of the time `ran_s` it calculated; the rest it waited for a disk, a lock or the
    interpreter. `during`: the name of the task at work, of a request its method and path. `place`:
    the innermost frames of this program, the innermost first.
    """

    seconds: float
    starved_s: float
    during: str
    place: tuple[str, ...]
    ran_s: float = 0.0

    @property
    def is_own(self) -> bool:
        """Whether the loop would have stood still on a free machine too."""
        return self.seconds > STALL_S


class LoopWatch:
    """Watches the running loop of the thread that starts it."""

    def __init__(self, told: Callable[[Stall], None], *, stall_s: float = STALL_S) -> None:
        """`told` is called in the loop, after it goes on."""
        self._told = told
        self._stall_s = stall_s
        self._mark_s = time.monotonic()
        self._waited_s = 0.0
        self._ran_s = 0.0
        self._ended = threading.Event()
        self._seen: tuple[str, tuple[str, ...]] | None = None
        self._slept = False
        self._own_task = ""
        self.stalls: deque[Stall] = deque(maxlen=_KEPT_MAX)

    async def run(self) -> None:
        """Watches until cancelled."""
        loop = asyncio.get_running_loop()
        thread = threading.get_ident()
        self._own_task = _name_of(loop)
        watcher = threading.Thread(
            target=self._look, args=(loop, thread), name="loop-watch", daemon=True
        )
        self._renew()
        watcher.start()
        try:
            while True:
                await asyncio.sleep(_MARK_S)
                self._judge()
        finally:
            self._ended.set()

    def _renew(self) -> None:
        self._mark_s, self._waited_s = time.monotonic(), _waited_s()
        self._ran_s = time.thread_time()

    def _judge(self) -> None:
        """In the loop, which goes on: how long it stood still, and whose doing that was."""
        stood_s = time.monotonic() - self._mark_s - _MARK_S
        starved_s = max(0.0, _waited_s() - self._waited_s)
        ran_s = time.thread_time() - self._ran_s
        seen, self._seen = self._seen, None
        slept, self._slept = self._slept, False
        self._renew()
        if stood_s <= self._stall_s:
            return
        during, place = seen or ("unknown", ())
        # A loop that slept when it was looked at waited for its alarm, and where nobody could look
        # the whole process stood still: only what the loop calculated then is its own.
        asleep = slept or seen is None
        own_s = min(stood_s, ran_s) if asleep else max(0.0, stood_s - starved_s)
        stall = Stall(own_s, stood_s - own_s, during, place, ran_s)
        self.stalls.append(stall)
        self._told(stall)

    def _look(self, loop: asyncio.AbstractEventLoop, thread: int) -> None:
        """In a thread of its own: what the loop is doing while it stands still."""
        while not self._ended.wait(_MARK_S):
            # From half the bound on: this thread too may get no turn before the loop goes on.
            stood_s = time.monotonic() - self._mark_s
            if self._seen is None and stood_s > self._stall_s / 2:
                frame = sys._current_frames().get(thread)
                name = _name_of(loop)
                if name == self._own_task:
                    # The loop goes on already: it is about to judge.
                    continue
                self._slept = name == _NO_TASK and frame is not None and _is_asleep(frame)
                self._seen = name, _place_of(frame)


def tell(stall: Stall) -> None:
    """The log line of a stall."""
    _LOG.warning(
        "the event loop stood still for %.0f ms during %s, at %s",
        1000 * (stall.seconds + stall.starved_s),
        stall.during,
        " < ".join(stall.place) or "a place that was not seen",
        extra={
            "code": "loop_stalled" if stall.is_own else "loop_starved",
            "own_ms": round(1000 * stall.seconds),
            "starved_ms": round(1000 * stall.starved_s),
            "ran_ms": round(1000 * stall.ran_s),
        },
    )


def _name_of(loop: asyncio.AbstractEventLoop) -> str:
    try:
        task = asyncio.current_task(loop)
    except RuntimeError:
        return "unknown"
    return task.get_name() if task is not None else _NO_TASK


def _is_asleep(frame: FrameType) -> bool:
    """Whether the innermost Python is the loop's own, and no callback's."""
    return (Path(frame.f_code.co_filename).name, frame.f_code.co_name) in _WAITING


def _place_of(frame: FrameType | None) -> tuple[str, ...]:
    """The innermost frames of this program; of anything, if none is this program's."""
    own: list[str] = []
    every: list[str] = []
    while frame is not None and len(own) < _FRAMES_MAX:
        path = Path(frame.f_code.co_filename)
        line = f"{path.name}:{frame.f_lineno} {frame.f_code.co_name}"
        every.append(line)
        if "zhidao" in path.parts:
            own.append(line)
        frame = frame.f_back
    return tuple(own or every[:_FRAMES_MAX])


def _waited_s() -> float:
    """How long the calling thread was ready to run and had no processor (Linux; else 0)."""
    try:
        # schedstat: time on a processor, time waiting for one (ns), number of slices.
        text = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat").read_text()
    except OSError:
        return 0.0
    return int(text.split()[1]) / _NS_PER_S
