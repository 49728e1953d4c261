from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.hosts.shown import escaped


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("a\x1b]0;owned\x07b", r"a\u001b]0;owned\u0007b"),
        ("Almaty \u202edrop", r"Almaty \u202edrop"),
        ("a\x9b2Jb\x7f\r", r"a\u009b2Jb\u007f\u000d"),
        ("\u2066a\u2069\u200f\ufeff", r"\u2066a\u2069\u200f\ufeff"),
        ("\U000e0041", r"\udb40\udc41"),
        ("\ud800", r"\ud800"),
        ("贸易 Қазақ علی\u200cرضا\tб\n", "贸易 Қазақ علی\u200cرضا\tб\n"),
    ],
)
def test_what_a_terminal_would_obey_is_told_by_its_number(said: str, wanted: str) -> None:
    assert escaped(said) == wanted


def test_a_cell_has_one_line() -> None:
    assert escaped("a\nHOLDS\tb", one_line=True) == r"a\nHOLDS\tb"


@given(said=st.text(), plain=st.booleans())
def test_nothing_is_left_that_controls_and_json_stays_what_it_says(
    said: str,
    *,
    plain: bool,
) -> None:
    kept = {unicodedata.category(letter) for letter in escaped(said, one_line=True)}
    assert "Cc" not in kept
    assert json.loads(escaped(json.dumps([said, {said: 1}], ensure_ascii=plain))) == [
        said,
        {said: 1},
    ]
