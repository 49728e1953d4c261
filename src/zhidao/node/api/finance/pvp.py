"""Routes of exchange of currencies between banks of two nodes: quotes, deals, how they ended."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Router, get, post
from litestar.params import Parameter

from zhidao.core.access import LIST, READ
from zhidao.core.actor import Actor
from zhidao.core.limits import JSON_INTEGER_MAX
from zhidao.core.money import Currency
from zhidao.core.timescale import Utc
from zhidao.finance.domain.pvp.fx import TERM_MAX, Quote, Rate
from zhidao.finance.events.banks import FxQuoted
from zhidao.finance.service.ledger.accounts import BANKS
from zhidao.finance.service.pvp.fx_quotes import FxQuotes
from zhidao.finance.service.pvp.pvp_history import Dealing
from zhidao.finance.service.pvp.pvp_terms import DEADLINE_S_MAX
from zhidao.finance.service.pvp.service import PvpService
from zhidao.finance.wire.pvp import read_quote
from zhidao.node.http.access import ACCESS
from zhidao.node.http.known_parties import KNOWN
from zhidao.node.lists.listing import LISTED, Listing

_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}\Z"
_Name = Annotated[str, msgspec.Meta(pattern=_NAME, max_length=32)]
_Reference = Annotated[str, Parameter(pattern=_NAME, max_length=32)]
_After = Annotated[str, Parameter(max_length=100)]
_Limit = Annotated[int, Parameter(ge=1, le=100)]
_Party = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Code = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
_Minor = Annotated[int, msgspec.Meta(gt=0, le=JSON_INTEGER_MAX)]
_Term = Annotated[int, msgspec.Meta(gt=0, le=TERM_MAX)]


_QUOTES = Listing(
    "quotes",
    ("quote",),
    ("quote", "given", "dealer", "client", "sold", "bought", "valid_until"),
)


_DEALS = Listing(
    "exchanges-of-currency",
    ("reference",),
    ("reference", "side", "state", "quote", "peer_party", "peer_node", "deadline"),
    rows="deals",
)


class RateInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Minor units bought for `denominator` minor units sold: `numerator`. Never a fraction."""

    numerator: _Term
    denominator: _Term


class NewQuote(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An offer of the caller's bank to a bank at another node, signed and sent to it.

    `pays_from`: the caller's account in the bought currency; `receives_at`: its account on the
    other bank's books in the sold one, by the id that the other bank told.
    """

    quote: _Name
    client: Annotated[_Party, KNOWN]
    client_node: _Party
    sold: _Code
    bought: _Code
    rate: RateInput
    sold_minor_max: _Minor
    valid_until: Annotated[str, msgspec.Meta(min_length=20, max_length=40)]
    pays_from: UUID
    receives_at: UUID


class NewPvp(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Takes a quote for an amount; `reference` names the deal once and for all.

    `dealer`, `dealer_node`: whose quote, where several dealers gave one of the same id.
    """

    reference: _Name
    quote: _Name
    sold_minor: _Minor
    pays_from: UUID
    receives_at: UUID
    deadline_s: Annotated[int, msgspec.Meta(gt=0, le=DEADLINE_S_MAX)] = 60
    dealer: Annotated[str, msgspec.Meta(max_length=64)] = ""
    dealer_node: Annotated[str, msgspec.Meta(max_length=64)] = ""


class QuoteView(msgspec.Struct, kw_only=True):
    """A quote. `given`: by the caller's bank; else it was given to it."""

    quote: str
    given: bool
    dealer: str
    dealer_node: str
    client: str
    client_node: str
    sold: str
    bought: str
    numerator: int
    denominator: int
    sold_minor_max: int
    sold_exponent: int
    bought_exponent: int
    valid_until: str
    pays_from: str
    receives_at: str


class LegView(msgspec.Struct, kw_only=True):
    """One of the two movements."""

    currency: str
    exponent: int
    debit: str
    credit: str
    amount_minor: int


class PvpView(msgspec.Struct, kw_only=True):
    """A deal. `state`: waiting, committed or aborted; `side`: which leg is the caller's.

    `decision`: the number of the decision in its chain, 0 while there is none.
    """

    reference: str
    deal: str
    side: str
    state: str
    quote: str
    peer_node: str
    peer_party: str
    decides: bool
    first: LegView
    second: LegView
    deadline: str
    decision: int


class PvpList(msgspec.Struct, kw_only=True):
    """Deals, and why parts of the caller's bank stopped, if any did: people must look at that."""

    deals: list[PvpView]
    stopped: list[str]


def routes(quotes: FxQuotes, pvp_service: PvpService) -> Router:
    """Routes under /v1/finance/pvp."""

    @post("/quotes", opt={ACCESS: BANKS})
    async def give(data: NewQuote, actor: Actor) -> QuoteView:
        """Signs a quote and sends it to the other bank's node; banks only. Again: the same."""
        quote = Quote(
            id=data.quote,
            dealer=actor.party,
            sold=Currency(data.sold),
            bought=Currency(data.bought),
            rate=Rate(data.rate.numerator, data.rate.denominator),
            sold_minor_max=data.sold_minor_max,
            valid_until=Utc.parse(data.valid_until),
        )
        given = await quotes.give(
            actor,
            quote,
            client=data.client,
            client_node=data.client_node,
            pays_from=data.pays_from,
            receives_at=data.receives_at,
        )
        return _quote(given)

    @get("/quotes", opt={LISTED: _QUOTES, ACCESS: LIST})
    async def quoted(actor: Actor, limit: _Limit = 50, after: _After = "") -> list[QuoteView]:
        """The quotes that the caller's bank gave or got."""
        return [_quote(each) for each in await quotes.quotes(actor, limit=limit, after=after)]

    @post("/deals", opt={ACCESS: BANKS})
    async def accept(data: NewPvp, actor: Actor) -> PvpView:
        """Takes a quote: both legs are paid after one decision, or neither. Again: the same deal.

        Above the limit it takes two persons.
        """
        dealing = await pvp_service.accept(
            actor,
            reference=data.reference,
            quote=data.quote,
            sold_minor=data.sold_minor,
            pays_from=data.pays_from,
            receives_at=data.receives_at,
            deadline_s=data.deadline_s,
            dealer=data.dealer,
            dealer_node=data.dealer_node,
        )
        return _deal(dealing)

    @get("/deals", opt={LISTED: _DEALS, ACCESS: LIST})
    async def listed(actor: Actor, limit: _Limit = 50, after: _After = "") -> PvpList:
        """The deals of the caller's bank."""
        found = await pvp_service.deals(actor, limit=limit, after=after)
        return PvpList(
            deals=[_deal(each) for each in found], stopped=await pvp_service.stopped(actor)
        )

    @get("/deals/{reference:str}", opt={ACCESS: READ})
    async def one(reference: _Reference, actor: Actor) -> PvpView:
        """One deal of the caller's bank."""
        return _deal(await pvp_service.deal(actor, reference))

    handlers: list[Any] = [give, quoted, accept, listed, one]
    return Router("/v1/finance/pvp", route_handlers=handlers, tags=["finance"])


def _quote(told: FxQuoted) -> QuoteView:
    offer = read_quote(told.message)
    return QuoteView(
        quote=told.quote,
        given=told.given,
        dealer=told.dealer,
        dealer_node=told.dealer_node,
        client=told.client,
        client_node=told.client_node,
        sold=offer.sold.code,
        bought=offer.bought.code,
        numerator=offer.rate.numerator,
        denominator=offer.rate.denominator,
        sold_minor_max=offer.sold_minor_max,
        sold_exponent=offer.sold.exponent,
        bought_exponent=offer.bought.exponent,
        valid_until=str(offer.valid_until),
        pays_from=told.pays_from,
        receives_at=told.receives_at,
    )


def _deal(dealing: Dealing) -> PvpView:
    agreed, terms = dealing.agreed, dealing.terms
    first, second = (
        LegView(
            currency=leg.ledger,
            exponent=Currency(leg.ledger).exponent,
            debit=str(leg.debit),
            credit=str(leg.credit),
            amount_minor=leg.amount_minor,
        )
        for leg in (terms.first, terms.second)
    )
    return PvpView(
        reference=agreed.reference,
        deal=agreed.deal,
        side=agreed.side,
        state=dealing.state,
        quote=agreed.quote,
        peer_node=agreed.peer_node,
        peer_party=agreed.peer_party,
        decides=agreed.decides,
        first=first,
        second=second,
        deadline=str(Utc.from_unix_ns(terms.deadline_ns)),
        decision=dealing.ended.number if dealing.ended else 0,
    )
