"""From a decision to both of its sides: the title moves and the money posts, or neither does.

The decision is written once and holds all that is applied. Applying is idempotent at every line,
so it is repeated after a crash or an outage until it holds; then, and only then, it is settled.
"""

from __future__ import annotations

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
from zhidao.finance.domain.deals.deal import ABORT, RELEASE, Deal, permit
from zhidao.finance.domain.deals.verdict import Abort
from zhidao.finance.domain.naming import transfer_id, uetr
from zhidao.finance.domain.payments.payment import Payment, Person
from zhidao.finance.events import AccountOpened, DealOpened, Decided, MoneyReserved, Settled
from zhidao.finance.service.deals.deal_accounting import DealBooks
from zhidao.finance.service.ledger.accounts import Accounts
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.payments.credit_lines import CreditLines
from zhidao.finance.service.ports import Schemas
from zhidao.finance.wire.iso20022.messages import camt054, pacs008
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
        lines: CreditLines,
        titles: Titles,
        archive: Archive,
        schemas: Schemas,
        scenario_clock: Clock,
    ) -> None:
        self._records = records
        self._accounts = accounts
        self._books = DealBooks(ledger=ledger, accounts=accounts, lines=lines)
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

    async def check_line(self, opened: DealOpened) -> None:
        """Raises Refused (`credit_line`) if the payer's bank would owe too much by the deal now."""
        await self._books.check_line(opened, now=self._scenario_clock.now())

    async def reserve(self, deal: Deal) -> MoneyReserved | Abort:
        """Holds the amount, and room for it between the banks; or why not. Again: the same."""
        return await self._books.reserve(deal)

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
        permit(deal, [decided])
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
        pacs, camt, schema = "", "", "not checked"
        if paid:
            await self._books.post(deal)
            pacs, camt, schema = await self._write_messages(deal)
        else:
            await self._books.void(deal)
        settled = Settled(
            deal=deal.name,
            paid=paid,
            reason=decided.reason,
            pacs008=pacs,
            camt054=camt,
            schema=schema,
        )
        permit(deal, [settled])
        await self._records.record(
            self._actor,
            f"deal/{deal.name}",
            [settled],
            after=deal.version,
            owner=deal.owner,
            visible=deal.readers,
            occurred_at=self._scenario_clock.now(),
        )

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
