"""Signed requests that were seen: each opens one writing request, also after a crash.

What was seen is in the database before anything is done. Many requests share one transaction:
while one batch is being committed, the next gathers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from zhidao.core.ambient import Clock
from zhidao.core.errors import Unavailable
from zhidao.core.timescale import NS
from zhidao.node.security.http_signatures import (
    CLOCK_S_MAX,
    Message,
    Signed,
    mark_of,
    minute_of,
    replayed,
)

BATCH_MAX: Final = 512
WAITING_MAX: Final = 8192
RECENT_MAX: Final = 50_000
# No request is taken so long after it was signed; twice that, for a clock that was put back.
KEPT_MINUTES: Final = 2 * CLOCK_S_MAX // 60 + 1
Seen = tuple[int, bytes]


class SeenStore(Protocol):
    """Where it is kept which signed requests were seen."""

    async def take(self, marks: Sequence[Seen]) -> frozenset[bytes]:
        """Keeps pairs of minute and mark durably; returns the marks that are new."""
        ...

    async def forget(self, before_minute: int) -> None:
        """Forgets what was signed before this minute."""
        ...


class SeenRequests:
    """Uses signed requests up, one batch after the other."""

    def __init__(self, store: SeenStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting: list[tuple[Seen, asyncio.Future[bool]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._forgotten = 0
        # The newest ones, so that a used request costs neither its body nor the database.
        self._recent: set[Seen] = set()
        self._former: set[Seen] = set()

    def refuse_used(self, signed: Signed, message: Message) -> None:
        """Raises Unauthenticated for a request that this process knows as used; keeps nothing."""
        seen = (minute_of(signed), mark_of(signed, message))
        if seen in self._recent or seen in self._former:
            raise replayed()

    async def use(self, signed: Signed, message: Message) -> None:
        """Uses a request up, whose signature holds. Returns once that is durable.

        Raises Unauthenticated (`signature_replayed`) if it was seen before, Unavailable.
        """
        if minute_of(signed) < self._forgotten:
            raise replayed()
        if len(self._waiting) >= WAITING_MAX:
            raise Unavailable(
                f"{WAITING_MAX} signed requests wait at once already; try again in a second"
            )
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        seen = (minute_of(signed), mark_of(signed, message))
        self._waiting.append((seen, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        new = await done
        self._note(seen)
        if not new:
            raise replayed()

    def _note(self, seen: Seen) -> None:
        if len(self._recent) >= RECENT_MAX:
            self._former, self._recent = self._recent, set()
        self._recent.add(seen)

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
            try:
                await self._forget()
                new = set(await self._store.take([seen for seen, _ in batch]))
            except BaseException as error:
                _fail(batch, error)
                if not isinstance(error, Exception):
                    raise
                continue
            for (_, mark), done in batch:
                # Of one request that came twice in a batch the first is the one.
                if not done.done():
                    done.set_result(mark in new)
                new.discard(mark)

    async def _forget(self) -> None:
        oldest = self._clock.now().unix_ns // NS // 60 - KEPT_MINUTES
        if oldest > self._forgotten:
            await self._store.forget(oldest)
            self._forgotten = oldest


def _fail(batch: Sequence[tuple[Seen, asyncio.Future[bool]]], error: BaseException) -> None:
    told = error if isinstance(error, Exception) else Unavailable("the node stops; sign it anew")
    for _, done in batch:
        if not done.done():
            done.set_exception(told)
