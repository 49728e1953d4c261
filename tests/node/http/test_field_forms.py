from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.node.http.field_forms import form_of, plainly

SOURCE = Path(__file__).resolve().parents[3] / "src" / "zhidao"
# Every pattern of the code, wherever it stands: what is no field's does no harm here.
PATTERNS = sorted(
    {
        found
        for file in SOURCE.rglob("*.py")
        for found in re.findall(r'r"(\^[^"\n]*\\Z)"', file.read_text(encoding="utf-8"))
    }
)


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (Annotated[int, msgspec.Meta(ge=0)], -1, "wanted: a whole number of at least 0"),
        (Annotated[int, msgspec.Meta(gt=0)], 0, "wanted: a whole number of "),
        (Annotated[int, msgspec.Meta(le=9)], 10, "wanted: a whole number of at most 9"),
        (Annotated[float, msgspec.Meta(lt=9)], 9.0, "wanted: a number of less than 9"),
        (Annotated[str, msgspec.Meta(min_length=8)], "x", "wanted: at least 8 characters"),
        (Annotated[str, msgspec.Meta(max_length=1)], "xx", "wanted: at most 1 characters"),
        (Annotated[list[int], msgspec.Meta(min_length=1)], [], "wanted: at least 1 entries"),
    ],
)
def test_a_bound_is_told_in_words(kind: type, value: object, words: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert(value, kind)
    assert plainly(str(refused.value)).startswith(words)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"^\+[1-9][0-9]{4,14}\Z", "+, then 1 digit from 1 to 9, then 4 to 14 digits"),
        (r"^[0-9]{6,12}\Z", "6 to 12 digits"),
        (r"^[A-Z]{2}\Z", "2 capital letters"),
        (r"^[0-9a-f]{64}\Z", "64 digits or letters from a to f"),
        (r"^[A-Za-z0-9_-]*\Z", "any number of letters, digits, _ or -"),
        (r"^[A-Z]{3}[UJZ]?\Z", "3 capital letters, then at most 1 U, J or Z"),
        (r"^([0-9]{8}|[0-9]{12,14})\Z", "8 digits, or 12 to 14 digits"),
        (r"^([0-9a-f]{32})?\Z", "nothing, or 32 digits or letters from a to f"),
        (r"^-?[0-9]{1,3}(\.[0-9]{1,3})?\Z", "a number such as 12.5"),
        (r"^a+b\.\Z", "at least 1 a, then b, then ."),
        (r"^(?!x)a\Z", ""),
    ],
)
def test_a_pattern_is_said_in_words(pattern: str, words: str) -> None:
    assert form_of(pattern) == words


def test_no_field_of_the_api_tells_its_pattern() -> None:
    assert len(PATTERNS) > 40
    silent = 0
    for pattern in PATTERNS:
        field = msgspec.defstruct("F", [("n", Annotated[str, msgspec.Meta(pattern=pattern)])])
        with pytest.raises(msgspec.ValidationError) as refused:
            msgspec.convert({"n": "\0 \n"}, field)
        said = plainly(str(refused.value))
        assert "regex" not in said
        assert not re.search(r"\[|\\|\{|\^", said), said
        silent += not said.startswith("wanted: ")
    assert silent <= 5, "most forms have words of their own"


def test_another_refusal_stays_as_it_is() -> None:
    said = "Expected `int`, got `str` - at `$.n`"
    assert plainly(said) == said


@given(st.text(alphabet=r"^\Z[]{}()?*+|az09-,.", max_size=30))
def test_whatever_stands_there_is_said_without_a_pattern_or_an_error(pattern: str) -> None:
    said = plainly(f"Expected `str` matching regex '{pattern}'")
    assert "regex" not in said
