"""The payee's bank: what other banks send, credited to the payees or refused one by one.

Many messages that come together are booked together: their transfers share the ledger's batches.
A bank is owed by another as much as its line for it allows; what goes beyond is refused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AsyncExitStack
from itertools import chain
from operator import attrgetter
from typing import Final, NamedTuple

from zhidao.core.money import Currency
from zhidao.finance.domain.ledger.ledger import TransferFlag, ledger_number
from zhidao.finance.domain.ledger.records import Name
from zhidao.finance.domain.naming import AccountCode, TransferCode
from zhidao.finance.domain.payments.message import CreditTransfer, Message, Transfers
from zhidao.finance.domain.payments.payment_legs import (
    Booking,
    Leg,
    Refusal,
    is_uetr,
    leg_name,
    mark_of,
)
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.payments.booking import (
    UNKNOWN_BANK,
    Books,
    payee_of,
    status_of,
)
from zhidao.finance.service.payments.credit_lines import CreditLines, Pair
from zhidao.finance.service.payments.directory import Directory, Owned
from zhidao.finance.service.payments.refusing import Refusing
from zhidao.finance.service.payments.validation import Examined, no_collection
from zhidao.finance.wire.iso20022.syntax.trees import account_number, at

_NO_FLAGS: Final = TransferFlag(0)
_place: Final = attrgetter("place")
_NO_UETR: Final = Refusal("FF01", "a transfer bears a UETR")
_TWICE: Final = Refusal("DUPL", "another message has paid under this UETR")
_NO_LINE: Final = Refusal("AM14", "more than this bank lets yours owe it in that currency")


class _Known(NamedTuple):
    """What the payments of some messages name, looked up before any is booked."""

    sent_by: str
    """The BIC of the bank that sent them."""
    owned: Mapping[str, Owned]
    owing: Mapping[str, Name]
    """By currency: what the payers' bank owes this one."""
    ledgers: Mapping[str, int]
    banks: Mapping[tuple[str, str], Name]
    """By BIC and currency: where a bank is credited (pacs.009)."""


class Crediting:
    """Books what other banks send."""

    def __init__(self, books: Books, lines: CreditLines) -> None:
        """`lines`: how much each other bank may come to owe."""
        self._books = books
        self._lines = lines
        self._refusing = Refusing(books)

    async def receive(
        self, bank: BankAdmitted, other: BankAdmitted, examined: Sequence[Examined]
    ) -> list[list[Message]]:
        """Another bank's payments, message by message: pacs.002, and camt.054 to the payees."""
        known = await self._known(bank, other, examined)
        with no_collection():
            transfers, starts, bookings, why = _bookings(bank, known, examined)
            refused = _refused(bank, known, transfers, _marks(examined, starts, why))
        by_currency = _by_currency(transfers, bookings)
        for named in (by_currency, refused):
            for currency, many in named.items():
                named[currency] = await self._as_named_before(bank, currency, many)
        bookings = sorted(chain.from_iterable(by_currency.values()), key=_place)
        why |= await self._book(bank, other, transfers, by_currency)
        # After what stands: a payment that was credited before keeps its name.
        for currency, many in refused.items():
            stood = await self._refusing.spend(bank, currency, many)
            why |= {one.place: _TWICE for one, own in stood if not own}
            for one in _own(stood):
                why.pop(one.place, None)
                bookings.append(one)
        if refused:
            examined = _without_verdicts(examined, starts, {one.place for one in bookings})
        with no_collection():
            return self._told(bank, examined, starts, bookings, why)

    async def _book(
        self,
        bank: BankAdmitted,
        other: BankAdmitted,
        transfers: Sequence[CreditTransfer],
        by_currency: Mapping[str, Sequence[Booking]],
    ) -> dict[int, Refusal]:
        """Books what the lines have room for; why the rest does not stand, by their places."""
        why: dict[int, Refusal] = {}
        async with AsyncExitStack() as claims:
            # In order of name, so that two who claim several never wait for each other.
            for currency in sorted(by_currency):
                many = by_currency[currency]
                wanted = [(one.name, one.amount_minor) for one in many]
                pair = Pair(bank.bank, other.bank, currency)
                without = await claims.enter_async_context(self._lines.claim(pair, wanted))
                if without:
                    beyond = [one for one in many if one.name in without]
                    await self._refusing.spend(bank, currency, beyond)
                    why |= {one.place: _NO_LINE for one in beyond}
            return why | await self._books.book(
                transfers,
                [one for many in by_currency.values() for one in many if one.place not in why],
            )

    async def _as_named_before(
        self, bank: BankAdmitted, currency: str, bookings: Sequence[Booking]
    ) -> list[Booking]:
        """Those that an earlier version booked or refused, under the names that it gave them."""
        plain = {one.place: leg_name(bank.bank, one.uetr, Leg.CREDIT) for one in bookings}
        history = await self._books.ledger.find_written(currency, list(plain.values()))

        def named(one: Booking) -> Booking:
            name = plain[one.place]
            stands = history.transfers.get(name)
            theirs = stands is not None and stands.debit_account_id == one.debit
            return one._replace(name=name) if theirs or history.failed(name) else one

        return [named(one) for one in bookings]

    def _told(
        self,
        bank: BankAdmitted,
        examined: Sequence[Examined],
        starts: Sequence[int],
        bookings: Sequence[Booking],
        why: Mapping[int, Refusal],
    ) -> list[list[Message]]:
        booked = {one.place: one for one in bookings if one.place not in why}
        answers: list[list[Message]] = []
        for message, start in zip(examined, starts, strict=True):
            file = message.message
            assert isinstance(file, Transfers), "only files of payments are credited"
            told = [
                status_of(one, why.get(place), "ACSC")
                for place, one in enumerate(file.transfers, start)
            ]
            answer: list[Message] = [self._books.report(bank, file, message, told)]
            if not file.definition.startswith("pacs.009"):
                places = range(start, start + len(file.transfers))
                inside = [
                    booked[place]._replace(place=place - start)
                    for place in places
                    if place in booked
                ]
                answer += self._books.advise(file.transfers, inside)
            answers.append(answer)
        return answers

    async def _known(
        self, bank: BankAdmitted, other: BankAdmitted, examined: Sequence[Examined]
    ) -> _Known:
        directory = self._books.directory
        numbers, currencies, banks = set(), set(), {}
        for message in examined:
            file = message.message
            assert isinstance(file, Transfers), "only files of payments are credited"
            between_banks = file.definition.startswith("pacs.009")
            for one in file.transfers:
                currencies.add(one.currency)
                if not between_banks:
                    numbers.add(account_number(one.payee_account))
                    continue
                key = (at(one.payee, "BICFI"), one.currency)
                name = await _bank_account(directory, bank, *key)
                if name is not None:
                    banks[key] = name
        owned = await directory.customers(bank.bank, numbers)
        owing = {
            currency: await directory.between(bank, AccountCode.DUE_FROM_BANK, other.bank, currency)
            for currency in currencies
        }
        ledgers = {currency: ledger_number(Currency(currency)) for currency in currencies}
        return _Known(other.bic, owned, owing, ledgers, banks)


def _bookings(
    bank: BankAdmitted, known: _Known, examined: Sequence[Examined]
) -> tuple[list[CreditTransfer], list[int], list[Booking], dict[int, Refusal]]:
    """All payments in a row, where each message begins among them, what is booked, what is not."""
    transfers: list[CreditTransfer] = []
    bookings: list[Booking] = []
    why: dict[int, Refusal] = {}
    starts: list[int] = []
    for message in examined:
        file, start = message.message, len(transfers)
        assert isinstance(file, Transfers), "only files of payments are credited"
        starts.append(start)
        transfers += file.transfers
        why |= {start + place: refusal for place, refusal in message.broken.items()}
        if message.whole is not None:
            continue
        mark = mark_of(message.digest)
        credited = _bank if file.definition.startswith("pacs.009") else _customer
        for place, one in enumerate(file.transfers, start):
            if place in why:
                continue
            payee = credited(known, one)
            if isinstance(payee, Refusal):
                why[place] = payee
                continue
            bookings.append(
                Booking(
                    place,
                    leg_name(bank.bank, one.uetr, Leg.CREDIT, sent_by=known.sent_by),
                    known.owing[one.currency],
                    payee,
                    one.amount_minor,
                    known.ledgers[one.currency],
                    one.uetr,
                    mark,
                    TransferCode.PAYMENT,
                    _NO_FLAGS,
                )
            )
    return transfers, starts, bookings, why


def _by_currency(
    transfers: Sequence[CreditTransfer], bookings: Sequence[Booking]
) -> dict[str, list[Booking]]:
    found: dict[str, list[Booking]] = defaultdict(list)
    for one in bookings:
        found[transfers[one.place].currency].append(one)
    return found


def _own(stood: Sequence[tuple[Booking, bool]]) -> list[Booking]:
    """What the same message booked."""
    return [one for one, own in stood if own]


def _marks(
    examined: Sequence[Examined], starts: Sequence[int], why: Mapping[int, Refusal]
) -> dict[int, int]:
    """The marks of what is refused for good. Under a used id nothing is: it may stand there."""
    marks: dict[int, int] = {}
    for message, start in zip(examined, starts, strict=True):
        file, whole = message.message, message.whole
        assert isinstance(file, Transfers), "only files of payments are credited"
        if whole.code == _TWICE.code if whole is not None else not why:
            continue
        mark = mark_of(message.digest)
        for place in range(start, start + len(file.transfers)):
            if whole is not None or place in why:
                marks[place] = mark
    return marks


def _without_verdicts(
    examined: Sequence[Examined], starts: Sequence[int], stands: AbstractSet[int]
) -> list[Examined]:
    """The messages, none refused whole of which something stands."""
    told: list[Examined] = []
    for message, start in zip(examined, starts, strict=True):
        file = message.message
        assert isinstance(file, Transfers), "only files of payments are credited"
        places = range(start, start + len(file.transfers))
        stood = message.whole is not None and not stands.isdisjoint(places)
        told.append(message._replace(whole=None) if stood else message)
    return told


def _refused(
    bank: BankAdmitted,
    known: _Known,
    transfers: Sequence[CreditTransfer],
    marks: Mapping[int, int],
) -> dict[str, list[Booking]]:
    """What is refused by itself, by currency, as transfers that stand for its name only.

    `marks`: what each that is refused bears of its message, by their places.
    """
    found: dict[str, list[Booking]] = defaultdict(list)
    for place, mark in marks.items():
        one = transfers[place]
        if not is_uetr(one.uetr) or one.amount_minor < 1:
            continue
        name = leg_name(bank.bank, one.uetr, Leg.CREDIT, sent_by=known.sent_by)
        ledger, owing = known.ledgers[one.currency], known.owing[one.currency]
        found[one.currency].append(
            Booking(
                *(place, name, owing, owing, one.amount_minor, ledger, one.uetr, mark),
                TransferCode.PAYMENT,
                _NO_FLAGS,
            )
        )
    return found


async def _bank_account(
    directory: Directory, bank: BankAdmitted, bic: str, currency: str
) -> Name | None:
    """Between banks: what is due to the payee's bank here, or this bank's own money."""
    payee = await directory.bank_of(bic)
    if payee is None:
        return None
    code = AccountCode.CASH if payee.bank == bank.bank else AccountCode.DUE_TO_BANK
    return await directory.between(bank, code, payee.bank, currency)


def _customer(known: _Known, one: CreditTransfer) -> Name | Refusal:
    if not one.uetr:
        return _NO_UETR
    payee = payee_of(known.owned.get(account_number(one.payee_account)), one)
    return payee if isinstance(payee, Refusal) else payee.name


def _bank(known: _Known, one: CreditTransfer) -> Name | Refusal:
    if not one.uetr:
        return _NO_UETR
    return known.banks.get((at(one.payee, "BICFI"), one.currency), UNKNOWN_BANK)
