"""A passport counts what stands, over one year, and says nothing of what it does not know."""

from __future__ import annotations

from datetime import date
from typing import Any

from zhidao.finance.domain.receivables.passport import HIDDEN, Standing, claims_of

TODAY = date(2026, 11, 25)


def _one(token: str, **changes: Any) -> Standing:
    fields: dict[str, Any] = {
        "token": token,
        "supplier": "CN 1",
        "obligor": "DK 1",
        "amount_minor": 100,
        "currency": "EUR",
        "registered_on": date(2026, 6, 1),
        "due_on": date(2026, 8, 30),
        "confirmed": True,
        "paid_on": None,
        "was_disputed": False,
        "is_disputed": False,
        "head": f"head of {token}",
    }
    return Standing(**fields | changes)


def _claims(*found: Standing) -> dict[str, Any]:
    return claims_of(found, node="node", today=TODAY)


def test_sums_medians_and_counts_are_of_what_was_paid_in_the_year() -> None:
    claims = _claims(
        _one("a", paid_on=date(2026, 9, 9), amount_minor=2**60),
        _one("b", paid_on=date(2026, 8, 1), amount_minor=2**60 + 1, obligor="DK 2"),
        _one("c", paid_on=date(2026, 11, 1), currency="CNY"),
        _one("d", was_disputed=True, is_disputed=True, confirmed=False),
        _one("e", due_on=date(2026, 12, 1)),
        _one("old", registered_on=date(2025, 11, 24), paid_on=date(2026, 1, 1)),
    )
    assert claims["receivables"] == {"registered": 5, "confirmed": 4, "paid": 3, "overdue": 1}
    assert claims["turnover"] == [
        {"currency": "CNY", "exponent": 2, "paid_minor": "100"},
        {"currency": "EUR", "exponent": 2, "paid_minor": str(2**61 + 1)},
    ]
    assert claims["days_to_pay"] == {"count": 3, "median": 100, "most": 153}
    assert claims["days_late"] == {"count": 3, "median": 10, "most": 63}
    assert claims["disputes"] == {"raised": 1, "open": 1}
    assert claims["buyers"] == 2
    assert claims["facts"]["count"] == 5


def test_nothing_is_said_of_days_when_nothing_was_paid() -> None:
    claims = _claims(_one("a"))
    assert claims["days_to_pay"] == claims["days_late"] == {"count": 0}
    assert claims["turnover"] == []


def test_the_digest_is_of_the_facts_in_whatever_order_and_changes_with_one() -> None:
    first = _claims(_one("a"), _one("b"))["facts"]["sha256"]
    assert _claims(_one("b"), _one("a"))["facts"]["sha256"] == first
    assert _claims(_one("a"), _one("b", head="later"))["facts"]["sha256"] != first


def test_every_claim_that_tells_of_business_may_be_hidden() -> None:
    assert set(_claims(_one("a"))) - set(HIDDEN) == {"node", "period", "facts"}
