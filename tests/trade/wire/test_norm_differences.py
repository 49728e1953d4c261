"""What the norm asks beyond the published rules is told, and changes no verdict."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from zhidao.rules import Element, snapshot
from zhidao.trade.domain.verdict import Outcome
from zhidao.trade.service.document_set import make_set
from zhidao.trade.wire import canonical_entry
from zhidao.trade.wire.norm_differences import differences

ENTRY = (Path(__file__).parents[1] / "data" / "set_entry.json").read_bytes()
SET = {d.form.kind: d.data for d in make_set(canonical_entry.read(ENTRY))}
NONE: frozenset[str] = frozenset()


def without(data: bytes, *names: str) -> etree._Element:
    root = etree.fromstring(data)
    for name in names:
        for spot in root.findall(f".//{{*}}{name}"):
            spot.getparent().remove(spot)
    return root


def read(root: etree._Element) -> Element:
    return snapshot(root).root


@pytest.mark.parametrize("kind", ["invoice_ubl", "invoice_cii"])
def test_an_amount_due_without_a_day_or_terms_is_told(kind):
    assert differences(read(without(SET[kind])), NONE) == ()
    late = without(SET[kind], "DueDate", "SpecifiedTradePaymentTerms", "PaymentTerms")
    (told,) = differences(read(late), NONE)
    assert told.rule == "BR-CO-25"
    assert told.place.endswith("PayableAmount")
    assert differences(read(late), frozenset(("BR-CO-25",))) == ()


@pytest.mark.parametrize(("text", "told"), [("0", 0), ("-5", 0), ("0.01", 1), ("x", 0), ("NaN", 0)])
def test_only_a_positive_amount_asks_for_a_day(text, told):
    root = without(SET["invoice_ubl"], "DueDate", "PaymentTerms")
    root.find(".//{*}PayableAmount").text = text
    assert len(differences(read(root), NONE)) == told


def test_an_account_without_an_identifier_is_told():
    root = without(SET["invoice_cii"], "IBANID", "ProprietaryID")
    assert [each.rule for each in differences(read(root), NONE)] == ["BR-CO-27"]


def test_a_valid_invoice_stays_valid_beside_a_difference(judge):
    late = etree.tostring(without(SET["invoice_ubl"], "DueDate", "PaymentTerms"))
    verdict = judge.judge(late)
    assert verdict.outcome is Outcome.VALID
    assert [each.rule for each in verdict.differences] == ["BR-CO-25"]
