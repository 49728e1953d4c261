"""Routes of border crossings."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, post
from litestar.params import Parameter

from zhidao.core.actor import Actor
from zhidao.core.timescale import Utc
from zhidao.node.http.access import ACCESS
from zhidao.trade.events import CrossingObserved
from zhidao.trade.service.crossings import MAY_OBSERVE, Between, Crossings

_CONSIGNMENT = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z"
_Id = Annotated[str, Parameter(pattern=_CONSIGNMENT, max_length=64)]
_Instant = Annotated[str, msgspec.Meta(max_length=40)]


class SeenCrossing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When goods came to one side of a crossing and, unless empty, when they left it (RFC 3339).

    Each instant lies between its two; who knows it to the second gives it twice.
    """

    crossing: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{1,39}\Z", max_length=40)]
    side: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}\Z", max_length=2)]
    entered_from: _Instant
    entered_to: _Instant
    left_from: _Instant = ""
    left_to: _Instant = ""


def routes(crossings: Crossings) -> Router:
    """Routes under /v1/trade."""

    @post("/consignments/{consignment:str}/crossings", opt={ACCESS: MAY_OBSERVE})
    async def observe(consignment: _Id, data: SeenCrossing, actor: Actor) -> CrossingObserved:
        """Tells when goods came to one side of a border crossing, and later when they left it."""
        entered = Between(Utc.parse(data.entered_from), Utc.parse(data.entered_to))
        left = None
        if data.left_from or data.left_to:
            left = Between(Utc.parse(data.left_from), Utc.parse(data.left_to))
        return await crossings.observe(
            actor,
            consignment,
            crossing=data.crossing,
            side=data.side,
            entered=entered,
            left=left,
        )

    return Router("/v1/trade", route_handlers=[observe], tags=["trade"])
