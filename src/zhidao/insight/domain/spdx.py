"""Licence expressions as SPDX writes them: identifiers, AND, OR, WITH and brackets.

Source: SPDX specification 2.3, annex D. Identifiers are not looked up: only the form is judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

TERMS_MAX: Final = 200
_TOKEN: Final = re.compile(r"\s*(?:(\()|(\))|([A-Za-z0-9.-]+(?::[A-Za-z0-9.-]+)?\+?))")
_DEPTH: Final = 20
_SUFFIX: Final = re.compile(r"(?:-only|-or-later|\+)$")


@dataclass(frozen=True, slots=True)
class Expression:
    """`choices`: each is a set of identifiers of which all hold together; one choice is enough."""

    text: str
    choices: frozenset[frozenset[str]]

    @property
    def ids(self) -> frozenset[str]:
        """Every identifier that it names."""
        return frozenset(name for choice in self.choices for name in choice)


def base_of(identifier: str) -> str:
    """The identifier without only, or-later or plus.

    >>> base_of("GPL-2.0-or-later"), base_of("Apache-2.0+")
    ('GPL-2.0', 'Apache-2.0')
    """
    return _SUFFIX.sub("", identifier)


def parse_expression(text: str) -> Expression | None:
    """The expression, or None for what is none: a person reads that.

    >>> sorted(map(sorted, parse_expression("MIT OR (GPL-2.0-only AND BSD-2-Clause)").choices))
    [['BSD-2-Clause', 'GPL-2.0-only'], ['MIT']]
    >>> parse_expression("see LICENSE") is None
    True
    """
    tokens = list(_tokens(text))
    if not tokens or len(tokens) > TERMS_MAX or "" in tokens:
        return None
    reader = _Reader(tokens)
    choices = reader.either(0)
    if choices is None or reader.place < len(tokens):
        return None
    return Expression(text, choices)


def _tokens(text: str) -> Iterator[str]:
    text = text.strip()
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            yield ""
            return
        yield found[1] or found[2] or found[3]
        place = found.end()


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self.place = 0

    def _next(self, *words: str) -> bool:
        if self.place < len(self._tokens) and self._tokens[self.place] in words:
            self.place += 1
            return True
        return False

    def either(self, depth: int) -> frozenset[frozenset[str]] | None:
        found = self._both(depth)
        while found is not None and self._next("OR", "or"):
            more = self._both(depth)
            found = None if more is None else found | more
        return found

    def _both(self, depth: int) -> frozenset[frozenset[str]] | None:
        found = self._one(depth)
        while found is not None and self._next("AND", "and"):
            more = self._one(depth)
            if more is None or len(found) * len(more) > TERMS_MAX:
                return None
            found = frozenset(one | other for one in found for other in more)
        return found

    def _one(self, depth: int) -> frozenset[frozenset[str]] | None:
        if self._next("("):
            inner = self.either(depth + 1) if depth < _DEPTH else None
            return inner if inner is not None and self._next(")") else None
        name = self._name()
        if name and self._next("WITH", "with") and not self._name():
            return None
        return frozenset((frozenset((name,)),)) if name else None

    def _name(self) -> str:
        token = self._tokens[self.place] if self.place < len(self._tokens) else ")"
        if token in {"(", ")"} or token.upper() in {"AND", "OR", "WITH"}:
            return ""
        self.place += 1
        return token
