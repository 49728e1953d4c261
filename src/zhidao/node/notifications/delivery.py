"""Sends what is due, one message an address at a time, again after a pause where it fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from zhidao.core.ambient import Clock, Randomness
from zhidao.core.errors import Refused, Unavailable
from zhidao.core.retry_policy import RetryPolicy
from zhidao.core.timescale import NS
from zhidao.node.notifications.message import (
    About,
    Address,
    AddressState,
    Channel,
    Message,
    State,
)
from zhidao.node.notifications.ports import AddressEnded, Store, Transport

# Twelve tries are spread over some eight hours; then a person looks.
PAUSES: Final = RetryPolicy(first_s=4.0, longest_s=3600.0, jitter=0.25, attempts_max=14)
PARALLEL: Final = 32
KEPT_DAYS: Final = 30
_LOOK_S: Final = 1.0
_FORGET_EVERY_S: Final = 3600.0
_REASON_CHARACTERS: Final = 300
_LOG: Final = logging.getLogger("zhidao.notifications")


class Delivery:
    """Hands messages to the channels out."""

    def __init__(
        self,
        store: Store,
        channels: Mapping[Channel, Transport],
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._store = store
        self._ways = channels
        self._clock = clock
        self._randomness = randomness
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._woken = asyncio.Event()
        self._forgotten_s = -_FORGET_EVERY_S

    def wake(self) -> None:
        """There may be something to send."""
        self._woken.set()

    async def run(self) -> None:
        """Sends until cancelled. One address that hangs holds up no other.

        While the node's own database is away nothing is sent, and nothing has failed.
        """
        async with asyncio.TaskGroup() as group:
            while True:
                self._woken.clear()
                try:
                    await self._start(group)
                    await self._forget()
                except Unavailable as error:
                    _waits(error)
                await _within(self._woken.wait, _LOOK_S)

    async def _forget(self) -> None:
        """Drops what is long over, once an hour."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._forgotten_s >= _FORGET_EVERY_S:
            await self._store.forget(self._clock.now().plus_ns(-KEPT_DAYS * 86_400 * NS))
            self._forgotten_s = now_s

    async def send_due(self) -> None:
        """Sends everything that is due now, once."""
        async with asyncio.TaskGroup() as group:
            await self._start(group)

    async def _start(self, group: asyncio.TaskGroup) -> None:
        room = PARALLEL - len(self._busy)
        if room <= 0:
            return
        due = await self._store.due(self._clock.now(), PARALLEL * 4)
        addresses = {each.id: each for each in await self._store.addresses()} if due else {}
        for message in due:
            if message.address in self._busy or room <= 0:
                continue
            room -= 1
            task = group.create_task(self._deliver(message, addresses.get(message.address)))
            self._busy[message.address] = task

    async def _deliver(self, message: Message, address: Address | None) -> None:
        try:
            await self._send(message, address)
        except Unavailable as error:
            # What became of it could not be written down: it is due still, under the same id.
            _waits(error)
        finally:
            self._busy.pop(message.address, None)
            self._woken.set()

    async def _send(self, message: Message, address: Address | None) -> None:
        if address is None or not _takes(address, message):
            await self._settle(message, State.DEAD, "address_ended", "the address is not in use")
            return
        items = await self._store.items(message)
        if message.about is About.WAITS and not items:
            await self._settle(message, State.DROPPED)
            return
        try:
            await self._ways[address.channel].send(address, message, items)
        except AddressEnded as error:
            await self._settle(message, State.DEAD, error.code, str(error))
            await self._store.change_address(address.id, AddressState.ENDED, error.code)
        except Unavailable as error:
            await self._failed(message, error)
        except Refused as error:
            await self._settle(message, State.DEAD, error.code, str(error))
        else:
            await self._settle(message, State.SENT)

    async def _failed(self, message: Message, error: Unavailable) -> None:
        failures = message.attempts + 1
        if PAUSES.is_over(failures):
            await self._settle(message, State.DEAD, error.code, str(error))
            return
        pause_ns = int(PAUSES.pause_s(failures, self._randomness) * NS)
        await self._store.settle(
            message.id,
            State.WAITING,
            at=self._clock.now().plus_ns(pause_ns),
            code=error.code,
            reason=str(error)[:_REASON_CHARACTERS],
        )

    async def _settle(
        self, message: Message, state: State, code: str = "", reason: str = ""
    ) -> None:
        if state is State.DEAD:
            _LOG.warning("notification given up: %s", reason, extra={"code": code})
        await self._store.settle(
            message.id,
            state,
            at=self._clock.now(),
            code=code,
            reason=reason[:_REASON_CHARACTERS],
        )


def _takes(address: Address, message: Message) -> bool:
    if message.about is About.CODE:
        return address.state is AddressState.UNCONFIRMED
    return address.state is AddressState.LIVE


def _waits(error: Unavailable) -> None:
    """Takes an absence of the node's own database for what it is. Raises any other."""
    if not error.is_own_infrastructure:
        raise error
    _LOG.info("notifications wait: %s", error)


async def _within(wait: Callable[[], Awaitable[object]], seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await wait()
    except TimeoutError:
        return
