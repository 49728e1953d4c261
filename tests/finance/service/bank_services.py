"""Two banks' services on one node, for tests of messages: everything real but the memory beneath."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from zhidao.core.actor import Actor, Role
from zhidao.core.ids import PartyId
from zhidao.finance.adapters.memory import MemoryPaymentOrderIndex
from zhidao.finance.adapters.memory_messages import MemoryMessageIndex
from zhidao.finance.domain.payments.approval import Limits
from zhidao.finance.domain.payments.message import CreditTransfer, Message, Transfers
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.control.name_holds import NameHolds
from zhidao.finance.service.payments.credit_lines import CreditLines
from zhidao.finance.service.payments.directory import Directory
from zhidao.finance.service.payments.execution_days import ExecutionDays
from zhidao.finance.service.payments.payment_approvals import PaymentApprovals
from zhidao.finance.service.payments.payment_orders import PaymentOrders
from zhidao.finance.service.payments.payments import Payments
from zhidao.finance.service.payments.resuming import Step, Unfinished
from zhidao.finance.service.payments.sending import Outgoing
from zhidao.finance.service.payments.validation import Rules
from zhidao.finance.wire.iso20022.messages.credit_transfers import INITIATION
from zhidao.finance.wire.iso20022.messages.messages import decode, encode
from zhidao.finance.wire.iso20022.profiles import Profile, built_in
from zhidao.finance.wire.iso20022.syntax.envelope import read_envelope
from zhidao.finance.wire.iso20022.syntax.trees import account, bank, lines, person

UETRS = tuple(f"00000000-0000-4000-8000-{n:012d}" for n in range(1, 100))


class NoSchemas:
    """No pack is installed."""

    def judge(self, message: str, document: Any) -> str:
        return "not checked"


class BankServices:
    """The importer's and the exporter's bank."""

    def __init__(
        self,
        world: Any,
        schemas: Any = None,
        limits: str = "",
        *,
        index: Any = None,
        order_index: Any = None,
        profile: Profile | None = None,
    ) -> None:
        self.world = world
        durable = world.durable
        self.approvals = Approvals(
            records=world.records, clock=durable.clock, limits=Limits.parse(limits)
        )
        self.lines = CreditLines(
            records=world.records,
            ledger=world.ledger,
            accounts=world.accounts,
            approvals=self.approvals,
        )
        network = profile or built_in("cross-border")
        self.index = index = MemoryMessageIndex() if index is None else index
        directory = Directory(world.records, world.accounts)
        self.order_index = MemoryPaymentOrderIndex() if order_index is None else order_index
        self.orders = PaymentOrders(
            records=world.records, index=self.order_index, archive=durable.archive
        )
        self._parts: dict[str, Any] = {
            "ledger": world.ledger,
            "directory": directory,
            "index": index,
            "archive": durable.archive,
            "rules": Rules(schemas or NoSchemas(), network, 2026),
            "clock": durable.clock,
            "lines": self.lines,
            "orders": self.orders,
        }
        self.payments = Payments(**self._parts)
        self.days = ExecutionDays(
            orders=self.orders,
            accounts=world.accounts,
            archive=durable.archive,
            clock=durable.clock,
            carry=self._goes_on,
        )
        self.unfinished = Unfinished(
            ledger=world.ledger,
            accounts=world.accounts,
            directory=directory,
            index=index,
            archive=durable.archive,
            clock=durable.clock,
            carry=self.payments.go_on,
        )
        self.banks: dict[str, BankAdmitted] = {}
        self.accounts: dict[str, str] = {}

    async def ready(self, line_minor: int = 1_000_000_000) -> BankServices:
        """`line_minor`: what each of the two may owe the other in CNY and EUR."""
        await self.world.fill(line_minor=0)
        for name, peer in (("importer-bank", "exporter-bank"), ("exporter-bank", "importer-bank")):
            for currency in ("CNY", "EUR") if line_minor else ():
                await self.lines.set(
                    Actor(PartyId(name), Role.PARTY),
                    peer=peer,
                    currency=currency,
                    limit_minor=line_minor,
                )
        for name, holder in (("importer-bank", "importer"), ("exporter-bank", "exporter")):
            self.banks[name] = await self.world.accounts.bank(name)
            opened = await self.world.accounts.customer(name, holder, "CNY")
            self.accounts[holder] = UUID(opened.account).hex
        return self

    def hold(self, approvals: Approvals, names: NameHolds | None = None) -> None:
        """From now on two persons speak for what is above the limits, or names listed ones."""
        world = self.world
        holds = PaymentApprovals(
            approvals=approvals,
            accounts=world.accounts,
            ledger=world.ledger,
            archive=world.durable.archive,
            names=names,
        )
        self.payments = Payments(**self._parts, holds=holds)

    async def _goes_on(self, step: Step) -> None:
        """By the payments as they are then."""
        await self.payments.go_on(step)

    async def goes_on(self) -> None:
        """What is under way is taken once more, by the payments as they are now."""
        for step in await self.unfinished.steps():
            await self.payments.go_on(step)

    async def take(self, at: str, sender: str, data: bytes) -> list[Outgoing]:
        return await self.payments.take(self.banks[at], sender, data)

    async def balance(self, holder: str) -> int:
        name = UUID(self.accounts[holder])
        return (await self.world.ledger.account("CNY", name)).available

    def pays(self, *amounts: int, message: str = "M-1", **changes: Any) -> bytes:
        """The importer's instruction to pay the exporter."""
        transfers = []
        for place, amount in enumerate(amounts):
            one = CreditTransfer(
                group="G-1",
                instruction=f"I-{place}",
                end_to_end=f"E-{place}",
                uetr=UETRS[place],
                amount_minor=amount,
                currency="CNY",
                day="2026-05-01",
                charges="SHAR",
                payer=person("Importer", "Almaty", "KZ"),
                payer_account=account(self.accounts["importer"]),
                payer_bank=bank("ALMAKZKA"),
                payee=person("Exporter", "Xi'an", "CN"),
                payee_account=account(self.accounts["exporter"]),
                payee_bank=bank("XIANCNBJ"),
                remittance=lines("invoice 7"),
            )
            transfers.append(one._replace(**changes))
        return encode(
            Transfers(*(INITIATION, message, "2026-05-01T08:00:00+00:00", "", ""), tuple(transfers))
        )


def read(one: Outgoing) -> Message:
    """What an outgoing message says."""
    return decode(read_envelope(one.data))
