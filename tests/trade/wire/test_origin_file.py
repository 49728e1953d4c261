"""A bill of materials whose countries, chapters or profit cannot be is refused with the field."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from zhidao.cli.trade.example import example_of
from zhidao.core.errors import MalformedInput
from zhidao.trade.wire.origin_file import read_bill, read_question

Change = Callable[[dict[str, Any]], Any]
CASES: list[tuple[Change, str]] = [
    (lambda b: b.update(country="QQ"), "country"),
    (lambda b: b.update(hs="990000"), "hs"),
    (lambda b: b.update(hs="770000"), "hs"),
    (lambda b: b["materials"][0].update(origin="QQ"), "materials[0].origin"),
    (lambda b: b["materials"][1].update(hs="000000"), "materials[1].hs"),
    (lambda b: b["costs"].update(profit="999999"), "costs.profit"),
    (lambda b: b["costs"].update(profit="300"), "costs.profit"),
]


@pytest.mark.parametrize(("change", "field"), CASES)
def test_what_cannot_be_is_named_in_a_bill_and_in_a_question(change: Change, field: str) -> None:
    bill = json.loads(example_of("bill-of-materials"))
    read_bill(json.dumps(bill).encode())
    change(bill)
    with pytest.raises(MalformedInput) as refused:
        read_bill(json.dumps(bill).encode())
    assert (refused.value.code, refused.value.where) == ("wrong_field", f"$.{field}")
    question = json.loads(example_of("duty-question"))
    line = question["lines"][0]
    line["bill"] = {name: value for name, value in bill.items() if name != "type"}
    with pytest.raises(MalformedInput) as refused:
        read_question(json.dumps(question).encode())
    assert refused.value.where == f"$.lines[0].bill.{field}"


def test_what_is_sold_below_its_cost_is_no_contradiction() -> None:
    bill = json.loads(example_of("bill-of-materials"))
    bill["costs"].update(profit="0", labour="5000")
    assert read_bill(json.dumps(bill).encode()).labour == 5000
