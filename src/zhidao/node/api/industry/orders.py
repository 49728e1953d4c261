"""Routes of the industry room: orders and lots."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, get, post
from litestar.params import Parameter

from zhidao.core.access import LIST, READ
from zhidao.core.actor import Actor
from zhidao.core.errors import MalformedInput
from zhidao.core.ids import party_id
from zhidao.industry.events import Limit, LotFinished, OrderOpened
from zhidao.industry.service.lots import MAY_FINISH_LOT, MAY_OPEN_ORDER, LotService
from zhidao.node.http.access import ACCESS
from zhidao.node.http.known_parties import KNOWN
from zhidao.node.lists.listing import LISTED, Listing

Number = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}\Z")]
Party = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Limit = Annotated[int, Parameter(ge=1, le=100)]
_After = Annotated[str, Parameter(max_length=40)]
_PathNumber = Annotated[str, Parameter(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}\Z")]


_ORDERS = Listing("orders", ("order",), ("order", "gtin", "quantity", "mine", "lots"))


class NewOrder(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A production order with what its values must keep.

    `excess`: how many pieces its lots may hold beyond `quantity`.
    """

    order: Number
    gtin: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{8,14}\Z")]
    quantity: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    limits: Annotated[list[Limit], msgspec.Meta(min_length=1, max_length=50)]
    readers: Annotated[list[Annotated[Party, KNOWN]], msgspec.Meta(max_length=50)] = []
    excess: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0


class NewLot(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A lot that leaves the machine at `endpoint` (opc.tcp://address:port).

    `typed`: of a factory without machine data, instead of an endpoint. Nothing is measured then,
    and the lot stands as its owner's word.
    """

    lot: Number
    serials: Annotated[list[Number], msgspec.Meta(min_length=1, max_length=10_000)]
    endpoint: Annotated[str, msgspec.Meta(max_length=200)] = ""
    typed: bool = False
    simulated: bool = False


class LotRow(msgspec.Struct, kw_only=True):
    """A finished lot in a list; `serials`: how many pieces.

    `verdict`: `within`, `outside`, `not_shown` of values that do not show it, or `typed`.
    """

    lot: str
    serials: int
    within_limits: bool
    samples: int
    simulated: bool
    verdict: str


class OrderRow(msgspec.Struct, kw_only=True):
    """An order in a list. `mine`: it is the caller's own, who may finish lots of it."""

    order: str
    gtin: str
    quantity: int
    mine: bool
    lots: list[LotRow]


def routes(lots: LotService) -> Router:
    """Routes under /v1/industry."""

    @post("/orders", opt={ACCESS: MAY_OPEN_ORDER})
    async def open_order(data: NewOrder, actor: Actor) -> OrderOpened:
        """Opens a production order; the same order again changes nothing."""
        return await lots.open_order(
            actor,
            order=data.order,
            gtin=data.gtin,
            quantity=data.quantity,
            limits=data.limits,
            readers=[party_id(reader) for reader in data.readers],
            excess=data.excess,
        )

    @get("/orders", opt={LISTED: _ORDERS, ACCESS: LIST})
    async def listed(actor: Actor, limit: _Limit = 50, after: _After = "") -> list[OrderRow]:
        """The orders that the caller may see, by number, with their lots."""
        return [
            OrderRow(
                order=opened.order,
                gtin=opened.gtin,
                quantity=opened.quantity,
                mine=owner == actor.party,
                lots=[
                    LotRow(
                        lot=lot.lot,
                        serials=len(lot.serials),
                        within_limits=lot.within_limits,
                        samples=lot.samples,
                        simulated=lot.simulated,
                        verdict=lot.verdict,
                    )
                    for lot in made
                ],
            )
            for opened, made, owner in await lots.orders(actor, limit=limit, after=after)
        ]

    @post("/orders/{order:str}/lots", opt={ACCESS: MAY_FINISH_LOT})
    async def finish_lot(order: _PathNumber, data: NewLot, actor: Actor) -> LotFinished:
        """Reads the machine, judges the lot, and writes it down with its evidence; or as typed."""
        if data.typed == bool(data.endpoint):
            raise MalformedInput(
                "a lot is either read from a machine or typed",
                where="$.endpoint",
                remedy="give the machine's address, or say that the lot is typed",
            )
        return await lots.finish_lot(
            actor,
            order=order,
            lot=data.lot,
            serials=data.serials,
            endpoint=data.endpoint,
            simulated=data.simulated,
        )

    @get("/orders/{order:str}/lots/{lot:str}", opt={ACCESS: READ})
    async def one_lot(order: _PathNumber, lot: _PathNumber, actor: Actor) -> LotFinished:
        """A finished lot."""
        return await lots.lot(actor, order=order, lot=lot)

    return Router(
        "/v1/industry", route_handlers=[open_order, listed, finish_lot, one_lot], tags=["industry"]
    )
