"""The credit passport of a supplier: what its verified receivables of a year come to.

Only facts count: a registered receivable rests on a verified shipment, a paid one on a transfer in
the ledger. Whatever is not known is left out, never guessed. Amounts are minor units as text, since
JSON numbers are exact to 2^53 only.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from zhidao.core.canonical import jcs
from zhidao.core.errors import Refused
from zhidao.core.money import Currency

KIND: Final = "sme-credit-passport"
WINDOW_DAYS: Final = 365
HIDDEN: Final = (
    "supplier",
    "receivables",
    "shipments_verified",
    "turnover",
    "days_to_pay",
    "days_late",
    "disputes",
    "buyers",
)
"""The claims that the holder may leave out. Period, node and digest of the facts always show."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One receivable as it counts: what was said of it, by whom it is owed, when it was paid.

    `paid_on`: None while no transfer was named. `head`: the id of its newest fact.
    """

    token: str
    supplier: str
    obligor: str
    amount_minor: int
    currency: str
    registered_on: date
    due_on: date
    confirmed: bool
    paid_on: date | None
    was_disputed: bool
    is_disputed: bool
    head: str


def claims_of(found: Sequence[Standing], *, node: str, today: date) -> dict[str, Any]:
    """The claims of a passport over the year up to today, from receivables registered in it."""
    first = today - timedelta(days=WINDOW_DAYS)
    counted = sorted(
        (one for one in found if first <= one.registered_on <= today), key=lambda one: one.token
    )
    paid = [one for one in counted if one.paid_on is not None]
    return {
        "node": node,
        "period": {"from": first.isoformat(), "until": today.isoformat()},
        "facts": {"count": len(counted), "sha256": digest_of_facts(counted)},
        "supplier": sorted({one.supplier for one in counted}),
        "receivables": {
            "registered": len(counted),
            "confirmed": sum(one.confirmed for one in counted),
            "paid": len(paid),
            "overdue": sum(one.paid_on is None and one.due_on < today for one in counted),
        },
        # A receivable is registered only over a shipment that was verified, and over each once.
        "shipments_verified": len(counted),
        "turnover": _turnover(paid),
        "days_to_pay": _spread([(on - one.registered_on).days for one, on in _dated(paid)]),
        "days_late": _spread([max(0, (on - one.due_on).days) for one, on in _dated(paid)]),
        "disputes": {
            "raised": sum(one.was_disputed for one in counted),
            "open": sum(one.is_disputed for one in counted),
        },
        "buyers": len({one.obligor for one in counted}),
    }


def check_kind(claims: Mapping[str, Any]) -> None:
    """Raises Refused (`wrong_kind`) unless these are the claims of a passport."""
    if claims.get("vct") != f"urn:zhidao:{KIND}:1":
        raise Refused("it is a credential of another kind", code="wrong_kind")


def digest_of_facts(counted: Sequence[Standing]) -> str:
    """SHA-256 over the newest fact of each receivable, by token: an auditor makes it again."""
    return hashlib.sha256(jcs([[one.token, one.head] for one in counted])).hexdigest()


def _dated(paid: Sequence[Standing]) -> list[tuple[Standing, date]]:
    return [(one, one.paid_on) for one in paid if one.paid_on is not None]


def _turnover(paid: Sequence[Standing]) -> list[dict[str, str | int]]:
    sums: dict[str, int] = defaultdict(int)
    for one in paid:
        sums[one.currency] += one.amount_minor
    return [
        {
            "currency": currency,
            "exponent": Currency(currency).exponent,
            "paid_minor": str(minor),
        }
        for currency, minor in sorted(sums.items())
    ]


def _spread(days: Sequence[int]) -> dict[str, int]:
    """Median (the lower one of two) and most, of at least one; nothing is said of none."""
    if not days:
        return {"count": 0}
    ordered = sorted(days)
    return {
        "count": len(ordered),
        "median": ordered[(len(ordered) - 1) // 2],
        "most": ordered[-1],
    }
