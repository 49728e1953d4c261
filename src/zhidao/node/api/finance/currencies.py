"""Which currencies this node knows, and how many decimals each has."""

from __future__ import annotations

import msgspec
from litestar import Router, get

from zhidao.core.access import CALLER
from zhidao.core.actor import Actor
from zhidao.core.money import Currency, currencies
from zhidao.node.http.access import ACCESS


class CurrencyView(msgspec.Struct, kw_only=True):
    """A currency and its decimals (ISO 4217)."""

    currency: str
    exponent: int


def routes() -> Router:
    """Routes under /v1/finance/currencies."""

    @get("/", sync_to_thread=False, opt={ACCESS: CALLER})
    def listed(actor: Actor) -> list[CurrencyView]:
        """All currencies that amounts may be in, in order of code."""
        del actor  # Whoever is known here may read them; nobody else asks a node anything.
        return [CurrencyView(currency=code, exponent=Currency(code).exponent) for code in known]

    known = currencies()
    return Router("/v1/finance/currencies", route_handlers=[listed], tags=["finance"])
