"""Payments that a process left half done are gone on with: nobody need send them again.

What is under way is told by the ledger: each reservation bears the mark of the message that asked
for it, and that message, which is kept before anything is booked, is taken once more. What stands
already is found and answered alike, so a payment that only waits for a slow bank comes to no harm.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, Protocol

from zhidao.core.ambient import Clock
from zhidao.core.archive import Archive
from zhidao.core.errors import ZhidaoError
from zhidao.core.retry_policy import RetryPolicy
from zhidao.core.timescale import NS
from zhidao.finance.domain.ledger.records import Movement, Name, uuid_of
from zhidao.finance.domain.naming import TransferCode
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.ledger.accounts import Accounts
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.payments.directory import Directory
from zhidao.finance.service.ports import MessageIndex, Remembered
from zhidao.finance.wire.iso20022.messages.messages import decode
from zhidao.finance.wire.iso20022.syntax.envelope import read_envelope

_LOG: Final = logging.getLogger(__name__)
_TICK_S: Final = 5.0
_QUIET_NS: Final = 20 * NS
"""So long a reservation may be open before anybody wonders: its caller may still be at work."""
_CODES: Final = frozenset({TransferCode.BETWEEN_BANKS, TransferCode.RETURN})
_WAITS: Final = RetryPolicy(first_s=20, longest_s=3_600)

OWNERS_MAX: Final = 100_000
"""Accounts whose bank and holder are remembered; more are read again."""


class Step(NamedTuple):
    """A message that is to be taken once more: at which bank, from whom."""

    at: BankAdmitted
    sender: str
    data: bytes


class GoesOn(Protocol):
    """Takes a message once more. `person`: None if it was allowed before, in all."""

    def __call__(self, step: Step, *, person: str | None) -> Awaitable[object]:
        """What follows from it is carried to the other banks."""
        ...


class _Origin(NamedTuple):
    bank: str
    holder: str
    mark: int


class Unfinished:
    """Finds what is reserved between banks, and goes on with it."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        accounts: Accounts,
        directory: Directory,
        index: MessageIndex,
        archive: Archive,
        clock: Clock,
        carry: Callable[[Step], Awaitable[object]],
    ) -> None:
        """`carry`: takes a message at a bank, and what follows from it at the others."""
        self._ledger = ledger
        self._accounts = accounts
        self._directory = directory
        self._index = index
        self._archive = archive
        self._clock = clock
        self._carry = carry
        self._tried: dict[_Origin, tuple[int, int]] = {}
        """How often each was gone on with, and when (Unix ns) it is due again."""
        self._owners: dict[Name, tuple[str, str]] = {}

    async def run(self) -> None:
        """All that is open after a start, then what stays open, at growing distances."""
        quiet_ns = 0
        while True:
            try:
                await self.tick(quiet_ns=quiet_ns)
                quiet_ns = _QUIET_NS
            except ZhidaoError as error:
                _LOG.warning("payments under way are unknown for now: %s", error)
            await asyncio.sleep(_TICK_S)

    async def tick(self, *, quiet_ns: int = _QUIET_NS) -> None:
        """Goes on once with what was reserved so long ago and is due."""
        now_ns = self._clock.now().unix_ns
        origins = await self._origins(before_ns=now_ns + (-quiet_ns or NS))
        self._tried = {one: told for one, told in self._tried.items() if one in origins}
        for one in origins:
            times, due_ns = self._tried.get(one, (0, 0))
            if due_ns > now_ns:
                continue
            self._tried[one] = (times + 1, now_ns + int(_WAITS.ceiling_s(times + 1)) * NS)
            step = await self._step(one)
            if step is None:
                continue
            try:
                await self._carry(step)
            except ZhidaoError as error:
                _LOG.warning("a payment under way at %s waits: %s", one.bank, error)

    async def steps(self) -> list[Step]:
        """What is to be taken once more for all that is reserved now."""
        # The ledger's time runs ahead of the clock's where much is booked in one moment.
        origins = await self._origins(before_ns=self._clock.now().unix_ns + NS)
        found = [await self._step(one) for one in origins]
        return [one for one in found if one is not None]

    async def _origins(self, *, before_ns: int) -> list[_Origin]:
        """The messages behind what is reserved, each once, the oldest first."""
        found: dict[_Origin, int] = defaultdict(int)
        for currency in await self._ledger.shards():
            for one in await self._ledger.reserved(currency):
                if one.code in _CODES and one.user_data_64 and one.timestamp <= before_ns:
                    origin = await self._origin(one)
                    found[origin] = found[origin] or one.timestamp
        return sorted(found, key=found.__getitem__)

    async def _origin(self, one: Movement) -> _Origin:
        owner = self._owners.get(one.debit_account_id)
        if owner is None:
            opened = await self._accounts.opened(uuid_of(one.debit_account_id))
            assert opened is not None, "a reservation debits an account that is open"
            if len(self._owners) >= OWNERS_MAX:
                self._owners.clear()
            owner = self._owners[one.debit_account_id] = (opened.bank, opened.holder)
        return _Origin(*owner, one.user_data_64)

    async def _step(self, one: _Origin) -> Step | None:
        sent = (await self._index.of_marks(one.bank, [one.mark])).get(one.mark)
        if sent is None:
            return None  # A deal, a credit or another act, which goes on by itself.
        bank = await self._accounts.bank(one.bank)
        data = await self._archive.get(sent.digest)
        if sent.definition.startswith("pain.001"):
            return Step(bank, one.holder, data)
        return await self._return(bank, sent, data)

    async def _return(self, bank: BankAdmitted, sent: Remembered, data: bytes) -> Step | None:
        if not sent.definition.startswith("pacs.004"):
            return None
        receiver = getattr(decode(read_envelope(data)), "receiver", "")
        other = await self._directory.bank_of(receiver)
        return None if other is None else Step(other, bank.bank, data)
