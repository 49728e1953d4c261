"""What a schema publishes and what this program judges by are one pattern."""

from __future__ import annotations

import re

import pytest

from zhidao.core.limits import DAY, EMAIL, SPACES, URI

# ECMA-262 section 12.2 and 12.3 (WhiteSpace, LineTerminator), and what Python has besides.
BLANK = "\t\n\v\f\r \u00a0\u1680\u2003\u2028\u2029\u202f\u205f\u3000\ufeff\x1c\x1d\x1e\x1f\x85"


@pytest.mark.parametrize("blank", BLANK)
def test_a_space_of_either_language_is_none_of_a_uri(blank: str) -> None:
    assert re.search(f"[{SPACES}]", blank)
    assert not re.search(URI, f"https://maker.example/a{blank}b")
    assert not re.search(EMAIL, f"a{blank}b@maker.example")


def test_a_uri_and_a_day_still_are_what_they_were() -> None:
    assert re.search(URI, "https://maker.example/suzhou?a=1#b")
    assert re.search(URI, "urn:epc:id:sgln:690123")
    assert not re.search(URI, "no scheme")
    assert not re.search(URI, "http:a|b")
    assert re.search(EMAIL, "a.b@maker.example")
    assert re.search(DAY, "2026-11-28")
    assert not re.search(DAY, "\u0662\u0660\u0662\u0666-11-28")
