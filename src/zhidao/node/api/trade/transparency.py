"""Routes of credentials in the shape of the UN Transparency Protocol."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Router, post
from litestar.params import Parameter

from zhidao.core.actor import Actor
from zhidao.core.limits import URI
from zhidao.node.http.access import ACCESS
from zhidao.trade.service.transparency import MAY_ISSUE_ARRIVAL, MAY_ISSUE_PASSPORTS, Transparency

_Id = Annotated[str, Parameter(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z", max_length=64)]


class Production(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the goods were made, on the exporter's word: the place's URI and its name."""

    facility_id: Annotated[
        str,
        msgspec.Meta(pattern=URI, max_length=400),
    ]
    facility_name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Passports(msgspec.Struct, frozen=True, kw_only=True):
    """W3C credentials of type DigitalProductPassport, one for each line of goods."""

    credentials: list[dict[str, Any]]


def routes(transparency: Transparency) -> Router:
    """Routes under /v1/trade/consignments."""

    @post("/{consignment:str}/product-passports", opt={ACCESS: MAY_ISSUE_PASSPORTS})
    async def passports(consignment: _Id, data: Production, actor: Actor) -> Passports:
        """Issues a product passport for each line of goods, as the exporter; again: the same."""
        return Passports(
            credentials=await transparency.passports(
                actor,
                consignment,
                facility_id=data.facility_id,
                facility_name=data.facility_name,
            )
        )

    @post("/{consignment:str}/arrival-credential", opt={ACCESS: MAY_ISSUE_ARRIVAL})
    async def arrival(consignment: _Id, actor: Actor) -> dict[str, Any]:
        """Issues the DigitalTraceabilityEvent of the proven arrival, as the carrier."""
        return await transparency.movement(actor, consignment)

    return Router("/v1/trade/consignments", route_handlers=[passports, arrival], tags=["trade"])
