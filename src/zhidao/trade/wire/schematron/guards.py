"""Names without which an assert holds, whatever else the document says.

`not(//a/b)` cannot fail in a document that has no `a`. Most invoices have no allowances, no
delivery and one kind of VAT, so a third of the asserts need not be run on them.
"""

from __future__ import annotations

from typing import Final

from zhidao.trade.wire.xpath import axes, comparisons
from zhidao.trade.wire.xpath.parser import FN
from zhidao.trade.wire.xpath.syntax import (
    Binary,
    Call,
    Expr,
    Filter,
    Literal,
    Path,
    Quantified,
    Step,
)

_NONE: Final[frozenset[str]] = frozenset()


def needed_names(expr: Expr) -> frozenset[str]:
    """Element names of which each must be present for the test to be anything but true.

    Empty where nothing is known. If a name is absent the test is true and meets no error that
    could leave it open: `and` and `or` are decided by either side.
    """
    if isinstance(expr, Binary):
        return _of_binary(expr)
    if isinstance(expr, Quantified) and expr.every:
        return _names(expr.bindings[0][1])
    if isinstance(expr, Call) and (expr.space, expr.local) == (FN, "not"):
        return _needed_for_true(expr.arguments[0]) if len(expr.arguments) == 1 else _NONE
    return _NONE


def _of_binary(expr: Binary) -> frozenset[str]:
    if expr.operator == "or":
        return needed_names(expr.left) | needed_names(expr.right)
    if expr.operator == "and":
        return needed_names(expr.left) & needed_names(expr.right)
    # Only a count that is 0 without the name passes: `count(a) <= 1`.
    limit = expr.right
    counts = isinstance(expr.left, Call) and (expr.left.space, expr.left.local) == (FN, "count")
    if counts and isinstance(limit, Literal) and isinstance(limit.value, int):
        assert isinstance(expr.left, Call)
        least = {"<=": 0, "<": 1, "=": 0}.get(expr.operator)
        fits = least is not None and (
            limit.value == 0 if expr.operator == "=" else limit.value >= least
        )
        return _names(expr.left.arguments[0]) if fits and expr.left.arguments else _NONE
    return _NONE


def _needed_for_true(expr: Expr) -> frozenset[str]:
    """Names of which each must be present for the expression to be true or in error."""
    if isinstance(expr, Path | Step | Filter):
        return _names(expr)
    if isinstance(expr, Call) and (expr.space, expr.local) in ((FN, "exists"), (FN, "boolean")):
        return _names(expr.arguments[0]) if len(expr.arguments) == 1 else _NONE
    if isinstance(expr, Binary) and expr.operator == "and":
        return _needed_for_true(expr.left) | _needed_for_true(expr.right)
    if isinstance(expr, Binary) and expr.operator == "or":
        return _needed_for_true(expr.left) & _needed_for_true(expr.right)
    if isinstance(expr, Binary) and expr.operator in comparisons.GENERAL:
        # No pair compares if one side is empty; the other side must not be able to err.
        return _names(expr.left) if isinstance(expr.right, Literal) else _NONE
    return _NONE


def _names(expr: Expr) -> frozenset[str]:
    """The names that a path must find on its way, predicates apart."""
    if isinstance(expr, Filter):
        return _names(expr.base)
    if isinstance(expr, Step):
        tag = axes.tag_of(expr.test) if expr.axis != "attribute" else None
        return frozenset((tag,)) if tag else _NONE
    if isinstance(expr, Path):
        found: frozenset[str] = _NONE
        for step in expr.steps:
            # After a name that is absent nothing is evaluated, before it everything may be.
            found |= _names(step) if isinstance(step, Path | Step | Filter) else _NONE
        return found
    return _NONE
