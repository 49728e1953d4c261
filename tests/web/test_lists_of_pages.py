"""Which pages read a list by the one part that sorts, filters and reaches the last row."""

from __future__ import annotations

import re
from pathlib import Path

WEB = Path(__file__).parents[2] / "web" / "src"
# Lists that a page still reads by itself. This set may only shrink: take the part for a new one.
STILL = {
    ("pages/declarations.tsx", "BASE"),
    ("pages/exchange.tsx", "/v1/exchange/inbox"),
    ("pages/exchange.tsx", "/v1/exchange/outbox"),
    ("pages/factory.tsx", "/v1/industry/orders"),
    ("pages/money_exchange.tsx", "/v1/finance/accounts"),
    ("pages/money_exchange.tsx", "/v1/finance/netting"),
    ("pages/money_exchange.tsx", "/v1/finance/pvp/deals"),
    ("pages/money_exchange.tsx", "/v1/finance/pvp/quotes"),
    ("pages/trust.tsx", "/v1/trust/titles"),
    ("parts/act.tsx", "path"),
    ("parts/banks.tsx", "/v1/exchange/outbox"),
    ("parts/seal_part.tsx", "/v1/devices/terminals"),
}
TABLES = {
    *("accounts", "administration", "credits", "deals", "escrows", "receivables", "seals"),
    "terminals",
}
_PART = {"parts/table.tsx", "parts/basics.tsx"}


def test_no_page_reads_a_further_list_by_itself() -> None:
    found = {
        (str(path.relative_to(WEB)), re.sub(r"\W*\Z", "", match[1].lstrip("${")))
        for path in WEB.rglob("*.tsx")
        for match in re.finditer(r"[\"`]([^\"`\s?]*)\?[^\"`]*limit=", path.read_text("utf-8"))
        if str(path.relative_to(WEB)) not in _PART and "movements" not in match[1]
    }
    assert found == STILL


def test_these_lists_are_tables() -> None:
    texts = [path.read_text("utf-8") for path in WEB.rglob("*.tsx")]
    found = {
        name for text in texts for name in re.findall(r"<Table\s[^>]*?list=\"([a-z-]+)\"", text)
    }
    assert found == TABLES
