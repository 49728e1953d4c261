"""A queue that lets those go first who used least of late."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from typing import Final, Generic, TypeVar

_T = TypeVar("_T")
# What somebody used counts half after so many seconds.
_HALF_LIFE_S: Final = 10.0
_KNOWN_MAX: Final = 10_000


class FairQueue(Generic[_T]):
    """Waiting tasks by whom they are for. Not safe for threads: the owner holds a lock.

    Times are monotonic seconds.
    """

    def __init__(self, *, waiting_max: int, each_max: int) -> None:
        """At most `waiting_max` wait, and `each_max` of one caller."""
        self._waiting_max = waiting_max
        self._each_max = each_max
        self._waiting: OrderedDict[str, deque[_T]] = OrderedDict()
        self._used: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, caller: str, task: _T) -> bool:
        """Appends a task; False if too many wait already."""
        mine = self._waiting.get(caller)
        held = len(mine) if mine else 0
        if self._count >= self._waiting_max or held >= self._each_max:
            return False
        self._waiting.setdefault(caller, deque()).append(task)
        self._count += 1
        return True

    def take(self, now_s: float, *, used_max: float = math.inf) -> tuple[str, _T] | None:
        """The next task: of the caller who used least, and less than `used_max` seconds of late."""
        best = min(self._waiting, key=lambda one: self.used(one, now_s), default=None)
        if best is None or self.used(best, now_s) >= used_max:
            return None
        tasks = self._waiting[best]
        task = tasks.popleft()
        # Among equals it is the next one's turn.
        self._waiting.move_to_end(best)
        if not tasks:
            del self._waiting[best]
        self._count -= 1
        return best, task

    def charge(self, caller: str, seconds: float, now_s: float) -> None:
        """Notes what a task of a caller used."""
        total = self.used(caller, now_s) + seconds
        self._used.pop(caller, None)
        self._used[caller] = (total, now_s)
        if len(self._used) > _KNOWN_MAX:
            self._used.popitem(last=False)

    def used(self, caller: str, now_s: float) -> float:
        """Seconds that a caller used, the older the less they count."""
        total, since = self._used.get(caller, (0.0, now_s))
        return total * math.exp2((since - now_s) / _HALF_LIFE_S)

    def drain(self) -> list[_T]:
        """Takes everything out."""
        tasks = [task for waiting in self._waiting.values() for task in waiting]
        self._waiting.clear()
        self._count = 0
        return tasks
