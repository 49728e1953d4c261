"""Certificates of origin rest on a determination: by the item's bill of materials, else stated.

With a bill the criterion is recomputed under each agreement that is claimed, and a certificate for
goods that do not originate, or of which nobody can tell, is refused by name. Without a bill the
criterion is the exporter's own statement, and is told as such beside the paper.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from zhidao.core.errors import MalformedInput, Refused
from zhidao.trade.domain.documents.needed import CERTIFICATES, needed_set
from zhidao.trade.domain.model.catalogue import ITEM
from zhidao.trade.domain.model.consignment import CanonicalConsignment, Origin, Source
from zhidao.trade.domain.origin.agreements import Agreement
from zhidao.trade.domain.origin.determination import (
    BillOfMaterials,
    Decision,
    Outcome,
    Reason,
    determine,
)


@dataclass(frozen=True, slots=True)
class OriginBasis:
    """What a certificate's criterion for one item rests on: a bill's determination or a statement.

    `share_percent`: the value content that was computed, `` for a statement.
    """

    agreement: str
    item: str
    criterion: str
    is_determined: bool
    share_percent: str = ""


@dataclass(frozen=True, slots=True)
class DeterminedOrigin:
    """A consignment with the criteria that follow from bills, and what each rests on.

    `criteria`: by agreement the criterion recomputed for each item id, for the cross-checks.
    """

    consignment: CanonicalConsignment
    bases: tuple[OriginBasis, ...] = ()
    criteria: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def determined(
    consignment: CanonicalConsignment,
    bills: Mapping[str, BillOfMaterials],
    rules: Mapping[str, Agreement],
) -> DeterminedOrigin:
    """The consignment with criteria by its bills of materials, each by its item's id.

    `rules`: the agreements with the product rules that are at hand. Raises MalformedInput for a
    bill of no item or of other goods, Refused (`no_preference`) where goods do not originate.
    """
    items = {item: k for k, item in enumerate(consignment.each(ITEM, "id"))}
    for item, bill in bills.items():
        _check_bill(consignment, item, items.get(item), bill)
    needed = needed_set(consignment.values).forms
    claimed = [rules[each.name] for form, each in CERTIFICATES if form in needed]
    decided = {
        agreement.name: {item: _originating(bill, agreement, item) for item, bill in bills.items()}
        for agreement in claimed
    }
    criteria = {
        name: {item: one.criterion for item, one in by_item.items()}
        for name, by_item in decided.items()
        if by_item
    }
    filled = _filled(consignment, items, criteria)
    return DeterminedOrigin(filled, tuple(_bases(filled, items, decided)), criteria)


def _check_bill(
    consignment: CanonicalConsignment, item: str, k: int | None, bill: BillOfMaterials
) -> None:
    if k is None:
        raise MalformedInput(
            f"a bill of materials of no item: {item[:40]!r}",
            where="--bill",
            remedy="name the item by its number in the entry",
        )
    for what, told, said in (
        ("typeCode", bill.hs, consignment.get(f"{ITEM}[{k}].typeCode")),
        ("originCountry.id", bill.country, consignment.get(f"{ITEM}[{k}].originCountry.id")),
    ):
        if told != said:
            raise MalformedInput(
                f"the bill of materials of item {item} is of {told}, the entry says {said}",
                where=f"{ITEM}[{k}].{what}",
                remedy="give the bill of these goods, or correct the entry",
            )


def _originating(bill: BillOfMaterials, agreement: Agreement, item: str) -> Decision:
    decision = determine(bill, agreement)
    if decision.outcome is not Outcome.ORIGINATING:
        raise Refused(
            f"item {item} is {decision.outcome.value} under {agreement.name}: "
            f"{_first_failing(decision.proof)}",
            code="no_preference",
            where=f"bill of item {item}",
        )
    return decision


def _first_failing(reason: Reason) -> str:
    """The sentence lowest in the tree that does not hold, or of which nobody can tell."""
    below = next((each for each in reason.because if each.holds is not True), None)
    return reason.sentence if below is None else _first_failing(below)


def _filled(
    consignment: CanonicalConsignment,
    items: Mapping[str, int],
    criteria: Mapping[str, Mapping[str, str]],
) -> CanonicalConsignment:
    """With the criterion of an item for which all agreements say the same and nobody typed one."""
    values, sources = dict(consignment.values), dict(consignment.sources)
    for item, k in items.items():
        path = f"{ITEM}[{k}].originCriterionCode"
        found = {by_item[item] for by_item in criteria.values() if item in by_item}
        if len(found) == 1 and path not in values:
            values[path] = found.pop()
            sources[path] = Source(Origin.DOCUMENT, "", f"bill of item {item}")
    return CanonicalConsignment(values, sources)


def _bases(
    consignment: CanonicalConsignment,
    items: Mapping[str, int],
    decided: Mapping[str, Mapping[str, Decision]],
) -> Iterator[OriginBasis]:
    for name, by_item in decided.items():
        for item, k in items.items():
            decision = by_item.get(item)
            stated = consignment.get(f"{ITEM}[{k}].originCriterionCode")
            if decision is None:
                yield OriginBasis(name, item, stated, is_determined=False)
            else:
                share = f"{decision.share_percent:f}"
                yield OriginBasis(name, item, decision.criterion, True, share)
