"""Whether more was taken of a lot than went into it: lot in >= lot out + scrap + stock, by unit.

What each party says is weighed by itself: what one ships, another receives, and both say so. Units
are never converted; a quantity without one counts pieces. Without anything that went in there is
nothing to weigh against, and a lot of which only a part is seen may seem to hold less than it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from zhidao.core.errors import MalformedInput
from zhidao.industry.domain.digital_link import canonical_link
from zhidao.industry.domain.epcis_event import EpcisEvent, Role

# More of one lot in one event is a wrong figure; a sum of such stays far from what a store holds.
QUANTITY_MAX: Final = 10**15
# So many lots of a trace are weighed, and so many quantities of them.
LOTS_MAX: Final = 1_000
QUANTITIES_MAX: Final = 50_000


class QuantityKind(StrEnum):
    """What a quantity does to a lot. `stock` is counted at an instant, and takes nothing away."""

    IN = "in"
    OUT = "out"
    SCRAP = "scrap"
    STOCK = "stock"


_OBSERVED: Final = {
    "receiving": QuantityKind.IN,
    "void_shipping": QuantityKind.IN,
    "shipping": QuantityKind.OUT,
    "retail_selling": QuantityKind.OUT,
    "dispensing": QuantityKind.OUT,
    "stock_taking": QuantityKind.STOCK,
    "cycle_counting": QuantityKind.STOCK,
}
_SCRAPPED: Final = ("destroying", "decommissioning")
# At one instant what goes in comes first, and is counted last.
_TURN: Final = {
    QuantityKind.IN: 0,
    QuantityKind.OUT: 1,
    QuantityKind.SCRAP: 1,
    QuantityKind.STOCK: 2,
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """What an event says of how much of a lot. `event`: its name; `by`: the party that says so."""

    lot: str
    by: str
    unit: str
    way: QuantityKind
    amount: Decimal
    at_ns: int
    event: str


@dataclass(frozen=True, slots=True)
class Balance:
    """What one party says of a lot in one unit. `stock`: as counted last; None if it never was.

    `said_in` and `said_over` are the two events of a lot that does not hold: the last that put
    something in, and the first that went beyond; both empty where it holds or nothing went in.
    """

    lot: str
    by: str
    unit: str
    put_in: Decimal
    taken_out: Decimal
    scrapped: Decimal
    stock: Decimal | None
    said_in: str = ""
    said_over: str = ""

    @property
    def holds(self) -> bool:
        """Whether nothing shows that more was taken than went in."""
        return not self.said_over


def is_lot(thing: str) -> bool:
    """Whether a canonical name is one of a lot: of GS1, or one of which nothing says another."""
    if thing.startswith(("https://id.gs1.org/", "urn:epc:")):
        return "/10/" in thing
    return True


def quantities_of(event: EpcisEvent) -> list[Quantity]:
    """What an event that counts says of lots, each lot and unit once in each way."""
    if event.doubt or event.withdrawn:
        return []
    told: dict[tuple[str, str, QuantityKind], Decimal] = {}
    for lot, unit, way, amount in _said(event):
        told[lot, unit, way] = told.get((lot, unit, way), Decimal(0)) + amount
    return [
        Quantity(lot, event.by, unit, way, amount, event.at.tai_ns, event.name)
        for (lot, unit, way), amount in told.items()
    ]


def check_quantities(event: Mapping[str, Any]) -> None:
    """Refuses what no lot can have. Raises MalformedInput with the pointer within the event."""
    for name in ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"):
        for place, element in enumerate(event.get(name) or ()):
            amount = element.get("quantity", 0)
            if not 0 <= amount <= QUANTITY_MAX:
                raise MalformedInput(
                    f"EPCIS event: a quantity is none of 0 to {QUANTITY_MAX}",
                    where=f"/{name}/{place}/quantity",
                    remedy="say how much it is; what goes back has an event of its own",
                )


def balances(said: Iterable[Quantity]) -> list[Balance]:
    """Weighs what was said, by lot, party and unit."""
    key = attrgetter("lot", "by", "unit")
    return [_weighed(list(each)) for _, each in groupby(sorted(said, key=key), key=key)]


def _weighed(said: list[Quantity]) -> Balance:
    said.sort(key=lambda each: (each.at_ns, _TURN[each.way], each.event))
    put_in = _sum(said, QuantityKind.IN)
    counted = [each for each in said if each.way is QuantityKind.STOCK]
    ins = [each for each in said if each.way is QuantityKind.IN]
    over = _first_over(said, put_in) if ins else None
    return Balance(
        lot=said[0].lot,
        by=said[0].by,
        unit=said[0].unit,
        put_in=put_in,
        taken_out=_sum(said, QuantityKind.OUT),
        scrapped=_sum(said, QuantityKind.SCRAP),
        stock=counted[-1].amount if counted else None,
        said_in=ins[-1].event if over else "",
        said_over=over.event if over else "",
    )


def _first_over(said: list[Quantity], put_in: Decimal) -> Quantity | None:
    """The first that takes more than ever went in, or counts more than was left at its instant."""
    until_now, taken = Decimal(0), Decimal(0)
    for each in said:
        if each.way is QuantityKind.IN:
            until_now += each.amount
        elif each.way is QuantityKind.STOCK:
            if taken + each.amount > until_now:
                return each
        else:
            # Clocks of machines differ: what is said to be made a minute later was there.
            taken += each.amount
            if taken > put_in:
                return each
    return None


def _sum(said: list[Quantity], way: QuantityKind) -> Decimal:
    return sum((each.amount for each in said if each.way is way), Decimal(0))


def _said(event: EpcisEvent) -> Iterator[tuple[str, str, QuantityKind, Decimal]]:
    for name, way in _ways(event).items():
        for lot, unit, amount in _listed(event.plain, name):
            yield lot, unit, way, amount
    yield from _pieces(event)


def _ways(event: EpcisEvent) -> dict[str, QuantityKind]:
    """What the quantities in each list of an event do."""
    if event.kind == "TransformationEvent":
        return {"inputQuantityList": QuantityKind.OUT, "outputQuantityList": QuantityKind.IN}
    way = _way(event) if event.kind == "ObjectEvent" else None
    return {} if way is None else {"quantityList": way}


def _way(event: EpcisEvent) -> QuantityKind | None:
    if event.action == "ADD":
        return QuantityKind.IN
    if event.action == "DELETE" or event.biz_step in _SCRAPPED:
        return QuantityKind.SCRAP
    return _OBSERVED.get(event.biz_step)


def _pieces(event: EpcisEvent) -> Iterator[tuple[str, str, QuantityKind, Decimal]]:
    """The serials that were commissioned of a lot, as pieces that went into it."""
    serials = event.of(Role.EPC)
    for lot in event.of(Role.LOT):
        article = lot.partition("/10/")[0] + "/21/"
        yield lot, "", QuantityKind.IN, Decimal(sum(each.startswith(article) for each in serials))


def _listed(plain: Mapping[str, Any], name: str) -> Iterator[tuple[str, str, Decimal]]:
    for element in plain.get(name) or ():
        if "epcClass" not in element or "quantity" not in element:
            continue
        lot = canonical_link(element["epcClass"])
        if is_lot(lot):
            yield lot, element.get("uom") or "", Decimal(str(element["quantity"]))
