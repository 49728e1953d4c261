"""Money that comes in from outside: credited to a customer against the bank's cash.

A deposit makes money on this ledger out of a bank's word, so above the limit two persons give it.
What one caller's word was enough for counts together, over today and the day before: splitting a
sum into deposits below the limit does not help.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from zhidao.core.actor import Actor
from zhidao.core.ambient import Clock
from zhidao.core.errors import Conflict
from zhidao.core.events import SignedEvent
from zhidao.core.journal import Records
from zhidao.core.limits import AMOUNT_MINOR_MAX
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import NS, Utc
from zhidao.finance.domain.approval import Word, spoken_for
from zhidao.finance.domain.naming import transfer_id
from zhidao.finance.domain.records import name_of
from zhidao.finance.events.banks import DepositCounted
from zhidao.finance.service.accounts import Accounts, Statement
from zhidao.finance.service.approvals import Approvals
from zhidao.finance.service.ledger import Ledger

DEPOSIT: Final = "deposit"
_DAY_NS: Final = 86_400 * NS
_TRIES: Final = 16


class Deposits:
    """Takes deposits for the customers of a bank."""

    def __init__(
        self,
        *,
        records: Records,
        accounts: Accounts,
        ledger: Ledger,
        approvals: Approvals,
        clock: Clock,
    ) -> None:
        self._records = records
        self._clock = clock
        self._accounts = accounts
        self._ledger = ledger
        self._approvals = approvals
        approvals.carries_out(DEPOSIT, self._said)

    async def deposit(self, actor: Actor, *, deposit: str, holder: str, amount: Money) -> Statement:
        """Credits a customer of the actor's bank; again: nothing more is credited.

        Raises Refused (`needs_two_persons`, `no_account`), Conflict if this deposit's name stands
        for another amount or holder.
        """
        bank = await self._accounts.require_bank(actor)
        currency = amount.currency.code
        await self._accounts.customer(bank.bank, holder, currency)
        name = name_of(transfer_id("deposit", bank.bank, deposit))
        # What stands is answered alike, however long ago its approval was.
        if name not in (await self._ledger.find(currency, [name])).transfers:
            together = await self._counted(actor, deposit, holder=holder, amount=amount)
            said = {"deposit": deposit, "holder": holder, "amount_minor": str(amount.minor)}
            await self._approvals.demand(
                actor,
                act=DEPOSIT,
                subject=deposit,
                amount=amount,
                said={**said, "currency": currency},
                together=together,
            )
        return await self._accounts.deposit(actor, deposit=deposit, holder=holder, amount=amount)

    async def _counted(self, actor: Actor, deposit: str, *, holder: str, amount: Money) -> Money:
        """What the deposit comes to with others of one word; counted if one word is enough.

        Counted before the money moves: a crash in between leaves a word that this deposit, asked
        again, finds as its own. What two persons must say counts nothing.
        """
        if not self._approvals.limits.above_minor:
            return amount
        word = Word(deposit, actor.person, holder, amount.minor)
        for _ in range(_TRIES):
            before, today = await self._words(actor, amount.currency.code)
            words = [*before, *today]
            if any(replace(one, person=word.person) == word for one in words):
                return Money(0, amount.currency)  # its own word, from before a crash
            minor = amount.minor + spoken_for(words, person=word.person, account=holder)
            together = Money(min(minor, AMOUNT_MINOR_MAX), amount.currency)
            if self._approvals.limits.asks(together):
                return together
            fact = DepositCounted(
                deposit=deposit,
                holder=holder,
                person=actor.person,
                amount_minor=str(amount.minor),
            )
            aggregate = _aggregate(actor, amount.currency.code, self._clock.now())
            with contextlib.suppress(Conflict):  # another deposit was counted meanwhile: look again
                await self._records.record(
                    actor, aggregate, [fact], after=len(today), owner=actor.party
                )
                return together
        raise Conflict("too many deposits at once; ask again")

    async def _words(self, actor: Actor, currency: str) -> tuple[list[Word], list[Word]]:
        """The words of yesterday and of today (UTC)."""
        now = self._clock.now()
        days = (Utc.from_unix_ns(now.unix_ns - _DAY_NS), now)
        histories = [await self._records.history(_aggregate(actor, currency, day)) for day in days]
        before, today = ([_word(event) for event in history] for history in histories)
        return before, today

    async def _said(self, actor: Actor, said: Mapping[str, Any]) -> Statement:
        amount = Money(int(said["amount_minor"]), Currency(str(said["currency"])))
        return await self.deposit(
            actor, deposit=str(said["deposit"]), holder=str(said["holder"]), amount=amount
        )


def _word(event: SignedEvent) -> Word:
    fact = DepositCounted.of(event)
    return Word(fact.deposit, fact.person, fact.holder, int(fact.amount_minor))


def _aggregate(actor: Actor, currency: str, day: Utc) -> str:
    return f"deposit-words/{actor.party}/{currency}/{str(day)[:10]}"
