"""Routes of money: banks, accounts, deposits, deals and their messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Final, Literal

import msgspec
from litestar import Response, Router, get, post
from litestar.params import Parameter

from zhidao.core.access import CALLER, LIST, READ
from zhidao.core.actor import Actor
from zhidao.core.archive import Archive
from zhidao.core.errors import NotFound, Refused
from zhidao.core.ids import PartyId, party_id
from zhidao.core.limits import JSON_INTEGER_MAX
from zhidao.core.money import Currency, Money
from zhidao.core.polygon import CORNERS_MAX
from zhidao.finance.domain.deals.deal import ARRIVAL, CUSTOMS, PAPERS, TITLE, Deal, arrival_of
from zhidao.finance.domain.ledger.ledger import AccountFlag
from zhidao.finance.events import BankAdmitted, Conditions, DealOpened
from zhidao.finance.service.deals.deals import MAY_OPEN_DEAL, MAY_RESERVE_TITLE, Deals
from zhidao.finance.service.ledger.accounts import BANKS, MAY_ADMIT_BANK, Accounts, Statement
from zhidao.finance.service.payments.deposits import Deposits
from zhidao.node.http.access import ACCESS
from zhidao.node.http.known_parties import KNOWN
from zhidao.node.http.strict import AS_KEPT
from zhidao.node.lists.listing import LISTED, Listing
from zhidao.positioning.events import Carried, Corner, Site
from zhidao.trade.domain.model.catalogue import GROUP_MAX

PartyName = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
DealName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,34}\Z")]
CurrencyCode = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
CountryCode = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}\Z")]
Instant = Annotated[str, msgspec.Meta(min_length=20, max_length=40)]
# JSON numbers are exact up to 2^53-1; larger amounts come in batches of the ledger's own form.
Minor = Annotated[int, msgspec.Meta(gt=0, le=JSON_INTEGER_MAX)]
Words = Annotated[list[Annotated[str, msgspec.Meta(max_length=32)]], msgspec.Meta(max_length=8)]
_Limit = Annotated[int, Parameter(ge=1, le=100)]
_After = Annotated[str, Parameter(max_length=64)]
_DealPath = Annotated[str, Parameter(min_length=1, max_length=64)]


# Trade roles, of those that the page People offers, of parties that are no banks. Others are free
# words in any language, of which this program knows nothing.
_NO_BANKS: Final = frozenset(
    (
        *("carrier", "corridor_authority", "customs", "exporter", "importer"),
        *("manufacturer", "operator"),
    )
)
_BANKS = Listing("banks", ("bank",), ("bank", "name", "bic", "town", "country"))


_ACCOUNTS = Listing(
    "accounts",
    ("account",),
    (
        *("holder", "bank", "purpose", "name", "currency", "balance_minor"),
        *("debits_pending_minor", "available_minor", "closed", "number", "account"),
    ),
)


_DEALS = Listing(
    "deals",
    ("deal",),
    (
        *("deal", "consignment", "state", "payer", "payee", "currency", "amount_minor"),
        *("payer_bank", "payee_bank", "deadline", "paid", "reason", "title"),
    ),
)


class NewBank(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A party that may keep accounts here, as messages name it."""

    bank: Annotated[PartyName, KNOWN]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=140), AS_KEPT]
    bic: Annotated[str, msgspec.Meta(min_length=8, max_length=11)]
    town: Annotated[str, msgspec.Meta(min_length=1, max_length=35)]
    country: CountryCode


class NewAccount(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A customer's account at the caller's bank."""

    holder: Annotated[PartyName, KNOWN]
    currency: CurrencyCode
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=140), AS_KEPT]
    town: Annotated[str, msgspec.Meta(min_length=1, max_length=35)]
    country: CountryCode


class NewDeposit(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Money that a bank credits to its customer; `deposit` names it once and for all."""

    deposit: Name
    holder: PartyName
    amount_minor: Minor
    currency: CurrencyCode


_Latitude = Annotated[int, msgspec.Meta(ge=-90_000_000_000, le=90_000_000_000)]
_Longitude = Annotated[int, msgspec.Meta(ge=-180_000_000_000, le=180_000_000_000)]


class CornerInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A corner on WGS 84."""

    latitude_ndeg: _Latitude
    longitude_ndeg: _Longitude


class SiteInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A place on WGS 84: a circle, or a polygon by its corners.

    Of a polygon `radius_mm` is 0, and latitude and longitude are a point inside of it. Corners
    follow the outline, the last is joined to the first; it neither crosses nor touches itself.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    latitude_ndeg: _Latitude
    longitude_ndeg: _Longitude
    radius_mm: Annotated[int, msgspec.Meta(ge=0, le=100_000_000)]
    corners: Annotated[list[CornerInput], msgspec.Meta(max_length=CORNERS_MAX)] = []

    def site(self) -> Site:
        """The place as the rooms know it."""
        return Site(
            name=self.name,
            latitude_ndeg=self.latitude_ndeg,
            longitude_ndeg=self.longitude_ndeg,
            radius_mm=self.radius_mm,
            corners=[
                Corner(latitude_ndeg=c.latitude_ndeg, longitude_ndeg=c.longitude_ndeg)
                for c in self.corners
            ],
        )


class ConditionsInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What must hold before money moves."""

    marks: Words
    site: SiteInput
    not_before: Instant
    not_after: Instant
    risk_ppb: Annotated[int, msgspec.Meta(gt=0, le=1_000_000_000)]
    needs: Words


class CarriedInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One of several containers, and the terminal that is sealed into it."""

    container: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{4}[0-9]{7}\Z", max_length=11)]
    terminal: Name

    def carried(self) -> Carried:
        """The pair as the rooms know it."""
        return Carried(container=self.container, terminal=self.terminal)


class NewDeal(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A promise to pay on conditions, by the caller's bank.

    `carried`: each container with its terminal where the consignment has several; then `terminal`
    stays empty. It is paid when all of them arrived.
    """

    deal: DealName
    consignment: Name
    payer: Annotated[PartyName, KNOWN]
    payee: Annotated[PartyName, KNOWN]
    payer_bank: Annotated[PartyName, KNOWN]
    payee_bank: Annotated[PartyName, KNOWN]
    amount_minor: Minor
    currency: CurrencyCode
    terminal: Annotated[str, msgspec.Meta(max_length=64)] = ""
    carried: Annotated[list[CarriedInput], msgspec.Meta(max_length=GROUP_MAX)] = []
    title: Annotated[str, msgspec.Meta(max_length=80)]
    conditions: ConditionsInput


class AccountView(msgspec.Struct, kw_only=True):
    """An account with its sums in minor units; `available` is the balance less reservations.

    `number`: as payment messages bear it; `closed`: nothing moves on it any more.
    """

    account: str
    number: str
    bank: str
    holder: str
    purpose: str
    currency: str
    exponent: int
    name: str
    balance_minor: int
    available_minor: int
    debits_pending_minor: int
    debits_posted_minor: int
    credits_pending_minor: int
    credits_posted_minor: int
    closed: bool


class DealConditionView(msgspec.Struct, kw_only=True):
    """One condition, whether it holds and why; `waits_for` names who can bring it about."""

    name: str
    met: bool
    because: str
    waits_for: str


class DecisionView(msgspec.Struct, kw_only=True):
    """The one decision. `outcome`: release or abort."""

    outcome: str
    reason: str
    sentence: str
    title_transaction: str
    transfer: str
    decided_at: str


class DealView(msgspec.Struct, kw_only=True):
    """A deal as it stands. `state`: opened, reserved, decided, paid, refused."""

    deal: str
    consignment: str
    payer: str
    payee: str
    payer_bank: str
    payee_bank: str
    amount_minor: int
    currency: str
    exponent: int
    terminal: str
    carried: list[Carried]
    title: str
    terms: Conditions
    state: str
    reserved_transfer: str
    title_reserved: bool
    conditions: list[DealConditionView]
    obstacles: list[str]
    deadline: str
    decision: DecisionView | None
    paid: bool
    reason: str
    pacs008: str
    camt054: str
    schema: str


def routes(
    accounts: Accounts,
    deposits: Deposits,
    deals: Deals,
    archive: Archive,
    business: Callable[[PartyId], Awaitable[str]] | None = None,
) -> Router:
    """Routes under /v1/finance. `business`: what a party does in trade, where that is known."""

    @post("/banks", opt={ACCESS: MAY_ADMIT_BANK})
    async def admit_bank(data: NewBank, actor: Actor) -> BankAdmitted:
        """Lets a party keep accounts here; operators only. Again: the same."""
        does = await business(party_id(data.bank)) if business else ""
        if does in _NO_BANKS:
            raise Refused(
                f"{data.bank} is a party that does another business: {does}",
                code="not_a_bank",
                remedy="add the bank as a party of its own, with the trade role bank",
            )
        bank = BankAdmitted(
            bank=data.bank, name=data.name, bic=data.bic, town=data.town, country=data.country
        )
        return await accounts.admit(actor, bank)

    @get("/banks", opt={LISTED: _BANKS, ACCESS: CALLER})
    async def list_banks(
        actor: Actor, limit: _Limit = 50, after: _After = ""
    ) -> list[BankAdmitted]:
        """The banks that may keep accounts here, by party."""
        del actor  # Whom one may pay, and over whom, is the same for every caller.
        return await accounts.banks(limit=limit, after=after)

    @post("/accounts", opt={ACCESS: BANKS})
    async def open_account(data: NewAccount, actor: Actor) -> AccountView:
        """Opens a customer's account; banks only. Again: the same account."""
        statement = await accounts.open(
            actor,
            holder=data.holder,
            currency=data.currency,
            name=data.name,
            town=data.town,
            country=data.country,
        )
        return _account(statement)

    @get("/accounts", opt={LISTED: _ACCOUNTS, ACCESS: LIST})
    async def list_accounts(
        actor: Actor, limit: _Limit = 50, after: _After = ""
    ) -> list[AccountView]:
        """The accounts that the caller keeps or holds."""
        found = await accounts.statements(actor, limit=limit, after=after)
        return [_account(statement) for statement in found]

    @get("/accounts/{account:str}", opt={ACCESS: READ})
    async def one_account(account: _DealPath, actor: Actor) -> AccountView:
        """One account with its sums."""
        return _account(await accounts.statement(actor, account))

    @post("/deposits", opt={ACCESS: BANKS})
    async def deposit(data: NewDeposit, actor: Actor) -> AccountView:
        """Credits a customer; banks only. Again: nothing more is credited.

        Above the limit it takes two persons.
        """
        statement = await deposits.deposit(
            actor,
            deposit=data.deposit,
            holder=data.holder,
            amount=Money(data.amount_minor, Currency(data.currency)),
        )
        return _account(statement)

    @post("/deals", opt={ACCESS: MAY_OPEN_DEAL})
    async def open_deal(data: NewDeal, actor: Actor) -> DealView:
        """Opens a deal and reserves its money; the payer's bank only. Again: the same deal."""
        return _deal(await deals.open(actor, _opened(data)))

    @get("/deals", opt={LISTED: _DEALS, ACCESS: LIST})
    async def list_deals(actor: Actor, limit: _Limit = 50, after: _After = "") -> list[DealView]:
        """The deals to which the caller is a party."""
        return [_deal(deal) for deal in await deals.deals(actor, limit=limit, after=after)]

    @get("/deals/{deal:str}", opt={ACCESS: READ})
    async def one_deal(deal: _DealPath, actor: Actor) -> DealView:
        """One deal: what holds, who waits for what, and how it ended."""
        return _deal(await deals.deal(actor, deal))

    @post("/deals/{deal:str}/title", opt={ACCESS: MAY_RESERVE_TITLE})
    async def reserve_title(deal: _DealPath, actor: Actor) -> DealView:
        """Moves the title into the deal's custody; the payee only. Again: no change."""
        return _deal(await deals.reserve_title(actor, deal))

    @get(
        "/deals/{deal:str}/messages/{message:str}", media_type="application/xml", opt={ACCESS: READ}
    )
    async def message(
        deal: _DealPath, message: Literal["pacs008", "camt054"], actor: Actor
    ) -> Response[bytes]:
        """The bytes of a message that the settlement wrote."""
        settled = (await deals.deal(actor, deal)).settled
        digest = "" if settled is None else getattr(settled, message)
        if not digest:
            raise NotFound(f"deal {deal} wrote no {message}")
        return Response(await archive.get(digest), media_type="application/xml")

    handlers = [
        *(admit_bank, list_banks, open_account, list_accounts, one_account, deposit),
        *(open_deal, list_deals, one_deal, reserve_title, message),
    ]
    return Router("/v1/finance", route_handlers=handlers, tags=["finance"])


def _opened(data: NewDeal) -> DealOpened:
    return DealOpened(
        deal=data.deal,
        consignment=data.consignment,
        payer=data.payer,
        payee=data.payee,
        payer_bank=data.payer_bank,
        payee_bank=data.payee_bank,
        amount_minor=data.amount_minor,
        currency=data.currency,
        terminal=data.terminal,
        carried=[each.carried() for each in data.carried],
        title=data.title,
        conditions=Conditions(
            marks=data.conditions.marks,
            site=data.conditions.site.site(),
            not_before=data.conditions.not_before,
            not_after=data.conditions.not_after,
            risk_ppb=data.conditions.risk_ppb,
            needs=data.conditions.needs,
        ),
    )


def _account(statement: Statement) -> AccountView:
    opened, sums = statement.opened, statement.sums
    return AccountView(
        account=opened.account,
        number=opened.account.replace("-", ""),
        bank=opened.bank,
        holder=opened.holder,
        purpose=opened.purpose,
        currency=opened.currency,
        exponent=Currency(opened.currency).exponent,
        name=opened.name,
        balance_minor=sums.balance,
        available_minor=sums.available,
        debits_pending_minor=sums.debits_pending,
        debits_posted_minor=sums.debits_posted,
        credits_pending_minor=sums.credits_pending,
        credits_posted_minor=sums.credits_posted,
        closed=AccountFlag.CLOSED in sums.flags,
    )


def _deal(deal: Deal) -> DealView:
    opened, settled = deal.opened, deal.settled
    return DealView(
        deal=opened.deal,
        consignment=opened.consignment,
        payer=opened.payer,
        payee=opened.payee,
        payer_bank=opened.payer_bank,
        payee_bank=opened.payee_bank,
        amount_minor=opened.amount_minor,
        currency=opened.currency,
        exponent=Currency(opened.currency).exponent,
        terminal=opened.terminal,
        carried=opened.carried,
        title=opened.title,
        terms=opened.conditions,
        state=deal.state,
        reserved_transfer=deal.reserved.transfer if deal.reserved else "",
        title_reserved=deal.title_reserved is not None,
        conditions=[_condition(deal, name) for name in deal.needs],
        obstacles=[f"{noted.reason}: {noted.sentence}" for noted in deal.obstacles],
        deadline=str(deal.deadline),
        decision=_decision(deal),
        paid=settled is not None and settled.paid,
        reason=settled.reason if settled else "",
        pacs008=settled.pacs008 if settled else "",
        camt054=settled.camt054 if settled else "",
        schema=settled.schema if settled else "",
    )


def _condition(deal: Deal, name: str) -> DealConditionView:
    waits_for = {
        ARRIVAL: f"terminal {deal.opened.terminal}",
        **{arrival_of(e.container): f"terminal {e.terminal}" for e in deal.opened.carried},
        TITLE: deal.opened.payee,
        PAPERS: deal.opened.payee,
        CUSTOMS: "customs",
    }
    because = deal.met.get(name)
    return DealConditionView(
        name=name,
        met=because is not None,
        because=because or "",
        waits_for="" if because is not None or not deal.is_open else waits_for[name],
    )


def _decision(deal: Deal) -> DecisionView | None:
    if deal.decided is None:
        return None
    return DecisionView(
        outcome=deal.decided.outcome,
        reason=deal.decided.reason,
        sentence=deal.decided.sentence,
        title_transaction=deal.decided.title_transaction,
        transfer=deal.decided.transfer,
        decided_at=str(deal.decided_at),
    )
