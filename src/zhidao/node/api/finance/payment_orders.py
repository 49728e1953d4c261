"""Routes of payments that wait for their day: seen by who instructed them, and taken back."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from litestar.params import Parameter

from zhidao.core.access import LIST, READ
from zhidao.core.actor import Actor
from zhidao.core.money import Currency
from zhidao.finance.domain.payments.payment_order import PaymentOrder
from zhidao.finance.service.payments.payment_orders import MAY_CANCEL, PaymentOrders
from zhidao.node.api.finance.payments import Uetr
from zhidao.node.http.access import ACCESS
from zhidao.node.lists.listing import LISTED, Listing

_Name = Annotated[str, Parameter(pattern=r"^[0-9a-f]{64}\Z", max_length=64)]
_After = Annotated[str, Parameter(pattern=r"^([0-9a-f]{64})?\Z", max_length=64)]
_Limit = Annotated[int, Parameter(ge=1, le=100)]


_ORDERS = Listing(
    "payment-orders",
    ("payment_order",),
    ("message", "state", "next_at", "payments", "waiting", "bank", "sender", "payment_order"),
)


class Cancellation(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which payments of an order are taken back; none named: all that wait."""

    uetrs: Annotated[list[Uetr], msgspec.Meta(max_length=100)] = []


class OrderSumView(msgspec.Struct, kw_only=True):
    """What the payments of an order come to in one currency."""

    currency: str
    exponent: int
    amount_minor: int


class OrderPaymentView(msgspec.Struct, kw_only=True):
    """A payment of an order. `day`: asked for; `code`: why it was refused.

    `state`: waits, released, executed, refused or cancelled.
    """

    uetr: str
    payee: str
    account: str
    amount_minor: int
    currency: str
    exponent: int
    reference: str
    day: str
    state: str
    code: str


class PaymentOrderView(msgspec.Struct, kw_only=True):
    """An instruction of which payments wait for their day, or waited.

    `state`: waits, released, executed, refused, cancelled, or mixed; `next_at`: the moment of the
    next execution; `waiting`: how many wait; `first`: some of its payments.
    """

    payment_order: str
    bank: str
    sender: str
    message: str
    state: str
    next_at: str
    payments: int
    waiting: int
    sums: list[OrderSumView]
    first: list[OrderPaymentView]


def routes(orders: PaymentOrders) -> Router:
    """Routes under /v1/finance/payment-orders."""

    @get("/", opt={LISTED: _ORDERS, ACCESS: LIST})
    async def listed(
        actor: Actor, limit: _Limit = 50, after: _After = ""
    ) -> list[PaymentOrderView]:
        """Instructions of which payments wait for their day; their sender and its bank only."""
        found = await orders.orders(actor, limit=limit, after=after)
        return [_view(one) for one in found]

    @get("/{payment_order:str}", opt={ACCESS: READ})
    async def one(payment_order: _Name, actor: Actor) -> PaymentOrderView:
        """One of them."""
        return _view(await orders.order(actor, payment_order))

    @post("/{payment_order:str}/cancellation", opt={ACCESS: MAY_CANCEL})
    async def cancel(payment_order: _Name, data: Cancellation, actor: Actor) -> PaymentOrderView:
        """Takes payments back before their day; again: no change.

        Only whoever instructed them; once the day has begun it is too late.
        """
        return _view(await orders.cancel(actor, payment_order, uetrs=data.uetrs))

    handlers: list[Any] = [listed, one, cancel]
    return Router("/v1/finance/payment-orders", route_handlers=handlers, tags=["finance"])


def _view(order: PaymentOrder) -> PaymentOrderView:
    told = order.awaited
    return PaymentOrderView(
        payment_order=told.order,
        bank=told.bank,
        sender=told.sender,
        message=told.message,
        state=order.state,
        next_at=order.next_at,
        payments=told.count,
        waiting=len(order.waiting),
        sums=[
            OrderSumView(
                currency=one.currency,
                exponent=Currency(one.currency).exponent,
                amount_minor=int(one.minor),
            )
            for one in told.sums
        ],
        first=[
            OrderPaymentView(
                uetr=one.uetr,
                payee=one.payee,
                account=one.account,
                amount_minor=int(one.amount_minor),
                currency=one.currency,
                exponent=Currency(one.currency).exponent,
                reference=one.reference,
                day=one.day,
                state=order.state_of(one.place),
                code=order.ends[one.place].code if one.place in order.ends else "",
            )
            for one in told.first
        ],
    )
