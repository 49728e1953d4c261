"""What is done on one account counts together, whoever did it and whatever it was."""

from __future__ import annotations

from typing import Any

import pytest
from tests.finance.service.control.test_daily_totals import (
    CNY,
    MINOR,
    by,
    limited,
    numbered,
    refused,
)
from tests.finance.service.control.test_names_of_acts import PAYER_BANK

from zhidao.core.money import Money
from zhidao.finance.domain.ledger.ledger import Transfer, ledger_number
from zhidao.finance.domain.naming import AccountCode, account_id
from zhidao.finance.service.payments.bank_transfers import BankTransfers
from zhidao.finance.service.payments.deposits import Deposits
from zhidao.finance.service.payments.directory import Directory

WAYS = ("deposited", "from_cash", "moved")


class Desk:
    """The ways to put money on the importer's account, and to take it off."""

    def __init__(self, world: Any) -> None:
        approvals = limited(world)
        self._deposits = Deposits(accounts=world.accounts, ledger=world.ledger, approvals=approvals)
        self._moving = BankTransfers(
            accounts=world.accounts,
            directory=Directory(world.records, world.accounts),
            ledger=world.ledger,
            approvals=approvals,
        )
        self._cash = account_id(
            bank=PAYER_BANK, code=AccountCode.CASH, holder=PAYER_BANK, currency="CNY"
        )
        self._own = account_id(
            bank=PAYER_BANK, code=AccountCode.CUSTOMER, holder="importer", currency="CNY"
        )

    async def do(self, way: str, person: str) -> None:
        actor = by(PAYER_BANK, person)
        if way == "deposited":
            await self._deposits.deposit(
                actor, deposit=f"by {person}", holder="importer", amount=Money(MINOR, CNY)
            )
            return
        debit, credit = self._cash, self._own
        if way == "moved":
            debit, credit = credit, debit
        one = Transfer(
            id=numbered(len(person)),
            debit_account_id=debit,
            credit_account_id=credit,
            amount=MINOR,
            ledger=ledger_number(CNY),
            code=1,
        )
        await self._moving.move(actor, "CNY", [one])


@pytest.mark.parametrize("first", WAYS)
@pytest.mark.parametrize("second", WAYS)
async def test_two_persons_acts_on_one_account_are_added(
    world: Any, first: str, second: str
) -> None:
    desk = Desk(world)
    await desk.do(first, "aida")
    assert await refused(desk.do(second, "bolat")) == "needs_two_persons"
