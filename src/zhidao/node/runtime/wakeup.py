"""Waking those who wait for something to happen in this process; they look by themselves too."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from zhidao.core.timescale import NS

T = TypeVar("T")


class Wakeup:
    """Counts what happened, so that what happens between a look and the wait is not slept through.

    Who waits reads `count`, looks, and waits for more than that count, as `found` does.

    It is a hint and no message: another process may have done it, so everybody who waits names a
    time after which it looks all the same.
    """

    def __init__(self) -> None:
        self.count = 0
        self._next = asyncio.Event()

    def wake(self) -> None:
        """Wakes all who wait now."""
        self.count += 1
        # A new event for those who come later: clearing this one would race with its waiters.
        self._next.set()
        self._next = asyncio.Event()

    async def after(self, seen: int, *, fallback_ns: int) -> bool:
        """Returns when something happened since `seen`, True, or when the time is over, False."""
        if self.count > seen:
            return True
        try:
            async with asyncio.timeout(fallback_ns / NS):
                await self._next.wait()
        except TimeoutError:
            return False
        return True

    async def found(
        self, look: Callable[[], Awaitable[T | None]], *, within_s: float, fallback_s: float
    ) -> T | None:
        """What `look` finds now, after each wake, or after `fallback_s` without one.

        None where it finds nothing within `within_s`, after a last look.
        """
        end_s = asyncio.get_running_loop().time() + within_s
        while True:
            seen = self.count
            found = await look()
            left_s = end_s - asyncio.get_running_loop().time()
            if found is not None or left_s <= 0:
                return found
            await self.after(seen, fallback_ns=int(NS * min(fallback_s, left_s)))
