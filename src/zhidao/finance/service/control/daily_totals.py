"""What one caller's word moved of a bank's own, over today and the day before, counted together.

Above a limit two persons must speak. Splitting a sum into small ones, or into deposits and
transfers, must not be the way around: all that makes money on this ledger out of a bank's word is
counted in one place, before it moves.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from zhidao.core.actor import Actor
from zhidao.core.ambient import Clock
from zhidao.core.errors import Conflict
from zhidao.core.events import SignedEvent
from zhidao.core.journal import Records
from zhidao.core.limits import AMOUNT_MINOR_MAX
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import NS, Utc
from zhidao.finance.domain.payments.approval import Authorisation, Limits, authorised_minor
from zhidao.finance.events.banks import DepositCounted

DEPOSITS: Final = "deposit-words"
"""What makes money out of a bank's word."""
PAYMENTS: Final = "payment-words"
"""What moves a customer's money, by whomever."""
_DAY_NS: Final = 86_400 * NS
_TRIES: Final = 16


class DailyTotals:
    """Counts what a bank's callers authorised."""

    def __init__(self, *, records: Records, clock: Clock, limits: Limits) -> None:
        self._records = records
        self._clock = clock
        self._limits = limits

    async def counted(
        self,
        actor: Actor,
        name: str,
        parts: Sequence[tuple[str, int]],
        currency: str,
        *,
        of: str = DEPOSITS,
    ) -> Money:
        """What an act comes to with others of one caller; counted if one caller is enough.

        `name`: the act's own; `parts`: whose accounts it credits or debits, each with its amount,
        minor units; `of`: what it is counted with. Counted before the money moves: a crash in
        between leaves counts that the act, asked again, finds as its own, and nought is answered.
        What two persons must say counts nothing.

        Raises Conflict if others are counted all the time.
        """
        money = Currency(currency)
        whole = min(sum(minor for _, minor in parts), AMOUNT_MINOR_MAX)
        if not self._limits.above_minor:
            return Money(whole, money)
        own = [Authorisation(name, actor.person, holder, minor) for holder, minor in parts]
        for _ in range(_TRIES):
            before, today = await self._authorisations(of, actor, currency)
            authorisations = [*before, *today]
            if _stand(own, authorisations):
                return Money(0, money)
            together = whole + max(
                authorised_minor(authorisations, person=actor.person, account=one.account)
                for one in own
            )
            sum_of_all = Money(min(together, AMOUNT_MINOR_MAX), money)
            if self._limits.asks(sum_of_all):
                return sum_of_all
            facts = [
                DepositCounted(
                    deposit=name,
                    holder=one.account,
                    person=one.person,
                    amount_minor=str(one.minor),
                )
                for one in own
            ]
            aggregate = _aggregate(of, actor, currency, self._clock.now())
            by = self._records.speaker(actor)
            with contextlib.suppress(Conflict):  # another act was counted meanwhile: look again
                await self._records.record(
                    by, aggregate, facts, after=len(today), owner=actor.party
                )
                return sum_of_all
        raise Conflict("too many at once; ask again")

    async def _authorisations(
        self, of: str, actor: Actor, currency: str
    ) -> tuple[list[Authorisation], list[Authorisation]]:
        """The words of yesterday and of today (UTC)."""
        now = self._clock.now()
        days = (Utc.from_unix_ns(now.unix_ns - _DAY_NS), now)
        histories = [
            await self._records.history(_aggregate(of, actor, currency, day)) for day in days
        ]
        before, today = ([_authorisation(event) for event in history] for history in histories)
        return before, today


def _stand(own: Sequence[Authorisation], authorisations: Sequence[Authorisation]) -> bool:
    """Whether all of an act was counted before, by whomever."""
    told = {replace(one, person="") for one in authorisations}
    return all(replace(one, person="") in told for one in own)


def _authorisation(event: SignedEvent) -> Authorisation:
    fact = DepositCounted.of(event)
    return Authorisation(fact.deposit, fact.person, fact.holder, int(fact.amount_minor))


def _aggregate(of: str, actor: Actor, currency: str, day: Utc) -> str:
    return f"{of}/{actor.party}/{currency}/{str(day)[:10]}"
