"""Does again what lost a race: of two who write at once, the second finds what the first wrote.

Every use case reads, decides and writes under the condition that nobody wrote meanwhile. Whoever
loses has written nothing and may read and decide again; then what says the same as what stands
gets its answer, and what says otherwise its own refusal. So no caller has to repeat a request only
because somebody else, or its own retry, was as fast.
"""

from __future__ import annotations

from typing import Any, Final

from litestar.types import ASGIApp

from zhidao.core.access import Access
from zhidao.node.http.access import ACCESS
from zhidao.node.http.problems import LOST_RACE

# Whoever loses so often, against others each time, is told of it.
TRIES_MAX: Final = 4
_READING: Final = frozenset(("GET", "HEAD", "OPTIONS"))


class LostRaces:
    """ASGI behind the router: runs a writing request again whose refusal is a lost race."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Handles one request."""
        access = scope["route_handler"].opt.get(ACCESS)
        known = isinstance(access, Access) and not access.is_open and not access.is_for_nodes
        if not known or scope.get("method", "GET") in _READING:
            await self._app(scope, receive, send)
            return
        body = _Body(receive)
        for _ in range(TRIES_MAX - 1):
            scope.pop(LOST_RACE, None)
            answer = _Unless(scope, send)
            await self._app(scope, body.from_start(), answer.send)
            if not answer.lost:
                return
        await self._app(scope, body.from_start(), send)


class _Unless:
    """Passes an answer on unless it tells of a lost race."""

    def __init__(self, scope: Any, send: Any) -> None:
        self._scope = scope
        self._send = send
        self.lost = False

    async def send(self, message: Any) -> None:
        """Takes a piece of the answer."""
        if message["type"] == "http.response.start" and self._scope.get(LOST_RACE):
            self.lost = True
        if not self.lost:
            await self._send(message)


class _Body:
    """The messages that brought a request's body, as often as they are asked for."""

    def __init__(self, receive: Any) -> None:
        self._receive = receive
        self._came: list[Any] = []

    def from_start(self) -> Any:
        """A `receive` that gives them from the first one on."""
        at = 0

        async def once() -> Any:
            nonlocal at
            if at == len(self._came):
                message = await self._receive()
                if message["type"] != "http.request":
                    return message
                self._came.append(message)
            at += 1
            return self._came[at - 1]

        return once
