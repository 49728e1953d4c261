"""Which pages read a list by the one part that sorts, filters and reaches the last row."""

from __future__ import annotations

import re
from pathlib import Path

WEB = Path(__file__).parents[2] / "web" / "src"
# Lists that a page still reads by itself, each with its reason. Take the part for a new one.
STILL: set[tuple[str, str]] = set()
TABLES = {
    *("accounts", "administration", "approvals", "banks", "credit-lines", "credits", "deals"),
    *("declarations", "escrows", "exchanges-of-currency", "inbox", "netting", "orders", "outbox"),
    *(
        "parties",
        "payment-orders",
        "peers",
        "people",
        "quotes",
        "receivables",
        "seals",
        "terminals",
        "titles",
    ),
    "tokens",
    "movements",
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
