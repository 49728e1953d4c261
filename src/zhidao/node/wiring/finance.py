"""Builds the finance room on the node's ground."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from zhidao.core.journal import Records
from zhidao.finance.adapters.calendar_folder import FOLDER as CALENDARS
from zhidao.finance.adapters.calendar_folder import FolderCalendars
from zhidao.finance.adapters.postgres_deals import PostgresDealIndex
from zhidao.finance.adapters.postgres_ledger import PostgresLedgerStore
from zhidao.finance.adapters.postgres_messages import PostgresMessageIndex
from zhidao.finance.adapters.schema_pack import FolderSchemas
from zhidao.finance.domain.approval import Limits
from zhidao.finance.service.accounts import Accounts
from zhidao.finance.service.approvals import Approvals
from zhidao.finance.service.bank_transfers import BankTransfers
from zhidao.finance.service.credit_lines import CreditLines
from zhidao.finance.service.deals import EVENTS, Deals
from zhidao.finance.service.deposits import Deposits
from zhidao.finance.service.directory import Directory
from zhidao.finance.service.intake import Rules
from zhidao.finance.service.ledger import Ledger
from zhidao.finance.service.payments import Payments
from zhidao.finance.service.settlement import Settlement
from zhidao.finance.service.spoken import SpokenWords
from zhidao.finance.service.statements import Statements
from zhidao.finance.wire.iso20022.profiles import Profile, built_in, with_calendars
from zhidao.node.api import finance_payments as payment_api
from zhidao.node.api.finance import routes
from zhidao.node.ground import Consumer, Ground, Room
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
    room: Room


async def build(
    ground: Ground,
    settings: Settings,
    *,
    receivables_seed: bytes,
    others: finance_services.Others,
    titles: Titles,
    arrivals: Arrivals,
    consignments: Consignments,
) -> FinanceServices:
    """The room's services over PostgreSQL; schemas from the data folder, if any stand there."""
    journal = PostgresJournal(ground.database, "finance", ground.wake_relay)
    records = Records(journal, ground.scribe)
    store = PostgresLedgerStore(ground.database, journal)
    ledger = Ledger(
        store,
        scribe=ground.scribe,
        clock=ground.clock,
        holder=ground.node,
    )
    accounts = Accounts(records, ground.scribe, ledger)
    approvals = Approvals(
        records=records, clock=ground.clock, limits=Limits.parse(settings.two_persons_above)
    )
    lines = CreditLines(records=records, ledger=ledger, accounts=accounts, approvals=approvals)
    settlement = Settlement(
        records=records,
        ledger=ledger,
        accounts=accounts,
        lines=lines,
        titles=titles,
        archive=ground.archive,
        schemas=FolderSchemas(ground.data / _PACKS),
        scenario_clock=ground.scenario_clock,
    )
    deals = Deals(
        records=records,
        accounts=accounts,
        settlement=settlement,
        index=PostgresDealIndex(ground.database),
        titles=titles,
        arrivals=arrivals,
        consignments=consignments,
        scenario_clock=ground.scenario_clock,
        approvals=approvals,
    )
    words = SpokenWords(records=records, clock=ground.clock, limits=approvals.limits)
    deposits = Deposits(accounts=accounts, ledger=ledger, approvals=approvals, words=words)
    services = finance_services.build(
        ground,
        settings,
        finance_services.Books(records, store, ledger, accounts, approvals, lines),
        seed=receivables_seed,
        consignments=consignments,
        others=others,
    )
    directory = Directory(records, accounts)
    limits = Limits.parse(settings.two_persons_above)
    schemas = FolderSchemas(ground.data / _PACKS)
    payments = Payments(
        ledger=ledger,
        directory=directory,
        index=PostgresMessageIndex(ground.database),
        archive=ground.archive,
        rules=Rules(schemas, _network(ground, schemas, settings), _USAGE_YEAR),
        clock=ground.clock,
        lines=lines,
        limits=limits,
    )
    transfers = BankTransfers(
        accounts=accounts, directory=directory, ledger=ledger, limits=limits, words=words
    )
    moving = payment_api.routes(accounts, payments, transfers, Statements(store, ground.clock))
    room = Room(
        name="finance",
        routers=(routes(accounts, deposits, deals, ground.archive), moving, *services.routers),
        consumers=(
            Consumer(name="finance-deals", types=EVENTS, handle=deals.handle),
            *services.consumers,
        ),
        background=(deals.run, deals.follow, *services.background),
    )
    return FinanceServices(ledger, accounts, lines, deals, transfers, room)


def _network(ground: Ground, schemas: FolderSchemas, settings: Settings) -> Profile:
    """What payments between banks are held to, by the banking days that this node knows now."""
    name = settings.network_profile
    known = FolderCalendars(ground.data / CALENDARS).calendars()
    today = ground.clock.now().to_datetime().date()
    return with_calendars(schemas.profile(name) or built_in(name), known, today=today)
