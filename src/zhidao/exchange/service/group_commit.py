"""Many small transactions as one: whoever comes while one commits goes into the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

from zhidao.core.errors import ZhidaoError
from zhidao.exchange.service.ports import Book, Store, Stream

T = TypeVar("T")
_AT_ONCE: Final = 32
# Those that come within this time share a commit.
_GATHER_S: Final = 0.010


@dataclass(frozen=True, slots=True)
class _Waiting:
    work: Callable[[Book], Awaitable[Any]]
    sent: UUID
    stream: Stream
    answer: asyncio.Future[Any]


class GroupCommit:
    """Runs works in shared transactions; each hears of its own outcome only.

    A work that refuses must do so before it writes.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[_Waiting] = []
        self._drain: asyncio.Task[None] | None = None

    async def run(self, work: Callable[[Book], Awaitable[T]], *, sent: UUID, stream: Stream) -> T:
        """The work's answer, once it is durable. Raises what the work raises.

        `sent`, `stream`: the outbox row that it asks for and the stream of which it may take a
        number; they are looked up with those of the others.
        """
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(work, sent, stream, answer))
        if self._drain is None or self._drain.done():
            self._drain = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        while self._waiting:
            # One commit costs the disk as much as many: a moment's wait for company pays for itself
            # from the second document on.
            await asyncio.sleep(_GATHER_S)
            batch, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
            try:
                answers: Sequence[Any] = await self._store.run(_all(batch))
            except Exception as error:  # noqa: BLE001 (each of them hears of it)
                if len(batch) == 1:
                    answers = [error]
                else:
                    # One of them may be to blame: alone, each hears of its own fault.
                    answers = [await self._alone(each) for each in batch]
            for each, answer in zip(batch, answers, strict=True):
                if each.answer.done():
                    continue
                if isinstance(answer, Exception):
                    each.answer.set_exception(answer)
                else:
                    each.answer.set_result(answer)

    async def _alone(self, one: _Waiting) -> Any:
        try:
            return await self._store.run(one.work)
        except Exception as error:  # noqa: BLE001 (it is handed to the one who asked)
            return error


def _all(batch: Sequence[_Waiting]) -> Callable[[Book], Awaitable[Sequence[Any]]]:
    async def work(book: Book) -> Sequence[Any]:
        answers: list[Any] = []
        await book.look_up(
            sent=[each.sent for each in batch], numbering={each.stream for each in batch}
        )
        for each in batch:
            try:
                answers.append(await each.work(book))
            except ZhidaoError as error:
                if error.exit_status == 3:
                    raise
                answers.append(error)
        return answers

    return work
