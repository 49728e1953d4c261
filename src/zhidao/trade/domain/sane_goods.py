"""Goods that cannot be: pieces, packages and quantities that their own weights contradict.

The bounds are common sense and no standard's word, and far from any goods: a package of ten grams,
a shirt of one, a machine of a tenth of one, goods of which a thousandth is no packing.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from zhidao.core.money import Currency
from zhidao.core.text.plain_text import says_something
from zhidao.trade.domain.codes import KILOGRAMS
from zhidao.trade.domain.model.catalogue import EQUIPMENT, ITEM
from zhidao.trade.domain.model.code_lists import COUNTED_UNITS
from zhidao.trade.domain.model.consignment import CanonicalConsignment

PAYLOAD_KG: Final = Decimal(34_000)
_PACKAGE_KG: Final = Decimal("0.01")
# Radioactive and precious goods travel in far more packing than other goods, and not in more.
_NET_SHARE: Final = 1_000
# Goods are sold by dry, drained or net weight; none of them is half of what customs calls net.
_BY_WEIGHT: Final = 2
# The lightest piece in kilograms, by the chapter of its code.
_PIECE_KG: Final = {
    **dict.fromkeys(("61", "62", "64"), Decimal("0.001")),
    **dict.fromkeys(("84", "86", "87", "88", "89"), Decimal("0.0001")),
}
# Balls of bearings and parts of chips are lighter than any machine.
_LIGHTER: Final = ("8482", "8486")


def goods_out_of_line(consignment: CanonicalConsignment) -> Iterator[tuple[str, str]]:
    """Each field of the goods that cannot be, by its path, and why."""
    for k in range(consignment.counts[ITEM]):
        item = f"{ITEM}[{k}]"
        weightless = [*_weightless(consignment, item)]
        # A weight that was named is no measure of the others.
        yield from weightless or _unlike_its_weight(consignment, item)
        description = f"{item}.natureIdentificationCargo.description"
        text = consignment.get(description)
        if text and not says_something(text):
            yield description, f"{text[:20]!r} names no goods"
    yield from _worth_nothing(consignment)


def _number(consignment: CanonicalConsignment, path: str) -> Decimal:
    return Decimal(consignment.get(path) or 0)


def _weightless(consignment: CanonicalConsignment, item: str) -> Iterator[tuple[str, str]]:
    for name in ("netWeight", "grossWeight", "requestedQuantity"):
        path = f"{item}.{name}"
        if consignment.get(path) and not _number(consignment, path):
            yield path, "goods of nothing"
    net, gross = (_number(consignment, f"{item}.{name}Weight") for name in ("net", "gross"))
    if net and gross and net * _NET_SHARE < gross:
        yield f"{item}.netWeight", f"{net} kg of goods in packing of {gross - net} kg"


def _unlike_its_weight(consignment: CanonicalConsignment, item: str) -> Iterator[tuple[str, str]]:
    """How many there are, against what they weigh."""
    count, unit, code = (
        consignment.get(f"{item}.{name}")
        for name in ("requestedQuantity", "requestedUnitCode", "typeCode")
    )
    net, gross = (_number(consignment, f"{item}.{name}Weight") for name in ("net", "gross"))
    packages = _number(consignment, f"{item}.packageQuantity")
    if packages and gross and gross < packages * _PACKAGE_KG:
        yield f"{item}.packageQuantity", f"{packages} packages that weigh {gross} kg together"
    if count and net:
        for why in _against(Decimal(count), unit, code, net):
            yield f"{item}.requestedQuantity", why


def _against(count: Decimal, unit: str, code: str, net: Decimal) -> Iterator[str]:
    """Why so many of a unit cannot weigh so many kilograms."""
    if unit in KILOGRAMS:
        said = count * KILOGRAMS[unit]
        if said > net * _BY_WEIGHT or said * _BY_WEIGHT < net:
            yield f"{count} {unit} of goods that weigh {net} kg"
        return
    counted = unit in COUNTED_UNITS and not code.startswith(_LIGHTER)
    if counted and net < count * _PIECE_KG.get(code[:2], Decimal(0)):
        yield f"{count} of {code[:4]} that weigh {net} kg together"


def too_much_for_its_boxes(consignment: CanonicalConsignment) -> Iterator[tuple[str, str]]:
    """All goods against all boxes, where no item says in which it is."""
    boxes = consignment.counts[EQUIPMENT]
    total = consignment.total("grossWeight")
    if boxes and not any(consignment.each(ITEM, "equipmentId")) and total > boxes * PAYLOAD_KG:
        places = [f"{ITEM}[{k}].grossWeight" for k in range(consignment.counts[ITEM])]
        heaviest = max(places, key=lambda place: _number(consignment, place))
        yield heaviest, f"{total} kg in {boxes} boxes, which hold {boxes * PAYLOAD_KG}"


def _worth_nothing(consignment: CanonicalConsignment) -> Iterator[tuple[str, str]]:
    """An invoice whose sum is less than the smallest coin."""
    items = range(consignment.counts[ITEM])
    lines = [
        [
            consignment.get(f"{ITEM}[{k}].{name}")
            for name in ("requestedQuantity", "unitPriceAmount")
        ]
        for k in items
    ]
    currency = consignment.get("invoiceDocument.currencyCode")
    if not lines or not currency or not all(map(all, lines)):
        return
    coin = Decimal(1).scaleb(-Currency(currency).exponent)
    # Each line is rounded for itself, as the invoice does.
    amounts = (
        (Decimal(count) * Decimal(price)).quantize(coin, ROUND_HALF_UP) for count, price in lines
    )
    if not sum(amounts):
        yield f"{ITEM}[0].requestedQuantity", f"the invoice asks for nothing: 0 {currency}"
