"""Rounds over open conditional payments: to those that are due, and to a few others in turn.

A round costs the same however many are open. What fell between two writes, when a process ended,
is found by the sweep at the next start; what an outage left, by the others that come in turn.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from zhidao.core.ambient import Clock
from zhidao.core.errors import Unavailable, ZhidaoError
from zhidao.core.retry_policy import RetryPolicy
from zhidao.core.timescale import NS
from zhidao.finance.service.ports import EscrowIndex

_LOG: Final = logging.getLogger(__name__)
DUE_MAX: Final = 256
"""So many that are due are looked at in one round; the others come in the next."""
OTHERS_MAX: Final = 16
"""So many of the others are looked at in one round, in turn."""
_TICK_S: Final = 1.0
_PAGE: Final = 200
_WAITS: Final = RetryPolicy(first_s=1, longest_s=3_600)
"""After how long one that fails is looked at again."""


class EscrowRounds:
    """Looks at conditional payments when it is time to."""

    def __init__(
        self, index: EscrowIndex, clock: Clock, look: Callable[[str], Awaitable[bool]]
    ) -> None:
        """`look`: takes one on by its key; False if there is none, ZhidaoError if it waits."""
        self._index = index
        self._clock = clock
        self._look = look
        self._said: dict[str, tuple[str, int]] = {}
        """What each that waits was last said to wait for, and how often it failed in a row."""
        self._after = ""

    async def run(self) -> None:
        """Goes once through all open ones, then each second to those that are due."""
        await self.sweep()
        while True:
            await self.tick()
            await asyncio.sleep(_TICK_S)

    async def sweep(self) -> None:
        """Takes every open one on: what a crash left, page by page."""
        after = ""
        while keys := await self._index.open(after=after, limit=_PAGE):
            for key in keys:
                await self._one(key)
            after = keys[-1]

    async def tick(self) -> None:
        """Takes on what is due by time, and a few of the others in turn."""
        try:
            due = await self._index.due(now_ns=self._clock.now().unix_ns, limit=DUE_MAX)
            others = await self._index.open(after=self._after, limit=OTHERS_MAX)
            self._after = "" if len(others) < OTHERS_MAX else others[-1]
            for key in dict.fromkeys((*due, *others)):
                await self._one(key)
        except Unavailable as error:
            _LOG.warning("open conditional payments are unknown for now: %s", error)

    async def _one(self, key: str) -> None:
        """One step on with one of them; what fails waits longer each time."""
        try:
            if await self._look(key):
                self._said.pop(key, None)
            else:  # Its opening was given up after it was announced.
                await self._put_off(key, int(_WAITS.longest_s))
        except ZhidaoError as error:
            why, failures = self._said.get(key, ("", 0))
            if why != str(error):
                _LOG.warning("conditional payment %s waits: %s", key, error)
            self._said[key] = (str(error), failures + 1)
            await self._put_off(key, int(_WAITS.ceiling_s(failures + 1)))

    async def _put_off(self, key: str, wait_s: int) -> None:
        await self._index.put_off(key, until_ns=self._clock.now().unix_ns + wait_s * NS)
