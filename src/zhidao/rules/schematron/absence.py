"""All asserts of a rule that forbid a plain path, as one walk.

A third of the EN 16931 rules say `not(a/b/c)`. Together they form a tree of names. Where the kind
of a node says that a rule judges it, each kind below knows what its being there breaks, and a
document without such kinds costs nothing. Elsewhere the tree is walked beside the document, one
look-up for each name that is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from zhidao.rules.xpath import axes
from zhidao.rules.xpath.parser import FN
from zhidao.rules.xpath.syntax import Binary, Call, Expr, Path, Step


@dataclass(slots=True)
class _Name:
    below: dict[str, _Name] = field(default_factory=dict)
    attributes: dict[str, list[int]] = field(default_factory=dict)
    forbidden: list[int] = field(default_factory=list)


class AbsentPaths:
    """Paths by number that must not be there below a node."""

    def __init__(self) -> None:
        self._root = _Name()
        self.has_any = False

    def take(self, number: int, expr: Expr) -> bool:
        """Whether the expression is `not(path)` of plain names; if so it is taken."""
        if not isinstance(expr, Call) or (expr.space, expr.local) != (FN, "not"):
            return False
        if len(expr.arguments) != 1:
            return False
        paths = list(_plain(expr.arguments[0]))
        if not paths or None in paths:
            return False
        for path in paths:
            assert path is not None
            self._add(number, path)
        self.has_any = True
        return True

    def _add(self, number: int, path: list[Step]) -> None:
        name = self._root
        for step in path:
            tag = axes.tag_of(step.test)
            assert tag is not None
            if step.axis == "attribute":
                name.attributes.setdefault(tag, []).append(number)
                return
            name = name.below.setdefault(tag, _Name())
        name.forbidden.append(number)

    def breaks(self, path: list[str]) -> tuple[list[int], dict[str, list[int]]]:
        """What an element at the end of a path of tags breaks by being there, and by attributes."""
        name: _Name | None = self._root
        for tag in path:
            name = name.below.get(tag) if name is not None else None
        return (_NOTHING, {}) if name is None else (name.forbidden, name.attributes)

    def broken(self, node: Any) -> list[int]:
        """The numbers whose path is there, in order."""
        hit: set[int] = set()
        _walk(self._root, node, hit)
        return sorted(hit) if hit else _NOTHING


_NOTHING: list[int] = []


def _walk(name: _Name, node: Any, hit: set[int]) -> None:
    if name.forbidden:
        hit.update(name.forbidden)
    if name.attributes and node.attributes:
        for tag in node.attributes:
            hit.update(name.attributes.get(tag, _NOTHING))
    below = name.below
    if below:
        for tag, children in node.kids.items():
            inner = below.get(tag)
            if inner is not None:
                for child in children:
                    _walk(inner, child, hit)


def _plain(expr: Expr) -> Iterator[list[Step] | None]:
    """The plain paths of an expression; None for a part that is none."""
    if isinstance(expr, Binary) and expr.operator == "union":
        yield from _plain(expr.left)
        yield from _plain(expr.right)
    elif isinstance(expr, Step):
        yield [expr] if _is_plain(expr) else None
    elif isinstance(expr, Path):
        yield from _plain_path(expr)
    else:
        yield None


def _plain_path(path: Path) -> Iterator[list[Step] | None]:
    rest = [step for step in path.steps[1:] if isinstance(step, Step) and _is_plain(step)]
    # A path may not go on after an attribute.
    if len(rest) != len(path.steps) - 1 or any(s.axis == "attribute" for s in rest[:-1]):
        yield None
        return
    for head in _plain(path.steps[0]):
        attribute = head is not None and head[-1].axis == "attribute"
        yield None if head is None or attribute else [*head, *rest]


def _is_plain(step: Step) -> bool:
    named = axes.tag_of(step.test) is not None
    return step.axis in ("child", "attribute") and named and not step.predicates
