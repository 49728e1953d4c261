"""A printed sheet says all that its document says, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from zhidao.trade.domain.model.catalogue import FIELDS
from zhidao.trade.domain.model.code_lists import PACKAGE_KINDS, UNITS
from zhidao.trade.domain.printing import labels
from zhidao.trade.domain.printing.sheet import sheet_of
from zhidao.trade.service.document_set import make_set
from zhidao.trade.wire import canonical_entry

ENTRY = (Path(__file__).parents[2] / "data" / "set_entry.json").read_bytes()
SET = make_set(canonical_entry.read(ENTRY))


def _sheet(made):
    return sheet_of(made.form, made.absorbed.consignment, digest=made.digest, day="2026-09-01")


def test_every_field_has_a_label_in_two_languages_and_no_label_is_over():
    for path in FIELDS:
        english, chinese = labels.label_of(path)
        assert english.isascii() or "³" in english
        assert any("\u4e00" <= c <= "\u9fff" for c in chinese), path
    assert set(labels.OF_FIELD) <= set(FIELDS)


def test_every_code_has_a_name_in_chinese():
    assert set(labels.UNIT_NAMES) == set(UNITS)
    assert set(labels.PACKAGE_NAMES) == set(PACKAGE_KINDS)


@pytest.mark.parametrize("made", SET, ids=lambda made: made.form.kind)
def test_a_sheet_says_every_value_of_its_document(made):
    sheet = _sheet(made)
    said = " \n ".join([*sheet.texts, sheet.day])
    for path, value in made.absorbed.consignment.values.items():
        if value in ("true", "false"):
            continue
        assert value in said, path


@pytest.mark.parametrize("made", SET, ids=lambda made: made.form.kind)
def test_no_cell_is_missing_in_a_table(made):
    for table in _sheet(made).tables:
        assert len(table.numeric) == len(table.columns)
        assert {len(row) for row in table.rows} == {len(table.columns)}


def test_a_flag_is_printed_as_a_word_and_a_place_with_its_code():
    bill = next(m for m in SET if m.form.kind == "transport_document")
    facts = {s.label[0]: s for part in _sheet(bill).sections for s in part.said}
    assert facts["To order"].also == labels.NO
    assert facts["Port of loading"].value == "Shanghai (CNSHA)"


def test_an_invoice_prints_what_is_due():
    invoice = next(m for m in SET if m.form.kind == "invoice_ubl")
    totals = {s.label[0]: s.value for s in _sheet(invoice).totals}
    # 24 at 1850 and 48 at 62.5.
    assert totals["Amount due"] == "USD 47400.00"


def test_a_document_without_a_day_takes_the_given_one():
    instruction = next(m for m in SET if m.form.kind == "shipping_instruction")
    assert _sheet(instruction).day == "2026-09-01"
