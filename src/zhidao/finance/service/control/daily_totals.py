"""What one caller's word moved or bound, over today and the day before, counted together.

Above a limit two persons must speak. Splitting a sum into small ones, or into acts of different
kinds, must not be the way around: whatever moves or binds money by one caller's word is counted in
one place, before it is done. What came to nothing is taken out of the count.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.errors import Conflict
from zhidao.core.events import Fact, SignedEvent
from zhidao.core.ids import party_id
from zhidao.core.journal import Records
from zhidao.core.limits import AMOUNT_MINOR_MAX
from zhidao.core.money import Money
from zhidao.core.timescale import NS, Utc
from zhidao.finance.domain.payments.approval import (
    Authorisation,
    Demand,
    Limits,
    authorised_minor,
)
from zhidao.finance.events.banks import ActCounted, ActNotCounted, CountedPart, DepositCounted
from zhidao.finance.service.control.keyed_locks import KeyedLocks

_ACTS: Final = "payment-words"
_DEPOSITS: Final = "deposit-words"
"""Where earlier versions counted what makes money out of a bank's word; read, and not written."""
_DAY_NS: Final = 86_400 * NS
_TRIES: Final = 16
DAYS_MAX: Final = 10_000
"""Days of parties that are kept in memory; more are read again."""


@dataclass(slots=True)
class _Day:
    """What a party's callers did on a day, as far as it was read; by the names of the acts."""

    version: int = 0
    acts: dict[str, list[Authorisation]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    """What came to nothing, counted on this day or the day before."""

    def take(self, events: Sequence[SignedEvent]) -> None:
        """Goes on with what was written since."""
        for event in events:
            self.version = event.version
            match event.type:
                case ActCounted.TYPE:
                    fact = ActCounted.of(event)
                    self.acts[fact.name] = [
                        Authorisation(
                            fact.name, fact.person, one.account, int(one.amount_minor), fact.until_s
                        )
                        for one in fact.parts
                    ]
                case ActNotCounted.TYPE:
                    name = ActNotCounted.of(event).name
                    self.acts.pop(name, None)
                    self.gone.add(name)
                case _:
                    old = DepositCounted.of(event)
                    self.acts.setdefault(old.deposit, []).append(
                        Authorisation(old.deposit, old.person, old.holder, int(old.amount_minor))
                    )


class DailyTotals:
    """Counts what the callers of each party authorised."""

    def __init__(self, *, records: Records, clock: Clock, limits: Limits) -> None:
        self._records = records
        self._clock = clock
        self._limits = limits
        self._one_by_one = KeyedLocks()
        self._days: dict[str, _Day] = {}

    async def counted(self, actor: Actor, demand: Demand) -> tuple[Money, bool]:
        """What an act comes to with others of one caller, and whether it was counted now.

        It is if one caller is enough, and was not counted before. Asked for once more with other
        parts, it counts as the larger one of each account: what was counted is never made less.

        It is counted before it is done: a crash in between leaves a count that the act, asked
        again, finds as its own, and nought is answered. What two persons must say counts nothing.

        Raises Conflict if others are counted all the time.
        """
        money = demand.amount.currency
        if not self._limits.above_minor or not demand.whole_minor:
            return Money(demand.whole_minor, money), False
        async with self._one_by_one.of(f"{actor.party} {money.code}"):
            for _ in range(_TRIES):
                found = await self._tried(actor, demand)
                if found is not None:
                    return found
        raise Conflict("too many at once; ask again")

    async def _tried(self, actor: Actor, demand: Demand) -> tuple[Money, bool] | None:
        """The same; None if somebody else wrote meanwhile: look again."""
        money, name = demand.amount.currency, demand.counts_as(actor.party)
        today, acts = await self._acts(actor.party, money.code)
        own = [
            Authorisation(name, actor.person, account, minor, demand.until_s)
            for account, minor in demand.parts
        ]
        acts = _by_account(acts, demand)
        told = acts.pop(name, ())
        if _stand(own, told):
            return Money(0, money), False
        own = _joined(own, told)
        given = [one for many in acts.values() for one in many]
        together = sum(one.minor for one in own) + max(
            authorised_minor(given, person=actor.person, account=one.account) for one in own
        )
        sum_of_all = Money(min(together, AMOUNT_MINOR_MAX), money)
        if self._limits.asks(sum_of_all):
            return sum_of_all, False
        written = await self._written(actor, demand, today, _fact(demand.act, own))
        return (sum_of_all, True) if written else None

    async def add(self, party: str, demand: Demand) -> None:
        """Counts what was allowed before, by another act. Again: no change."""
        actor = Actor(party_id(party), Role.PARTY)
        name, currency = demand.counts_as(party), demand.amount.currency.code
        if not self._limits.above_minor:
            return
        async with self._one_by_one.of(f"{party} {currency}"):
            for _ in range(_TRIES):
                today, acts = await self._acts(party, currency)
                own = [Authorisation(name, "", *part, demand.until_s) for part in demand.parts]
                fact = _fact(demand.act, own)
                if name in acts or await self._written(actor, demand, today, fact):
                    return
        raise Conflict("too many at once; ask again")

    async def not_counted(self, party: str, demand: Demand) -> None:
        """An act came to nothing: what it counted is free again. Again: no change."""
        actor = Actor(party_id(party), Role.PARTY)
        name, currency = demand.counts_as(party), demand.amount.currency.code
        if not self._limits.above_minor:
            return
        async with self._one_by_one.of(f"{party} {currency}"):
            for _ in range(_TRIES):
                today, acts = await self._acts(party, currency)
                fact = ActNotCounted(name=name)
                if name not in acts or await self._written(actor, demand, today, fact):
                    return
        raise Conflict("too many at once; ask again")

    async def counts(self, party: str, demand: Demand) -> bool:
        """Whether an act is counted now."""
        if not self._limits.above_minor:
            return False
        _, acts = await self._acts(party, demand.amount.currency.code)
        return demand.counts_as(party) in acts

    async def _written(self, actor: Actor, demand: Demand, today: _Day, fact: Fact) -> bool:
        """False if somebody else wrote meanwhile: look again."""
        aggregate = _aggregate(_ACTS, actor.party, demand.amount.currency.code, self._clock.now())
        by = self._records.speaker(actor)
        with contextlib.suppress(Conflict):
            await self._records.record(
                by, aggregate, [fact], after=today.version, owner=actor.party
            )
            return True
        return False

    async def _acts(
        self, party: str, currency: str
    ) -> tuple[_Day, dict[str, Sequence[Authorisation]]]:
        """Today (UTC), and the acts of yesterday and today that count, by name."""
        now = self._clock.now()
        before = Utc.from_unix_ns(now.unix_ns - _DAY_NS)
        acts: dict[str, Sequence[Authorisation]] = {}
        today = _Day()
        for day in (before, now):
            old = await self._day(_aggregate(_DEPOSITS, party, currency, day))
            # One name in both was two sums: what a batch made, and what it moved.
            acts |= {f"{_DEPOSITS} {name}": many for name, many in old.acts.items()}
            today = await self._day(_aggregate(_ACTS, party, currency, day))
            acts = {name: many for name, many in acts.items() if name not in today.gone}
            acts |= today.acts
        return today, _lasting(acts, now.unix_ns // NS)

    async def _day(self, aggregate: str) -> _Day:
        if len(self._days) >= DAYS_MAX:
            self._days = {}
        if aggregate.startswith(_DEPOSITS) and aggregate in self._days:
            return self._days[aggregate]  # Nobody writes there any more.
        day = self._days.setdefault(aggregate, _Day())
        version = day.version
        more = await self._records.history(aggregate, after=version)
        if day.version == version:  # Nobody else took them in meanwhile.
            day.take(more)
        return day


def _lasting(
    acts: Mapping[str, Sequence[Authorisation]], now_s: int
) -> dict[str, Sequence[Authorisation]]:
    """Without what bound something for a time that is over."""
    return {
        name: many
        for name, many in acts.items()
        if any(not one.until_s or now_s <= one.until_s for one in many)
    }


def _by_account(
    acts: Mapping[str, Sequence[Authorisation]], demand: Demand
) -> dict[str, Sequence[Authorisation]]:
    """With what earlier versions counted on the accounts of a demand under their names of today."""
    now = {old: account for account, old in demand.formerly.items()}
    return {
        name: [replace(one, account=now.get(one.account, one.account)) for one in many]
        for name, many in acts.items()
    }


def _fact(act: str, own: Sequence[Authorisation]) -> ActCounted:
    """All of one act: its parts have one name, person and end."""
    return ActCounted(
        act=act,
        name=own[0].name,
        person=own[0].person,
        parts=[CountedPart(account=one.account, amount_minor=str(one.minor)) for one in own],
        until_s=own[0].until_s,
    )


def _joined(own: Sequence[Authorisation], told: Sequence[Authorisation]) -> list[Authorisation]:
    """An act as it is asked for now and as it was counted before, never less than either.

    What two persons asked for counts for each, as a token's does.
    """
    most: dict[str, int] = {}
    for one in (*told, *own):
        most[one.account] = max(one.minor, most.get(one.account, 0))
    first = own[0]
    person = first.person if {one.person for one in told} <= {first.person} else ""
    ends = {one.until_s for one in (*told, *own)}
    until_s = 0 if 0 in ends else max(ends)
    return [
        Authorisation(first.name, person, account, minor, until_s)
        for account, minor in sorted(most.items())
    ]


def _stand(own: Sequence[Authorisation], told: Sequence[Authorisation]) -> bool:
    """Whether all of an act was counted before, by whomever."""
    known = {replace(one, person="") for one in told}
    return all(replace(one, person="") in known for one in own)


def _aggregate(of: str, party: str, currency: str, day: Utc) -> str:
    return f"{of}/{party}/{currency}/{str(day)[:10]}"
