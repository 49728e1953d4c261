"""What persons decided and a process left undone is done again: nobody need say it once more.

A word is written down before it is acted on. After a start all that was decided while words count
is acted on once more, for acts that find what they did; later what failed, at growing distances.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from zhidao.core.ambient import Clock
from zhidao.core.errors import ZhidaoError
from zhidao.core.retry_policy import RetryPolicy
from zhidao.core.timescale import NS
from zhidao.finance.service.control.approvals import Approvals

_LOG: Final = logging.getLogger(__name__)
_TICK_S: Final = 5.0
_WAITS: Final = RetryPolicy(first_s=10, longest_s=3_600)


class ActingAgain:
    """Acts once more on what is decided."""

    def __init__(self, approvals: Approvals, clock: Clock) -> None:
        self._approvals = approvals
        self._clock = clock
        self._started = False
        self._due: dict[str, tuple[int, int]] = {}
        """How often each was acted on in vain, and when (Unix ns) it is due again."""

    async def run(self) -> None:
        """A round every few seconds."""
        while True:
            try:
                await self.tick()
            except ZhidaoError as error:
                _LOG.warning("what is decided and not done is unknown for now: %s", error)
            await asyncio.sleep(_TICK_S)

    async def tick(self) -> None:
        """Acts once on what is due."""
        now_ns = self._clock.now().unix_ns
        if not self._started:
            self._due = dict.fromkeys(await self._approvals.decided(), (0, now_ns))
            self._started = True
        for name in self._approvals.undone - self._due.keys():
            # Whoever gave the word may still be at work on it.
            self._due[name] = (0, now_ns + int(_WAITS.ceiling_s(1)) * NS)
        for name, (times, due_ns) in list(self._due.items()):
            if due_ns > now_ns:
                continue
            try:
                await self._approvals.act_again(name)
                del self._due[name]
            except ZhidaoError as error:
                _LOG.warning("approval %s is decided and waits: %s", name, error)
                wait_ns = int(_WAITS.ceiling_s(times + 1)) * NS
                self._due[name] = (times + 1, now_ns + wait_ns)
