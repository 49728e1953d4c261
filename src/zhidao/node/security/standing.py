"""Closes what stays open by itself once its session or token stands no more.

A request is asked who it is from each time. A stream of events is asked once and lives for hours:
without a look at its session or token from time to time a leaver would go on reading.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection, Sequence
from typing import Final, Protocol

from zhidao.core.ambient import Clock
from zhidao.node.security.callers import Callers
from zhidao.node.security.gate import Gate

# Half of the second within which a leaver is out.
LOOK_EVERY_S: Final = 0.5
_SESSION: Final = "session "
_TOKEN: Final = "token "  # noqa: S105 (a kind of holder, no secret)


class OpenPages(Protocol):
    """Streams that are open, by the sessions and tokens that opened them."""

    def holders(self) -> set[str]:
        """Whose streams are open."""
        ...

    def close(self, holders: Collection[str]) -> None:
        """Ends the streams that these opened."""
        ...


def of_session(cookie: str) -> str:
    """The holder of a stream that a session's cookie opened; the cookie itself is not kept."""
    return f"{_SESSION}{hashlib.sha256(cookie.encode()).hexdigest()}"


class Standing:
    """Looks, while any stream is open, whether those who opened them still may read."""

    def __init__(self, callers: Callers, gate: Gate, clock: Clock) -> None:
        self._callers = callers
        self._gate = gate
        self._clock = clock

    async def run(self, every: Sequence[OpenPages]) -> None:
        """Looks for ever."""
        while True:
            await self.look(every)
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self, every: Sequence[OpenPages]) -> None:
        """Closes what nobody may read any more: one question to the database, if any."""
        open_now = set().union(*(each.holders() for each in every))
        if gone := open_now - await self._standing(open_now):
            for each in every:
                each.close(gone)

    async def _standing(self, holders: set[str]) -> set[str]:
        hashes = [bytes.fromhex(each[len(_SESSION) :]) for each in holders if _is_session(each)]
        found = await self._callers.standing(hashes, self._clock.now()) if hashes else set()
        tokens = {each for each in holders if not _is_session(each)}
        standing = {each for each in tokens if await self._gate.stands(each[len(_TOKEN) :])}
        return standing | {f"{_SESSION}{each.hex()}" for each in found}


def _is_session(holder: str) -> bool:
    return holder.startswith(_SESSION)
