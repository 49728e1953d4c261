"""SQL text cut into statements, tables and columns, as far as the migration lint has to see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

# What is not code: comments, strings, dollar-quoted bodies. Quoted names stay as they are.
_OPAQUE: Final = re.compile(
    r"--[^\n]*|/\*.*?\*/|[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|(\$\w*\$).*?\1|\"(?:[^\"]|\"\")*\"",
    re.DOTALL,
)
_TABLE: Final = re.compile(
    r"^\s*create\s+(?:(?:unlogged|temporary|temp)\s+)?table\s+(?:if\s+not\s+exists\s+)?"
    r"(?P<name>[\w.\"]+)\s*(?P<partition>partition\s+of\b)?",
    re.IGNORECASE,
)
_KEY: Final = re.compile(r"\bprimary\s+key\s*\(([^)]*)\)", re.IGNORECASE)
_COLUMN_KEY: Final = re.compile(r"\bprimary\s+key\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Statement:
    """A piece of SQL without comments and strings, on one line; `line` is where it begins."""

    flat: str
    line: int
    breaks: tuple[int, ...]

    def line_of(self, position: int) -> int:
        """The line of the file on which the character at `position` stood."""
        return self.line + sum(each < position for each in self.breaks)


@dataclass(frozen=True, slots=True)
class Table:
    """A table as CREATE TABLE declares it. `key`: the primary key's columns, in order."""

    name: str
    key: tuple[str, ...]
    body: Statement
    line: int
    is_partition: bool


def statements(sql: str) -> Iterator[Statement]:
    """The statements of a text, in order."""
    start = 0
    clean = _OPAQUE.sub(_blank, sql)
    for end in [*(place.start() for place in re.finditer(";", clean)), len(clean)]:
        piece = clean[start:end]
        if piece.strip():
            lead = len(piece) - len(piece.lstrip())
            yield _flat(piece.strip(), clean.count("\n", 0, start + lead) + 1)
        start = end + 1


def table_in(statement: Statement) -> Table | None:
    """The table that a CREATE TABLE makes, or None."""
    match = _TABLE.match(statement.flat)
    if not match:
        return None
    opened = statement.flat.find("(", match.end())
    inside = statement.flat[opened + 1 : _closing(statement.flat, opened)] if opened >= 0 else ""
    body = Statement(
        inside,
        statement.line_of(opened + 1),
        tuple(each - opened - 1 for each in statement.breaks if each > opened),
    )
    name = match["name"].replace('"', "").lower()
    return Table(name, _key(body), body, statement.line, match["partition"] is not None)


def elements(body: Statement) -> Iterator[Statement]:
    """Columns and constraints between a table's parentheses."""
    depth = start = 0
    for place, letter in enumerate(body.flat + ","):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            text = body.flat[start:place]
            lead = start + len(text) - len(text.lstrip())
            breaks = tuple(each - lead for each in body.breaks if lead < each < place)
            yield Statement(text.strip(), body.line_of(lead), breaks)
            start = place + 1


def columns_in(element: Statement, constraint: str) -> tuple[str, ...]:
    """Which columns a constraint in a table's element is about: those it lists, or its own."""
    pattern = constraint.replace(" ", r"\s+") + r"\s*(?:nulls\s+(?:not\s+)?distinct\s*)?\(([^)]*)\)"
    listed = re.search(pattern, element.flat, re.IGNORECASE)
    if listed:
        return _names(listed[1])
    return _names(element.flat.split(" ")[0])


def _key(body: Statement) -> tuple[str, ...]:
    listed = _KEY.search(body.flat)
    if listed:
        return _names(listed[1])
    for element in elements(body):
        if _COLUMN_KEY.search(element.flat):
            return _names(element.flat.split(" ")[0])
    return ()


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip().strip('"').lower() for name in text.split(","))


def _closing(text: str, opened: int) -> int:
    depth = 0
    for place in range(opened, len(text)):
        depth += (text[place] == "(") - (text[place] == ")")
        if depth == 0:
            return place
    return len(text)


def _flat(piece: str, line: int) -> Statement:
    breaks = tuple(place.start() for place in re.finditer("\n", piece))
    return Statement(piece.replace("\n", " ").replace("\t", " "), line, breaks)


def _blank(match: re.Match[str]) -> str:
    text = match[0]
    if text.startswith('"'):
        return text
    return "".join("\n" if letter == "\n" else " " for letter in text)
