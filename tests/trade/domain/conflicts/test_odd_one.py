"""One wrong value is told once, whichever paper has it; two wrong ones are both told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.comparison import CheckResult, Statement
from zhidao.trade.domain.conflicts.compared_set import Evidence
from zhidao.trade.domain.conflicts.table import Comparison, compare
from zhidao.trade.domain.documents.needed import needed_set
from zhidao.trade.domain.model.consignment import CanonicalConsignment
from zhidao.trade.service.document_set import make_set
from zhidao.trade.wire import canonical_entry

ENTRY = canonical_entry.read((Path(__file__).parents[2] / "data" / "set_entry.json").read_bytes())
SET = {m.form.kind: m.absorbed.consignment for m in make_set(ENTRY, needed_set(ENTRY.values).forms)}
ITEM = "includedConsignmentItem[0]"
# A paper in another edition of the HS has each of its codes there: one question a line.
PER_LINE = ("hsEditionCode",)


def told(*planted: tuple[str, str, str]) -> tuple[CheckResult, ...]:
    return compared(*planted).told()


def compared(*planted: tuple[str, str, str]) -> Comparison:
    papers: Mapping[str, CanonicalConsignment] = dict(SET)
    for kind, path, value in planted:
        paper = papers[kind]
        papers = {**papers, kind: replace(paper, values={**paper.values, path: value})}
    return compare(Evidence(papers))


def wrong(text: str) -> str:
    """Another value of the same form."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return "1999-01-01"
    if re.fullmatch(r"\d{6,}", text):
        return text[:-1] + ("1" if text[-1] != "1" else "2")
    if re.fullmatch(r"[\d.]+", text):
        return f"{Decimal(text) + 700:f}"
    return "ZZ" + text[2:]


@pytest.mark.parametrize("kind", sorted(SET))
def test_no_wrong_value_of_any_field_of_a_paper_is_told_twice(kind):
    seen = 0
    for path, text in SET[kind].values.items():
        if text in ("true", "false") or path in PER_LINE:
            continue
        try:
            comparison = compared((kind, path, wrong(text)))
        except MalformedInput:
            # A currency that is none: such a paper is not read at all.
            assert path.endswith("currencyCode")
            continue
        found = comparison.told()
        assert len(found) <= 1, (path, text, [each.sentence for each in found])
        # Whatever a row finds is told, under one name or another.
        assert bool(found) == bool(comparison.findings)
        if len(comparison.findings) > 1:
            assert kind in f"{found[0].left} {found[0].sentence}", path
            seen += 1
    assert seen or kind not in ("invoice_ubl", "packing_list", "export_declaration")


@pytest.mark.parametrize(
    ("kind", "path", "value", "instead"),
    [
        ("export_declaration", f"{ITEM}.typeCode", "841390", "841370"),
        ("import_declaration", f"{ITEM}.typeCode", "841390", "841370"),
        ("packing_list", f"{ITEM}.grossWeight", "2248", "1291.2"),
        ("transport_document", "loadingBaseportLocation.id", "KRPUS", "CNSHA"),
        ("invoice_ubl", "invoiceDocument.id", "INV-1", "INV-2026-0417"),
    ],
)
def test_the_paper_that_stands_alone_is_named_with_its_value_and_the_others(
    kind, path, value, instead
):
    (found,) = told((kind, path, value))
    assert found.answer.value == "conflict"
    assert f"{kind} is the odd one out" in found.sentence
    assert f"other papers say {instead}" in found.sentence
    assert Statement.parse(found.left).paper == kind
    assert Statement.parse(found.right).value == instead
    assert re.search(rf"it says (\d+\.?\d*|{value}), ", found.sentence)


def test_two_wrong_values_of_one_thing_are_both_told():
    found = told(
        ("export_declaration", f"{ITEM}.typeCode", "841390"),
        ("origin_rcep", f"{ITEM}.typeCode", "841381"),
    )
    assert len(found) > 1
    assert not any("odd one out" in each.sentence for each in found)
    said = " ".join(f"{each.left} {each.right}" for each in found)
    assert "841390" in said
    assert "841381" in said


def test_two_wrong_values_of_two_things_are_both_told():
    found = told(
        ("export_declaration", f"{ITEM}.typeCode", "841390"),
        ("packing_list", f"{ITEM}.grossWeight", "2248"),
    )
    assert [each.rule for each in found] == ["XD-14", "XD-16"]
    both = told(
        ("insurance_declaration", "insuranceDocument.insuredAmount", "1"),
        ("import_declaration", "customsValuation.freightAmount", "9999"),
        ("import_declaration", f"{ITEM}.unitPriceAmount", "1"),
    )
    assert {each.rule for each in both} == {"XD-27", "XD-35"}


def test_of_two_papers_nobody_can_say_which_is_wrong():
    papers = {kind: SET[kind] for kind in ("invoice_ubl", "packing_list")}
    paper = papers["packing_list"]
    values = {**paper.values, f"{ITEM}.requestedQuantity": "23"}
    (found,) = compare(Evidence({**papers, "packing_list": replace(paper, values=values)})).told()
    assert "odd one" not in found.sentence
    assert "do not agree" in found.sentence


_text = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=20)


@given(
    st.from_regex(r"[a-z_ ]{1,10}", fullmatch=True),
    st.sampled_from(["a", "cbc:ID", "x[].y"]),
    _text,
)
def test_a_statement_is_read_back_from_its_text(paper, field, value):
    statement = Statement(paper, field, value)
    assert Statement.parse(str(statement)) == statement
