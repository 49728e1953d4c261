"""Banks, their accounts, and money that comes in."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.errors import (
    Conflict,
    Forbidden,
    MalformedInput,
    NotFound,
    Refused,
    WrittenMeanwhile,
)
from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId, parse_id, party_id
from zhidao.core.journal import Entry, Handled, Records, Scribe
from zhidao.core.money import Currency, Money
from zhidao.core.text.plain_text import refuse_untidy
from zhidao.finance.domain.ledger.ledger import (
    NO_ACCOUNT_FLAGS,
    Account,
    AccountFlag,
    Result,
    Transfer,
    ledger_number,
)
from zhidao.finance.domain.ledger.records import name_of
from zhidao.finance.domain.naming import AccountCode, TransferCode, account_id, transfer_id
from zhidao.finance.domain.payments.payment import Person
from zhidao.finance.domain.screening.names import spelt
from zhidao.finance.events import AccountOpened, BankAdmitted
from zhidao.finance.service.control.name_holds import NameHolds, again
from zhidao.finance.service.ledger.ledger import Ledger

OPEN: Final = "open_account"
ADMIT: Final = "admit_bank"
MAY_ADMIT_BANK: Final = access(Role.OPERATOR, Role.ADMIN)
BANKS: Final = access(Role.PARTY, relation=Relation.BANK_OF, of="the account or payment")

# An admission is about no money; an approval says so in some currency.
_NO_AMOUNT: Final = Money(0, Currency("USD"))
# The name space in which a BIC has an id (RFC 9562, version 5): it is given to one bank.
_BICS: Final = UUID("5c5e4b5e-6f3a-5d6c-9a55-0b1f6f0d7a31")
_PAGE: Final = 100
# ISO 9362:2022: four characters, country, location, optional branch; as pacs.008 takes it.
_BIC: Final = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?\Z", re.ASCII)
_FLAGS: Final = {
    AccountCode.CUSTOMER: AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS,
    AccountCode.ESCROW: AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS,
}


@dataclass(frozen=True, slots=True)
class Statement:
    """An account as its holder sees it: what it is, and its sums in minor units."""

    opened: AccountOpened
    sums: Account


class Accounts:
    """Who keeps accounts here, and what is on them."""

    def __init__(self, records: Records, scribe: Scribe, ledger: Ledger) -> None:
        self._records = records
        self._scribe = scribe
        self._ledger = ledger
        self._names: NameHolds | None = None
        # Opening looks before it writes; in one process one look at a time is enough.
        self._opening = asyncio.Lock()

    def screened_by(self, names: NameHolds) -> None:
        """From now on whoever is named like somebody on a list waits for two persons."""
        self._names = names
        # Whose name it is held for stays held: another town, currency or BIC is no other person.
        names.carries_out(
            OPEN, lambda actor, said: self._open(actor, waited=True, **said), whom=_whom
        )
        names.carries_out(ADMIT, self._admit_said, by=MAY_ADMIT_BANK, whom=_whom)

    async def admit(self, actor: Actor, bank: BankAdmitted) -> BankAdmitted:
        """Lets a party keep accounts; again: the same, also under a name that is not given anew.

        Raises MalformedInput (`unprintable`) for a new name with blanks too many, Conflict for
        another description and, with `bic_taken`, for the BIC of another bank, Refused
        (`needs_two_persons`) while two persons of who runs the node look at a name like one on a
        list.
        """
        return await self._admit(actor, bank, waited=False)

    async def _admit(self, actor: Actor, bank: BankAdmitted, *, waited: bool) -> BankAdmitted:
        """`waited`: two persons read its name, which was asked for less when they were asked."""
        MAY_ADMIT_BANK.admit(actor)
        party_id(bank.bank)
        if not _BIC.match(bank.bic):
            raise MalformedInput(f"not a BIC: {bank.bic[:16]!r}", remedy="give 8 or 11 characters")
        Person(bank.name, bank.town, bank.country)
        known = _admission(await self._records.history(f"bank/{bank.bank}"))
        if known is None:
            if not waited:
                refuse_untidy(bank.name, path="$.name")
            await self._must_be_free(bank)
            if self._names is not None:
                await self._names.demand(
                    self._records.node,
                    subject=f"bank {bank.bank}",
                    amount=_NO_AMOUNT,
                    names=[bank.name],
                    said=again(ADMIT, bank.payload()),
                )
            written = await self._records.record(
                actor,
                f"bank/{bank.bank}",
                [bank],
                after=0,
                owner=PartyId(bank.bank),
                handled=_holder_of(bank.bic),
            )
            if not written:
                # Somebody admitted a bank of this BIC meanwhile, in this process or another.
                await self._must_be_free(bank)
                raise WrittenMeanwhile(f"the BIC {bank.bic} was given meanwhile")
        elif known != bank:
            raise Conflict(f"{bank.bank} was admitted with another description")
        return bank

    async def _must_be_free(self, bank: BankAdmitted) -> None:
        """Raises Conflict (`bic_taken`) if another bank has the BIC, by its name."""
        after = ""
        while some := await self.banks(limit=_PAGE, after=after):
            for each in some:
                if each.bank != bank.bank and _office(each.bic) == _office(bank.bic):
                    raise Conflict(
                        f"{each.bank} ({each.name}) is the bank with the BIC {each.bic}",
                        code="bic_taken",
                        remedy="give the bank's own BIC, or go on with the bank that is admitted",
                    )
            after = some[-1].bank

    async def _admit_said(self, actor: Actor, said: Mapping[str, Any]) -> BankAdmitted:
        bank = msgspec.convert(said, BankAdmitted, strict=True)
        return await self._admit(Actor(actor.party, Role.OPERATOR), bank, waited=True)

    async def bank(self, party: str) -> BankAdmitted:
        """An admitted bank. Raises Refused with code `not_a_bank`."""
        known = _admission(await self._records.history(f"bank/{party}"))
        if known is None:
            raise Refused(
                f"{party} is not admitted as a bank here",
                code="not_a_bank",
                remedy="the operator admits it on the page Money, or by zhidao bank admit",
            )
        return known

    async def banks(self, *, limit: int, after: str = "") -> list[BankAdmitted]:
        """The admitted banks in order of party: whom one may pay is no secret among callers."""
        node = Actor(self._records.node, Role.NODE)
        start = f"bank/{party_id(after)}" if after else ""
        names = await self._records.aggregates("bank/", node, limit=limit, after=start)
        return [await self.bank(name.partition("/")[2]) for name in names]

    async def require_bank(self, actor: Actor) -> BankAdmitted:
        """The bank for which an actor speaks. Raises Forbidden for anybody else."""
        BANKS.admit(actor)
        try:
            return await self.bank(actor.party)
        except Refused as error:
            raise Forbidden(f"only a bank may do this; {actor.party} is none") from error

    async def open(
        self, actor: Actor, *, holder: str, currency: str, name: str, town: str, country: str
    ) -> Statement:
        """Opens a customer's account at the actor's bank; again: the same, as for a bank.

        Raises MalformedInput (`unprintable`) for a new name with blanks too many, Conflict if it is
        open under another name or place, Refused (`needs_two_persons`)
        while two persons of the bank look at a name like one on a list.
        """
        where = {"town": town, "country": country}
        return await self._open(
            actor, waited=False, holder=holder, currency=currency, name=name, **where
        )

    async def _open(
        self,
        actor: Actor,
        *,
        waited: bool,
        holder: str,
        currency: str,
        name: str,
        town: str,
        country: str,
    ) -> Statement:
        """`waited`: as for a bank."""
        bank = await self.require_bank(actor)
        party_id(holder)
        Person(name, town, country)  # What a message could not carry is refused here.
        wanted = _opened(
            bank, AccountCode.CUSTOMER, holder, currency, name=name, town=town, country=country
        )
        is_new = await self.opened(UUID(wanted.account)) is None
        if is_new and not waited:
            refuse_untidy(name, path="$.name")
        if is_new and self._names is not None:
            asked = {"holder": holder, "currency": currency}
            await self._names.demand(
                bank.bank,
                subject=f"account of {holder}",
                amount=Money(0, Currency(currency)),
                names=[name],
                said=again(OPEN, asked | {"name": name, "town": town, "country": country}),
            )
        opened = await self._ensure(bank, wanted, AccountCode.CUSTOMER)
        if opened != wanted:
            raise Conflict(f"{holder} has an account in {currency} with another description")
        return Statement(opened, await self._ledger.account(currency, UUID(opened.account)))

    async def technical(
        self, bank: BankAdmitted, code: AccountCode, counterpart: str, currency: str
    ) -> UUID:
        """An account that the bank keeps for its own book-keeping; opened when first needed."""
        wanted = _opened(
            bank,
            code,
            counterpart,
            currency,
            name=bank.name,
            town=bank.town,
            country=bank.country,
        )
        return UUID((await self._ensure(bank, wanted, code)).account)

    async def deposit(self, actor: Actor, *, deposit: str, holder: str, amount: Money) -> Statement:
        """Credits a customer against the bank's cash; again: nothing more is credited.

        Raises Conflict if this deposit's name stands for another amount or holder.
        """
        bank = await self.require_bank(actor)
        if amount.minor <= 0:
            raise Refused("a deposit is more than nothing", code="amount_not_positive")
        currency = amount.currency.code
        account = await self.customer(bank.bank, holder, currency)
        cash = await self.technical(bank, AccountCode.CASH, bank.bank, currency)
        [result] = await self._ledger.submit(
            currency,
            [
                Transfer(
                    id=transfer_id("deposit", bank.bank, deposit),
                    debit_account_id=cash,
                    credit_account_id=UUID(account.account),
                    amount=amount.minor,
                    ledger=ledger_number(amount.currency),
                    code=TransferCode.DEPOSIT,
                )
            ],
        )
        if result.value.startswith("exists_with_different"):
            raise await self._other_deposit(result, bank.bank, deposit, amount.currency)
        if not result.holds:
            raise _refusal(result, f"deposit {deposit}")
        return Statement(account, await self._ledger.account(currency, UUID(account.account)))

    async def _other_deposit(
        self, result: Result, bank: str, deposit: str, currency: Currency
    ) -> Conflict:
        """What stands under a deposit's name that cannot be given again, and what to do."""
        name = name_of(transfer_id("deposit", bank, deposit))
        standing = (await self._ledger.find(currency.code, [name])).transfer(name)
        of = f" of {Money(standing.amount, currency)}" if standing else ""
        elsewhere = result is not Result.EXISTS_WITH_DIFFERENT_AMOUNT
        return Conflict(
            f"a deposit named {deposit}{of}{' to another account' if elsewhere else ''} stands"
            " already; nothing was credited",
            code=result.value,
            remedy="choose another name for this one, such as the same with -2 behind it",
        )

    async def customer(self, bank: str, holder: str, currency: str) -> AccountOpened:
        """A customer's account. Raises Refused with code `no_account`."""
        name = account_id(bank=bank, code=AccountCode.CUSTOMER, holder=holder, currency=currency)
        opened = _opening(await self._records.history(f"account/{name}"))
        if opened is None:
            raise Refused(
                f"{holder} has no account in {currency} at {bank}",
                code="no_account",
                remedy="its bank opens one on the page Money, or by zhidao account open",
            )
        return opened

    async def opened(self, account: UUID) -> AccountOpened | None:
        """How an account was opened, or None: asked by services, which show it to nobody."""
        return _opening(await self._records.history(f"account/{account}"))

    async def available(self, account: AccountOpened) -> int:
        """What is free on an account, in minor units."""
        return (await self._ledger.account(account.currency, UUID(account.account))).available

    async def statement(self, actor: Actor, account: str) -> Statement:
        """One account, if the actor is its bank or holder. Raises NotFound."""
        opened = _opening(await self._records.history(f"account/{parse_id(account)}", actor))
        if opened is None:
            raise NotFound("no account of that name")
        return Statement(opened, await self._ledger.account(opened.currency, UUID(opened.account)))

    async def statements(self, actor: Actor, *, limit: int, after: str = "") -> list[Statement]:
        """The accounts that the actor may see, in order of id."""
        start = f"account/{parse_id(after)}" if after else ""
        names = await self._records.aggregates("account/", actor, limit=limit, after=start)
        opened = [_opening(each) for each in await self._records.histories(names, actor)]
        return [
            Statement(each, await self._ledger.account(each.currency, UUID(each.account)))
            for each in opened
            if each is not None
        ]

    async def _ensure(
        self, bank: BankAdmitted, wanted: AccountOpened, code: AccountCode
    ) -> AccountOpened:
        """The account as it was opened, now or before."""
        aggregate = f"account/{wanted.account}"
        async with self._opening:
            known = _opening(await self._records.history(aggregate))
            if known is not None:
                return known
            account = Account(
                id=UUID(wanted.account),
                ledger=ledger_number(Currency(wanted.currency)),
                code=code,
                flags=_FLAGS.get(code, NO_ACCOUNT_FLAGS),
            )
            visible = (PartyId(wanted.holder),) if code is AccountCode.CUSTOMER else ()
            entry = self._entry(wanted, aggregate, PartyId(bank.bank), visible)
            await self._ledger.open_accounts(wanted.currency, [account], [entry])
            return wanted

    def _entry(
        self, fact: AccountOpened, aggregate: str, owner: PartyId, visible: Sequence[PartyId]
    ) -> Entry:
        # A bank at another node asked for it from there; here the ledger's own node says so.
        by = owner if self._scribe.speaks_for(owner) else self._scribe.node
        return self._scribe.write(
            fact,
            by=by,
            aggregate=aggregate,
            version=1,
            owner=owner,
            visible=visible,
            occurred_at=None,
        )


def _opened(
    bank: BankAdmitted,
    code: AccountCode,
    holder: str,
    currency: str,
    *,
    name: str,
    town: str,
    country: str,
) -> AccountOpened:
    return AccountOpened(
        account=str(account_id(bank=bank.bank, code=code, holder=holder, currency=currency)),
        bank=bank.bank,
        holder=holder,
        purpose=code.name.lower(),
        currency=Currency(currency).code,
        name=name,
        town=town,
        country=country,
    )


def _office(bic: str) -> str:
    """Eleven characters: a BIC of eight is that of the head office, XXX."""
    return bic.ljust(11, "X")


def _holder_of(bic: str) -> Handled:
    """What is written once for a BIC, with the bank that has it and in the same transaction."""
    return Handled("finance.bic", uuid5(_BICS, _office(bic)))


def _admission(history: Sequence[SignedEvent]) -> BankAdmitted | None:
    return BankAdmitted.of(history[0]) if history else None


def _opening(history: Sequence[SignedEvent]) -> AccountOpened | None:
    return AccountOpened.of(history[0]) if history else None


def _refusal(result: Result, what: str) -> Refused:
    return Refused(f"{what}: the ledger answers {result.value}", code=result.value)


def _whom(asked: Mapping[str, Any]) -> str:
    """Who is to have an account, as the names of lists are read."""
    return spelt(str(asked["name"]))
