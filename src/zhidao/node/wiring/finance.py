"""Builds the finance room in the node's runtime context."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from zhidao.core.ids import PartyId
from zhidao.core.journal import Records
from zhidao.finance.adapters.calendar_folder import FOLDER as CALENDARS
from zhidao.finance.adapters.calendar_folder import FolderCalendars
from zhidao.finance.adapters.network_profile import FolderNetwork
from zhidao.finance.adapters.postgres_balances import PostgresWrittenBalances
from zhidao.finance.adapters.postgres_deals import PostgresDealIndex
from zhidao.finance.adapters.postgres_ledger import PostgresLedgerStore
from zhidao.finance.adapters.postgres_messages import PostgresMessageIndex
from zhidao.finance.adapters.postgres_payment_orders import PostgresPaymentOrderIndex
from zhidao.finance.adapters.schema_pack import FolderSchemas
from zhidao.finance.domain.payments.approval import Limits
from zhidao.finance.service.control.acting_again import ActingAgain
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.control.screening import Screening
from zhidao.finance.service.deals.deals import EVENTS, Deals
from zhidao.finance.service.deals.settlement import Settlement
from zhidao.finance.service.ledger.account_statements import Statements
from zhidao.finance.service.ledger.accounts import Accounts
from zhidao.finance.service.ledger.balance_history import BalanceHistory
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.payments.bank_transfers import BankTransfers
from zhidao.finance.service.payments.credit_lines import CreditLines
from zhidao.finance.service.payments.deposits import Deposits
from zhidao.finance.service.payments.directory import Directory
from zhidao.finance.service.payments.entry_sources import EntrySources
from zhidao.finance.service.payments.execution_days import ExecutionDays
from zhidao.finance.service.payments.payment_approvals import PaymentApprovals
from zhidao.finance.service.payments.payment_orders import PaymentOrders
from zhidao.finance.service.payments.payments import Payments
from zhidao.finance.service.payments.resuming import Unfinished
from zhidao.finance.service.payments.validation import Rules
from zhidao.finance.wire.iso20022.profiles import Profile, built_in
from zhidao.node.api.finance import account_history as history_api
from zhidao.node.api.finance import payment_orders as order_api
from zhidao.node.api.finance import payments as payment_api
from zhidao.node.api.finance.deals import routes
from zhidao.node.runtime.runtime_context import Consumer, Room, RuntimeContext
from zhidao.node.wiring import finance_services
from zhidao.node.wiring.settings import Settings
from zhidao.positioning.commands import Arrivals
from zhidao.store.journal import PostgresJournal
from zhidao.trade.commands import Consignments
from zhidao.trust.commands import Titles

_USAGE_YEAR: Final = 2026
_PACKS: Final = "packs/iso20022"


@dataclass(frozen=True, slots=True)
class FinanceServices:
    """The finance room, ready for use."""

    ledger: Ledger
    accounts: Accounts
    lines: CreditLines
    deals: Deals
    transfers: BankTransfers
    approvals: Approvals
    screening: Screening
    room: Room


async def build(
    context: RuntimeContext,
    settings: Settings,
    *,
    receivables_seed: bytes,
    others: finance_services.Others,
    titles: Titles,
    arrivals: Arrivals,
    consignments: Consignments,
    business: Callable[[PartyId], Awaitable[str]],
) -> FinanceServices:
    """The room's services over PostgreSQL; schemas from the data folder, if any stand there.

    `business`: what a party does in trade, or empty where the node does not know.
    """
    journal = PostgresJournal(context.database, "finance", context.wake_relay)
    records = Records(journal, context.scribe)
    store = PostgresLedgerStore(context.database, journal)
    ledger = Ledger(
        store,
        scribe=context.scribe,
        clock=context.clock,
        holder=context.node,
    )
    accounts = Accounts(records, context.scribe, ledger)
    approvals = Approvals(
        records=records,
        clock=context.clock,
        limits=Limits.parse(settings.two_persons_above),
        persons=others.persons,
    )
    lines = CreditLines(records=records, ledger=ledger, accounts=accounts, approvals=approvals)
    screening, names = finance_services.screened(context, settings, records, approvals, others)
    accounts.screened_by(names)
    settlement = Settlement(
        records=records,
        ledger=ledger,
        accounts=accounts,
        lines=lines,
        titles=titles,
        archive=context.archive,
        schemas=FolderSchemas(context.data / _PACKS),
        scenario_clock=context.scenario_clock,
    )
    deals = Deals(
        records=records,
        accounts=accounts,
        settlement=settlement,
        index=PostgresDealIndex(context.database),
        titles=titles,
        arrivals=arrivals,
        consignments=consignments,
        scenario_clock=context.scenario_clock,
        approvals=approvals,
        holds=names,
    )
    deposits = Deposits(accounts=accounts, ledger=ledger, approvals=approvals)
    services = finance_services.build(
        context,
        settings,
        finance_services.Books(
            records, store, ledger, accounts, approvals, lines, screening, names
        ),
        seed=receivables_seed,
        consignments=consignments,
        others=others,
    )
    directory = Directory(records, accounts)
    schemas = FolderSchemas(context.data / _PACKS)
    messages = PostgresMessageIndex(context.database)
    orders = PaymentOrders(
        records=records,
        index=PostgresPaymentOrderIndex(context.database),
        archive=context.archive,
    )
    payments = Payments(
        ledger=ledger,
        directory=directory,
        index=messages,
        archive=context.archive,
        rules=Rules(schemas, _network(context, schemas, settings), _USAGE_YEAR),
        clock=context.clock,
        lines=lines,
        orders=orders,
        holds=PaymentApprovals(
            approvals=approvals,
            accounts=accounts,
            ledger=ledger,
            archive=context.archive,
            names=names,
        ),
    )
    unfinished = Unfinished(
        ledger=ledger,
        accounts=accounts,
        directory=directory,
        index=messages,
        archive=context.archive,
        clock=context.clock,
        carry=payments.go_on,
    )
    days = ExecutionDays(
        orders=orders,
        accounts=accounts,
        archive=context.archive,
        clock=context.clock,
        carry=payments.go_on,
    )
    transfers = BankTransfers(
        accounts=accounts,
        directory=directory,
        ledger=ledger,
        approvals=approvals,
    )
    moving = payment_api.routes(accounts, payments, transfers)
    balances = BalanceHistory(store, PostgresWrittenBalances(context.database), context.clock)
    history = history_api.routes(
        accounts,
        Statements(store, context.clock),
        EntrySources(messages, context.archive, store),
        balances,
    )
    room = Room(
        name="finance",
        routers=(
            routes(accounts, deposits, deals, context.archive, business),
            moving,
            history,
            order_api.routes(orders),
            *services.routers,
        ),
        consumers=(
            Consumer(name="finance-deals", types=EVENTS, handle=deals.handle),
            *services.consumers,
        ),
        background=(
            ledger.watch,
            unfinished.run,
            days.run,
            ActingAgain(approvals, context.clock).run,
            balances.run,
            deals.run,
            deals.follow,
            *services.background,
        ),
    )
    return FinanceServices(ledger, accounts, lines, deals, transfers, approvals, screening, room)


def _network(
    context: RuntimeContext, schemas: FolderSchemas, settings: Settings
) -> Callable[[], Profile]:
    """What payments between banks are held to, by the banking days that this node knows then."""
    name = settings.network_profile
    calendars = FolderCalendars(context.data / CALENDARS)
    network = FolderNetwork(schemas.profile(name) or built_in(name), calendars, context.clock)
    network.profile()  # A node whose calendars cannot be read does not start.
    return network.profile
