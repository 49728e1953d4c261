"""Faults that can be planted in a module, each one small change of its syntax tree.

Comparisons moved by one or turned round, a number one more, `and` for `or`, a `not` dropped,
another operator, a condition turned round, a value not given back, a refusal or a call left out,
the least for the greatest. Left out is what decides nothing: annotations, decorators, docstrings,
assertions (they say what cannot happen), prose (texts with a blank) and what an exception is told.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any, Final

_COMPARISONS: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Add,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}
_PAIRS: Final = (
    *(("min", "max"), ("any", "all"), ("floor", "ceil")),
    *(("minimum", "maximum"), ("argmin", "argmax")),
)
_OPPOSITES: Final = {**dict(_PAIRS), **{second: first for first, second in _PAIRS}}
_SKIPPED_FIELDS: Final = frozenset({"annotation", "returns", "decorator_list", "format_spec"})
# How a class is made, as decorators say it of others; and that two lists are of one length.
_SKIPPED_KEYWORDS: Final = frozenset({"frozen", "kw_only", "slots", "strict"})
# Calls whose arguments are names for people or say what cannot happen.
_SKIPPED_CALLS: Final = frozenset({"TypeVar", "NewType", "cast"})
_BLANK: Final = re.compile(r"\S\s+\S")


@dataclass(frozen=True, slots=True)
class Fault:
    """One change. `key`: its scope, and the statement as it is and with the fault."""

    key: str
    line: int
    code: CodeType


@dataclass(frozen=True, slots=True)
class _Slot:
    """A place in the tree: the node `owner`, its field, and the index if that holds a list."""

    owner: Any
    field: str
    index: int | None

    def fill(self, node: object) -> None:
        if self.index is None:
            setattr(self.owner, self.field, node)
        else:
            getattr(self.owner, self.field)[self.index] = node


def plant(source: str, path: str) -> list[Fault]:
    """All faults of a module, in the order of its lines, each one only once."""
    tree = ast.parse(source)
    found: dict[str, Fault] = {}
    for slot, node, statement, where in list(_walk(tree, tree, "module")):
        was = _header(statement)
        for other in _alternatives(slot, node):
            slot.fill(ast.copy_location(other, node) if isinstance(other, ast.AST) else other)
            # A statement that was replaced itself is shown by what stands there now.
            shown = other if node is statement else statement
            ast.fix_missing_locations(tree)
            told, number = f"{where}: {was}  ->  {_header(shown)}", 2
            key = told
            while key in found:
                key, number = f"{told} ({number})", number + 1
            found[key] = Fault(key, node.lineno, compile(tree, path, "exec"))
            slot.fill(node)
    return sorted(found.values(), key=lambda one: one.line)


def _walk(node: Any, statement: Any, where: str) -> Iterator[tuple[_Slot, Any, Any, str]]:
    for field, value in ast.iter_fields(node):
        if field in _SKIPPED_FIELDS or _is_told(node, field):
            continue
        children = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for index, child in children:
            if not isinstance(child, ast.AST) or _is_skipped(child):
                continue
            inner = child if isinstance(child, ast.stmt) else statement
            scope = where
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                scope = child.name if where == "module" else f"{where}.{child.name}"
            if isinstance(child, ast.stmt | ast.expr):
                yield _Slot(node, field, index), child, inner, scope
            yield from _walk(child, inner, scope)


def _is_told(node: Any, field: str) -> bool:
    """What an exception is told, and the arguments of calls that decide nothing."""
    if not isinstance(node, ast.Call) or field == "func":
        return False
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    return name in _SKIPPED_CALLS or getattr(node, "is_told", False)


def _is_skipped(child: Any) -> bool:
    if isinstance(child, ast.Raise) and isinstance(child.exc, ast.Call):
        child.exc.is_told = True  # type: ignore[attr-defined]
    docstring = (
        isinstance(child, ast.Expr)
        and isinstance(child.value, ast.Constant)
        and isinstance(child.value.value, str)
    )
    option = isinstance(child, ast.keyword) and child.arg in _SKIPPED_KEYWORDS
    typing_only = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
    imports = isinstance(child, ast.Import | ast.ImportFrom | ast.Assert)
    return docstring or option or typing_only or imports


def _alternatives(slot: _Slot, node: Any) -> Iterator[ast.AST]:  # noqa: C901 (a table)
    match node:
        case ast.Compare():
            for at, op in enumerate(node.ops):
                changed = copy.copy(node)
                changed.ops = [*node.ops[:at], _COMPARISONS[type(op)](), *node.ops[at + 1 :]]
                yield changed
        case ast.BoolOp():
            yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert()):
            yield node.operand
        case ast.BinOp():
            yield ast.BinOp(node.left, _OPERATORS[type(node.op)](), node.right)
        case ast.AugAssign():
            yield ast.AugAssign(node.target, _OPERATORS[type(node.op)](), node.value)
        case ast.Constant():
            yield from _constants(node.value)
        case ast.Call():
            yield from _opposite(node)
        case ast.Return(value=ast.expr()) if not isinstance(node.value, ast.Constant):
            yield ast.Return(ast.Constant(None))
        case ast.Raise() | ast.Expr(value=ast.Call() | ast.Await()):
            yield ast.Pass()
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()
    if slot.field in {"test", "ifs"} and isinstance(
        node, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.BoolOp | ast.NamedExpr
    ):
        yield ast.UnaryOp(ast.Not(), node)


def _constants(value: object) -> Iterator[ast.AST]:
    match value:
        case bool():
            yield ast.Constant(not value)
        case int() | float():
            yield ast.Constant(value + 1)
        case str() if not _BLANK.search(value):
            yield ast.Constant(f"XX{value}XX")
        case bytes():
            yield ast.Constant(b"XX" + value)


def _opposite(node: ast.Call) -> Iterator[ast.AST]:
    called = node.func
    name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
    if name not in _OPPOSITES:
        return
    other = copy.copy(called)
    setattr(other, "id" if isinstance(called, ast.Name) else "attr", _OPPOSITES[name])
    yield ast.Call(other, node.args, node.keywords)


def _header(node: Any) -> str:
    """A statement as text in one line, of a compound one what stands before its colon."""
    match node:
        case ast.Module():
            return "module"
        case ast.If() | ast.While():
            text = f"{'if' if isinstance(node, ast.If) else 'while'} {ast.unparse(node.test)}"
        case ast.For():
            text = f"for {ast.unparse(node.target)} in {ast.unparse(node.iter)}"
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            text = f"def {node.name}({ast.unparse(node.args)})"
        case ast.ClassDef():
            text = (
                f"class {node.name}({', '.join(map(ast.unparse, (*node.bases, *node.keywords)))})"
            )
        case ast.Match():
            text = f"match {ast.unparse(node.subject)}"
        case ast.With() | ast.AsyncWith():
            text = "with " + ", ".join(ast.unparse(item) for item in node.items)
        case _:
            text = ast.unparse(node)
    return " ".join(text.split())
