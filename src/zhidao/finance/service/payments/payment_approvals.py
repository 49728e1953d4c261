"""Payments above a limit: held until two persons of the sender said so, then gone on with.

What one caller's messages moved counts together over today and the day before, by caller and by
account, so that a sum cut into files is the same sum. A message above the limit is answered PDNG
and opens an approval of the whole message; the second person's word has it taken, whoever sent it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Mapping
from typing import Any, Final, Protocol

from zhidao.core.actor import Actor
from zhidao.core.archive import Archive
from zhidao.core.errors import Refused
from zhidao.core.limits import AMOUNT_MINOR_MAX
from zhidao.core.money import Currency, Money
from zhidao.finance.domain.payments.message import CreditTransfer, Transfers
from zhidao.finance.domain.payments.payment_legs import (
    Leg,
    Refusal,
    leg_name,
    mark_of,
    with_uetrs,
)
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.control.daily_totals import PAYMENTS, DailyTotals
from zhidao.finance.service.control.name_holds import NEEDS, REFUSED, NameHolds
from zhidao.finance.service.ledger.accounts import Accounts
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.payments.directory import Directory
from zhidao.finance.service.payments.refusing import Refusing
from zhidao.finance.service.payments.resuming import Step
from zhidao.finance.service.payments.validation import Examined
from zhidao.finance.wire.iso20022.messages.messages import decode
from zhidao.finance.wire.iso20022.syntax.envelope import read_envelope
from zhidao.finance.wire.iso20022.syntax.trees import account_number, at

PAY: Final = "pay"
SHOWN_MAX: Final = 20
"""So many payments of a message are shown to those who approve it; the sum is of all."""


class GoesOn(Protocol):
    """Takes a message once more. `person`: None if it was allowed before, in all."""

    def __call__(self, step: Step, *, person: str | None) -> Awaitable[object]:
        """What follows from it is carried to the other banks."""
        ...


class PaymentApprovals:
    """Says of a message whether it may be taken now, by the limits of two persons."""

    def __init__(
        self,
        *,
        approvals: Approvals,
        daily_totals: DailyTotals,
        accounts: Accounts,
        ledger: Ledger,
        archive: Archive,
        names: NameHolds | None = None,
    ) -> None:
        """`names`: holds what names somebody on a list."""
        self._names = names
        self._approvals = approvals
        self._daily_totals = daily_totals
        self._accounts = accounts
        self._ledger = ledger
        self._archive = archive
        self._go_on: GoesOn | None = None
        self._refusing: Refusing | None = None
        self._directory: Directory | None = None

    def goes_on(self, how: GoesOn, *, refusing: Refusing, directory: Directory) -> None:
        """Names what is done with a message that two persons approved, or one refused.

        `directory`: who holds the accounts that messages touch.
        """
        self._go_on, self._refusing, self._directory = how, refusing, directory
        self._approvals.carries_out(PAY, self._said, refused=self._refused, again=True)
        if self._names is not None:
            self._names.goes_on(self._released, refused=self._refused)

    async def hold(
        self,
        actor: Actor,
        bank: BankAdmitted,
        examined: Examined,
        *,
        asked: bool,
        counted: bool = False,
    ) -> Refusal | None:
        """Why a message waits (no code) or is refused (DS02, RR04); None if it may be taken now.

        `asked`: by the actor, and not by this node with what was allowed before; `counted`: the
        sum was looked at when it was taken, and only whom it names is looked at again.
        """
        file = examined.message
        assert isinstance(file, Transfers), "only files of payments move money by one's word"
        if examined.whole is not None:
            return None
        above = asked and not counted
        held = await self._above(actor, bank, file, examined) if above else None
        held = held or await self._named(actor, bank, file, examined, asked=asked)
        if held is not None and await self._over(bank, file, examined, held):
            return None  # It was taken or refused before: it is answered, and moves nothing.
        return held

    async def _named(
        self, actor: Actor, bank: BankAdmitted, file: Transfers, examined: Examined, *, asked: bool
    ) -> Refusal | None:
        """Why a message waits that names somebody on a list."""
        good = [one for place, one in enumerate(file.transfers) if place not in examined.broken]
        if self._names is None or not good:
            return None
        currency = good[0].currency
        total = sum(one.amount_minor for one in good if one.currency == currency)
        try:
            await self._names.demand(
                bank.bank,
                subject=file.message,
                amount=Money(min(total, AMOUNT_MINOR_MAX), Currency(currency)),
                names=await self._names_in(bank, good),
                said={
                    "bank": bank.bank,
                    "digest": examined.digest,
                    "sender": actor.party,
                    # A customer's instruction is looked at alike whenever it is.
                    "asked": asked or file.definition.startswith("pain"),
                },
            )
        except Refused as error:
            return _waits(error, "RR04", "two persons of the bank look at who is named")
        return None

    async def _names_in(self, bank: BankAdmitted, many: list[CreditTransfer]) -> set[str]:
        """The names that are written, and those under which the bank opened the accounts."""
        assert self._directory is not None, "whoever holds payments says whose accounts they are"
        numbers = {
            account_number(tree) for one in many for tree in (one.payer_account, one.payee_account)
        }
        held = await self._directory.customers(bank.bank, numbers)
        written = {at(party, "Nm") for one in many for party in (one.payer, one.payee)}
        return written | {one.named for one in held.values()}

    async def _above(
        self, actor: Actor, bank: BankAdmitted, file: Transfers, examined: Examined
    ) -> Refusal | None:
        """Why a message waits that is above the limit."""
        if not self._approvals.limits.above_minor:
            return None
        by_currency: dict[str, list[CreditTransfer]] = defaultdict(list)
        for place, one in enumerate(file.transfers):
            if place not in examined.broken:
                by_currency[one.currency].append(one)
        held: Refusal | None = None
        for currency, many in sorted(by_currency.items()):
            held = await self._one(actor, bank, file, examined, currency, many) or held
        return held

    async def _one(
        self,
        actor: Actor,
        bank: BankAdmitted,
        file: Transfers,
        examined: Examined,
        currency: str,
        many: list[CreditTransfer],
    ) -> Refusal | None:
        by_account: dict[str, int] = defaultdict(int)
        for one in many:
            by_account[account_number(one.payer_account) or bank.bank] += one.amount_minor
        parts = [(name, min(minor, AMOUNT_MINOR_MAX)) for name, minor in sorted(by_account.items())]
        total = min(sum(minor for _, minor in parts), AMOUNT_MINOR_MAX)
        together = await self._daily_totals.counted(
            actor, f"message {examined.digest}", parts, currency, of=PAYMENTS
        )
        try:
            await self._approvals.demand(
                actor,
                act=PAY,
                subject=file.message,
                amount=Money(total, Currency(currency)),
                said=_said(bank, examined, many),
                together=together,
            )
        except Refused as error:
            return _waits(error, "DS02", f"two persons approve this: {error.where}")
        return None

    async def _stands(self, bank: BankAdmitted, file: Transfers, examined: Examined) -> bool:
        """Whether a payment of this very message is booked."""
        legs = (Leg.RESERVE, Leg.INSIDE, Leg.CREDIT)
        names = {
            leg_name(bank.bank, one.uetr, leg)
            for one in with_uetrs(file.transfers, examined.digest)
            for leg in legs
        }
        mark = mark_of(examined.digest)
        for currency in {one.currency for one in file.transfers} & {*await self._ledger.shards()}:
            found = await self._ledger.find(currency, list(names))
            if any(one.user_data_64 == mark for one in found.transfers.values()):
                return True
        return False

    async def _over(
        self, bank: BankAdmitted, file: Transfers, examined: Examined, held: Refusal
    ) -> bool:
        """Whether a message stands, in what way ever, or was refused for good before it waited."""
        if await self._stands(bank, file, examined):
            return True
        if held.code:
            return False
        assert self._refusing is not None, "whoever holds payments says how they are refused"
        return await self._refusing.is_spent(bank, file, examined.digest, without=examined.broken)

    async def _refused(self, actor: Actor, said: Mapping[str, Any]) -> object:
        """A person's no is final from here on, whatever the lists say later; and it is told."""
        assert self._refusing is not None, "whoever holds payments says how they are refused"
        assert self._go_on is not None, "whoever holds payments says what is done with them"
        bank = await self._accounts.bank(str(said["bank"]))
        data = await self._archive.get(str(said["digest"]))
        file = decode(read_envelope(data))
        assert isinstance(file, Transfers), "only files of payments are held"
        await self._refusing.message(bank, file, str(said["digest"]))
        person = "" if said.get("asked", True) else None
        step = Step(bank, str(said.get("sender", actor.party)), data)
        return await self._go_on(step, person=person)

    async def _said(self, actor: Actor, said: Mapping[str, Any]) -> object:
        assert self._go_on is not None, "whoever holds payments says what is done with them"
        bank = await self._accounts.bank(str(said["bank"]))
        data = await self._archive.get(str(said["digest"]))
        return await self._go_on(Step(bank, actor.party, data), person=None)

    async def _released(self, actor: Actor, said: Mapping[str, Any]) -> object:
        """Goes on with a message that was held."""
        assert self._go_on is not None, "whoever holds payments says what is done with them"
        bank = await self._accounts.bank(actor.party)
        data = await self._archive.get(str(said["digest"]))
        # Who is named was looked at, and not yet how much it is.
        person = "" if said["asked"] else None
        return await self._go_on(Step(bank, str(said["sender"]), data), person=person)


def _waits(error: Refused, code: str, note: str) -> Refusal:
    """What a message is answered that waits, or that a person refused (`code`)."""
    if error.code == NEEDS:
        return Refusal("", note)
    if error.code == REFUSED:
        return Refusal(code, "refused by a person")
    raise error


def _said(bank: BankAdmitted, examined: Examined, many: list[CreditTransfer]) -> dict[str, Any]:
    """What is approved: this message at this bank, and what its payments are."""
    return {
        "bank": bank.bank,
        "digest": examined.digest,
        "payments": len(many),
        "first": [
            {
                "payee": at(one.payee, "Nm")[:140],
                "account": account_number(one.payee_account),
                "amount_minor": str(one.amount_minor),
                "reference": one.end_to_end,
            }
            for one in many[:SHOWN_MAX]
        ],
    }
