"""Says of each SQL statement whether a distributed PostgreSQL would take it, by `store.families`.

The rules are what a real Citus (15devel on PostgreSQL 17.12, a coordinator and two workers) refused
of this program's statements, or answered by asking every machine. Only statements that name a
spread table are judged: all others run on the coordinator, as on one server.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from zhidao.store.families import LOCAL, SPREAD, Family

_VERB: Final = re.compile(r"\s*(?:select|insert|update|delete|with)\s", re.IGNORECASE)
# A table where a statement reads or writes it, and its alias.
_NAMED: Final = re.compile(
    r"\b(?:from|join|into|update|using)\s+(?:only\s+)?([a-z_{}]+\.[a-z_{}]+)"
    r"(?:\s+(?:as\s+)?(?!(?:on|where|set|join|order|group|limit|values|for|cross|inner|left|using"
    r"|select|as|and|union|returning|default)\b)([a-z_]+))?",
    re.IGNORECASE,
)
_LOCKS: Final = re.compile(r"\bfor\s+(?:no\s+key\s+)?(?:update|share)\b", re.IGNORECASE)
_WRITES: Final = re.compile(r"\s*(?:update|delete)\s", re.IGNORECASE)
_SET_THEN_QUESTION: Final = re.compile(
    r"\bunnest\s*\(.*(?:\blateral\b|\bexists\s*\(\s*select\b)"
    r"|(?:\blateral\b|\bexists\s*\(\s*select\b).*\bunnest\s*\(",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a statement would be refused or be slow. `rule` is one of few words."""

    rule: str
    where: str
    why: str

    def __str__(self) -> str:
        return f"{self.where}: {self.rule}: {self.why}"


@dataclass(frozen=True, slots=True)
class _Use:
    """A table in a statement, by the name under which its columns are written."""

    family: Family
    alias: str
    is_target: bool


def statements_in(file: Path) -> Iterator[tuple[int, str]]:
    """The SQL statements that a module writes down, with their lines.

    Constants of the module are put in where others are made of them; what only a call knows stands
    as `{}`.
    """
    tree = ast.parse(file.read_text())
    known: dict[str, str] = {}
    for node in tree.body:
        target: ast.expr | None = node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
        if isinstance(target, ast.Name) and isinstance(node, ast.Assign | ast.AnnAssign):
            text = _text(node.value, known)
            if text is not None:
                known[target.id] = text
    yield from _statements(tree, known)


def judge(where: str, statement: str, families: Mapping[str, Family]) -> Iterator[Objection]:
    """What speaks against a statement."""
    uses = list(_uses(statement, families))
    spread = [use for use in uses if use.family.kind == SPREAD]
    if not spread:
        return
    names = ", ".join(dict.fromkeys(use.family.table for use in spread))
    if len(uses) > 1:
        yield from _of_join(where, statement, uses, spread)
    yield from _of_key(where, statement, spread)
    if _SET_THEN_QUESTION.search(statement):
        yield Objection("correlated", where, f"{names} is asked once for each row of a set")


def _of_key(where: str, statement: str, spread: list[_Use]) -> Iterator[Objection]:
    if not (_WRITES.match(statement) or _LOCKS.search(statement)):
        return
    for use in spread:
        if not _keys(statement, use):
            yield Objection(
                "key", where, f"{use.family.table} is written or locked without {use.family.key} ="
            )


def _of_join(
    where: str, statement: str, uses: list[_Use], spread: list[_Use]
) -> Iterator[Objection]:
    for use in uses:
        if use.family.kind == LOCAL:
            yield Objection(
                "local", where, f"{use.family.table} stays on the coordinator; it is joined"
            )
    # Rows that are written bring their key along; what is read must be joined or named by it.
    read = [use for use in spread if not use.is_target]
    for first, other in pairwise(read):
        if other.family.group != first.family.group:
            yield Objection(
                "group", where, f"{other.family.table} and {first.family.table} lie apart"
            )
        elif not _joined_by_key(statement, first, other) and _keys(statement, first) < len(read):
            yield Objection("join", where, f"{other.family.table} is not joined by its key")


def _joined_by_key(statement: str, one: _Use, other: _Use) -> bool:
    left, right = (re.escape(f"{use.alias}.{use.family.key}") for use in (one, other))
    either = rf"\b(?:{left}\s*=\s*{right}|{right}\s*=\s*{left})\b"
    return re.search(either, statement) is not None


def _keys(statement: str, use: _Use) -> int:
    """How often the key is said to be equal to something."""
    equal = rf"\b{use.family.key}\s*=\s*(?!any\b)\S"
    return len(re.findall(equal, statement, re.IGNORECASE))


def _uses(statement: str, families: Mapping[str, Family]) -> Iterator[_Use]:
    for match in _NAMED.finditer(statement):
        family = families.get(match[1].lower())
        if family is not None:
            alias = match[2] or match[1].rpartition(".")[2]
            yield _Use(family, alias, match[0].lower().startswith("into"))


def _statements(node: ast.AST, known: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    text = _text(node, known) if isinstance(node, ast.expr) else None
    if text is not None and not isinstance(node, ast.Name):
        if _VERB.match(text):
            yield node.lineno, text  # type: ignore[attr-defined]
        return
    for child in ast.iter_child_nodes(node):
        yield from _statements(child, known)


def _text(node: ast.expr | None, known: Mapping[str, str]) -> str | None:
    """What an expression of strings says, as far as the module alone tells."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part, known) or "{}" for part in parts)
        case ast.FormattedValue(value=ast.Name(id=name)):
            return known.get(name, "{}")
        case ast.Name(id=name):
            return known.get(name)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            texts = [_text(side, known) for side in (left, right)]
            return None if None in texts else "".join(map(str, texts))
    return None
