"""Two banks with calendars of their own, a network that loses, doubles and delays, and kills.

Payments go from the importer's bank to the exporter's, some come back. Each bank keeps its own
calendar, cut-off and rules; both stand over one store that survives. Whatever happened on the way,
at the end every payment and every return is final at both banks, nothing is reserved, and what one
says it owes the other is what the other says it is owed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import msgspec
from tests.finance.conftest import Durable, World
from tests.finance.service.bank_services import UETRS, BankServices
from tests.finance.service.test_crashes import Crash, Doomed, Plan

from zhidao.core.errors import Refused
from zhidao.core.timescale import NS
from zhidao.finance.adapters.memory import MemoryPaymentOrderIndex
from zhidao.finance.adapters.memory_messages import MemoryMessageIndex
from zhidao.finance.domain.naming import AccountCode, account_id
from zhidao.finance.service.payments.execution_days import ExecutionDays
from zhidao.finance.wire.iso20022.profiles import CurrencyRules, Profile, built_in

FUNDS = 10_000_000
PAYER, PAYEE = "importer-bank", "exporter-bank"
_HOUR_NS = 3_600 * NS
_FIRST = date(2026, 5, 1)


@dataclass(frozen=True)
class Ended:
    """How it came out, minor units. `given_back`: by the payee's bank; `kills`: of processes."""

    payer: int
    payee: int
    owed_by_payer_bank: int
    owed_to_payee_bank: int
    reserved: int
    given_back: int
    kills: int
    refused: int


class Letter:
    """A message on the way. `at`: the bank that takes it; `by`: who brings it."""

    def __init__(self, at: str, by: str, data: bytes) -> None:
        self.at, self.by, self.data = at, by, data


class Simulation:
    """One run, from its seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.durable = Durable()
        self.index = MemoryMessageIndex()
        self.orders = MemoryPaymentOrderIndex()
        self.profiles = {PAYER: self._profile(), PAYEE: self._profile()}
        self.letters: list[Letter] = []
        self.later = seed % 4 == 3
        """Whether payments are asked for later days, too."""
        self.kills = 0
        self.refused = 0
        self.wanted: set[str] = set()
        """UETRs that the payee's bank was asked to give back."""

    def _profile(self) -> Profile:
        chance = self.chance
        closed = [(_FIRST + timedelta(n)).isoformat() for n in range(60) if chance.random() < 0.15]
        cut_off = chance.choice(["", "", "15:00:00+06:00", "12:00:00+00:00"])
        weekend = chance.choice([[6, 7], [5, 6], [7]])
        rules = CurrencyRules(closed=closed, cut_off=cut_off)
        return msgspec.structs.replace(
            built_in("cross-border"),
            closed_weekdays=weekend,
            currencies={"CNY": rules},
            days_ahead_max=30,
        )

    async def run(self) -> Ended:
        await self._start(Plan(-1))
        await self.banks[PAYER].ready()
        self.accounts, self.admitted = self.banks[PAYER].accounts, self.banks[PAYER].banks
        await self._start(self._doom())
        for number in range(self.chance.randrange(1, 5)):
            await self._survive(lambda n=number: self._pay(n))
            await self._muddle(self.chance.randrange(16))
        for _ in range(self.chance.randrange(2, 8) + self.later * 2):
            await self._survive(self._give_back)
            await self._muddle(self.chance.randrange(8))
        return await self._end()

    def _doom(self) -> Plan:
        return Plan(self.chance.randrange(1, 400) if self.chance.random() < 0.7 else -1, Crash)

    async def _start(self, plan: Plan) -> None:
        """Both banks' processes, over what survived."""
        world = World(self.durable, lambda inner: Doomed(inner, plan))
        index, orders = Doomed(self.index, plan), Doomed(self.orders, plan)
        self.world = world
        self.banks = {
            name: BankServices(world, index=index, order_index=orders, profile=profile)
            for name, profile in self.profiles.items()
        }
        bank = self.banks[PAYER]
        self.days = ExecutionDays(
            orders=bank.orders,
            accounts=world.accounts,
            archive=self.durable.archive,
            clock=self.durable.clock,
            carry=lambda step: self._take(Letter(step.at.bank, step.sender, step.data)),
        )
        if hasattr(self, "accounts"):
            for bank in self.banks.values():
                bank.accounts, bank.banks = self.accounts, self.admitted

    async def _survive(self, act: Any) -> None:
        """Does something; a process that dies of it starts again."""
        try:
            await act()
        except Crash:
            self.kills += 1
            await self._start(self._doom())
        except Refused:
            self.refused += 1

    async def _pay(self, number: int) -> None:
        bank = self.banks[PAYER]
        amounts = [self.chance.randrange(1, 50_000) for _ in range(self.chance.randrange(1, 4))]
        today = self.durable.clock.now().to_datetime().date()
        if self.later:
            today += timedelta(self.chance.choice([0, 1, 3]))
        data = bank.pays(
            *amounts,
            message=f"M-{number}",
            day=self.profiles[PAYER].next_day("CNY", today).isoformat(),
        )
        for place in range(len(amounts)):
            uetr = f"00000000-0000-4000-8000-{number:04d}{place:08d}"
            data = data.replace(UETRS[place].encode(), uetr.encode())
            self.wanted.add(uetr)
        await self._take(Letter(PAYER, "importer", data))

    async def _give_back(self) -> None:
        bank = self.banks[PAYEE]
        uetr = self.chance.choice(sorted(self.wanted))
        sent = await bank.payments.back.give_back(bank.banks[PAYEE], [uetr], reason="AC04")
        self._post(PAYEE, sent)

    async def _take(self, letter: Letter) -> None:
        bank = self.banks[letter.at]
        answers = await bank.payments.take(bank.banks[letter.at], letter.by, letter.data)
        self._post(letter.at, answers)

    def _post(self, by: str, messages: Any) -> None:
        for one in messages:
            if one.receiver:
                at = PAYER if one.receiver.startswith("ALMA") else PAYEE
                self.letters.append(Letter(at, by, one.data))

    async def _muddle(self, steps: int) -> None:
        """Time passes, and the network does what it likes."""
        for _ in range(steps):
            hours = self.chance.choice([0, 0, 0, 0, 1, 5, 9, 16, 24, 40])
            self.durable.clock.set(self.durable.clock.now().plus_ns(hours * _HOUR_NS))
            what = self.chance.random()
            if what < 0.15:
                await self._survive(self._resume)
            if not self.letters:
                continue
            place = self.chance.randrange(len(self.letters))
            if what < 0.25:
                self.letters.pop(place)
                continue
            letter = self.letters[place] if what < 0.5 else self.letters.pop(place)
            await self._survive(lambda one=letter: self._take(one))

    async def _waits(self) -> bool:
        """Whether a payment waits for its day."""
        orders = self.banks[PAYER].orders
        names = await self.orders.due(now_ns=2**63, limit=99)
        # Of some no more stands than that they were about to be kept.
        return any([await orders.named(one) is not None for one in names])

    async def _resume(self) -> None:
        """What each process finds under way or due; each goes over its own network."""
        await self.days.tick()
        for name, bank in self.banks.items():
            for step in await bank.unfinished.steps():
                # A reservation is gone on with by the bank that made it.
                own = step.at.bank if step.sender == "importer" else step.sender
                if own == name:
                    self.letters.append(Letter(step.at.bank, step.sender, step.data))

    async def _end(self) -> Ended:
        """The network works again, and the days go on until nothing is open."""
        await self._start(Plan(-1))
        for _ in range(60):
            while self.letters:
                await self._survive(lambda: self._take(self.letters.pop(0)))
            await self._resume()
            if not self.letters and not await self._waits():
                break
            self.durable.clock.set(self.durable.clock.now().plus_ns(24 * _HOUR_NS))
        given = 0
        bank = self.banks[PAYEE]
        for uetr in sorted(self.wanted):
            attempts = await bank.payments.back.given_back(bank.banks[PAYEE], uetr)
            given += sum(one.movement.amount for one in attempts if one.stands and one.movement)
        reserved = [
            one
            for currency in await self.world.ledger.shards()
            for one in await self.world.ledger.reserved(currency)
        ]
        due = await self._between(PAYER, AccountCode.DUE_TO_BANK, PAYEE)
        owed = await self._between(PAYEE, AccountCode.DUE_FROM_BANK, PAYER)
        return Ended(
            await bank.balance("importer"),
            await bank.balance("exporter"),
            due,
            owed,
            sum(one.amount for one in reserved),
            given,
            self.kills,
            self.refused,
        )

    async def _between(self, bank: str, code: AccountCode, other: str) -> int:
        name = account_id(bank=bank, code=code, holder=other, currency="CNY")
        if not await self.world.ledger.has_account("CNY", name):
            return 0
        return abs((await self.world.ledger.account("CNY", name)).balance)
