"""Paths in a form that is cheaper to run and selects the same nodes."""

from __future__ import annotations

from typing import Final

from zhidao.trade.wire.xpath import axes, operators
from zhidao.trade.wire.xpath.parser import FN
from zhidao.trade.wire.xpath.syntax import (
    Binary,
    Call,
    Expr,
    NodeTest,
    Path,
    Quantified,
    Step,
)


def shortened(steps: tuple[Expr, ...]) -> list[Expr]:
    """`//x` as one descendant step, where no predicate counts positions."""
    out: list[Expr] = []
    for step in steps:
        before = out[-1] if out else None
        if (
            isinstance(step, Step)
            and step.axis == "child"
            and before == _BETWEEN
            and not any(map(_may_count, step.predicates))
        ):
            out[-1] = Step("descendant", step.test, step.predicates)
        elif (
            isinstance(step, Step)
            and step.axis == "attribute"
            and before == _BETWEEN
            and axes.tag_of(step.test)
            and not step.predicates
        ):
            out[-1] = Step(axes.EVERY_ATTRIBUTE, step.test)
        elif before == _BETWEEN and (union := _descendants(step)) is not None:
            out[-1] = union
        else:
            out.append(step)
    return out


_BETWEEN: Final = Step("descendant-or-self", NodeTest("node"))


def _descendants(expr: Expr) -> Expr | None:
    """A union of child steps as one of descendants, None for anything else."""
    if isinstance(expr, Binary) and expr.operator == "union":
        left, right = _descendants(expr.left), _descendants(expr.right)
        return Binary("union", left, right) if left and right else None
    if isinstance(expr, Step) and expr.axis == "child" and not expr.predicates:
        return Step("descendant", expr.test)
    return None


def is_closed(steps: list[Expr]) -> bool:
    """Whether a path depends on nothing but the document: no variable, no current node."""
    text = repr(steps)
    return "Variable(" not in text and "'current'" not in text


def worth_keeping(steps: list[Expr]) -> tuple[int, ...]:
    """Where in a path from the root its nodes are kept: the end, and each narrowed step."""
    last = len(steps) - 1
    return tuple(
        index
        for index, step in enumerate(steps)
        if index == last or (isinstance(step, Step) and step.predicates)
    )


def _may_count(predicate: Expr) -> bool:
    """Whether a predicate could be a position, or ask for one."""
    if isinstance(predicate, Binary):
        if predicate.operator in operators.ARITHMETIC:
            return True
        return _asks_position(predicate)
    if isinstance(predicate, Path | Step | Quantified):
        return _asks_position(predicate)
    if isinstance(predicate, Call) and predicate.space == FN:
        return predicate.local not in ("not", "exists", "contains") or _asks_position(predicate)
    return True


def _asks_position(expr: Expr) -> bool:
    return "position'" in repr(expr) or "last'" in repr(expr)
