"""Names as they are searched: however they are typed, with and without their check digit."""

from __future__ import annotations

import hypothesis
import pytest
from hypothesis import strategies

from zhidao.node.search.terms import (
    TERM_CHARACTERS_MAX,
    WORDS_MAX,
    asked,
    check_digit,
    normal,
    terms_of,
)
from zhidao.trade.domain.codes import container_check_digit


@pytest.mark.parametrize(
    "typed",
    ["csqu3054383", "CSQU 305438 3", "CSQU-305438-3", "ＣＳＱＵ３０５４３８３", " csqu305438/3 "],
)
def test_a_name_is_one_however_it_is_typed(typed: str) -> None:
    assert normal(typed) == "csqu3054383"
    assert asked(typed) == ("csqu3054383",)


def test_a_container_has_the_check_digit_of_its_standard() -> None:
    assert check_digit("csqu305438") == "3"  # the example of ISO 6346 annex A itself


@hypothesis.seed(1)
@hypothesis.given(strategies.from_regex(r"[a-z]{3}[ujz][0-9]{6}", fullmatch=True))
def test_check_digits_are_those_by_which_papers_are_judged(first_ten: str) -> None:
    assert int(check_digit(first_ten)) == container_check_digit(first_ten.upper())


@pytest.mark.parametrize("last", "012456789")
def test_a_wrong_check_digit_still_finds_the_container(last: str) -> None:
    assert asked(f"CSQU 305438 {last}") == (f"csqu305438{last}", "csqu305438")


@pytest.mark.parametrize("typed", ["", "   ", "---", "%", "_", "'", "\x00", "\U0001f600", "\u200f"])
def test_nothing_is_asked_by_marks_alone(typed: str) -> None:
    assert asked(typed) == ()


@pytest.mark.parametrize("typed", ["50%", "5_0", "50\\", "50'--"])
def test_a_wildcard_is_no_letter(typed: str) -> None:
    assert asked(typed) == ("50",)


def test_each_word_begins_a_name() -> None:
    assert list(terms_of("Golden Bridge Bank")) == ["goldenbridgebank", "bridgebank", "bank"]
    assert list(terms_of("中亚银行")) == ["中亚银行", "亚银行", "银行", "行"]
    assert list(terms_of("a A a")) == ["aaa", "aa", "a"]


def test_long_names_are_cut() -> None:
    (whole,) = terms_of("x" * (TERM_CHARACTERS_MAX + 1))
    assert len(whole) == TERM_CHARACTERS_MAX
    assert asked("x" * 10_000) == (whole,)
    words = [f"w{i}" for i in range(WORDS_MAX + 1)]
    assert f"w{WORDS_MAX}" not in list(terms_of(" ".join(words)))
