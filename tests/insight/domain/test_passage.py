from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zhidao.insight.domain.passage import passage_at

TEXT = """# One

first words
second words

```sh
# no heading
```

## Below

third

# Two
last"""
words = st.lists(st.text("abc", min_size=1, max_size=4), min_size=2, max_size=20)


def lines(text: str, line: int) -> tuple[int, int]:
    found = passage_at(text, line)
    return found.first, found.last


def test_a_heading_means_its_section_with_what_is_below_it():
    assert lines(TEXT, 1) == (1, 13)
    assert lines(TEXT, 10) == (10, 13)
    assert lines(TEXT, 14) == (14, 15)


def test_a_line_means_its_paragraph_up_to_a_blank_or_a_heading():
    assert lines(TEXT, 4) == (3, 4)
    assert lines(TEXT, 15) == (15, 15)
    assert lines("a\nb\n# C\nd", 1) == (1, 2)
    assert lines("a", 1) == (1, 1)


def test_a_comment_in_a_fence_is_no_heading():
    assert lines(TEXT, 7) == (6, 8)


def test_what_stands_beside_a_passage_is_not_in_it():
    other = TEXT.replace("last", "another end")
    assert passage_at(other, 1).sha256 == passage_at(TEXT, 1).sha256
    assert passage_at(other, 14).sha256 != passage_at(TEXT, 14).sha256


@given(words, st.integers(1, 19))
def test_broken_into_other_lines_it_is_the_same(said: list[str], at: int):
    at = min(at, len(said) - 1)
    whole = " ".join(said)
    broken = " ".join(said[:at]) + "\n   " + " ".join(said[at:])
    assert passage_at(whole, 1).sha256 == passage_at(broken, 1).sha256


@given(words, st.integers(0, 19))
def test_with_another_word_it_is_another(said: list[str], at: int):
    other = [*said]
    other[at % len(said)] += "d"
    assert passage_at(" ".join(said), 1).sha256 != passage_at(" ".join(other), 1).sha256
