"""Money that comes in from outside: credited to a customer against the bank's cash.

A deposit makes money on this ledger out of a bank's word, so above the limit two persons give it.
What one caller's word was enough for counts together (`daily_totals`): splitting a sum into
deposits below the limit does not help.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from zhidao.core.actor import Actor
from zhidao.core.ids import party_id
from zhidao.core.money import Currency, Money
from zhidao.finance.domain.ledger.records import name_of
from zhidao.finance.domain.naming import transfer_id
from zhidao.finance.domain.payments.approval import Demand
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.ledger.accounts import Accounts, Statement
from zhidao.finance.service.ledger.ledger import Ledger

DEPOSIT: Final = "deposit"


class Deposits:
    """Takes deposits for the customers of a bank."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        ledger: Ledger,
        approvals: Approvals,
    ) -> None:
        self._accounts = accounts
        self._ledger = ledger
        self._approvals = approvals
        approvals.carries_out(DEPOSIT, self._said, again=True, became=self._became)

    async def deposit(self, actor: Actor, *, deposit: str, holder: str, amount: Money) -> Statement:
        """Credits a customer of the actor's bank; again: nothing more is credited.

        Raises Refused (`needs_two_persons`, `no_account`), Conflict if this deposit's name stands
        for another amount or holder.
        """
        bank = await self._accounts.require_bank(actor)
        currency = amount.currency.code
        account = await self._accounts.customer(bank.bank, holder, currency)
        name = name_of(transfer_id("deposit", bank.bank, deposit))
        # What stands is answered alike, however long ago its approval was.
        if name in (await self._ledger.find(currency, [name])).transfers:
            return await self._accounts.deposit(
                actor, deposit=deposit, holder=holder, amount=amount
            )
        said = {"deposit": deposit, "holder": holder, "amount_minor": str(amount.minor)}
        # By the account, as all that is done on it is counted.
        number = UUID(account.account).hex
        demand = Demand(
            DEPOSIT,
            deposit,
            amount,
            {**said, "currency": currency},
            [(number, amount.minor)],
            formerly={number: holder},
        )
        async with self._approvals.allowed(actor, demand):
            return await self._accounts.deposit(
                actor, deposit=deposit, holder=holder, amount=amount
            )

    async def _became(self, actor: Actor, said: Mapping[str, Any]) -> str:
        """Approved if exactly this is booked."""
        currency = str(said["currency"])
        name = name_of(transfer_id("deposit", actor.party, str(said["deposit"])))
        booked = (await self._ledger.find(currency, [name])).transfers.get(name)
        if booked is None or booked.amount != int(said["amount_minor"]):
            return ""
        account = await self._accounts.customer(
            actor.party, party_id(str(said["holder"])), currency
        )
        held = booked.credit_account_id == name_of(UUID(account.account))
        return "approved" if held else ""

    async def _said(self, actor: Actor, said: Mapping[str, Any]) -> Statement:
        amount = Money(int(said["amount_minor"]), Currency(str(said["currency"])))
        return await self.deposit(
            actor, deposit=str(said["deposit"]), holder=str(said["holder"]), amount=amount
        )
