"""Messages of one sender that wait at the same moment are taken together.

Each look-up, commit and batch of the ledger is then shared by all that wait: this is group commit
for messages. Whoever comes alone is taken at once; nobody waits for company.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

_Key = TypeVar("_Key", bound=Hashable)
_Answer = TypeVar("_Answer")
# While one batch waits for the database, another is read and judged.
_UNDER_WAY_MAX: Final = 2
MESSAGES_MAX: Final = 256
BYTES_MAX: Final = 4 * 1024 * 1024


class _Waiting(NamedTuple, Generic[_Answer]):
    data: bytes
    answer: asyncio.Future[_Answer]


class Batches(Generic[_Key, _Answer]):
    """Gives messages of one key to `take_many`, as many as wait; each hears its own outcome."""

    def __init__(
        self, take_many: Callable[[_Key, Sequence[bytes]], Awaitable[Sequence[_Answer | Exception]]]
    ) -> None:
        self._take_many = take_many
        self._waiting: dict[_Key, deque[_Waiting[_Answer]]] = defaultdict(deque)
        self._under_way: dict[_Key, set[asyncio.Task[None]]] = defaultdict(set)

    async def take(self, key: _Key, data: bytes) -> _Answer:
        """The message's own answer, or what was raised for it.

        A caller who goes away is not waited for; what was begun for it is carried out.
        """
        waiting = _Waiting[_Answer](data, asyncio.get_running_loop().create_future())
        self._waiting[key].append(waiting)
        self._start(key)
        return await waiting.answer

    def _start(self, key: _Key) -> None:
        under_way = self._under_way[key]
        if self._waiting[key] and len(under_way) < _UNDER_WAY_MAX:
            task = asyncio.create_task(self._one_batch(key))
            under_way.add(task)
            task.add_done_callback(lambda done: self._ended(key, done))

    def _ended(self, key: _Key, task: asyncio.Task[None]) -> None:
        self._under_way[key].discard(task)
        self._start(key)
        if not self._waiting[key] and not self._under_way[key]:
            del self._waiting[key], self._under_way[key]

    async def _one_batch(self, key: _Key) -> None:
        batch = self._cut(key)
        if not batch:
            # The one before, begun in the same turn of the loop, took all that waited.
            return
        try:
            answers = await self._take_many(key, [one.data for one in batch])
        except asyncio.CancelledError:
            for one in batch:
                one.answer.cancel()
            raise
        except Exception as error:  # noqa: BLE001 (each of them hears of it)
            answers = [error] * len(batch)
        for one, answer in zip(batch, answers, strict=True):
            if one.answer.done():
                continue
            if isinstance(answer, Exception):
                one.answer.set_exception(answer)
            else:
                one.answer.set_result(answer)

    def _cut(self, key: _Key) -> list[_Waiting[_Answer]]:
        waiting, batch, size = self._waiting[key], list[_Waiting[_Answer]](), 0
        while waiting and len(batch) < MESSAGES_MAX:
            size += len(waiting[0].data)
            if batch and size > BYTES_MAX:
                break
            batch.append(waiting.popleft())
        return batch
