"""Names that a reader takes for one another, and names that differ for everybody."""

from __future__ import annotations

import itertools

import pytest

from zhidao.core.text.confusable import confusable


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("bo1", ["BO1", "b\u043e1", "\u0412\u041e1", "bol", "boI", "b01", "ｂｏ１", "bo1\u0301"]),
        ("Anna-Maria", ["ANNA-MARIA", "\u0410nna-Maria", "Anna\u2010Maria", "Anna-M\u03b1ria"]),
        ("Ian", ["lan", "1an", "ian", "\u0406an"]),
        ("Вера", ["ВЕРА", "Bера"]),
        ("straße", ["STRASSE"]),
    ],
)
def test_case_marks_and_letters_alike_make_no_other_name(name: str, like: list[str]) -> None:
    for each in (name, *like):
        assert confusable(name, each), each
        assert confusable(each, name), each


def test_names_that_differ_are_not_confused() -> None:
    names = ["aida", "bolat", "bulat", "chen", "陈", "程", "José", "Jose", "m1", "m2", "Ёлка", "li"]
    for one, other in itertools.combinations(names, 2):
        assert not confusable(one, other), (one, other)
