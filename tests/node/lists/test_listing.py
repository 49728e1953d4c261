"""Order, filters and files of lists: what a column is compared by, and no formula in a file."""

from __future__ import annotations

import csv
import io
from typing import Any

import msgspec
import pytest

from zhidao.core.errors import MalformedInput
from zhidao.node.lists.listing import (
    Listing,
    csv_head,
    csv_line,
    csv_row,
    shown,
    sort_key,
    wanted,
)


class Row(msgspec.Struct):
    """An account as lists have it."""

    name: str
    balance_minor: int = 0
    exponent: int = 2
    inner: Any = None


LISTING = Listing("rows", ("name",), ("name", "balance_minor", "inner.word"))


def test_an_unknown_column_to_sort_by_is_refused_with_the_known_ones() -> None:
    with pytest.raises(MalformedInput) as refused:
        wanted(LISTING, sort="-password", filters=())
    assert refused.value.code == "unknown_column"
    assert "balance_minor" in refused.value.remedy


def test_a_filter_names_a_column_only_if_the_list_has_it() -> None:
    asked = wanted(LISTING, sort="", filters=("name:Bank", "balance:7", "BANK"))
    assert asked.filters == (("name", "bank"), ("", "balance:7"), ("", "bank"))


@pytest.mark.parametrize("text", ["golden  BANK", "GOLDEN BANK", "ＧＯＬＤＥＮ bank", "n b"])
def test_a_filter_knows_a_text_however_it_is_written(text: str) -> None:
    row = Row("Golden Bank")
    assert wanted(LISTING, sort="", filters=(text,)).takes(row, LISTING)
    assert not wanted(LISTING, sort="", filters=(f"{text}x",)).takes(row, LISTING)


@pytest.mark.parametrize("text", ["%", "_", "*", ".", "G%k", "\\"])
def test_a_filter_has_no_wildcards(text: str) -> None:
    assert not wanted(LISTING, sort="", filters=(text,)).takes(Row("Golden Bank", 100, 0), LISTING)


def test_a_filter_looks_into_one_column_only_if_asked_to() -> None:
    row = Row("7", balance_minor=12_00)
    assert not wanted(LISTING, sort="", filters=("name:12",)).takes(row, LISTING)
    assert wanted(LISTING, sort="", filters=("balance_minor:12.0",)).takes(row, LISTING)


def test_nothing_stands_before_numbers_and_numbers_before_texts() -> None:
    values = ["b", 10, None, 9, "A", "", -1, True]
    rows = [Row("x", inner={"word": value}) for value in values]
    rows.sort(key=lambda row: sort_key(row, "inner.word"))
    assert [row.inner["word"] for row in rows] == [None, "", -1, True, 9, 10, "A", "b"]


@pytest.mark.parametrize(
    ("minor", "exponent", "text"),
    [
        (123456, 2, "1234.56"),
        (-5, 2, "-0.05"),
        (0, 2, "0.00"),
        (7, 0, "7"),
        (1, 3, "0.001"),
        (-7, 0, "-7"),
    ],
)
def test_an_amount_is_written_exactly(minor: int, exponent: int, text: str) -> None:
    assert shown(Row("x", minor, exponent), "balance_minor") == text


@pytest.mark.parametrize(
    "word",
    [
        "=cmd|' /C calc'!A0",
        "+1+1",
        "-2+3",
        "@SUM(1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1",
        '=HYPERLINK("http://x","y")',
        "-1.5e3",
        "--1",
    ],
)
def test_no_cell_of_a_file_is_a_formula(word: str) -> None:
    (cell,) = next(csv.reader(io.StringIO(csv_line([word]), newline="")))
    assert cell == f"'{word}"


@pytest.mark.parametrize("number", ["-5", "-5.00", "5", "0.05"])
def test_a_number_stays_one_in_a_file(number: str) -> None:
    assert csv_line([number]) == f"{number}\r\n"


def test_a_file_reads_back_as_it_was_written() -> None:
    words = ['a "b", c', "line\r\nnext", "知道", ""]
    text = csv_head(LISTING) + "".join(csv_row(Row(word, -150), LISTING) for word in words)
    head, *rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    assert head == ["name", "balance", "inner.word"]
    assert rows == [[word, "-1.50", ""] for word in words]
