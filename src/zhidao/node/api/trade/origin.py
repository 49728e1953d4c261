"""Determination of origin for an item of an entry, by its bill of materials; keeps nothing."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, post

from zhidao.core.access import CALLER
from zhidao.core.actor import Actor
from zhidao.core.encoding import parse_base64
from zhidao.core.judging import DOCUMENT, IN_PLACE, Judges
from zhidao.node.api.trade.entry import Typed
from zhidao.node.http.access import ACCESS
from zhidao.trade.domain.model.known_codes import KnownCodes
from zhidao.trade.service import origin_of_items

# A paper of 1 MiB (`wire.fields`) as base64.
_BILL_CHARACTERS_MAX = 1_398_100


class OriginQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry as far as it is typed, an item by its number, and its bill as base64 of JSON."""

    fields: Typed
    item: Annotated[str, msgspec.Meta(min_length=1, max_length=35)]
    content: Annotated[str, msgspec.Meta(min_length=4, max_length=_BILL_CHARACTERS_MAX)]


class OriginBasisView(msgspec.Struct, frozen=True, kw_only=True):
    """Under an agreement that is claimed: the criterion that the bill gives, and the share."""

    agreement: str
    criterion: str
    share_percent: str


def routes(codes: KnownCodes, judges: Judges = IN_PLACE) -> Router:
    """Routes under /v1/trade/origin."""

    @post("/", status_code=200, opt={ACCESS: CALLER})
    async def determination(data: OriginQuestion, actor: Actor) -> list[OriginBasisView]:
        """What a bill of materials says of an item under each agreement that the entry claims."""
        del actor
        bill = parse_base64(data.content)
        found = await judges.run(
            DOCUMENT, origin_of_items.determination, data.fields, data.item, bill, codes
        )
        return [
            OriginBasisView(
                agreement=each.agreement,
                criterion=each.criterion,
                share_percent=each.share_percent,
            )
            for each in found
        ]

    return Router("/v1/trade/origin", route_handlers=[determination], tags=["trade"])
