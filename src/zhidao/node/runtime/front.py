"""What a process answers with: the node while it holds its leases, a standby while it does not."""

from __future__ import annotations

import asyncio
import hmac
from typing import Any, Final

from zhidao.core.errors import Unavailable
from zhidao.node.runtime.standby import PASSED, Standby, refuse

# Requests under way when the leases were lost end by themselves, or are ended after that.
GRACE_S: Final = 1.0


class Front:
    """An ASGI application whose inside changes.

    `password`: what another process of this node bears that passes a request on. Only from such a
    one the front takes word of who asked and where.
    """

    def __init__(self, standby: Standby, password: str) -> None:
        self._standby = standby
        self._password = password.encode()
        self._node: Any = None
        self._running: set[asyncio.Task[Any]] = set()
        self._ended: set[asyncio.Task[Any]] = set()

    @property
    def serves(self) -> bool:
        """Whether the node itself answers here."""
        return self._node is not None

    def serve(self, node: Any) -> None:
        """From now on the node answers."""
        self._node = node

    async def withdraw(self) -> None:
        """From now on the standby answers; what the node is about ends soon."""
        self._node = None
        if self._running:
            await asyncio.wait(self._running, timeout=GRACE_S)
        for task in set(self._running):
            self._ended.add(task)
            task.cancel()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers one request."""
        scope, passed = self._opened(scope)
        node = self._node
        if node is None:
            await self._standby(scope, receive, send, passed=passed)
            return
        task = asyncio.current_task()
        assert task is not None, "a server answers each request in a task"
        begun = False

        async def noted(message: Any) -> None:
            nonlocal begun
            begun = True
            await send(message)

        self._running.add(task)
        try:
            await node(scope, receive, noted)
        except asyncio.CancelledError:
            if task not in self._ended or begun:
                raise
            task.uncancel()
            lost = "this process has lost its lease to another"
            await refuse(send, Unavailable(lost, code="lease_lost"))
        finally:
            self._running.discard(task)
            self._ended.discard(task)

    def _opened(self, scope: Any) -> tuple[Any, bool]:
        """The request as its caller sent it, and whether another process passed it on."""
        said = [value for name, value in scope["headers"] if name == PASSED]
        if not said:
            return scope, False
        headers = [pair for pair in scope["headers"] if pair[0] != PASSED]
        plain = dict(scope) | {"headers": headers}
        words = said[0].split(b" ")
        if len(said) != 1 or len(words) != 3 or not self._password:
            return plain, False
        if not hmac.compare_digest(words[0], self._password):
            return plain, False
        client, reached = words[1].decode("latin-1"), words[2].decode("latin-1")
        return plain | {"client": (client, 0), "server": (reached, 0)}, True
