"""Codes that a form suggests: places, rail stations and goods, by the lists that stand."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import msgspec
from litestar import Router, get
from litestar.params import Parameter

from zhidao.core.access import CALLER
from zhidao.core.actor import Actor
from zhidao.node.http.access import ACCESS
from zhidao.trade.domain.model.known_codes import KnownCodes

_Sought = Annotated[str, Parameter(min_length=1, max_length=70)]
_SUGGESTED_AT_ONCE = 12


class NamedCodeView(msgspec.Struct, frozen=True, kw_only=True):
    """A code of a list with what it is called; the name is empty where the list has none."""

    code: str
    name: str


def routes(codes: KnownCodes) -> Router:
    """Routes under /v1/trade/codes."""

    @get("/", opt={ACCESS: CALLER})
    async def suggested(
        actor: Actor, kind: Literal["place", "hs", "station"], text: _Sought
    ) -> list[NamedCodeView]:
        """Codes that begin so or whose names do: by the house's own and the imported lists."""
        del actor
        found = await asyncio.to_thread(codes.suggest, kind, text, _SUGGESTED_AT_ONCE)
        return [NamedCodeView(code=each.code, name=each.name) for each in found]

    return Router("/v1/trade/codes", route_handlers=[suggested], tags=["trade"])
