"""Whether a declaration is that of a consignment: who, which invoices and bill, and which goods.

What both state must be the same. What only one of them can state is told like a difference where
the declaration leans on it: nobody knows whether it is so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from zhidao.trade.domain.comparison import words
from zhidao.trade.domain.model.catalogue import ITEM
from zhidao.trade.domain.model.consignment import CanonicalConsignment
from zhidao.trade.domain.model.numbers import number_key, number_keys

# Of the catalogue's codes the first four digits: below them customs unions have codes of their own.
_HEADING: Final = 4
# Weights on declarations are rounded; `comparison.near` takes as much for rounding.
_ROUNDING_SHARE: Final = 200
_SHOWN: Final = 60


def differences(
    declared: CanonicalConsignment,
    entered: CanonicalConsignment,
    *,
    invoices: Iterable[str],
    bills: Iterable[str],
) -> list[str]:
    """What a declaration says otherwise than a consignment, in sentences; none: it is its own.

    `entered`: what the consignment was opened with; `invoices`, `bills`: the numbers of its papers.
    """
    found = [*_parties(declared, entered)]
    named, known = declared.get("invoiceDocument.id"), sorted(set(invoices))
    if number_keys(known) != {number_key(named)}:
        of = " and ".join(known)[:_SHOWN] or "none"
        found.append(f"its invoice is {named[:_SHOWN]}, not {of}: they have no invoices in common")
    bill, added = declared.get("transportContractDocument.id"), sorted(set(bills))
    if bill and number_key(bill) not in number_keys(added):
        of = f"not {' or '.join(added)[:_SHOWN]}" if added else "and the carrier added none yet"
        found.append(f"its bill of lading is {bill[:_SHOWN]}, {of}")
    return [*found, *_goods(declared, entered)]


def _parties(declared: CanonicalConsignment, entered: CanonicalConsignment) -> Iterator[str]:
    for role in ("consignor", "consignee"):
        for name in ("name", "postalAddress.countryId", "usccId", "eoriId"):
            path = f"{role}Party.{name}"
            said, known = declared.get(path), entered.get(path)
            # A name is always stated: one that is missing is no name of the consignment's.
            if (name == "name" or (said and known)) and words(said) != words(known):
                what = "" if name == "name" else f" ({name.rpartition('.')[2]})"
                yield f"its {role}{what} is {said[:_SHOWN]}, not {known[:_SHOWN]}"


def _goods(declared: CanonicalConsignment, entered: CanonicalConsignment) -> Iterator[str]:
    said, known = _headings(declared), _headings(entered)
    if said != known or not said:
        told, own = (", ".join(sorted(each)) or "none" for each in (said, known))
        yield f"its goods are of {told[:_SHOWN]}, not of {own[:_SHOWN]} (HS)"
        return
    yield from _packages(declared, entered)
    for heading in sorted(said):
        yield from _weights(declared, entered, heading)


def _weights(
    declared: CanonicalConsignment, entered: CanonicalConsignment, heading: str
) -> Iterator[str]:
    for name, called in (("grossWeight", "gross"), ("netWeight", "net")):
        weight, there_kg = (_weight(one, heading, name) for one in (declared, entered))
        if weight is not None and there_kg is not None and _apart(weight, there_kg):
            yield f"its goods of {heading} weigh {weight} kg {called}, not {there_kg} kg"


def _packages(declared: CanonicalConsignment, entered: CanonicalConsignment) -> Iterator[str]:
    counted = [one.each(ITEM, "packageQuantity") for one in (declared, entered)]
    if all(map(all, counted)):
        packages, there = (sum(map(int, each)) for each in counted)
        if packages != there:
            yield f"it names {packages} packages, not {there}"


def _headings(one: CanonicalConsignment) -> set[str]:
    return {code[:_HEADING] for code in one.each(ITEM, "typeCode")}


def _weight(one: CanonicalConsignment, heading: str, name: str) -> Decimal | None:
    """Kilograms of all goods of a heading; None where one of them has no weight."""
    codes = one.each(ITEM, "typeCode")
    stated = [
        weight
        for code, weight in zip(codes, one.each(ITEM, name), strict=True)
        if code[:_HEADING] == heading
    ]
    return sum(map(Decimal, stated), Decimal(0)) if all(stated) else None


def _apart(one: Decimal, two: Decimal) -> bool:
    return abs(one - two) * _ROUNDING_SHARE > max(one, two)
