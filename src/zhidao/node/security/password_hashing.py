"""Password hashing in a bounded queue of its own, fair by who asks, off the event loop.

A hash takes 64 MiB and some 30 ms on purpose. Whoever sends many passwords waits behind his own;
everybody else's turn comes as if he had sent one.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, Final, TypeVar

from zhidao.core.encoding import base64url
from zhidao.core.errors import Refused

HASHES_AT_ONCE: Final = 2
WAITING_OF_ONE_MAX: Final = 4
WAITING_MAX: Final = 512
_T = TypeVar("_T")


class Busy(Refused):
    """More passwords than one place may have waiting."""

    http_status = 429
    default_code = "too_many_tries"


class FairQueue:
    """Runs work in threads, a few pieces at once, taking turns between those who ask."""

    def __init__(self, executor: Executor, at_once: int = HASHES_AT_ONCE) -> None:
        self._executor = executor
        self._free = at_once
        self._waiting: OrderedDict[str, deque[tuple[Callable[[], Any], asyncio.Future[Any]]]] = (
            OrderedDict()
        )
        self._running: set[asyncio.Task[None]] = set()

    def check(self, source: str) -> None:
        """Raises Busy if this source has as much waiting as it may, or everybody together has."""
        own = len(self._waiting.get(source, ()))
        if own >= WAITING_OF_ONE_MAX or sum(map(len, self._waiting.values())) >= WAITING_MAX:
            raise Busy(
                f"too many tries at once: {WAITING_OF_ONE_MAX} of one place wait, and"
                f" {WAITING_MAX} of all; wait a few seconds"
            )

    async def run(self, source: str, work: Callable[[], _T]) -> _T:
        """What the work gives, once its turn came. Raises Busy, and whatever the work raises."""
        self.check(source)
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(source, deque()).append((work, done))
        self._start()
        result: _T = await done
        return result

    def _start(self) -> None:
        while self._free and self._waiting:
            source, pieces = self._waiting.popitem(last=False)
            work, done = pieces.popleft()
            if pieces:
                # Behind all others that wait.
                self._waiting[source] = pieces
            if done.cancelled():
                continue
            self._free -= 1
            task = asyncio.create_task(self._run(work, done))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _run(self, work: Callable[[], Any], done: asyncio.Future[Any]) -> None:
        loop = asyncio.get_running_loop()
        try:
            result = await loop.run_in_executor(self._executor, work)
        except Exception as error:  # noqa: BLE001 (told to whoever waits for it)
            if not done.done():
                done.set_exception(error)
        else:
            if not done.done():
                done.set_result(result)
        finally:
            self._free += 1
            self._start()


class Passwords:
    """Makes and checks password hashes (argon2id), each in its turn."""

    def __init__(self, secret: bytes) -> None:
        """`secret`: of which nobody's hash is made, random."""
        # argon2-cffi is imported here because only a running node needs it.
        from argon2 import PasswordHasher

        self._hasher = PasswordHasher()
        executor = ThreadPoolExecutor(HASHES_AT_ONCE, "password")
        self._queue = FairQueue(executor)
        # Before every other piece, and without holding up the node's start.
        self._nobody = executor.submit(self._hasher.hash, base64url(secret))

    def check_turn(self, source: str) -> None:
        """Raises Busy if this source may not wait for another one."""
        self._queue.check(source)

    async def hashed(self, password: str, source: str) -> str:
        """The hash to keep of a password. Raises Busy."""
        return await self._queue.run(source, lambda: self._hasher.hash(password))

    async def fits(self, known: str, password: str, source: str) -> bool:
        """Whether a password is the one of a kept hash; without one it costs the same and is not.

        Raises Busy.
        """
        right = await self._queue.run(
            source, lambda: self._verified(known or self._nobody.result(), password)
        )
        return right and bool(known)

    def _verified(self, known: str, password: str) -> bool:
        from argon2.exceptions import VerificationError

        try:
            return self._hasher.verify(known, password)
        except VerificationError:
            return False
