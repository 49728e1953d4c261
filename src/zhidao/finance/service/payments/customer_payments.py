"""What a transfer in the ledger paid: who gave, who got, how much, and when."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from zhidao.core.timescale import Utc
from zhidao.finance.domain.ledger.ledger import RESOLVING, TransferFlag
from zhidao.finance.domain.ledger.records import Name, name_of, uuid_of
from zhidao.finance.domain.naming import AccountCode
from zhidao.finance.domain.payments.payment_legs import Leg, leg_name
from zhidao.finance.service.ledger.accounts import Accounts
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.payments.directory import Directory
from zhidao.finance.service.receivables.registry import Payment

_NOT_MONEY: Final = TransferFlag.PENDING | RESOLVING
"""A reservation moves nothing yet, and what resolves one may move less than it says."""


class CustomerPayments:
    """Looks transfers up for those who say that one paid something."""

    def __init__(self, ledger: Ledger, accounts: Accounts, directory: Directory) -> None:
        self._ledger = ledger
        self._accounts = accounts
        self._directory = directory

    async def under(self, bank: str, uetr: str) -> list[UUID]:
        """The transfers by which payments under a UETR may have come to a bank's customer.

        More than one may stand: each bank that sends may have used it.
        """
        senders = ["", *(one.bic for one in await self._directory.all_banks())]
        names = [leg_name(bank, uetr, Leg.INSIDE)]
        names += [leg_name(bank, uetr, Leg.CREDIT, sent_by=bic) for bic in senders]
        return [uuid_of(name) for name in names]

    async def payment(self, currency: str, transfer: UUID) -> Payment | None:
        """A single transfer that credited a customer's account, or None."""
        if currency not in await self._ledger.shards():
            return None
        name = name_of(transfer)
        found = (await self._ledger.find(currency, [name])).transfers.get(name)
        if found is None or found.flags & _NOT_MONEY:
            return None
        payee = await self._customer(found.credit_account_id)
        if not payee:
            return None
        return Payment(
            payer=await self._customer(found.debit_account_id),
            payee=payee,
            amount_minor=found.amount,
            paid_on=Utc.from_unix_ns(found.timestamp).to_datetime().date(),
        )

    async def _customer(self, account: Name) -> str:
        opened = await self._accounts.opened(uuid_of(account))
        if opened is None or opened.purpose != AccountCode.CUSTOMER.name.lower():
            return ""
        return opened.holder
