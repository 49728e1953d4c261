"""Paths in a form that is cheaper to run and selects the same nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from zhidao.rules.xpath import axes, comparisons, operators
from zhidao.rules.xpath.parser import FN
from zhidao.rules.xpath.syntax import (
    Binary,
    Call,
    Cast,
    Conditional,
    ContextItem,
    Expr,
    Literal,
    Negation,
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
        elif isinstance(step, ContextItem) and isinstance(before, Step):
            # Its nodes are those of the step before.
            continue
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


def repeated(expr: Expr) -> list[Expr]:
    """What an expression says more than once of the same focus: paths, calls and casts.

    Only the outermost of what is repeated together.
    """
    counts = Counter(_same_focus(expr))
    if not counts or max(counts.values()) < 2:
        return []
    found: dict[Expr, None] = {}
    _outermost(expr, counts, found)
    return list(found)


def _outermost(expr: Expr, counts: Counter[Expr], found: dict[Expr, None]) -> None:
    if counts.get(expr, 0) > 1:
        found[expr] = None
        return
    for part in _parts(expr):
        _outermost(part, counts, found)


def _same_focus(expr: Expr) -> Iterator[Expr]:
    path = isinstance(expr, Path) and len(expr.steps) > 1
    call = isinstance(expr, Call) and expr.arguments and not _is_cheap(expr)
    if path or isinstance(expr, Cast) or call:
        yield expr
    for part in _parts(expr):
        yield from _same_focus(part)


def _is_cheap(call: Call) -> bool:
    """Whether a call costs no more than to keep its value: the text of one step."""
    return call.local == "normalize-space" and isinstance(call.arguments[0], Step)


def _parts(expr: Expr) -> tuple[Expr, ...]:
    """The operands of an expression that are evaluated for its own focus and variables."""
    if isinstance(expr, Binary):
        return (expr.left, expr.right)
    if isinstance(expr, Call):
        return expr.arguments
    if isinstance(expr, Cast | Negation):
        return (expr.operand,)
    if isinstance(expr, Conditional):
        return (expr.test, expr.yes, expr.no)
    return ()


def is_closed(steps: list[Expr]) -> bool:
    """Whether a path depends on nothing but the document: no variable, no current node."""
    text = repr(steps)
    return "Variable(" not in text and "'current'" not in text


def is_shared(expr: Expr) -> bool:
    """Whether a test of a node is worth keeping: a comparison that reads below the node."""
    if not isinstance(expr, Binary) or expr.operator not in comparisons.GENERAL:
        return False
    if not isinstance(expr.left, Path | Call) or not isinstance(expr.right, Literal):
        return False
    return is_closed([expr]) and not asks_position(expr)


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
        return asks_position(predicate)
    if isinstance(predicate, Path | Step | Quantified):
        return asks_position(predicate)
    if isinstance(predicate, Call) and predicate.space == FN:
        return predicate.local not in ("not", "exists", "contains") or asks_position(predicate)
    return True


def asks_position(expr: Expr) -> bool:
    """Whether an expression, or a part of it, asks where in a sequence it stands."""
    return "position'" in repr(expr) or "last'" in repr(expr)


@dataclass(frozen=True, slots=True)
class CodeList:
    """A value that must be one of `words`."""

    value: Expr
    words: frozenset[str]


def code_list(expr: Binary) -> CodeList | None:
    """The code list that an expression spells out, None for any other expression.

    `not(contains(V, ' ')) and contains(' A B ', concat(' ', V, ' '))` with V normalised: V has no
    blank and stands between blanks in the list, so it is one of its words; or it is empty and the
    list has two blanks in a row.
    """
    match expr:
        case Binary(operator="and", left=Call() as denied, right=Call() as found):
            pass
        case _:
            return None
    if not (_is(denied, "not", 1) and _is(found, "contains", 2)):
        return None
    inner, (listed, wrapped) = denied.arguments[0], found.arguments
    if not (isinstance(inner, Call) and _is(inner, "contains", 2)):
        return None
    value, blank = inner.arguments[0], Literal(" ")
    if inner.arguments[1] != blank or not _is(value, "normalize-space", None):
        return None
    if not (isinstance(wrapped, Call) and _is(wrapped, "concat", 3)):
        return None
    if wrapped.arguments != (blank, value, blank):
        return None
    codes = listed.value if isinstance(listed, Literal) else None
    if not isinstance(codes, str) or len(codes) < 2 or (codes[0], codes[-1]) != (" ", " "):
        return None
    # Splitting at blanks leaves '' between two of them, which is what the search would find.
    return CodeList(value, frozenset(codes[1:-1].split(" ")))


def rounded_amount(expr: Binary) -> Expr | None:
    """What `round(x * 10 * 10) div 100` rounds to two places, None for any other expression."""
    rounding = expr.left
    if expr.operator != "div" or expr.right != Literal(100) or not _is(rounding, "round", 1):
        return None
    assert isinstance(rounding, Call)
    raised = rounding.arguments[0]
    for _ in range(2):
        if not (isinstance(raised, Binary) and raised.operator == "*" and raised.right == _TEN):
            return None
        raised = raised.left
    return raised


_TEN: Final = Literal(10)


def maybe_blank(expr: Binary) -> Expr | None:
    """What is asked to be blank, or not, by `normalize-space(x) = ''`; None for anything else."""
    asked = expr.left
    if expr.operator not in ("=", "!=") or expr.right != Literal(""):
        return None
    if not isinstance(asked, Call) or not _is(asked, "normalize-space", 1):
        return None
    return asked.arguments[0]


def _is(expr: Expr, local: str, count: int | None) -> bool:
    return (
        isinstance(expr, Call)
        and (expr.space, expr.local) == (FN, local)
        and (count is None or len(expr.arguments) == count)
    )
