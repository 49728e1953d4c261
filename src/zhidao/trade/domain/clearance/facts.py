"""What risk rules look at: the declaration's fields, and what was found out about them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from zhidao.trade.domain.clearance.screening import Hit, ScreeningList
from zhidao.trade.domain.comparison import CheckResult
from zhidao.trade.domain.documents.formalities import customs_value
from zhidao.trade.domain.model.catalogue import ITEM
from zhidao.trade.domain.model.consignment import CanonicalConsignment
from zhidao.trade.domain.model.forms import plain


def risk_facts(
    declaration: CanonicalConsignment,
    *,
    answers: Iterable[CheckResult] = (),
    listing: ScreeningList | None = None,
    hits: Iterable[Hit] = (),
) -> dict[str, str]:
    """Facts by name: fields, `value.*`, `crosscheck.<row>`, `screening.*`.

    A row's worst answer counts; a screening without a list is told as such.
    """
    facts = dict(declaration.values)
    facts["value.customs"] = plain(customs_value(declaration))
    net = declaration.total("netWeight")
    if net:
        per_kg = (customs_value(declaration) / net).quantize(Decimal("0.01"))
        facts["value.perKilogram"] = plain(per_kg)
    facts["items.count"] = str(declaration.counts[ITEM])
    rank = {"agree": 0, "undecided": 1, "conflict": 2}
    for answer in answers:
        name = f"crosscheck.{answer.rule}"
        if rank[answer.answer.value] >= rank[facts.get(name, "agree")]:
            facts[name] = answer.answer.value
    facts["screening.list"] = f"{listing.issued_on} {listing.digest}" if listing else "none"
    facts["screening.hits"] = str(len(found := list(hits)))
    for number, hit in enumerate(found):
        facts[f"screening.hit.{number}"] = f"{hit.text} is listed as {hit.listed}"
    return facts
