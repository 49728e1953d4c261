"""Prints are PDF/A, equal for equal sheets, and refuse what the font cannot show."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.trade.adapters.printing.typst_printer import FONTS, TypstPrinter, fonts_folder
from zhidao.trade.domain.printing.sheet import Sheet, sheet_of
from zhidao.trade.service.document_set import make_set
from zhidao.trade.wire import canonical_entry

ENTRY = (Path(__file__).parents[2] / "data" / "set_entry.json").read_bytes()


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    made = next(
        d for d in make_set(canonical_entry.read(ENTRY)) if d.form.kind == "insurance_declaration"
    )
    return sheet_of(made.form, made.absorbed.consignment, digest=made.digest)


@pytest.fixture(scope="module")
def printer() -> TypstPrinter:
    pytest.importorskip("typst", reason="typst is an extra")
    if not all((fonts_folder() / name).is_file() for name in FONTS):
        pytest.skip("the fonts are an extra: ./run setup print")
    return TypstPrinter()


def test_a_print_is_pdf_a_2a_with_its_fonts_inside(printer, sheet):
    pdf = printer.print(sheet)
    assert pdf.startswith(b"%PDF-1.7")
    assert re.search(rb"<pdfaid:part>2</pdfaid:part>", pdf)
    assert re.search(rb"<pdfaid:conformance>A</pdfaid:conformance>", pdf)
    assert b"NotoSansSC-Regular" in pdf


def test_equal_sheets_give_equal_bytes(printer, sheet):
    assert printer.print(sheet) == printer.print(sheet)


def test_a_character_without_a_glyph_is_refused_with_its_place(printer, sheet):
    odd = replace(sheet, number="INS-\U00012000")
    with pytest.raises(MalformedInput) as refusal:
        printer.print(odd)
    assert refusal.value.code == "missing_glyph"
    assert "\U00012000" in str(refusal.value)


def test_words_of_a_party_are_never_read_as_markup(printer, sheet):
    plain = printer.print(replace(sheet, number="PLAIN"))
    odd = printer.print(replace(sheet, number="#panic() $x$ *b* @l"))
    assert len(odd) > len(plain) // 2


def test_an_unknown_language_is_refused():
    with pytest.raises(MalformedInput):
        TypstPrinter(["fr"])


def test_a_machine_without_the_fonts_is_told_what_to_do(tmp_path):
    pytest.importorskip("typst", reason="typst is an extra")
    with pytest.raises(Unavailable, match="run setup print"):
        TypstPrinter(fonts=tmp_path)
