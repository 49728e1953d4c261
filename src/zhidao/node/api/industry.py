"""Routes of the industry room: orders and lots."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, get, post
from litestar.params import Parameter

from zhidao.core.actor import Actor
from zhidao.core.ids import party_id
from zhidao.industry.events import Limit, LotFinished, OrderOpened
from zhidao.industry.service.lots import LotService

Number = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
Party = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_PathNumber = Annotated[str, Parameter(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]


class NewOrder(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A production order with what its values must keep."""

    order: Number
    gtin: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{8,14}$")]
    quantity: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    limits: Annotated[list[Limit], msgspec.Meta(min_length=1, max_length=50)]
    readers: Annotated[list[Party], msgspec.Meta(max_length=50)] = []


class NewLot(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A lot that leaves the machine at `endpoint` (opc.tcp://address:port)."""

    lot: Number
    serials: Annotated[list[Number], msgspec.Meta(min_length=1, max_length=10_000)]
    endpoint: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    simulated: bool = False


def routes(lots: LotService) -> Router:
    """Routes under /v1/industry."""

    @post("/orders")
    async def open_order(data: NewOrder, actor: Actor) -> OrderOpened:
        """Opens a production order; the same order again changes nothing."""
        return await lots.open_order(
            actor,
            order=data.order,
            gtin=data.gtin,
            quantity=data.quantity,
            limits=data.limits,
            readers=[party_id(reader) for reader in data.readers],
        )

    @post("/orders/{order:str}/lots")
    async def finish_lot(order: _PathNumber, data: NewLot, actor: Actor) -> LotFinished:
        """Reads the machine, judges the lot, and writes it down with its evidence."""
        return await lots.finish_lot(
            actor,
            order=order,
            lot=data.lot,
            serials=data.serials,
            endpoint=data.endpoint,
            simulated=data.simulated,
        )

    @get("/orders/{order:str}/lots/{lot:str}")
    async def one_lot(order: _PathNumber, lot: _PathNumber, actor: Actor) -> LotFinished:
        """A finished lot."""
        return await lots.lot(actor, order=order, lot=lot)

    return Router(
        "/v1/industry", route_handlers=[open_order, finish_lot, one_lot], tags=["industry"]
    )
