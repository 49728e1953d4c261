"""Guards: accounts that have titles for an owner, whom guardians can replace after a time lock.

A party that fears for its key lets a guard hold its titles. Everybody signs for himself: the owner,
its guardians, whoever says that the lock has run out. The node logs what the chain would take, and
executes it; it can do nothing in a guard's name.
"""

from __future__ import annotations

from typing import Final

import msgspec

from zhidao.core.access import access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.errors import Refused
from zhidao.core.timescale import NS
from zhidao.trust.domain.evm import Address, Transaction, address_text
from zhidao.trust.service.chain.ports import Executor
from zhidao.trust.service.chain.submissions import ChainLog, Submission
from zhidao.trust.service.chain.title_records import TitleRecords
from zhidao.trust.wire.evm.keccak import created_address
from zhidao.trust.wire.evm.title_guard import acted, guard_terms, is_guard_call
from zhidao.trust.wire.evm.transaction import decode

# Whose guard it is the chain knows by the signature.
MAY_SPEAK_TO_GUARD: Final = access(Role.PARTY)


class GuardActed(msgspec.Struct, frozen=True, kw_only=True):
    """What a logged transaction did with a guard: which guard, which act, its hash (`0x…`)."""

    guard: str
    transaction: str


class TitleGuards:
    """The guards on a node's chain."""

    def __init__(self, executor: Executor, log: ChainLog, told: TitleRecords, clock: Clock) -> None:
        self._executor = executor
        self._log = log
        self._told = told
        self._clock = clock

    async def send(self, actor: Actor, raw: bytes) -> GuardActed:
        """Logs and executes a signed transaction that creates a guard or speaks to one; idempotent.

        A title is moved through a guard by `TitleService.send`, which knows who may see it.
        Raises Refused: `no_guard` for anything else, or the guard's own reason.
        """
        MAY_SPEAK_TO_GUARD.admit(actor)
        transaction = decode(raw)
        guard = await self._guard_of(transaction)
        if await self._log.find(transaction.hash) is None:
            await self._executor.meet(transaction.sender)
            (await self._log.admission()).check(transaction)
            await self._executor.check_offer(transaction, is_paid_here=False)
            now_s = self._clock.now().unix_ns // NS
            await self._executor.try_out(transaction, now_s)
            await self._log.submit(lambda _: [Submission(actor, raw, "guard", "")])
        await self._told.executed(transaction.hash)
        return GuardActed(guard=address_text(guard), transaction="0x" + transaction.hash.hex())

    async def _guard_of(self, transaction: Transaction) -> Address:
        if transaction.to is None:
            if guard_terms(transaction.data) is None:
                raise Refused("only the published guard is created here", code="no_guard")
            return created_address(transaction.sender, transaction.nonce)
        known = await self._executor.is_guard(transaction.to)
        if not known or not is_guard_call(transaction.data) or acted(transaction.data):
            raise Refused("the transaction speaks to no guard of this chain", code="no_guard")
        return transaction.to
