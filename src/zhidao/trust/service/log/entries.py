"""Entries that others hand in: whoever waits is answered when his entry is in a signed head.

All that arrives while one batch is being written goes into the next one: one commit and one
signature carry many requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from zhidao.core.errors import MalformedInput, Unavailable, ZhidaoError
from zhidao.trust.service.log.ports import LogStore
from zhidao.trust.service.log.sequencer import Sequencer

# What may be handed in is a salted commitment, so nothing private can reach the public log.
COMMITMENT_BYTES: Final = 32
COMMITMENTS_MAX: Final = 256
COMMITMENT_PREFIX: Final = b"zhidao.commitment.v1\n"
_WAITING_LEAVES_MAX: Final = 64 * 1024
_BATCH_LEAVES: Final = 4096


@dataclass(frozen=True, slots=True)
class Integrated:
    """Where entries stand, and the signed head that covers them."""

    first: int
    count: int
    checkpoint: bytes


@dataclass(slots=True)
class _Waiting:
    leaves: Sequence[bytes]
    answer: asyncio.Future[Integrated] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


def commitment_leaves(data: bytes) -> tuple[bytes, ...]:
    """The leaves of commitments that stand one after another, 32 bytes each.

    Raises MalformedInput unless they are 1 to 256.
    """
    count, rest = divmod(len(data), COMMITMENT_BYTES)
    if rest or not 1 <= count <= COMMITMENTS_MAX:
        raise MalformedInput(
            f"{len(data)} bytes are not 1 to {COMMITMENTS_MAX} commitments of 32 bytes"
        )
    size = COMMITMENT_BYTES
    return tuple(COMMITMENT_PREFIX + data[at : at + size] for at in range(0, len(data), size))


class Entries:
    """Takes leaves and gives back where they stand. Let `run` run."""

    def __init__(self, log: Sequencer, store: LogStore) -> None:
        self._log = log
        self._store = store
        self._queue: list[_Waiting] = []
        self._queued = 0
        self._woken = asyncio.Event()
        self._unsigned: list[tuple[_Waiting, int]] = []
        self._written = asyncio.Event()

    async def add(self, leaves: Sequence[bytes]) -> Integrated:
        """Appends leaves and waits until a signed head covers them.

        Raises Unavailable (`busy`) if too many wait, and what the log raises: after any failure
        it is unknown whether the leaves stand, and the same leaves may be handed in again.
        """
        if self._queued + len(leaves) > _WAITING_LEAVES_MAX:
            raise Unavailable(
                f"too many entries wait for the log; at most {_WAITING_LEAVES_MAX} may",
                code="busy",
            )
        waiting = _Waiting(leaves)
        self._queue.append(waiting)
        self._queued += len(leaves)
        self._woken.set()
        return await waiting.answer

    async def run(self) -> None:
        """Writes batch after batch until cancelled; signing one overlaps with writing the next."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._write_forever())
            both.create_task(self._sign_forever())

    async def _write_forever(self) -> None:
        while True:
            await self._woken.wait()
            # Cleared before the queue is looked at: what comes in meanwhile sets it again.
            self._woken.clear()
            while self._queue:
                batch = self._take()
                try:
                    await self._write(batch)
                except ZhidaoError as error:
                    _refuse(batch, error)

    def _take(self) -> list[_Waiting]:
        count = leaves = 0
        for waiting in self._queue:
            # The first of a batch goes whatever its size; else a large one would wait for ever.
            if count and leaves + len(waiting.leaves) > _BATCH_LEAVES:
                break
            count += 1
            leaves += len(waiting.leaves)
        batch, self._queue = self._queue[:count], self._queue[count:]
        self._queued -= leaves
        return batch

    async def _write(self, batch: Sequence[_Waiting]) -> None:
        leaves = [leaf for waiting in batch for leaf in waiting.leaves]
        async with self._store.transaction() as transaction:
            appended = await self._log.append(transaction, leaves)
        at = appended.first
        for waiting in batch:
            # Answered only by the signer: a leaf without a signed head over it proves nothing to
            # anybody.
            self._unsigned.append((waiting, at))
            at += len(waiting.leaves)
        self._written.set()

    async def _sign_forever(self) -> None:
        """One signature for all that is committed by then."""
        while True:
            await self._written.wait()
            self._written.clear()
            # Taken before signing: the head that is signed next covers all of these, and those that
            # are written during the signature wait for the one after.
            written, self._unsigned = self._unsigned, []
            try:
                checkpoint = await self._log.sign_checkpoint()
            except ZhidaoError as error:
                _refuse([waiting for waiting, _ in written], error)
                continue
            for waiting, first in written:
                if not waiting.answer.done():
                    waiting.answer.set_result(Integrated(first, len(waiting.leaves), checkpoint))


def _refuse(batch: Sequence[_Waiting], error: ZhidaoError) -> None:
    for waiting in batch:
        if not waiting.answer.done():
            # A raised exception bears a traceback: each who waits gets one of its own.
            told = type(error)(
                str(error.args[0]), code=error.code, where=error.where, remedy=error.remedy
            )
            waiting.answer.set_exception(told)
