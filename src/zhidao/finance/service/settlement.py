"""From a decision to both of its sides: the title moves and the money posts, or neither does.

The decision is written once and holds all that is applied. Applying is idempotent at every line,
so it is repeated after a crash or an outage until it holds; then, and only then, it is settled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.archive import Archive
from zhidao.core.encoding import parse_hex
from zhidao.core.errors import Refused
from zhidao.core.journal import Handled, Records
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import Utc
from zhidao.finance.domain.deal import ABORT, RELEASE, Deal
from zhidao.finance.domain.ledger import Result, Transfer, TransferFlag, ledger_number
from zhidao.finance.domain.naming import AccountCode, TransferCode, account_id, transfer_id, uetr
from zhidao.finance.domain.payment import Payment, Person
from zhidao.finance.domain.verdict import Abort
from zhidao.finance.events import AccountOpened, DealOpened, Decided, Settled
from zhidao.finance.service.accounts import Accounts
from zhidao.finance.service.ledger import Ledger
from zhidao.finance.service.ports import Schemas
from zhidao.finance.wire.iso20022 import camt054, pacs008
from zhidao.trust.commands import Titles

# What the trust room answers if a deal does not hold the title.
_NOT_IN_CUSTODY: Final = "not_in_custody"


@dataclass(frozen=True, slots=True)
class _Names:
    """The transfers that a message refers to."""

    payment: UUID
    pending: UUID


class Settlement:
    """Decides deals and applies what was decided."""

    def __init__(
        self,
        *,
        records: Records,
        ledger: Ledger,
        accounts: Accounts,
        titles: Titles,
        archive: Archive,
        schemas: Schemas,
        scenario_clock: Clock,
    ) -> None:
        self._records = records
        self._ledger = ledger
        self._accounts = accounts
        self._titles = titles
        self._archive = archive
        self._schemas = schemas
        self._scenario_clock = scenario_clock
        self._actor = Actor(records.node, Role.NODE)

    async def rehearse(self, opened: DealOpened) -> None:
        """Writes a deal's messages for practice. Raises what would stop them at the end."""
        now = self._scenario_clock.now()
        names = _Names(*(transfer_id(opened.deal, step, at=now) for step in ("a", "b")))
        payment = await self._payment(opened, names, _whole_second(now))
        pacs008.encode(payment)
        camt054.encode(payment)

    async def reserve(self, deal: Deal) -> Result:
        """Holds the amount by a pending transfer; again: `exists`."""
        opened = deal.opened
        payer = await self._accounts.customer(opened.payer_bank, opened.payer, opened.currency)
        bank = await self._accounts.bank(opened.payer_bank)
        escrow = await self._accounts.technical(
            bank, AccountCode.ESCROW, deal.name, opened.currency
        )
        pending = Transfer(
            id=deal.pending_id,
            debit_account_id=UUID(payer.account),
            credit_account_id=escrow,
            amount=opened.amount_minor,
            ledger=ledger_number(Currency(opened.currency)),
            code=TransferCode.RESERVE,
            flags=TransferFlag.PENDING,
        )
        [result] = await self._ledger.submit(opened.currency, [pending])
        return result

    async def release(self, deal: Deal) -> None:
        """Writes the decision to pay, with the signed title transaction to the payer."""
        transaction = ""
        if deal.title_reserved is not None:
            transaction = await self._sign(deal, deal.opened.payer)
        sentence = "All conditions hold: " + ", ".join(deal.needs) + "."
        await self._decide(deal, RELEASE, Abort("conditions_met", sentence), transaction, None)

    async def abort(self, deal: Deal, why: Abort, handled: Handled | None = None) -> None:
        """Writes the decision not to pay, with the signed title transaction back to its holder."""
        transaction = ""
        if deal.opened.title:
            # The chain is asked, not the history: the title may have come a moment before a crash.
            try:
                transaction = await self._sign(deal, deal.opened.payee)
            except Refused as error:
                if error.code != _NOT_IN_CUSTODY:
                    raise
        await self._decide(deal, ABORT, why, transaction, handled)

    async def _sign(self, deal: Deal, to_party: str) -> str:
        raw = await self._titles.sign_from_custody(
            title=deal.opened.title, deal=deal.name, to_party=to_party
        )
        return raw.hex()

    async def _decide(
        self, deal: Deal, outcome: str, why: Abort, transaction: str, handled: Handled | None
    ) -> None:
        decided = Decided(
            deal=deal.name,
            outcome=outcome,
            reason=why.reason,
            sentence=why.sentence,
            title=deal.opened.title,
            title_transaction=transaction,
            transfer=str(deal.pending_id),
        )
        await self._records.record(
            self._actor,
            f"deal/{deal.name}",
            [decided],
            after=deal.version,
            owner=deal.owner,
            visible=deal.readers,
            occurred_at=self._scenario_clock.now(),
            handled=handled,
        )

    async def apply(self, deal: Deal) -> None:
        """Applies a decision and settles the deal. Raises Unavailable; call it again then."""
        decided = deal.decided
        assert decided is not None, "only a decision is applied"
        paid = decided.outcome == RELEASE
        if decided.title_transaction:
            await self._titles.send(
                self._actor,
                raw=parse_hex(decided.title_transaction),
                title=decided.title,
                purpose=f"deal {deal.name}: {decided.outcome}",
            )
        payer = await self._customer(deal, deal.opened.payer_bank, deal.opened.payer)
        payee = await self._customer(deal, deal.opened.payee_bank, deal.opened.payee)
        pacs, camt, schema = "", "", "not checked"
        if paid:
            await self._post(deal, payee)
            pacs, camt, schema = await self._write_messages(deal)
        else:
            await self._void(deal)
        settled = Settled(
            deal=deal.name,
            paid=paid,
            reason=decided.reason,
            payer_balance_minor=await self._balance(payer),
            payee_balance_minor=await self._balance(payee),
            pacs008=pacs,
            camt054=camt,
            schema=schema,
        )
        await self._records.record(
            self._actor,
            f"deal/{deal.name}",
            [settled],
            after=deal.version,
            owner=deal.owner,
            visible=deal.readers,
            occurred_at=self._scenario_clock.now(),
        )

    async def _customer(self, deal: Deal, bank: str, holder: str) -> AccountOpened:
        return await self._accounts.customer(bank, holder, deal.opened.currency)

    async def _balance(self, account: AccountOpened) -> int:
        return (await self._ledger.account(account.currency, UUID(account.account))).balance

    async def _post(self, deal: Deal, payee: AccountOpened) -> None:
        """Posts the reservation and carries the money over both banks' books, all or nothing."""
        opened = deal.opened
        currency, ledger = opened.currency, ledger_number(Currency(opened.currency))
        first = Transfer(
            id=deal.step_id("post"),
            pending_id=deal.pending_id,
            amount=opened.amount_minor,
            flags=TransferFlag.POST_PENDING_TRANSFER | TransferFlag.LINKED,
        )
        escrow = account_id(
            bank=opened.payer_bank, code=AccountCode.ESCROW, holder=deal.name, currency=currency
        )
        legs = await self._legs(deal, escrow, UUID(payee.account))
        rest = [
            Transfer(
                id=deal.step_id(step),
                debit_account_id=debit,
                credit_account_id=credit,
                amount=opened.amount_minor,
                ledger=ledger,
                code=code,
                flags=TransferFlag.LINKED if place + 1 < len(legs) else TransferFlag(0),
            )
            for place, (step, debit, credit, code) in enumerate(legs)
        ]
        results = await self._ledger.submit(currency, [first, *rest])
        # The chain is one: if its first member exists, so do the others.
        _require(results, deal, (Result.CREATED, Result.EXISTS))

    async def _legs(
        self, deal: Deal, escrow: UUID, payee: UUID
    ) -> list[tuple[str, UUID, UUID, TransferCode]]:
        """From escrow to the payee: inside one bank, or over what one bank owes the other.

        Each bank's own accounts balance by themselves after it.
        """
        opened = deal.opened
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

    async def _void(self, deal: Deal) -> None:
        void = Transfer(
            id=deal.step_id("void"),
            pending_id=deal.pending_id,
            flags=TransferFlag.VOID_PENDING_TRANSFER,
        )
        results = await self._ledger.submit(deal.opened.currency, [void])
        # Nothing to void if the deal ended before money was reserved; it cannot be any more.
        # A void of a reservation that never was fails once and stays so.
        allowed = (
            Result.CREATED,
            Result.EXISTS,
            Result.PENDING_TRANSFER_NOT_FOUND,
            Result.ID_ALREADY_FAILED,
        )
        _require(results, deal, allowed)

    async def _write_messages(self, deal: Deal) -> tuple[str, str, str]:
        """Digests of pacs.008 and camt.054 in the archive, and whether a schema was at hand."""
        assert deal.decided_at is not None, "messages follow a decision"
        names = _Names(deal.step_id("payment"), deal.pending_id)
        # The decision's own time, so that every repetition writes the same bytes.
        payment = await self._payment(deal.opened, names, _whole_second(deal.decided_at))
        transfer, notice = pacs008.encode(payment), camt054.encode(payment)
        # Both are read back strictly before they leave the house.
        assert pacs008.decode(transfer) == camt054.decode(notice) == payment
        verdicts = [
            await self._schemas.check(pacs008.DEFINITION, transfer),
            await self._schemas.check(camt054.DEFINITION, notice),
        ]
        schema = "; ".join(sorted(set(verdicts)))
        return await self._archive.put(transfer), await self._archive.put(notice), schema

    async def _payment(self, opened: DealOpened, names: _Names, created: datetime) -> Payment:
        payer = await self._accounts.customer(opened.payer_bank, opened.payer, opened.currency)
        payee = await self._accounts.customer(opened.payee_bank, opened.payee, opened.currency)
        return Payment(
            message=names.payment.hex,
            instruction=names.pending.hex,
            end_to_end=opened.deal,
            uetr=uetr(names.payment),
            created=created,
            settled_on=created.date(),
            amount=Money(opened.amount_minor, Currency(opened.currency)),
            payer=_person(payer),
            payer_account=UUID(payer.account).hex,
            payer_bank=(await self._accounts.bank(opened.payer_bank)).bic,
            payee=_person(payee),
            payee_account=UUID(payee.account).hex,
            payee_bank=(await self._accounts.bank(opened.payee_bank)).bic,
            remittance=f"consignment {opened.consignment}",
        )


def _whole_second(at: Utc) -> datetime:
    return at.to_datetime().replace(microsecond=0)


def _person(account: AccountOpened) -> Person:
    return Person(account.name, account.town, account.country)


def _require(results: Sequence[Result], deal: Deal, allowed: tuple[Result, ...]) -> None:
    if results[0] not in allowed:
        names = ", ".join(result.value for result in results)
        raise Refused(
            f"deal {deal.name}: the ledger does not follow the decision: {names}",
            code="ledger_contradicts",
            remedy="an operator must look at the deal's transfers",
        )
