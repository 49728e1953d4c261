"""Builds what banks do beside the ledger: credits, netting, receivables, screening, proofs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from litestar import Router

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import MalformedInput, NotFound
from zhidao.core.ids import party_id
from zhidao.core.journal import Records
from zhidao.exchange.commands import Exchange
from zhidao.exchange.domain.peer import Peer
from zhidao.finance.adapters.calendar_folder import FOLDER, FolderCalendars
from zhidao.finance.adapters.postgres_escrows import PostgresEscrowIndex
from zhidao.finance.adapters.postgres_names import PostgresNameIndex
from zhidao.finance.adapters.postgres_places import PostgresTransferPlaces
from zhidao.finance.adapters.postgres_pvp import PostgresPvpIndex
from zhidao.finance.adapters.screening_folder import FOLDER as SCREENING
from zhidao.finance.adapters.screening_folder import FolderLists
from zhidao.finance.service.control import party_references
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.control.name_holds import NameHolds
from zhidao.finance.service.control.party_names import PartyNames
from zhidao.finance.service.control.party_references import PartyReferences
from zhidao.finance.service.control.screening import Screening
from zhidao.finance.service.credits.service import Credits
from zhidao.finance.service.deals.escrow_accounting import EscrowBooks
from zhidao.finance.service.deals.escrows import EVENTS, Escrows
from zhidao.finance.service.ledger.accounts import Accounts
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.ledger.proofs import Proofs
from zhidao.finance.service.payments.credit_lines import CreditLines
from zhidao.finance.service.payments.customer_payments import CustomerPayments
from zhidao.finance.service.payments.directory import Directory
from zhidao.finance.service.ports import LedgerStore, Persons
from zhidao.finance.service.pvp.fx_quotes import FxQuotes
from zhidao.finance.service.pvp.service import PvpService
from zhidao.finance.service.receivables.netting import Nettings
from zhidao.finance.service.receivables.passports import Passports
from zhidao.finance.service.receivables.registry import Receivables
from zhidao.finance.wire.blinded import secret_of
from zhidao.node.adapters.postgres import PostgresStoredEvents
from zhidao.node.adapters.pvp_post import ExchangePost, LoggedDecisions, PvpInbox
from zhidao.node.api.finance import approvals as approvals_api
from zhidao.node.api.finance import calendars as calendars_api
from zhidao.node.api.finance import credit as credit_api
from zhidao.node.api.finance import credit_lines as lines_api
from zhidao.node.api.finance import currencies as currencies_api
from zhidao.node.api.finance import escrow as escrow_api
from zhidao.node.api.finance import netting as netting_api
from zhidao.node.api.finance import passports as passports_api
from zhidao.node.api.finance import proofs as proofs_api
from zhidao.node.api.finance import pvp as pvp_api
from zhidao.node.api.finance import receivables as receivables_api
from zhidao.node.api.finance import screening as screening_api
from zhidao.node.runtime.runtime_context import Consumer, RuntimeContext
from zhidao.node.wiring.settings import Settings
from zhidao.trade.commands import Consignments
from zhidao.trust.commands import SelectiveCredentials
from zhidao.trust.domain.policy import Policy
from zhidao.trust.service.log.reader import LogReader
from zhidao.trust.service.witness.ports import CosignedNotes


@dataclass(frozen=True, slots=True)
class Books:
    """What the services share: journal, ledger, accounts, approvals, lines, lists and holds."""

    records: Records
    store: LedgerStore
    ledger: Ledger
    accounts: Accounts
    approvals: Approvals
    lines: CreditLines
    screening: Screening
    holds: NameHolds


@dataclass(frozen=True, slots=True)
class Others:
    """What banks need of other rooms: the exchange, its peers, the log, and credentials.

    `called`: the names of all parties, here and at peers.
    `persons`: who still speaks for a party.
    `policies`: who must have witnessed a log; `cosigned`: heads of this log that witnesses signed.
    """

    exchange: Exchange
    peer_of: Callable[[str], Peer]
    called: Callable[[], Awaitable[Mapping[str, str]]]
    persons: Persons
    log: LogReader
    policies: Sequence[Policy]
    cosigned: CosignedNotes
    selective: SelectiveCredentials


@dataclass(frozen=True, slots=True)
class BankServices:
    """Routers, consumers of events, and work that goes on behind them."""

    routers: Sequence[Router]
    consumers: Sequence[Consumer]
    background: Sequence[Callable[[], Awaitable[None]]]


def build(
    context: RuntimeContext,
    settings: Settings,
    books: Books,
    *,
    seed: bytes,
    consignments: Consignments,
    others: Others,
) -> BankServices:
    """The services with their routes. `seed`: 32 secret bytes of the receivables registry."""
    named = PostgresNameIndex(context.database)
    calendars = FolderCalendars(context.data / FOLDER)
    letters = Credits(
        records=books.records,
        ledger=books.ledger,
        accounts=books.accounts,
        approvals=books.approvals,
        clock=context.scenario_clock,
        lines=books.lines,
        names=PartyReferences(party_references.CREDIT, records=books.records, index=named),
        calendars=calendars,
        holds=books.holds,
    )
    nettings = Nettings(
        records=books.records,
        ledger=books.ledger,
        accounts=books.accounts,
        approvals=books.approvals,
        names=PartyReferences(party_references.NETTING, records=books.records, index=named),
        holds=books.holds,
    )
    directory = Directory(books.records, books.accounts)
    paid = CustomerPayments(books.ledger, books.accounts, directory)
    registry = Receivables(
        node=context.node,
        nodes=registry_nodes(settings.receivable_nodes, own=context.node),
        secret=secret_of(seed),
        records=books.records,
        clock=context.clock,
        shipped=_shipped(consignments, context),
        paid=paid.payment,
        randomness=context.randomness,
        approvals=books.approvals,
        holds=books.holds,
    )
    passports = Passports(
        node=context.node,
        records=books.records,
        receivables=registry,
        credentials=others.selective,
        archive=context.archive,
        clock=context.clock,
    )
    escrows = Escrows(
        records=books.records,
        books=EscrowBooks(
            records=books.records,
            ledger=books.ledger,
            accounts=books.accounts,
            lines=books.lines,
            clock=context.clock,
        ),
        names=PartyReferences(party_references.ESCROW, records=books.records, index=named),
        accounts=books.accounts,
        approvals=books.approvals,
        index=PostgresEscrowIndex(context.database),
        consignments=consignments,
        clock=context.clock,
        holds=books.holds,
    )
    proofs = Proofs(books.store, PostgresTransferPlaces(context.database))
    quotes, pvp_service = _pvp(context, books, others)
    inbox = PvpInbox(others.exchange, pvp_service, context.archive)
    return BankServices(
        routers=(
            credit_api.routes(letters),
            escrow_api.routes(escrows),
            approvals_api.routes(books.approvals),
            lines_api.routes(books.lines),
            currencies_api.routes(),
            calendars_api.routes(calendars, context.scenario_clock),
            netting_api.routes(nettings),
            pvp_api.routes(quotes, pvp_service),
            receivables_api.routes(registry, paid),
            passports_api.routes(passports),
            screening_api.routes(books.screening),
            proofs_api.routes(books.accounts, books.ledger, proofs),
        ),
        consumers=(
            Consumer(name="finance-escrows", types=EVENTS, handle=escrows.handle),
            Consumer(name="finance-pvp", types=inbox.TYPES, handle=inbox.handle),
        ),
        background=(escrows.rounds.run, pvp_service.run, _once(nettings.resume)),
    )


def screened(
    context: RuntimeContext,
    settings: Settings,
    records: Records,
    approvals: Approvals,
    others: Others,
) -> tuple[Screening, NameHolds]:
    """The lists of this node, read from `screening/` in its data folder, and what they hold."""
    screening = Screening(
        FolderLists(context.data / SCREENING),
        records=records,
        clock=context.clock,
        age_days_max=settings.list_age_days_max,
    )
    names = PartyNames(
        records,
        listed=others.called,
        organisation_of=lambda node: others.peer_of(node).organisation,
    )
    return screening, NameHolds(screening, approvals, names)


def _pvp(context: RuntimeContext, books: Books, others: Others) -> tuple[FxQuotes, PvpService]:
    post = ExchangePost(others.exchange)
    decisions = LoggedDecisions(
        others.log,
        PostgresStoredEvents(context.database),
        others.peer_of,
        policies=others.policies,
        cosigned=others.cosigned,
    )
    quotes = FxQuotes(
        node=context.node,
        ring=context.ring,
        records=books.records,
        accounts=books.accounts,
        post=post,
        decisions=decisions,
        approvals=books.approvals,
        holds=books.holds,
    )
    pvp_service = PvpService(
        node=context.node,
        node_keys=context.recording_keys or (context.node_key.public,),
        records=books.records,
        index=PostgresPvpIndex(context.database),
        ledger=books.ledger,
        accounts=books.accounts,
        approvals=books.approvals,
        quotes=quotes,
        post=post,
        decisions=decisions,
        clock=context.clock,
        logged=context.logged,
        holds=books.holds,
    )
    return quotes, pvp_service


def registry_nodes(text: str, *, own: str) -> list[str]:
    """The nodes of the registry from their setting; this one must be among them."""
    nodes = sorted({party_id(part.strip()) for part in text.split(",") if part.strip()})
    if not nodes:
        return [own]
    if own not in nodes:
        raise MalformedInput(
            f"{own} is not among the nodes of the registry", where="finance.receivable_nodes"
        )
    return list(nodes)


def _shipped(
    consignments: Consignments, context: RuntimeContext
) -> Callable[[str], Awaitable[bool]]:
    """A shipment is verified if its papers agree or its delivery was proven."""
    node = Actor(context.node, Role.NODE)

    async def shipped(shipment: str) -> bool:
        try:
            seen = await consignments.consignment(node, shipment)
        except (NotFound, MalformedInput):
            return False
        return seen.delivered is not None or (seen.papers is not None and seen.papers.agree)

    return shipped


def _once(work: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Work that is done once after a start, and then waits to be cancelled like all others."""
    import asyncio

    async def run() -> None:
        await work()
        await asyncio.Event().wait()

    run.__qualname__ = getattr(work, "__qualname__", "resume")
    return run
