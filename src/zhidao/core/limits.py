"""Bounds that several rooms share. A bound that only one room needs stands in that room."""

from __future__ import annotations

from typing import Final

# The largest integer that every JSON reader keeps exactly: RFC 7493 section 2.2.
JSON_INTEGER_MAX: Final = 2**53 - 1
# Deeper nesting than this is an attack or a mistake in every document that we know.
JSON_DEPTH_MAX: Final = 64
JSON_BYTES_MAX: Final = 16 * 1024 * 1024
# Ledger amounts fit PostgreSQL's bigint.
AMOUNT_MINOR_MAX: Final = 2**63 - 1
PAGE_ITEMS_MAX: Final = 500

# Patterns that are published in schemas and judged here. JSON Schema takes ECMA-262 expressions,
# this program Python's, and their classes differ: `\s` of Python has U+001C to U+001F and U+0085,
# `\d` every digit of Unicode. So no class stands here by its letter: what is meant is spelled out.
# Their ends differ too: `$` of Python also stands before a line feed at the end. So a pattern ends
# in `\Z` here, and in `$` where it is published.
# Inside a bracket: controls, and every space of either language.
SPACES: Final = r"\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
DAY: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z"
# RFC 3986 section 3, as far as a form can tell: a scheme, and nothing that a URI never has.
URI: Final = rf'^[A-Za-z][A-Za-z0-9+.-]*:[^{SPACES}"<>\\^`{{|}}]+\Z'
# One @ and a point behind it.
EMAIL: Final = rf"^[^@{SPACES}]{{1,64}}@[^@{SPACES}]{{1,100}}\.[A-Za-z]{{2,24}}\Z"


def published(pattern: str) -> str:
    """A pattern as JSON Schema takes it (ECMA-262): the same texts fit both."""
    return pattern.removesuffix(r"\Z") + "$" if pattern.endswith(r"\Z") else pattern
