"""Routes of credit lines: how much another bank may owe the caller's."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from litestar.params import Parameter

from zhidao.core.actor import Actor
from zhidao.core.limits import JSON_INTEGER_MAX
from zhidao.core.money import Currency
from zhidao.finance.service.ledger.accounts import BANKS
from zhidao.finance.service.payments.credit_lines import MAY_READ_LINES, CreditLine, CreditLines
from zhidao.node.http.access import ACCESS
from zhidao.node.lists.listing import LISTED, Listing

_After = Annotated[str, Parameter(pattern=r"^([a-z0-9.-]{1,64}/[A-Z]{3})?\Z", max_length=68)]
_Limit = Annotated[int, Parameter(ge=1, le=100)]


_LINES = Listing(
    "credit-lines",
    ("peer", "currency"),
    ("bank", "peer", "currency", "limit_minor", "used_minor"),
)


class NewCreditLine(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """How much `peer` may owe the caller's bank at most; 0: nothing."""

    peer: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
    limit_minor: Annotated[int, msgspec.Meta(ge=0, le=JSON_INTEGER_MAX)]


class CreditLineView(msgspec.Struct, kw_only=True):
    """A credit line, minor units. `used_minor`: what the peer owes now, reservations too."""

    bank: str
    peer: str
    currency: str
    exponent: int
    limit_minor: int
    used_minor: int


def routes(lines: CreditLines) -> Router:
    """Routes under /v1/finance/credit-lines."""

    @post("/", opt={ACCESS: BANKS})
    async def set_line(data: NewCreditLine, actor: Actor) -> CreditLineView:
        """Sets how much another bank may owe the caller's; banks only. Again: no change.

        Without a line a bank's payments are refused. Above the limit it takes two persons.
        """
        found = await lines.set(
            actor, peer=data.peer, currency=data.currency, limit_minor=data.limit_minor
        )
        return _view(found)

    @get("/", opt={LISTED: _LINES, ACCESS: MAY_READ_LINES})
    async def listed(actor: Actor, limit: _Limit = 50, after: _After = "") -> list[CreditLineView]:
        """The lines that the caller's bank set, and what is owed; `after`: peer/currency."""
        peer, _, currency = after.partition("/")
        return [_view(one) for one in await lines.lines(actor, limit=limit, after=(peer, currency))]

    handlers: list[Any] = [set_line, listed]
    return Router("/v1/finance/credit-lines", route_handlers=handlers, tags=["finance"])


def _view(line: CreditLine) -> CreditLineView:
    return CreditLineView(
        bank=line.pair.bank,
        peer=line.pair.peer,
        currency=line.pair.currency,
        exponent=Currency(line.pair.currency).exponent,
        limit_minor=line.limit_minor,
        used_minor=line.used_minor,
    )
