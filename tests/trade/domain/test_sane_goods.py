"""What goods cannot be by their own weights, and what is rare and can be."""

from __future__ import annotations

import pytest

from zhidao.trade.domain.model.consignment import CanonicalConsignment
from zhidao.trade.domain.sane_goods import goods_out_of_line

ITEM = "includedConsignmentItem[0]"


def told(**item: str) -> list[str]:
    values = {f"{ITEM}.{name}": text for name, text in item.items()}
    consignment = CanonicalConsignment(values, {})
    return [path.removeprefix(f"{ITEM}.") for path, _ in goods_out_of_line(consignment)]


def pieces(count: str, code: str, net: str, unit: str = "H87") -> list[str]:
    return told(requestedQuantity=count, requestedUnitCode=unit, typeCode=code, netWeight=net)


@pytest.mark.parametrize("name", ["netWeight", "grossWeight", "requestedQuantity"])
def test_goods_of_nothing_are_none(name: str) -> None:
    assert told(**{name: "0.0"}) == [name]


@pytest.mark.parametrize(
    ("count", "code", "net", "unit", "good"),
    [
        ("24", "841370", "0.001", "H87", False),
        ("24", "841370", "1104", "H87", True),
        ("24", "841370", "0.001", "MTR", True),
        ("999999999", "610910", "1440", "H87", False),
        # Balls of a millimetre weigh four milligrams, and a resistor one.
        ("1000000", "848291", "4", "H87", True),
        ("1000000", "853321", "1", "H87", True),
        ("24", "260300", "1104", "TNE", False),
        ("24", "260300", "1104", "KGM", False),
        # Sold by its dry weight, or in pounds.
        ("1.1", "260300", "1200", "TNE", True),
        ("2204.62", "260300", "1000", "LBR", True),
    ],
)
def test_how_many_there_are_is_held_against_what_they_weigh(count, code, net, unit, good) -> None:
    assert pieces(count, code, net, unit) == ([] if good else ["requestedQuantity"])


def test_a_package_weighs_something_and_packing_is_not_everything() -> None:
    assert told(packageQuantity="12", grossWeight="0.002") == ["packageQuantity"]
    assert told(packageQuantity="100", grossWeight="1") == []
    assert told(netWeight="0.9", grossWeight="1000") == ["netWeight"]
    assert told(netWeight="1", grossWeight="1000") == []
