"""What is refused is refused for good: the names of its transfers are used up before it is told.

Whoever hears RJCT gives the money back, so the same message must move nothing later on, whatever
lists, lines or accounts are like by then, and however long ago somebody said no.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Final

from zhidao.core.money import Currency
from zhidao.finance.domain.ledger.book import History
from zhidao.finance.domain.ledger.ledger import Result, TransferFlag, ledger_number
from zhidao.finance.domain.ledger.records import Name
from zhidao.finance.domain.naming import AccountCode, TransferCode
from zhidao.finance.domain.payments.message import CreditTransfer, Transfers
from zhidao.finance.domain.payments.payment_legs import (
    Booking,
    first_legs,
    is_uetr,
    mark_of,
    with_uetrs,
)
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.payments.booking import Books

_NO_FLAGS: Final = TransferFlag(0)
_NOTHING: Final = "beyond a credit line"
"""Holder of an account without money. A transfer from it fails for ever, and its name with it."""


class Refusing:
    """Uses up the names of what a bank refuses."""

    def __init__(self, books: Books) -> None:
        self._books = books

    async def spend(
        self, bank: BankAdmitted, currency: str, beyond: Sequence[Booking]
    ) -> list[tuple[Booking, bool]]:
        """Uses up the names of what is refused: the payer's bank gives the money back.

        The same message must not credit the payee once there is room, or an account, at last.
        Returns what was booked before, and whether by the same message: that stands, whatever
        the rules say of its day by now.
        """
        empty = await self._books.directory.between(bank, AccountCode.ESCROW, _NOTHING, currency)
        results = await self._books.submit(currency, [one._replace(debit=empty) for one in beyond])
        assert not any(result is Result.CREATED for result in results), "there is no money on it"
        told = {
            one.name: one
            for one, result in zip(beyond, results, strict=True)
            if result.value.startswith("exists")
        }
        if not told:
            return []
        history = await self._books.ledger.find(currency, list(told))
        return [
            (
                one._replace(debit=found.debit_account_id, credit=found.credit_account_id),
                found.user_data_64 == one.mark,
            )
            for name, one in told.items()
            if (found := history.transfers.get(name)) is not None
        ]

    async def message(self, bank: BankAdmitted, file: Transfers, digest: str) -> None:
        """Nothing of this message moves any more; what it moved before stands."""
        by_currency: dict[str, list[Booking]] = defaultdict(list)
        mark = mark_of(digest)
        nothing = unspendable(file, digest)
        for place, one in enumerate(with_uetrs(file.transfers, digest)):
            if place in nothing:
                continue
            cash = await self._books.directory.between(
                bank, AccountCode.CASH, bank.bank, one.currency
            )
            by_currency[one.currency] += [
                Booking(
                    *(place, name, cash, cash, one.amount_minor),
                    *(ledger_number(Currency(one.currency)), one.uetr, mark),
                    *(TransferCode.PAYMENT, _NO_FLAGS),
                )
                for name in _spent(bank.bank, file, one.uetr)
            ]
        for currency, many in by_currency.items():
            await self.spend(bank, currency, many)

    async def is_spent(
        self, bank: BankAdmitted, file: Transfers, digest: str, *, without: Collection[int]
    ) -> bool:
        """Whether no payment of this message can move any more, but those places left out."""
        transfers = with_uetrs(file.transfers, digest)
        by_currency: dict[str, list[CreditTransfer]] = defaultdict(list)
        for place, one in enumerate(transfers):
            if place not in without:
                by_currency[one.currency].append(one)
        ledger = self._books.ledger
        if not by_currency.keys() <= {*await ledger.shards()}:
            return False
        for currency, many in by_currency.items():
            legs = [first_legs(bank.bank, file, one.uetr) for one in many]
            history = await ledger.find(currency, [name for names in legs for name in names])
            if not all(_failed(history, file, names) for names in legs):
                return False
        return True


def unspendable(file: Transfers, digest: str) -> set[int]:
    """The places of a file that can move nothing, whatever is said of it."""
    return {
        place
        for place, one in enumerate(with_uetrs(file.transfers, digest))
        if not is_uetr(one.uetr) or one.amount_minor < 1
    }


def _failed(history: History, file: Transfers, names: Sequence[Name]) -> bool:
    """Whether a payment of these names can move nothing.

    Of what another bank sent the older name failed or the newer one, hardly ever both.
    """
    enough = all if file.definition.startswith("pain") else any
    return enough(map(history.failed, names))


def _spent(bank: str, file: Transfers, uetr: str) -> Sequence[Name]:
    """The names that a refused payment uses up, none that another bank's payment would bear."""
    names = first_legs(bank, file, uetr)
    return names if file.definition.startswith("pain") else names[:1]
