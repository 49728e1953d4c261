"""Carries payments out on their day, by itself, also if the node was away when the day began.

Each round takes what is due: the order is released, so that nobody cancels it any more, and its
instruction is taken once more; what is booked already is found. What waits for somebody, or fails,
is looked at again at growing distances.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from zhidao.core.ambient import Clock
from zhidao.core.archive import Archive
from zhidao.core.errors import Conflict, ZhidaoError
from zhidao.core.retry_policy import RetryPolicy
from zhidao.core.timescale import NS
from zhidao.finance.domain.payments.payment_order import moment_of
from zhidao.finance.service.ledger.accounts import Accounts
from zhidao.finance.service.payments.payment_orders import PaymentOrders, unix_ns
from zhidao.finance.service.payments.resuming import Step

_LOG: Final = logging.getLogger(__name__)
DUE_MAX: Final = 64
"""So many orders are looked at in one round; the others come in the next."""
_TICK_S: Final = 2.0
_WAITS: Final = RetryPolicy(first_s=10, longest_s=3_600)


class ExecutionDays:
    """Takes on what is due."""

    def __init__(
        self,
        *,
        orders: PaymentOrders,
        accounts: Accounts,
        archive: Archive,
        clock: Clock,
        carry: Callable[[Step], Awaitable[object]],
    ) -> None:
        """`carry`: takes a message at a bank, and what follows from it at the others."""
        self._orders = orders
        self._accounts = accounts
        self._archive = archive
        self._clock = clock
        self._carry = carry
        self._times: dict[str, int] = {}
        """How often each order that is open was gone on with in vain."""

    async def run(self) -> None:
        """A round every few seconds."""
        while True:
            try:
                await self.tick()
            except ZhidaoError as error:
                _LOG.warning("payments that are due are unknown for now: %s", error)
            await asyncio.sleep(_TICK_S)

    async def tick(self) -> None:
        """Carries out once what is due."""
        for name in await self._orders.due(self._clock.now(), limit=DUE_MAX):
            try:
                await self._one(name)
            except Conflict:
                continue  # Cancelled or gone on with in this moment: the next round looks again.
            except ZhidaoError as error:
                _LOG.warning("payment order %s waits: %s", name, error)
                await self._later(name)

    async def _one(self, name: str) -> None:
        order = await self._orders.named(name)
        now = self._clock.now()
        if order is None:
            # Announced and not there: its writer is at work, or never will be again.
            await self._later(name)
            return
        moments = order.due(now.to_datetime())
        if moments:
            order = await self._orders.release(order, moments)
        if order.released:
            bank = await self._accounts.bank(order.awaited.bank)
            data = await self._archive.get(order.awaited.digest)
            await self._carry(Step(bank, order.awaited.sender, data))
            order = await self._orders.named(name)
            assert order is not None, "an order is never taken away"
        if order.released:
            await self._later(name)
            return
        self._times.pop(name, None)
        if order.is_open:
            await self._orders.look_again(name, at_ns=unix_ns(moment_of(order.next_at)))
        else:
            await self._orders.close(name)

    async def _later(self, name: str) -> None:
        times = self._times[name] = self._times.get(name, 0) + 1
        wait_ns = int(_WAITS.ceiling_s(times)) * NS
        await self._orders.look_again(name, at_ns=self._clock.now().unix_ns + wait_ns)
