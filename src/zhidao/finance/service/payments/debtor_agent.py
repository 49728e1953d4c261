"""The payer's bank: payments that its customers instruct, and what the other bank says of them.

The amount is reserved towards the payee's bank and posted when that bank says that the payee has
it; refused, it goes back to the payer. Inside one bank the money moves at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Final

from zhidao.core.archive import digest_of
from zhidao.core.money import Currency
from zhidao.finance.domain.ledger.ledger import TransferFlag, ledger_number
from zhidao.finance.domain.ledger.records import NO_NAME, Name
from zhidao.finance.domain.naming import AccountCode, TransferCode
from zhidao.finance.domain.payments.message import (
    CreditTransfer,
    Message,
    Transfers,
)
from zhidao.finance.domain.payments.payment_legs import (
    Booking,
    Leg,
    Refusal,
    leg_name,
    mark_of,
    with_uetrs,
)
from zhidao.finance.domain.payments.payment_order import (
    CANCELLED,
    EXECUTED,
    NOW,
    PaymentOrder,
    written,
)
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.payments.booking import (
    OTHER_CURRENCY,
    UNKNOWN_ACCOUNT,
    UNKNOWN_BANK,
    Books,
    payee_of,
    status_of,
    waits,
)
from zhidao.finance.service.payments.directory import Owned
from zhidao.finance.service.payments.payment_orders import CANCELLED_BY_PAYER, PaymentOrders
from zhidao.finance.service.payments.validation import Examined, Rules
from zhidao.finance.wire.iso20022.messages.credit_transfers import CUSTOMERS
from zhidao.finance.wire.iso20022.syntax.trees import account_number, at
from zhidao.finance.wire.iso20022.syntax.trees import bank as bank_tree

_NO_FLAGS: Final = TransferFlag(0)
_TAKEN: Final = Refusal(
    "DUPL", "another payment at this bank has this UETR; send it under another UETR"
)
_NOT_YOURS: Final = Refusal("AG01", "this account is not the sender's")


@dataclass(slots=True)
class _Judged:
    """What a file comes to: bookings, why others are refused, and who leaves towards which BIC."""

    why: dict[int, Refusal]
    bookings: list[Booking] = field(default_factory=list)
    onward: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    """By BIC; apart by what is carried out together, where not all is at once."""

    @property
    def leaving(self) -> set[int]:
        """The places of payments to other banks."""
        return {place for places in self.onward.values() for place in places}

    def apart(self, transfers: Sequence[CreditTransfer]) -> None:
        """Each day leaves in messages of its own, which are the same whenever they are made."""
        parts: dict[tuple[str, str], list[int]] = defaultdict(list)
        for (bic, _), places in self.onward.items():
            for place in places:
                one = transfers[place]
                parts[bic, f"{one.day} {one.currency}"].append(place)
        self.onward = parts

    def without(self, later: Collection[int]) -> None:
        """Leaves out what waits."""
        self.bookings = [one for one in self.bookings if one.place not in later]
        kept = {key: [n for n in places if n not in later] for key, places in self.onward.items()}
        self.onward = defaultdict(list, {key: places for key, places in kept.items() if places})


class Instructing:
    """Books what customers instruct."""

    def __init__(
        self,
        books: Books,
        *,
        rules: Rules,
        orders: PaymentOrders,
    ) -> None:
        """`orders`: where payments wait that are asked for a later day."""
        self._books = books
        self._orders = orders
        self._rules = rules

    async def initiate(
        self,
        bank: BankAdmitted,
        sender: str,
        file: Transfers,
        examined: Examined,
        order: PaymentOrder | None = None,
    ) -> list[Message]:
        """A customer's payments: reserved and passed on, or moved at once inside the bank.

        What is asked for a later day is kept until then. `order`: what was kept of this file.
        """
        transfers = with_uetrs(file.transfers, examined.digest)
        examined = await self._standing(bank, transfers, examined)
        found = await self._judged(bank, sender, transfers, examined, order)
        taken = await self._taken(bank, transfers, found)
        found.why |= dict.fromkeys(taken, _TAKEN)
        found.without(taken)
        later = await self._later(bank, transfers, examined, found, order)
        if later:
            order = await self._kept(bank, sender, file, transfers, examined, found, later, order)
            found.without(later)
        why = found.why | await self._books.book(transfers, found.bookings)
        await self._end(order, examined, found, why)
        leaving = found.leaving
        told = [
            waits(one, later[place])
            if place in later
            else status_of(one, why.get(place), "ACSP" if place in leaving else "ACSC")
            for place, one in enumerate(transfers)
        ]
        report = self._books.report(bank, file, examined, told)
        messages: list[Message] = [report]
        for (bic, _), places in found.onward.items():
            passed = [transfers[place] for place in places if place not in why]
            if passed:
                messages.append(self._onward(bank, bic, passed, examined))
        inside = [b for b in found.bookings if b.place not in why and b.place not in leaving]
        messages += self._books.advise(transfers, inside)
        return messages

    async def _end(
        self,
        order: PaymentOrder | None,
        examined: Examined,
        found: _Judged,
        why: Mapping[int, Refusal],
    ) -> None:
        """What became of payments on their day stands with their order."""
        if order is None or not order.released:
            return
        done = {booking.place: "" for booking in found.bookings}
        done |= {place: one.code for place, one in why.items()}
        if examined.whole is not None:
            done = dict.fromkeys(order.released, examined.whole.code)
        await self._orders.end(order, done)

    async def _later(
        self,
        bank: BankAdmitted,
        transfers: Sequence[CreditTransfer],
        examined: Examined,
        found: _Judged,
        order: PaymentOrder | None,
    ) -> dict[int, str]:
        """Until when payments wait, by their places, as things stand at this moment."""
        now, leaving = self._books.now(), found.leaving
        waits_now = {p: at for at, ps in order.waits.items() for p in ps} if order else {}
        until: dict[int, str] = {}
        for booking in found.bookings:
            place = booking.place
            if place in waits_now:
                until[place] = waits_now[place]
                continue
            moment = self._moment(transfers[place], now, inside=place not in leaving)
            if moment > now:
                until[place] = written(moment)
        asked = until.keys() - waits_now.keys()
        stands = await self._known(bank, transfers, asked, examined.digest) if asked else set()
        return {place: moment for place, moment in until.items() if place not in stands}

    def _moment(self, one: CreditTransfer, now: datetime, *, inside: bool) -> datetime:
        """When a payment is carried out: inside one bank on every day, else as banks settle."""
        wanted = date.fromisoformat(one.day)
        profile = self._rules.profile
        if inside:
            return datetime.combine(max(wanted, now.date()), time(0, tzinfo=UTC))
        return profile.opens_at(one.currency, profile.execution_day(one.currency, wanted, now))

    async def _kept(
        self,
        bank: BankAdmitted,
        sender: str,
        file: Transfers,
        transfers: Sequence[CreditTransfer],
        examined: Examined,
        found: _Judged,
        later: Mapping[int, str],
        order: PaymentOrder | None,
    ) -> PaymentOrder:
        """The order with all that waits, kept before anything else of the file is booked."""
        if order is None:
            until = {b.place: later.get(b.place, NOW) for b in found.bookings}
            found.apart(transfers)
            return await self._orders.take(
                bank, sender, file, transfers, digest=examined.digest, until=until
            )
        waiting = order.waiting
        new = {place: moment for place, moment in later.items() if place not in waiting}
        return await self._orders.put_off(order, new) if new else order

    async def _standing(
        self, bank: BankAdmitted, transfers: Sequence[CreditTransfer], examined: Examined
    ) -> Examined:
        """The file without the refusals of payments that stand from it, whatever day it is now."""
        refused = range(len(transfers)) if examined.whole is not None else [*examined.broken]
        stands = await self._known(bank, transfers, refused, examined.digest, failed=False)
        if not stands:
            return examined
        broken = {place: why for place, why in examined.broken.items() if place not in stands}
        return examined._replace(whole=None, broken=broken)

    async def _known(
        self,
        bank: BankAdmitted,
        transfers: Sequence[CreditTransfer],
        places: Iterable[int],
        digest: str,
        *,
        failed: bool = True,
    ) -> set[int]:
        """Which of these payments stand in the ledger from this file, or failed there."""
        # Of two payments under one UETR the first stands; the second is refused for good.
        names = {
            leg_name(bank.bank, transfers[place].uetr, leg): place
            for place in sorted(places, reverse=True)
            for leg in (Leg.RESERVE, Leg.INSIDE)
        }
        mark, ledger = mark_of(digest), self._books.ledger
        currencies = {transfers[place].currency for place in names.values()}
        found: set[int] = set()
        for currency in currencies & {*await ledger.shards()}:
            history = await ledger.find(currency, list(names))
            for name, place in names.items():
                one = history.transfers.get(name)
                if (failed and history.failed(name)) if one is None else one.user_data_64 == mark:
                    found.add(place)
        return found

    async def _taken(
        self, bank: BankAdmitted, transfers: Sequence[CreditTransfer], found: _Judged
    ) -> set[int]:
        """The places whose UETR stands for another payment of this bank, in whatever currency.

        Answers, returns and recalls name a payment by it: it is one payment's alone.
        """
        named: dict[Name, list[tuple[int, bool]]] = defaultdict(list)
        first: dict[str, tuple[Name, str]] = {}
        taken: set[int] = set()
        for one in found.bookings:
            key = one.name, transfers[one.place].currency
            if first.setdefault(one.uetr, key) != key:
                taken.add(one.place)
            for leg in (Leg.RESERVE, Leg.INSIDE):
                name = leg_name(bank.bank, one.uetr, leg)
                named[name].append((one.place, name == one.name))
        own: set[int] = set()
        ledger = self._books.ledger
        for currency in await ledger.shards():
            history = await ledger.find_written(currency, list(named))
            for name in named.keys() & history.transfers.keys():
                for place, same in named[name]:
                    itself = same and transfers[place].currency == currency
                    (own if itself else taken).add(place)
        return taken - own

    async def _judged(
        self,
        bank: BankAdmitted,
        sender: str,
        transfers: list[CreditTransfer],
        examined: Examined,
        order: PaymentOrder | None,
    ) -> _Judged:
        """Which payments may be booked, in their order, and why the others may not."""
        mark = mark_of(examined.digest)
        banks = await self._books.directory.banks(at(one.payee_bank, "BICFI") for one in transfers)
        owned = await self._owned(bank, transfers, banks)
        found = _Judged(why=dict(examined.broken) | _not_again(order))
        for place, one in enumerate(transfers):
            if examined.whole is not None or place in found.why:
                continue
            payer = owned.get(account_number(one.payer_account))
            refused = _may_pay(payer, one, sender)
            if refused is not None or payer is None:
                found.why[place] = refused or UNKNOWN_ACCOUNT
                continue
            bic = at(one.payee_bank, "BICFI")
            other = banks.get(bic) if bic else bank
            if other is None:
                found.why[place] = UNKNOWN_BANK
                continue
            booked = await self._leaves(bank, other, one, place, payer, owned, mark)
            if isinstance(booked, Refusal):
                found.why[place] = booked
                continue
            found.bookings.append(booked)
            if other.bank != bank.bank:
                found.onward[other.bic, ""].append(place)
        if order is not None:
            found.apart(transfers)
        return found

    async def _owned(
        self,
        bank: BankAdmitted,
        transfers: Sequence[CreditTransfer],
        banks: Mapping[str, BankAdmitted],
    ) -> Mapping[str, Owned]:
        """The accounts of the payers, and of payees only those here: other banks know their own."""
        numbers = [account_number(one.payer_account) for one in transfers]
        numbers += [
            account_number(one.payee_account)
            for one in transfers
            if banks.get(at(one.payee_bank, "BICFI"), bank).bank == bank.bank
        ]
        return await self._books.directory.customers(bank.bank, numbers)

    async def _leaves(
        self,
        bank: BankAdmitted,
        other: BankAdmitted,
        one: CreditTransfer,
        place: int,
        payer: Owned,
        owned: Mapping[str, Owned],
        mark: int,
    ) -> Booking | Refusal:
        """The transfer of a payment that leaves the payer's account."""
        leg, credit, flags = Leg.RESERVE, NO_NAME, TransferFlag.PENDING
        if other.bank == bank.bank:
            payee = payee_of(owned.get(account_number(one.payee_account)), one)
            if isinstance(payee, Refusal):
                return payee
            leg, credit, flags = Leg.INSIDE, payee.name, _NO_FLAGS
        else:
            credit = await self._books.directory.between(
                bank, AccountCode.DUE_TO_BANK, other.bank, one.currency
            )
        return Booking(
            place,
            leg_name(bank.bank, one.uetr, leg),
            payer.name,
            credit,
            one.amount_minor,
            ledger_number(Currency(one.currency)),
            one.uetr,
            mark,
            TransferCode.BETWEEN_BANKS if flags else TransferCode.PAYMENT,
            flags,
        )

    def _onward(
        self, bank: BankAdmitted, bic: str, passed: Sequence[CreditTransfer], examined: Examined
    ) -> Transfers:
        name = digest_of(f"{examined.digest} {bic} {[one.uetr for one in passed]}".encode())[:32]
        return Transfers(
            CUSTOMERS,
            f"M{name}",
            self._books.moment(),
            bank.bic,
            bic,
            tuple(
                one._replace(
                    group="",
                    day=self._day(one),
                    charges=one.charges or "SHAR",
                    payer_bank=bank_tree(bank.bic),
                )
                for one in passed
            ),
        )

    def _day(self, one: CreditTransfer) -> str:
        wanted = date.fromisoformat(one.day)
        return self._rules.profile.execution_day(
            one.currency, wanted, self._books.now()
        ).isoformat()


def _not_again(order: PaymentOrder | None) -> dict[int, Refusal]:
    """What an order says of payments that are not to be booked any more."""
    if order is None:
        return {}
    return {
        place: CANCELLED_BY_PAYER
        if end.state == CANCELLED
        else Refusal(end.code, "refused on its day")
        for place, end in order.ends.items()
        if end.state != EXECUTED
    }


def _may_pay(payer: Owned | None, one: CreditTransfer, sender: str) -> Refusal | None:
    if payer is None:
        return UNKNOWN_ACCOUNT
    if payer.holder != sender:
        return _NOT_YOURS
    return None if payer.currency == one.currency else OTHER_CURRENCY
