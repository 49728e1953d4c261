"""One at a time for each name, and no memory of those whom nobody waits for."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary


class KeyedLocks:
    """Locks by name. A lock lives as long as somebody holds it or waits for it."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def __len__(self) -> int:
        """How many names are held or waited for now."""
        return len(self._locks)

    def of(self, name: str) -> asyncio.Lock:
        """The lock of a name; keep it in an `async with` and nowhere else."""
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = asyncio.Lock()
        return lock
