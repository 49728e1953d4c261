"""Lot in >= lot out + scrap + stock: by unit, by party, with the two events of what does not hold."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest
from tests.industry.domain.test_trace import GTIN, event, made, read, turned

from zhidao.core.errors import MalformedInput
from zhidao.industry.domain.mass_balance import (
    QUANTITY_MAX,
    Balance,
    Quantity,
    QuantityKind,
    balances,
    check_quantities,
    is_lot,
    quantities_of,
)

RAW, BLEND = f"{GTIN}/10/RAW", f"{GTIN}/10/BLEND"


def some(lot: str, amount: float, unit: str = "KGM") -> list[dict[str, Any]]:
    return [{"epcClass": lot, "quantity": amount} | ({"uom": unit} if unit else {})]


def counted(minute: int, step: str, amount: float, action: str = "OBSERVE") -> dict[str, Any]:
    return event("ObjectEvent", minute, action=action, bizStep=step, quantityList=some(RAW, amount))


def weighed(*events: dict[str, Any], by: str = "maker") -> list[Balance]:
    return balances(each for plain in events for each in quantities_of(read(plain, by=by)))


MADE = counted(1, "commissioning", 100, action="ADD")
USED = turned(5, [], [], inputQuantityList=some(RAW, 60), outputQuantityList=some(BLEND, 59.5))


def test_what_goes_in_covers_what_goes_out_scrap_and_stock() -> None:
    scrapped = counted(6, "destroying", 10, action="DELETE")
    blend, raw = weighed(MADE, USED, scrapped, counted(7, "stock_taking", 30))
    assert (raw.put_in, raw.taken_out, raw.scrapped, raw.stock) == (100, 60, 10, 30)
    assert raw.holds
    assert (blend.lot, blend.put_in, blend.stock) == (BLEND, Decimal("59.5"), None)


@pytest.mark.parametrize(
    ("more", "over"),
    [
        (counted(6, "shipping", 40), False),
        (counted(6, "shipping", 40.001), True),
        (counted(6, "destroying", 41, action="DELETE"), True),
        (counted(6, "stock_taking", 40), False),
        (counted(6, "stock_taking", 40.5), True),
        # Counted before it was used, all of it was there.
        (counted(2, "stock_taking", 100), False),
        (counted(2, "stock_taking", 101), True),
        (counted(6, "inspecting", 1_000), False),
    ],
)
def test_one_more_than_went_in_is_flagged_with_both_events(*, more: Any, over: bool) -> None:
    [raw] = [each for each in weighed(MADE, USED, more) if each.lot == RAW]
    assert raw.holds is not over
    if over:
        wanted = more if more["eventTime"] > MADE["eventTime"] else USED
        assert (raw.said_in, raw.said_over) == (read(MADE).name, read(wanted).name)


def test_tenths_add_up_to_what_they_are() -> None:
    tenths = [counted(n, "shipping", 0.1) for n in range(2, 12)]
    [raw] = weighed(counted(1, "commissioning", 1, action="ADD"), *tenths)
    assert (raw.taken_out, raw.holds) == (1, True)


def test_units_and_parties_are_weighed_apart() -> None:
    pieces = event("ObjectEvent", 3, action="ADD", quantityList=some(RAW, 5, ""))
    told = weighed(MADE, pieces, counted(4, "shipping", 100))
    received = weighed(counted(5, "receiving", 100), counted(6, "shipping", 101), by="importer")
    assert [(each.unit, each.holds) for each in told] == [("", True), ("KGM", True)]
    assert [(each.by, each.holds) for each in received] == [("importer", False)]


def test_where_nothing_is_said_to_have_gone_in_nothing_is_flagged() -> None:
    assert all(each.holds for each in weighed(USED, counted(6, "shipping", 10**6)))


def test_what_is_sent_back_is_there_again() -> None:
    out, back = counted(2, "shipping", 100), counted(3, "void_shipping", 100)
    [raw] = weighed(MADE, out, back, counted(4, "shipping", 90))
    assert raw.holds


def test_serials_of_a_lot_are_pieces_that_went_in() -> None:
    serials = [f"{GTIN}/21/{n}" for n in range(4)]
    lot = made(1, *serials, "urn:x", ilmd={"cbvmda:lotNumber": "RAW"})
    sold = event("ObjectEvent", 2, action="OBSERVE", bizStep="retail_selling")
    [raw] = weighed(lot, sold | {"quantityList": some(RAW, 5, "")})
    assert (raw.unit, raw.put_in, raw.holds) == ("", 4, False)


def test_an_event_that_counts_for_nothing_says_no_quantity() -> None:
    assert not quantities_of(
        read(MADE | {"errorDeclaration": {"declarationTime": MADE["eventTime"]}})
    )
    assert not quantities_of(read(MADE | {"eventTime": "2036-01-01T00:00:00Z"}))


@pytest.mark.parametrize(
    ("thing", "wanted"),
    [
        (RAW, True),
        (f"{GTIN}/21/1", False),
        (GTIN, False),
        ("urn:epc:idpat:sgtin:4012345.*.*", False),
        ("urn:lot:1", True),
    ],
)
def test_what_is_a_lot(thing: str, *, wanted: bool) -> None:
    assert is_lot(thing) is wanted


@pytest.mark.bound("industry.domain.mass_balance.QUANTITY_MAX")
@pytest.mark.parametrize("beyond", [0, 1])
def test_a_quantity_is_so_much_at_most_and_never_less_than_nothing(beyond: int) -> None:
    for amount in (QUANTITY_MAX + beyond, 0 - beyond):
        plain = {"quantityList": [*some(RAW, 1), *some(RAW, amount)]}
        if not beyond:
            check_quantities(plain)
            continue
        with pytest.raises(MalformedInput) as refused:
            check_quantities(plain)
        assert refused.value.where == "/quantityList/1/quantity"


def test_random_lots_are_weighed_as_by_hand() -> None:
    dice = random.Random(5)
    for _ in range(500):
        said = [
            Quantity(
                "l",
                "p",
                "",
                dice.choice(list(QuantityKind)),
                Decimal(dice.randint(0, 9)),
                n,
                f"e{n}",
            )
            for n in range(dice.randint(1, 8))
        ]
        [told] = balances(dice.sample(said, len(said)))
        total = sum(each.amount for each in said if each.way is QuantityKind.IN)
        goes_over = (
            sum(e.amount for e in said if e.way in (QuantityKind.OUT, QuantityKind.SCRAP)) > total
        )
        for place, each in enumerate(said):
            if each.way is QuantityKind.STOCK:
                before = said[:place]
                was_in = sum(e.amount for e in before if e.way is QuantityKind.IN)
                gone = sum(
                    e.amount for e in before if e.way in (QuantityKind.OUT, QuantityKind.SCRAP)
                )
                goes_over |= gone + each.amount > was_in
        has_in = any(each.way is QuantityKind.IN for each in said)
        assert told.holds is not (goes_over and has_in)
