"""Who approves transfers sees who pays whom how much, and not the bytes alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Refused
from zhidao.core.ids import PartyId
from zhidao.core.money import Currency
from zhidao.finance.domain.ledger.ledger import Transfer, TransferFlag, ledger_number
from zhidao.finance.domain.naming import AccountCode
from zhidao.finance.domain.payments.approval import Approval, Limits
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.payments.bank_transfers import FIRST_MAX, BankTransfers
from zhidao.finance.service.payments.directory import Directory

BANK = "importer-bank"
BY = Actor(PartyId(BANK), Role.PARTY)
LEDGER = ledger_number(Currency("CNY"))


class Desk:
    """Transfers above a limit of 1.00, from the importer to the bank's cash."""

    def __init__(self, world: Any, payer: UUID, cash: UUID) -> None:
        clock = world.durable.clock
        self.approvals = Approvals(
            records=world.records, clock=clock, limits=Limits.parse("CNY 1.00")
        )
        self.moving = BankTransfers(
            accounts=world.accounts,
            directory=Directory(world.records, world.accounts),
            ledger=world.ledger,
            approvals=self.approvals,
        )
        self.payer, self.cash = payer, cash

    def one(self, number: int, minor: int, **changes: Any) -> Transfer:
        return Transfer(
            UUID(int=number), self.payer, self.cash, minor, ledger=LEDGER, code=1, **changes
        )

    async def asks(self, many: Sequence[Transfer]) -> tuple[Approval, Approval]:
        """The approval that it opens, shown alone and in a list."""
        with pytest.raises(Refused) as refused:
            await self.moving.move(BY, "CNY", many)
        name = refused.value.where.removeprefix("approval ")
        listed = await self.approvals.approvals(BY, limit=10)
        [row] = [each for each in listed if each.asked.approval == name]
        return await self.approvals.approval(BY, name), row


@pytest.fixture
async def desk(world: Any) -> Desk:
    payer = UUID((await world.accounts.customer(BANK, "importer", "CNY")).account)
    bank = await world.accounts.bank(BANK)
    return Desk(world, payer, await world.accounts.technical(bank, AccountCode.CASH, BANK, "CNY"))


@pytest.mark.bound("finance.service.payments.bank_transfers.FIRST_MAX")
@pytest.mark.parametrize("count", [1, FIRST_MAX, FIRST_MAX + 1, 300])
async def test_each_row_is_shown_and_a_list_shows_the_first(desk: Desk, count: int) -> None:
    many = [desk.one(n, 1_000 + n) for n in range(1, count + 1)]
    whole, row = await desk.asks(many)
    first = whole.asked.said["first"]
    assert [int(one["amount_minor"]) for one in first] == [1_000 + n for n in range(1, count + 1)]
    told = {
        "does": "moves",
        "debtor": "importer 公司",
        "debit": desk.payer.hex,
        "creditor": "The importer-bank",
        "credit": desk.cash.hex,
        "amount_minor": "1001",
    }
    assert first[0] == told
    assert row.asked.said["first"] == first[:FIRST_MAX]
    # Shown is not approved: the name stands for what was asked, and that is carried out.
    for person in ("aida", "bolat"):
        by = Actor(PartyId(BANK), Role.PARTY, person)
        done = await desk.approvals.decide(by, whole.asked.approval, approve=True)
    assert (done.state, done.done) == ("approved", True)


async def test_what_resolves_a_reservation_shows_its_sides(desk: Desk) -> None:
    held = desk.one(1, 500, flags=TransferFlag.PENDING)
    whole, _ = await desk.asks([held])
    [reserved] = whole.asked.said["first"]
    assert (reserved["does"], reserved["amount_minor"]) == ("reserves", "500")
    for person in ("aida", "bolat"):
        by = Actor(PartyId(BANK), Role.PARTY, person)
        await desk.approvals.decide(by, whole.asked.approval, approve=True)
    books = Transfer(
        UUID(int=2), amount=400, pending_id=UUID(int=1), flags=TransferFlag.POST_PENDING_TRANSFER
    )
    whole, _ = await desk.asks([books])
    [one] = whole.asked.said["first"]
    assert one == reserved | {"does": "books", "amount_minor": "400"}
