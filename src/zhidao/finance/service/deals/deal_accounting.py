"""The money of deals: reserved, carried over both banks' books, or given back; each repeatable.

Between two banks the payer's bank comes to owe the payee's. Room for that within its line is taken
in the same moment as the payer's money, so that no decision to pay meets a bank that says no.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import msgspec

from zhidao.core.errors import Refused
from zhidao.core.money import Currency
from zhidao.core.timescale import Utc
from zhidao.finance.domain.deals.deal import Deal
from zhidao.finance.domain.deals.verdict import Abort
from zhidao.finance.domain.ledger.ledger import Result, Transfer, TransferFlag, ledger_number
from zhidao.finance.domain.ledger.records import name_of
from zhidao.finance.domain.naming import AccountCode, TransferCode, account_id, transfer_id
from zhidao.finance.events import DealOpened, MoneyReserved
from zhidao.finance.service.ledger.accounts import Accounts
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.payments.credit_lines import NO_ROOM, CreditLines, Pair


class DealBooks:
    """The transfers of deals."""

    def __init__(self, *, ledger: Ledger, accounts: Accounts, lines: CreditLines) -> None:
        self._ledger = ledger
        self._accounts = accounts
        self._lines = lines

    async def check_line(self, opened: DealOpened, *, now: Utc) -> None:
        """Raises Refused (`credit_line`) if the payer's bank would owe too much by the deal now."""
        if _is_between_banks(opened):
            claim = transfer_id(opened.deal, "claim", at=now)
            async with self._lines.claim_all(_pair(opened), _wanted(claim, opened)):
                pass

    async def reserve(self, deal: Deal) -> MoneyReserved | Abort:
        """Holds the amount, and the payee's bank's claim for it, both or neither; or why not.

        Again: the same.
        """
        opened = deal.opened
        reserved = MoneyReserved(
            deal=deal.name,
            transfer=str(deal.pending_id),
            amount_minor=opened.amount_minor,
            currency=opened.currency,
        )
        hold = await self._hold(deal)
        if not _is_between_banks(opened):
            [result] = await self._ledger.submit(opened.currency, [hold])
            return reserved if result.holds else _no_funds(result)
        both = [replace(hold, flags=hold.flags | TransferFlag.LINKED), await self._claim(deal)]
        try:
            async with self._lines.claim_all(_pair(opened), _wanted(deal.claim_id, opened)):
                results = await self._ledger.submit(opened.currency, both)
        except Refused as error:
            if error.code != NO_ROOM:
                raise
            return Abort(NO_ROOM, f"{error.args[0]}.")
        # The chain is one: its first member stands for both.
        if not results[0].holds:
            return _no_funds(results[0])
        return msgspec.structs.replace(reserved, claim=str(deal.claim_id))

    async def post(self, deal: Deal) -> None:
        """Posts the reservation and carries the money over both banks' books, all or nothing."""
        opened = deal.opened
        payee = await self._accounts.customer(opened.payee_bank, opened.payee, opened.currency)
        ledger = ledger_number(Currency(opened.currency))
        claimed = deal.reserved is not None and bool(deal.reserved.claim)
        chain = [_posted(deal, "post", deal.pending_id)]
        for step, debit, credit, code in await self._legs(deal, UUID(payee.account)):
            if step == "payment" and claimed:
                chain.append(_posted(deal, step, deal.claim_id))
                continue
            chain.append(
                Transfer(
                    id=deal.step_id(step),
                    debit_account_id=debit,
                    credit_account_id=credit,
                    amount=opened.amount_minor,
                    ledger=ledger,
                    code=code,
                )
            )
        linked = [replace(one, flags=one.flags | TransferFlag.LINKED) for one in chain[:-1]]
        results = await self._ledger.submit(opened.currency, [*linked, chain[-1]])
        if _is_between_banks(opened) and not claimed:
            self._lines.forget(_pair(opened))  # Reserved before claims were: owed without one.
        # The chain is one: if its first member exists, so do the others.
        _require(results, deal, (Result.CREATED, Result.EXISTS))

    async def void(self, deal: Deal) -> None:
        """Gives back what is reserved; again, or if nothing is: no change."""
        held = {"void": deal.pending_id}
        if _is_between_banks(deal.opened) and (deal.reserved is None or deal.reserved.claim):
            held["void claim"] = deal.claim_id
        voids = [
            Transfer(
                id=deal.step_id(step),
                pending_id=pending,
                flags=TransferFlag.VOID_PENDING_TRANSFER,
            )
            for step, pending in held.items()
        ]
        results = await self._ledger.submit(deal.opened.currency, voids)
        # Nothing to void if the deal ended before money was reserved; it cannot be any more.
        # A void of a reservation that never was fails once and stays so.
        allowed = (
            Result.CREATED,
            Result.EXISTS,
            Result.PENDING_TRANSFER_NOT_FOUND,
            Result.ID_ALREADY_FAILED,
        )
        for result in results:
            _require([result], deal, allowed)

    async def _hold(self, deal: Deal) -> Transfer:
        opened = deal.opened
        payer = await self._accounts.customer(opened.payer_bank, opened.payer, opened.currency)
        bank = await self._accounts.bank(opened.payer_bank)
        escrow = await self._accounts.technical(
            bank, AccountCode.ESCROW, deal.name, opened.currency
        )
        return Transfer(
            id=deal.pending_id,
            debit_account_id=UUID(payer.account),
            credit_account_id=escrow,
            amount=opened.amount_minor,
            ledger=ledger_number(Currency(opened.currency)),
            code=TransferCode.RESERVE,
            flags=TransferFlag.PENDING,
        )

    async def _claim(self, deal: Deal) -> Transfer:
        opened = deal.opened
        payee = await self._accounts.customer(opened.payee_bank, opened.payee, opened.currency)
        *_, (_, due_from, account, code) = await self._legs(deal, UUID(payee.account))
        return Transfer(
            id=deal.claim_id,
            debit_account_id=due_from,
            credit_account_id=account,
            amount=opened.amount_minor,
            ledger=ledger_number(Currency(opened.currency)),
            code=code,
            flags=TransferFlag.PENDING,
        )

    async def _legs(self, deal: Deal, payee: UUID) -> list[tuple[str, UUID, UUID, TransferCode]]:
        """From escrow to the payee: inside one bank, or over what one bank owes the other.

        Each bank's own accounts balance by themselves after it.
        """
        opened = deal.opened
        escrow = account_id(
            bank=opened.payer_bank,
            code=AccountCode.ESCROW,
            holder=deal.name,
            currency=opened.currency,
        )
        if opened.payer_bank == opened.payee_bank:
            return [("payment", escrow, payee, TransferCode.PAYMENT)]
        payer_bank = await self._accounts.bank(opened.payer_bank)
        payee_bank = await self._accounts.bank(opened.payee_bank)
        due_to = await self._accounts.technical(
            payer_bank, AccountCode.DUE_TO_BANK, payee_bank.bank, opened.currency
        )
        due_from = await self._accounts.technical(
            payee_bank, AccountCode.DUE_FROM_BANK, payer_bank.bank, opened.currency
        )
        return [
            ("between_banks", escrow, due_to, TransferCode.BETWEEN_BANKS),
            ("payment", due_from, payee, TransferCode.PAYMENT),
        ]


def _is_between_banks(opened: DealOpened) -> bool:
    return opened.payer_bank != opened.payee_bank


def _pair(opened: DealOpened) -> Pair:
    return Pair(opened.payee_bank, opened.payer_bank, opened.currency)


def _wanted(claim: UUID, opened: DealOpened) -> list[tuple[bytes, int]]:
    return [(name_of(claim), opened.amount_minor)]


def _posted(deal: Deal, step: str, pending: UUID) -> Transfer:
    return Transfer(
        id=deal.step_id(step),
        pending_id=pending,
        amount=deal.opened.amount_minor,
        flags=TransferFlag.POST_PENDING_TRANSFER,
    )


def _no_funds(result: Result) -> Abort:
    sentence = f"The payer's funds did not cover the amount: {result.value}."
    return Abort("insufficient_funds", sentence)


def _require(results: Sequence[Result], deal: Deal, allowed: tuple[Result, ...]) -> None:
    if results[0] not in allowed:
        names = ", ".join(result.value for result in results)
        raise Refused(
            f"deal {deal.name}: the ledger does not follow the decision: {names}",
            code="ledger_contradicts",
            remedy="an operator must look at the deal's transfers",
        )
