"""Routes of the receivables registry: register, confirm, pledge, assign, and look up blindly."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Router, get, post
from litestar.params import Parameter

from zhidao.core.access import CALLER, LIST, READ
from zhidao.core.actor import Actor
from zhidao.core.encoding import parse_hex
from zhidao.core.errors import MalformedInput
from zhidao.core.ids import party_id
from zhidao.core.limits import DAY, JSON_INTEGER_MAX
from zhidao.core.money import Currency
from zhidao.finance.domain.receivables.receivable import Receivable, Shares
from zhidao.finance.service.payments.customer_payments import CustomerPayments
from zhidao.finance.service.receivables.registry import (
    MAY_ASK,
    MAY_CONFIRM,
    MAY_DISPUTE,
    MAY_PASS_ON,
    MAY_PLEDGE,
    MAY_REGISTER,
    MAY_SETTLE,
    Receivables,
)
from zhidao.node.http.access import ACCESS
from zhidao.node.http.known_parties import KNOWN
from zhidao.node.lists.listing import LISTED, Listing

_UETR = r"^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?\Z"
_HEX = r"^[0-9a-f]{64}\Z"
_Token = Annotated[str, Parameter(pattern=_HEX, max_length=64)]
_After = Annotated[str, Parameter(pattern=r"^([0-9a-f]{64})?\Z", max_length=64)]
_Limit = Annotated[int, Parameter(ge=1, le=100)]
_Party = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
_Minor = Annotated[int, msgspec.Meta(gt=0, le=JSON_INTEGER_MAX)]
_Day = Annotated[str, msgspec.Meta(pattern=DAY)]


_RECEIVABLES = Listing(
    "receivables",
    ("token",),
    (
        *("invoice", "obligor", "supplier", "currency", "amount_minor", "free_minor"),
        *("due_on", "confirmed", "paid_on", "disputed", "shipment", "token"),
    ),
)


class NewReceivable(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What an obligor owes the caller for one verified shipment.

    `obligor`, `supplier`: registration identifiers such as an LEI. `obligor_party`: who confirms it
    on this node. `shipment`: the consignment that the goods travel under.
    """

    obligor: _Text
    obligor_party: Annotated[_Party, KNOWN]
    supplier: _Text
    invoice: _Text
    shipment: _Text
    amount_minor: _Minor
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
    due_on: _Day


class NewShare(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A share that the supplier pledges; `share` names it once and for all."""

    share: _Party
    holder: Annotated[_Party, KNOWN]
    amount_minor: _Minor


class ShareStep(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What its holder does with a share: assign it `to` another, or release it."""

    step: Literal["assign", "release"]
    to: Annotated[str, msgspec.Meta(max_length=64), KNOWN] = ""


class PaidBy(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What paid the whole of it in this node's ledger: a transfer, or a payment by its UETR.

    `bank`: with a UETR, the party name of the bank where the supplier was credited.
    """

    transfer: UUID | None = None
    uetr: Annotated[str, msgspec.Meta(pattern=_UETR)] = ""
    bank: Annotated[str, msgspec.Meta(max_length=64)] = ""


class Disputed(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Why the obligor disputes; empty: it withdraws."""

    reason: Annotated[str, msgspec.Meta(max_length=500)]


class Question(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A point of edwards25519, hex: what the asker hid its invoice behind."""

    blinded: Annotated[str, msgspec.Meta(pattern=_HEX, max_length=64)]


class Wanted(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An invoice in plain words, for this node's own parties."""

    obligor: _Text
    supplier: _Text
    invoice: _Text


class AnswerView(msgspec.Struct, kw_only=True):
    """The evaluated point, hex; only the asker can make the token of it."""

    answer: str


class FreeView(msgspec.Struct, kw_only=True):
    """Whether nothing is registered under a token."""

    token: str
    free: bool


class ShareView(msgspec.Struct, kw_only=True):
    """Who holds how much."""

    share: str
    holder: str
    amount_minor: int


class ReceivableView(msgspec.Struct, kw_only=True):
    """A receivable as its parties see it."""

    token: str
    obligor: str
    obligor_party: str
    supplier: str
    supplier_party: str
    invoice: str
    shipment: str
    amount_minor: int
    currency: str
    exponent: int
    due_on: str
    confirmed: bool
    paid_on: str
    disputed: str
    free_minor: int
    shares: list[ShareView]


def routes(registry: Receivables, paid: CustomerPayments) -> Router:
    """Routes under /v1/finance/receivables. `paid`: the payments that came to customers."""

    async def view(actor: Actor, name: str, shares: Shares) -> ReceivableView:
        supplier, obligor = await registry.parties(actor, name)
        return _view(name, shares, supplier, obligor)

    @post("/", opt={ACCESS: MAY_REGISTER})
    async def register(data: NewReceivable, actor: Actor) -> ReceivableView:
        """Registers what the caller is owed; the obligor's home node only. Again: the same.

        The same invoice in another spelling, or another invoice over the same shipment: 409.
        """
        receivable = Receivable(
            obligor=data.obligor,
            supplier=data.supplier,
            invoice=data.invoice,
            shipment=data.shipment,
            amount_minor=data.amount_minor,
            currency=Currency(data.currency),
            due_on=data.due_on,
        )
        name = await registry.register(
            actor, receivable, obligor_party=party_id(data.obligor_party)
        )
        return await view(actor, name, await registry.shares(actor, name))

    @get("/", opt={LISTED: _RECEIVABLES, ACCESS: LIST})
    async def listed(actor: Actor, limit: _Limit = 50, after: _After = "") -> list[ReceivableView]:
        """The receivables that the caller owes, is owed, or holds a share of."""
        found = await registry.receivables(actor, limit=limit, after=after)
        return [await view(actor, name, shares) for name, shares in found]

    @get("/{token:str}", opt={ACCESS: READ})
    async def one(token: _Token, actor: Actor) -> ReceivableView:
        """One receivable, for its parties."""
        return await view(actor, token, await registry.shares(actor, token))

    @post("/{token:str}/confirmation", opt={ACCESS: MAY_CONFIRM})
    async def confirm(token: _Token, actor: Actor) -> ReceivableView:
        """The obligor says that it owes. Again: no change."""
        return await view(actor, token, await registry.confirm(actor, token))

    @post("/{token:str}/shares", opt={ACCESS: MAY_PLEDGE})
    async def pledge(token: _Token, data: NewShare, actor: Actor) -> ReceivableView:
        """The supplier gives a share of what is free; more than that is a double pledge: 422."""
        shares = await registry.pledge(
            actor,
            token,
            share=data.share,
            holder=party_id(data.holder),
            amount_minor=data.amount_minor,
        )
        return await view(actor, token, shares)

    @post("/{token:str}/shares/{share:str}/steps", opt={ACCESS: MAY_PASS_ON})
    async def share_step(
        token: _Token,
        share: Annotated[str, Parameter(min_length=1, max_length=64)],
        data: ShareStep,
        actor: Actor,
    ) -> ReceivableView:
        """A share's holder assigns it to another party, or lets it go."""
        if data.step == "assign":
            shares = await registry.assign(actor, token, share=share, to=party_id(data.to))
        else:
            shares = await registry.release(actor, token, share=share)
        return await view(actor, token, shares)

    @post("/{token:str}/payment", opt={ACCESS: MAY_SETTLE})
    async def settle(token: _Token, data: PaidBy, actor: Actor) -> ReceivableView:
        """Names the transfer that paid it: the obligor, or the supplier if its buyer's account did.

        The ledger must have it, whole, to the supplier's account; it pays one receivable only.
        """
        if (data.transfer is None) == (not data.uetr) or bool(data.uetr) != bool(data.bank):
            raise MalformedInput("give a transfer, or a uetr and its bank", where="transfer")
        named = [data.transfer] if data.transfer else await paid.under(data.bank, data.uetr)
        shares = await registry.settle(actor, token, transfers=named)
        return await view(actor, token, shares)

    @post("/{token:str}/dispute", opt={ACCESS: MAY_DISPUTE})
    async def dispute(token: _Token, data: Disputed, actor: Actor) -> ReceivableView:
        """The obligor disputes, or withdraws. What is disputed cannot be pledged."""
        return await view(actor, token, await registry.dispute(actor, token, reason=data.reason))

    @post("/questions", status_code=200, opt={ACCESS: MAY_ASK})
    async def question(data: Question, actor: Actor) -> AnswerView:
        """Answers one blinded question: the node does not learn the invoice. Counted by day."""
        return AnswerView(answer=(await registry.evaluate(actor, parse_hex(data.blinded))).hex())

    @get("/free/{token:str}", opt={ACCESS: CALLER})
    async def free(token: _Token, actor: Actor) -> FreeView:
        """Whether nothing is registered under a token that a question led to."""
        del actor  # Anybody who is signed in may ask.
        return FreeView(token=token, free=await registry.is_free(token))

    @post("/look-up", status_code=200, opt={ACCESS: MAY_ASK})
    async def look_up(data: Wanted, actor: Actor) -> FreeView:
        """Whether an invoice is registered here, asked in plain words. Counted as a question."""
        token = await registry.look_up(
            actor, obligor=data.obligor, supplier=data.supplier, invoice=data.invoice
        )
        return FreeView(token=token, free=await registry.is_free(token))

    handlers: list[Any] = [
        *(register, listed, one, confirm, pledge, share_step, question, free, look_up),
        *(settle, dispute),
    ]
    return Router("/v1/finance/receivables", route_handlers=handlers, tags=["finance"])


def _view(name: str, shares: Shares, supplier: str, obligor: str) -> ReceivableView:
    receivable = shares.receivable
    return ReceivableView(
        token=name,
        obligor=receivable.obligor,
        obligor_party=obligor,
        supplier=receivable.supplier,
        supplier_party=supplier,
        invoice=receivable.invoice,
        shipment=receivable.shipment,
        amount_minor=receivable.amount_minor,
        currency=receivable.currency.code,
        exponent=receivable.currency.exponent,
        due_on=receivable.due_on,
        confirmed=shares.confirmed,
        paid_on=shares.paid_on,
        disputed=shares.disputed,
        free_minor=shares.free_minor,
        shares=[
            ShareView(share=share, holder=holder, amount_minor=minor)
            for share, (holder, minor) in shares.pledges.items()
        ],
    )
