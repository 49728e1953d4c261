"""Names and values without which an assert holds, whatever else the document says.

`not(//a/b)` cannot fail in a document that has no `a`, nor `not(//a[b = 'K'])` in one without a `b`
that says K. Most invoices have no allowances, no delivery and one kind of VAT, so half of the
asserts need not be run on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from zhidao.rules.xpath import axes, comparisons
from zhidao.rules.xpath.parser import FN
from zhidao.rules.xpath.syntax import (
    Binary,
    Call,
    ContextItem,
    Expr,
    Filter,
    Literal,
    Path,
    Quantified,
    Step,
)
from zhidao.rules.xpath.text_functions import normal_space


@dataclass(frozen=True, slots=True)
class Value:
    """An element of a tag with this text, white space apart.

    Read as present, too, where any parent has two elements of the tag: there a test that takes one
    for a string is an error, which must be met.
    """

    tag: str
    text: str


Needed = frozenset[str | Value]
_NONE: Final[Needed] = frozenset()


def needed(expr: Expr) -> Needed:
    """Element names and values of which each must be there for a test to be anything but true.

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


def needed_to_match(step: Step) -> Needed:
    """Names and values of which each must be there for a pattern's last step to match a node.

    Other than in a test, an error in a pattern is no error: the node does not match.
    """
    predicates = (_needed_for_true(each) for each in step.predicates)
    return _values(step)[0].union(*predicates)


def _of_binary(expr: Binary) -> Needed:
    if expr.operator == "or":
        return needed(expr.left) | needed(expr.right)
    if expr.operator == "and":
        return needed(expr.left) & needed(expr.right)
    # Only a count that is 0 without the name passes: `count(a) <= 1`.
    limit, counted = expr.right, _counted(expr.left)
    if counted and isinstance(limit, Literal) and isinstance(limit.value, int):
        least = {"<=": 0, "<": 1, "=": 0}.get(expr.operator)
        fits = least is not None and (
            limit.value == 0 if expr.operator == "=" else limit.value >= least
        )
        return frozenset.intersection(*map(_names, counted)) if fits else _NONE
    return _NONE


def _counted(expr: Expr) -> list[Expr]:
    """What a count, or a sum of counts, counts; empty for anything else."""
    if isinstance(expr, Binary) and expr.operator == "+":
        left, right = _counted(expr.left), _counted(expr.right)
        return [*left, *right] if left and right else []
    if isinstance(expr, Call) and (expr.space, expr.local) == (FN, "count"):
        return list(expr.arguments)
    return []


def _needed_for_true(expr: Expr) -> Needed:
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


def _names(expr: Expr) -> Needed:
    """The names that a path must find on its way, and the values that its predicates ask."""
    if isinstance(expr, Filter):
        return _names(expr.base)
    if isinstance(expr, Step):
        return _name(expr) | _values(expr)[0]
    if isinstance(expr, Path):
        found: Needed = _NONE
        # Values count up to the first predicate that may be in error.
        sure = True
        for step in expr.steps:
            # After a name that is absent nothing is evaluated, before it everything may be.
            if isinstance(step, Step):
                values, safe = _values(step)
                found |= _name(step) | (values if sure else _NONE)
                sure = sure and safe
            elif isinstance(step, Path | Filter):
                found |= frozenset(one for one in _names(step) if isinstance(one, str))
                sure = False
        return found
    return _NONE


def _name(step: Step) -> Needed:
    tag = axes.tag_of(step.test) if step.axis != "attribute" else None
    return frozenset((tag,)) if tag else _NONE


def _values(step: Step) -> tuple[Needed, bool]:
    """Values without which a step finds nothing, and whether no predicate can be in error.

    Where no parent has two elements of the values' tag; other tags are not asked for.
    """
    found: set[Value] = set()
    tags: set[str] = set()
    for predicate in step.predicates:
        if not isinstance(predicate, Binary) or predicate.operator != "=":
            return _NONE, False
        if not isinstance(predicate.right, Literal):
            return _NONE, False
        text, tag = predicate.right.value, _tag_of_text(predicate.left, step)
        if tag is None or not isinstance(text, str):
            return _NONE, False
        tags.add(tag)
        plain = isinstance(predicate.left, Step) or _is_normal_space(predicate.left)
        if plain and text and text == normal_space(text):
            found.add(Value(tag, text))
    return (frozenset(found), True) if len(tags) < 2 else (_NONE, False)


def _is_normal_space(expr: Expr) -> bool:
    """Whether an expression is the normalised text of the context or of a child."""
    if not isinstance(expr, Call) or (expr.space, expr.local) != (FN, "normalize-space"):
        return False
    return not expr.arguments or isinstance(expr.arguments[0], Step | ContextItem)


def _tag_of_text(expr: Expr, step: Step) -> str | None:
    """The tag of the element whose text an expression takes; None for any other expression."""
    if isinstance(expr, ContextItem):
        return axes.tag_of(step.test) if step.axis != "attribute" else None
    if isinstance(expr, Step):
        return axes.tag_of(expr.test) if expr.axis == "child" and not expr.predicates else None
    if isinstance(expr, Path):
        ways = [one for one in expr.steps[:-1] if isinstance(one, Step)]
        plain = all(one.axis == "child" and not one.predicates for one in ways)
        if not plain or len(ways) < len(expr.steps) - 1:
            return None
        return _tag_of_text(expr.steps[-1], ways[-1])
    if isinstance(expr, Call) and expr.space == FN and expr.local in _TEXTS:
        return _tag_of_text(expr.arguments[0] if expr.arguments else ContextItem(), step)
    return None


_TEXTS: Final = ("normalize-space", "upper-case")
