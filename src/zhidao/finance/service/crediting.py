"""The payee's bank: what other banks send, credited to the payees or refused one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from zhidao.core.money import Currency
from zhidao.finance.domain.ledger import TransferFlag, ledger_number
from zhidao.finance.domain.message import CreditTransfer, Message, Transfers
from zhidao.finance.domain.naming import AccountCode, TransferCode
from zhidao.finance.domain.payment_legs import Booking, Leg, Refusal, leg_name, mark_of
from zhidao.finance.domain.records import Name
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.booking import UNKNOWN_BANK, Books, payee_of, status_of
from zhidao.finance.service.directory import Owned
from zhidao.finance.service.intake import Examined
from zhidao.finance.wire.iso20022.trees import account_number, at

_NO_FLAGS: Final = TransferFlag(0)


class Crediting:
    """Books what other banks send."""

    def __init__(self, books: Books) -> None:
        self._books = books

    async def receive(
        self, bank: BankAdmitted, other: BankAdmitted, file: Transfers, examined: Examined
    ) -> list[Message]:
        """Another bank's payments: credited to the payees, or refused one by one."""
        transfers, why = list(file.transfers), dict(examined.broken)
        mark = mark_of(examined.digest)
        owned = await self._books.directory.customers(
            bank.bank, (account_number(one.payee_account) for one in transfers)
        )
        bookings: list[Booking] = []
        for place, one in enumerate(transfers):
            if examined.whole is not None or place in why:
                continue
            payee = await self._credited(bank, file, one, owned)
            if isinstance(payee, Refusal):
                why[place] = payee
                continue
            owed = await self._books.directory.between(
                bank, AccountCode.DUE_FROM_BANK, other.bank, one.currency
            )
            bookings.append(
                Booking(
                    place,
                    leg_name(bank.bank, one.uetr, Leg.CREDIT),
                    owed,
                    payee,
                    one.amount_minor,
                    ledger_number(Currency(one.currency)),
                    one.uetr,
                    mark,
                    TransferCode.PAYMENT,
                    _NO_FLAGS,
                )
            )
        why |= await self._books.book(transfers, bookings)
        told = [status_of(one, why.get(place), "ACSC") for place, one in enumerate(transfers)]
        booked = [one for one in bookings if one.place not in why]
        report: list[Message] = [self._books.report(bank, file, examined, told)]
        if file.definition.startswith("pacs.009"):
            return report
        return report + self._books.advise(transfers, booked)

    async def _credited(
        self,
        bank: BankAdmitted,
        file: Transfers,
        one: CreditTransfer,
        owned: Mapping[str, Owned],
    ) -> Name | Refusal:
        """The account that a payment is credited to."""
        if not one.uetr:
            return Refusal("FF01", "a transfer bears a UETR")
        if not file.definition.startswith("pacs.009"):
            payee = payee_of(owned.get(account_number(one.payee_account)), one)
            return payee if isinstance(payee, Refusal) else payee.name
        # Between banks: what is due to the payee's bank here, or this bank's own money.
        payee_bank = await self._books.directory.bank_of(at(one.payee, "BICFI"))
        if payee_bank is None:
            return UNKNOWN_BANK
        own = payee_bank.bank == bank.bank
        code = AccountCode.CASH if own else AccountCode.DUE_TO_BANK
        return await self._books.directory.between(bank, code, payee_bank.bank, one.currency)
