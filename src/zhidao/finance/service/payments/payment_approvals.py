"""Payments above a limit: held until two persons of the sender said so, then gone on with.

What one caller's word moved counts together over today and the day before, by caller and by
account (`daily_totals`), so that a sum cut into files is the same sum. A message above the limit is
answered PDNG and opens an approval of the whole message; the second person's word has it taken,
whoever sent it. A file that is refused whole counts no more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from zhidao.core.actor import Actor
from zhidao.core.archive import Archive
from zhidao.core.errors import Refused
from zhidao.core.limits import AMOUNT_MINOR_MAX
from zhidao.core.money import Currency, Money
from zhidao.finance.domain.ledger.ledger import Resolution
from zhidao.finance.domain.ledger.records import Name
from zhidao.finance.domain.payments.approval import Demand
from zhidao.finance.domain.payments.message import CreditTransfer, Transfers, Tree
from zhidao.finance.domain.payments.payment_legs import (
    Refusal,
    first_legs,
    mark_of,
    with_uetrs,
)
from zhidao.finance.domain.payments.payment_order import PaymentOrder
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.control.name_holds import NEEDS, REFUSED, NameHolds
from zhidao.finance.service.ledger.accounts import Accounts
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.payments.directory import Directory
from zhidao.finance.service.payments.payment_orders import PaymentOrders
from zhidao.finance.service.payments.refusing import Refusing, unspendable
from zhidao.finance.service.payments.resuming import GoesOn, Step
from zhidao.finance.service.payments.validation import Examined
from zhidao.finance.wire.iso20022.messages.messages import decode
from zhidao.finance.wire.iso20022.syntax.envelope import read_envelope
from zhidao.finance.wire.iso20022.syntax.trees import account_number, at

PAY: Final = "pay"
SHOWN_MAX: Final = 20
"""So many payments of a message are shown to those who approve it; the sum is of all."""


class PaymentApprovals:
    """Says of a message whether it may be taken now, by the limits of two persons."""

    def __init__(
        self,
        *,
        approvals: Approvals,
        accounts: Accounts,
        ledger: Ledger,
        archive: Archive,
        names: NameHolds | None = None,
    ) -> None:
        """`names`: holds what names somebody on a list."""
        self._names = names
        self.approvals = self._approvals = approvals
        self._accounts = accounts
        self._ledger = ledger
        self._archive = archive
        self._go_on: GoesOn | None = None
        self._refusing: Refusing | None = None
        self._directory: Directory | None = None
        self._orders: PaymentOrders | None = None

    def goes_on(
        self, how: GoesOn, *, refusing: Refusing, directory: Directory, orders: PaymentOrders
    ) -> None:
        """Names what is done with a message that two persons approved, or one refused.

        `directory`: who holds the accounts that messages touch; `orders`: what waits for its day.
        """
        self._go_on, self._refusing, self._directory = how, refusing, directory
        self._orders = orders
        orders.tells(self._cancelled)
        self._approvals.carries_out(
            PAY, self._said, refused=self._refused, again=True, became=self._allowed
        )
        if self._names is not None:
            self._names.goes_on(
                self._released, refused=self._refused, became=self._allowed, lasts=self._became
            )

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
        # Whom it names is looked at when it comes, also of what waits for its sum yet: a list that
        # is gone by then would have held nobody.
        if held is None:
            held = await self._named(actor, bank, file, examined, asked=asked)
        elif not held.code:
            held = await self._refused_name(actor, bank, file, examined) or held
        if held is not None and await self._over(bank, file, examined, held):
            return None  # It was taken or refused before: it is answered, and moves nothing.
        return held

    async def _refused_name(
        self, actor: Actor, bank: BankAdmitted, file: Transfers, examined: Examined
    ) -> Refusal | None:
        """That a person refused whom it names, if so; what is to be looked at is held by this."""
        named = await self._named(actor, bank, file, examined, asked=True)
        return named if named is not None and named.code else None

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
                is_over=lambda: self._over(bank, file, examined, Refusal("", "")),
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
        written = {at(party, "Nm") for one in many for party in _parties(one)}
        return written | {one.named for one in held.values()}

    async def _above(
        self, actor: Actor, bank: BankAdmitted, file: Transfers, examined: Examined
    ) -> Refusal | None:
        """Why a message waits that is above the limit."""
        if not self._approvals.asks:
            return None
        by_currency: dict[str, list[CreditTransfer]] = defaultdict(list)
        for place, one in enumerate(file.transfers):
            if place not in examined.broken:
                by_currency[one.currency].append(one)
        held: Refusal | None = None
        for _, many in sorted(by_currency.items()):
            try:
                await self._approvals.demand(actor, _demand(bank, file, examined.digest, many))
            except Refused as error:
                held = _waits(error, "DS02", f"two persons approve this: {error.where}")
        return held

    async def followed(self, bank: BankAdmitted, sender: str, examined: Examined) -> None:
        """A file was answered: what was refused whole counts no more."""
        file = examined.message
        if isinstance(file, Transfers) and self._approvals.asks:
            await self.came_to_nothing(bank, sender, file, examined.digest)

    async def _cancelled(self, order: PaymentOrder) -> None:
        """What a payer takes back before its day counts no more."""
        if self._approvals.asks:
            told = order.awaited
            file = decode(read_envelope(await self._archive.get(told.digest)))
            assert isinstance(file, Transfers), "an order is an instruction"
            bank = await self._accounts.bank(told.bank)
            await self.came_to_nothing(bank, told.sender, file, told.digest)

    async def came_to_nothing(
        self, bank: BankAdmitted, sender: str, file: Transfers, digest: str
    ) -> None:
        """What a message counts is free again, unless a payment of it stands or waits its day.

        Messages that never counted, or no more, cost a look into memory.
        """
        by_currency: dict[str, list[CreditTransfer]] = defaultdict(list)
        for one in file.transfers:
            by_currency[one.currency].append(one)
        demands = [_demand(bank, file, digest, many) for many in by_currency.values()]
        counted = [one for one in demands if await self._approvals.counts(sender, one)]
        if not counted or await self._stands_or_waits(bank, file, digest):
            return
        for demand in counted:
            await self._approvals.came_to_nothing(sender, demand)

    async def _stands_or_waits(self, bank: BankAdmitted, file: Transfers, digest: str) -> bool:
        if await self._moves(bank, file, digest):
            return True
        assert self._orders is not None, "whoever holds payments says what waits for its day"
        order = (await self._orders.of(bank.bank, [digest])).get(digest)
        return order is not None and order.is_open

    async def rejected(self, bank: BankAdmitted, digest: str, payer: Name) -> None:
        """Another bank refused payments of a customer's message: it may count no more.

        `payer`: the account that instructed them.
        """
        assert self._directory is not None, "whoever holds payments says whose accounts they are"
        if not self._approvals.asks:
            return
        number = payer[::-1].hex()
        held = await self._directory.customers(bank.bank, [number])
        file = decode(read_envelope(await self._archive.get(digest)))
        if number in held and isinstance(file, Transfers):
            await self.came_to_nothing(bank, held[number].holder, file, digest)

    async def _moves(self, bank: BankAdmitted, file: Transfers, digest: str) -> bool:
        """Whether money of a message moved, or is reserved."""
        mark, transfers = mark_of(digest), with_uetrs(file.transfers, digest)
        names = [name for one in transfers for name in first_legs(bank.bank, file, one.uetr)]
        for currency in {one.currency for one in transfers} & {*await self._ledger.shards()}:
            found = await self._ledger.find(currency, names)
            if any(
                one.user_data_64 == mark and found.fates.get(name) is not Resolution.VOIDED
                for name, one in found.transfers.items()
            ):
                return True
        return False

    async def _stands(self, bank: BankAdmitted, file: Transfers, digest: str) -> bool:
        """Whether a payment of this very message is booked."""
        names = {
            name
            for one in with_uetrs(file.transfers, digest)
            for name in first_legs(bank.bank, file, one.uetr)
        }
        mark = mark_of(digest)
        for currency in {one.currency for one in file.transfers} & {*await self._ledger.shards()}:
            found = await self._ledger.find(currency, list(names))
            if any(one.user_data_64 == mark for one in found.transfers.values()):
                return True
        return False

    async def _over(
        self, bank: BankAdmitted, file: Transfers, examined: Examined, held: Refusal
    ) -> bool:
        """Whether a message stands, in what way ever, or was refused for good before it waited."""
        if await self._stands(bank, file, examined.digest):
            return True
        if held.code:
            return False
        assert self._refusing is not None, "whoever holds payments says how they are refused"
        return await self._refusing.is_spent(bank, file, examined.digest, without=examined.broken)

    async def _allowed(self, actor: Actor, said: Mapping[str, Any]) -> str:
        """What came of a word: it is used once the message waits for its day, too.

        From there on the order is taken back in its own way.
        """
        assert self._orders is not None, "whoever holds payments says what waits for its day"
        became = await self._became(actor, said)
        if not became and await self._orders.of(str(said["bank"]), [str(said["digest"])]):
            return "approved"
        return became

    async def _became(self, _actor: Actor, said: Mapping[str, Any]) -> str:
        """What came of a message: booked, or refused for good; names are looked at until then."""
        assert self._refusing is not None, "whoever holds payments says how they are refused"
        bank, digest = await self._accounts.bank(str(said["bank"])), str(said["digest"])
        file = decode(read_envelope(await self._archive.get(digest)))
        assert isinstance(file, Transfers), "only files of payments are held"
        if await self._stands(bank, file, digest):
            return "approved"
        nothing = unspendable(file, digest)
        spent = await self._refusing.is_spent(bank, file, digest, without=nothing)
        return "refused" if spent else ""

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
        """Goes on with a message whose sum in one currency was approved."""
        assert self._go_on is not None, "whoever holds payments says what is done with them"
        bank = await self._accounts.bank(str(said["bank"]))
        data = await self._archive.get(str(said["digest"]))
        file = decode(read_envelope(data))
        assert isinstance(file, Transfers), "only files of payments are held"
        # Two persons saw the payments of that currency only: whatever else is in it is asked again.
        person = "" if len({one.currency for one in file.transfers}) > 1 else None
        return await self._go_on(Step(bank, actor.party, data), person=person)

    async def _released(self, actor: Actor, said: Mapping[str, Any]) -> object:
        """Goes on with a message that was held."""
        assert self._go_on is not None, "whoever holds payments says what is done with them"
        bank = await self._accounts.bank(actor.party)
        data = await self._archive.get(str(said["digest"]))
        # Who is named was looked at, and not yet how much it is.
        person = "" if said["asked"] else None
        return await self._go_on(Step(bank, str(said["sender"]), data), person=person)


def _parties(one: CreditTransfer) -> tuple[Tree, ...]:
    """Whom a payment names: who pays and is paid, and for whom."""
    return one.payer, one.payee, one.ultimate_payer, one.ultimate_payee


def _demand(
    bank: BankAdmitted, file: Transfers, digest: str, many: Sequence[CreditTransfer]
) -> Demand:
    """What the payments of one currency in a message take of a caller's word."""
    total = min(sum(one.amount_minor for one in many), AMOUNT_MINOR_MAX)
    return Demand(
        PAY,
        file.message,
        Money(total, Currency(many[0].currency)),
        _said(bank, digest, many),
        [(account_number(one.payer_account) or bank.bank, one.amount_minor) for one in many],
        # Each bank that gets these bytes does or refuses them by itself.
        counted_as=f"message {bank.bank} {digest}",
    )


def _waits(error: Refused, code: str, note: str) -> Refusal:
    """What a message is answered that waits, or that a person refused (`code`)."""
    if error.code == NEEDS:
        return Refusal("", note)
    if error.code == REFUSED:
        return Refusal(code, "refused by a person")
    raise error


def _said(bank: BankAdmitted, digest: str, many: Sequence[CreditTransfer]) -> dict[str, Any]:
    """What is approved: this message at this bank, and what its payments are."""
    return {
        "bank": bank.bank,
        "digest": digest,
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
