"""Who keeps which account, as payment messages name them: looked up once, then known.

What stands here never changes: an account stays with its bank and holder, a bank with its BIC.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final, NamedTuple
from uuid import UUID

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import NotFound
from zhidao.core.ids import party_id
from zhidao.core.journal import Records
from zhidao.finance.domain.ledger.records import Name, name_of
from zhidao.finance.domain.naming import AccountCode, account_id
from zhidao.finance.domain.payments.payment_legs import head_office
from zhidao.finance.events import AccountOpened, BankAdmitted
from zhidao.finance.service.ledger.accounts import Accounts

KNOWN_MAX: Final = 500_000
_AT_ONCE: Final = 32
_CUSTOMER: Final = AccountCode.CUSTOMER.name.lower()
_PAGE: Final = 1_000


class Owned(NamedTuple):
    """An account that a bank keeps, for a customer or for itself."""

    name: Name
    currency: str
    holder: str
    purpose: str
    named: str = ""
    """The holder's name as the account was opened under it."""


class Directory:
    """Accounts and banks of this node by the names that messages give them."""

    def __init__(self, records: Records, accounts: Accounts) -> None:
        self._records = records
        self._accounts = accounts
        self._owned: dict[tuple[str, str], Owned] = {}
        self._between: dict[tuple[str, AccountCode, str, str], Name] = {}
        self._banks: dict[str, BankAdmitted] = {}
        self._keepers: set[str] = set()

    async def customers(self, bank: str, numbers: Iterable[str]) -> dict[str, Owned]:
        """The bank's customer accounts among these numbers (32 hexadecimal digits)."""
        found = await self.kept(bank, numbers)
        return {number: one for number, one in found.items() if one.purpose == _CUSTOMER}

    async def kept(self, bank: str, numbers: Iterable[str]) -> dict[str, Owned]:
        """All the bank's accounts among these numbers, its own too."""
        wanted = set(numbers)
        missing = [one for one in wanted if (bank, one) not in self._owned]
        gate = asyncio.Semaphore(_AT_ONCE)
        await asyncio.gather(*(self._look_up(bank, one, gate) for one in missing))
        found = {one: self._owned.get((bank, one)) for one in wanted}
        return {number: owned for number, owned in found.items() if owned is not None}

    def known(self, bank: str, number: str) -> Owned | None:
        """An account that was looked up before, or None."""
        return self._owned.get((bank, number))

    async def _look_up(self, bank: str, number: str, gate: asyncio.Semaphore) -> None:
        if len(number) != 32 or not set(number) <= set("0123456789abcdef"):
            return
        account = UUID(number)
        async with gate:
            history = await self._records.history(f"account/{account}")
        if not history:
            return
        opened = AccountOpened.of(history[0])
        if opened.bank != bank:
            return
        if len(self._owned) >= KNOWN_MAX:
            self._owned.clear()
        self._owned[bank, number] = Owned(
            name_of(account), opened.currency, opened.holder, opened.purpose, opened.name
        )

    async def bank_of(self, bic: str) -> BankAdmitted | None:
        """The admitted bank with this BIC; eight letters are those of the head office."""
        key = head_office(bic)
        if key not in self._banks:
            await self._read_banks()
        return self._banks.get(key)

    async def banks(self, bics: Iterable[str]) -> dict[str, BankAdmitted]:
        """The admitted banks among these BICs; the list is read once, however many are unknown."""
        wanted = {bic: head_office(bic) for bic in set(bics) if bic}
        if not set(wanted.values()) <= self._banks.keys():
            await self._read_banks()
        return {bic: self._banks[key] for bic, key in wanted.items() if key in self._banks}

    async def all_banks(self) -> list[BankAdmitted]:
        """Every admitted bank, in order of BIC."""
        await self._read_banks()
        return [self._banks[bic] for bic in sorted(self._banks)]

    async def admitted(self, party: str) -> BankAdmitted:
        """An admitted bank by its party. Raises Refused (`not_a_bank`)."""
        return await self._accounts.bank(party)

    async def is_bank(self, party: str) -> bool:
        """Whether a party is an admitted bank."""
        if not self._banks:
            await self._read_banks()
        return any(one.bank == party for one in self._banks.values())

    async def keeps_books(self, party: str) -> bool:
        """Whether a bank opened accounts of customers here; else it keeps its books elsewhere."""
        if party in self._keepers:
            return True
        actor, after = Actor(party_id(party), Role.PARTY), ""
        while names := await self._records.aggregates("account/", actor, limit=_PAGE, after=after):
            for history in await self._records.histories(names, actor):
                opened = AccountOpened.of(history[0])
                if (opened.bank, opened.purpose) == (party, _CUSTOMER):
                    self._keepers.add(party)
                    return True
            after = names[-1]
        return False

    async def _read_banks(self) -> None:
        actor, after = Actor(self._records.node, Role.NODE), ""
        while names := await self._records.aggregates("bank/", actor, limit=_PAGE, after=after):
            for name in names:
                bank = BankAdmitted.of((await self._records.history(name))[0])
                self._banks[head_office(bank.bic)] = bank
            after = names[-1]

    async def between(
        self, bank: BankAdmitted, code: AccountCode, other: str, currency: str
    ) -> Name:
        """A bank's own account for what it owes another or is owed; opened when first needed."""
        key = (bank.bank, code, other, currency)
        known = self._between.get(key)
        if known is None:
            account = await self._accounts.technical(bank, code, other, currency)
            known = self._between[key] = name_of(account)
        return known

    def name_between(
        self, bank: BankAdmitted, code: AccountCode, other: str, currency: str
    ) -> Name:
        """The name that such an account has, opened or not."""
        return name_of(account_id(bank=bank.bank, code=code, holder=other, currency=currency))

    async def bank_behind(
        self, bank: BankAdmitted, code: AccountCode, account: Name, currency: str
    ) -> BankAdmitted:
        """The other bank that one of a bank's own accounts is kept for. Raises NotFound."""
        await self._read_banks()
        for other in self._banks.values():
            if self.name_between(bank, code, other.bank, currency) == account:
                return other
        raise NotFound("no bank stands behind that account")
