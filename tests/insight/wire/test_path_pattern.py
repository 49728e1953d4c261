from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from zhidao.insight.wire.path_pattern import PathPattern

PATTERNS = st.text(st.sampled_from("ab/*\\."), max_size=12)
PATHS = st.text(st.sampled_from("ab/*\\.\n"), max_size=12)


def expression(pattern: str) -> re.Pattern[str]:
    parts = re.findall(r"\\.|\*\*/?|\*|[^*\\]|\\", pattern)
    made = ("[^/]*" if p == "*" else ".*" if p[0] == "*" else re.escape(p[-1]) for p in parts)
    return re.compile("".join(made), re.DOTALL)


@given(PATTERNS, PATHS)
def test_it_matches_what_an_expression_would(pattern: str, path: str):
    assert PathPattern(pattern).matches(path) is bool(expression(pattern).fullmatch(path))


@given(PATTERNS)
def test_a_pattern_of_literals_matches_itself(pattern: str):
    literal = pattern.replace("\\", "\\\\").replace("*", "\\*")
    assert PathPattern(literal).matches(pattern)


def test_many_stars_on_a_long_name_take_no_longer_than_few():
    """An expression that goes back and forth would not end here."""
    assert not PathPattern("*a" * 300 + "b").matches("a" * 4000)
    assert PathPattern("**a*" * 300).matches("a/" * 2000 + "a")
