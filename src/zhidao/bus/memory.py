"""The bus inside one process, for unit tests and simulation; it forgets when it goes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from zhidao.bus.delivery import Handle, OnDead, deliver, matches
from zhidao.bus.port import Message
from zhidao.core.errors import Unavailable
from zhidao.core.retry_policy import RetryPolicy

_QUICK = RetryPolicy(first_s=0.001, longest_s=0.02)


class MemoryBus:
    """Implements `bus.port.Bus`. `messages` holds all that was published, in order."""

    def __init__(self, pauses: RetryPolicy = _QUICK) -> None:
        self.messages: list[Message] = []
        self._ids: set[str] = set()
        self._done: dict[str, int] = {}
        self._grown = asyncio.Condition()
        self._pauses = pauses
        self._closed = False

    async def publish(self, messages: Sequence[Message]) -> None:
        """Stores in order what is not known by its id."""
        if self._closed:
            raise Unavailable("the bus is closed", code="bus_unavailable")
        for message in messages:
            if message.id not in self._ids:
                self._ids.add(message.id)
                self.messages.append(message)
        async with self._grown:
            self._grown.notify_all()

    async def consume(
        self, *, name: str, subjects: Sequence[str], handle: Handle, on_dead: OnDead
    ) -> None:
        """Runs until cancelled; a consumer of the same name goes on where the last one ended."""
        while True:
            position = self._done.get(name, 0)
            async with self._grown:
                while len(self.messages) <= position:
                    await self._grown.wait()
            message = self.messages[position]
            if any(matches(message.subject, pattern) for pattern in subjects):
                await deliver(message, handle, on_dead, self._pauses)
            self._done[name] = position + 1

    async def newest_id(self) -> str | None:
        """The id of the last message, or None."""
        return self.messages[-1].id if self.messages else None

    @property
    def generation(self) -> int:
        """Always 0: there is no connection to lose."""
        return 0

    async def ready(self) -> bool:
        """Whether it was not closed."""
        return not self._closed

    async def lacking(self) -> int:
        """None: it has one copy, and wants no other."""
        return 0

    async def close(self) -> None:
        """Refuses what comes later."""
        self._closed = True
