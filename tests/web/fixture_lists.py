"""Which of the fixture's answers each list of the pages reads, by what its rows are called."""

from __future__ import annotations

_F = "/v1/finance"
# name: (path of the whole, what names a row, where the rows are in the answer)
LISTS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "accounts": (f"{_F}/accounts", ("account",), ""),
    "approvals": (f"{_F}/approvals", ("approval",), ""),
    "banks": (f"{_F}/banks", ("bank",), ""),
    "credit-lines": (f"{_F}/credit-lines", ("peer", "currency"), ""),
    "credits": (f"{_F}/credits", ("key",), ""),
    "deals": (f"{_F}/deals", ("deal",), ""),
    "escrows": (f"{_F}/escrows", ("key",), ""),
    "exchanges-of-currency": (f"{_F}/pvp/deals", ("reference",), "deals"),
    "inbox": ("/v1/exchange/inbox", ("sender", "document"), ""),
    "movements": (f"{_F}/movements", ("position",), "movements"),
    "netting": (f"{_F}/netting", ("key",), ""),
    "payment-orders": (f"{_F}/payment-orders", ("payment_order",), ""),
    "outbox": ("/v1/exchange/outbox", ("document",), ""),
    "parties": ("/v1/parties", ("party",), ""),
    "peers": ("/v1/exchange/peers", ("node",), ""),
    "quotes": (f"{_F}/pvp/quotes", ("quote",), ""),
    "receivables": (f"{_F}/receivables", ("token",), ""),
    "roads": ("/v1/roads", ("consignment",), "roads"),
    "titles": ("/v1/trust/titles", ("title",), "titles"),
    "worklist": ("/v1/worklist", ("kind", "act", "subject"), "items"),
}
