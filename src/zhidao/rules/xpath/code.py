"""What the compiler hands from part to part: closures with what is known of their results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from zhidao.rules.xpath.syntax import Expr
from zhidao.rules.xpath.values import (
    NODES,
    OutsideSubset,
    Untyped,
    XPathError,
    atom_of,
    is_number,
    to_double,
)
from zhidao.rules.xpath.writing import Writer, is_safe, written

# A closure takes the context item and the frame: a list of slots.
Env = list[Any]
Run = Callable[[Any, Env], Any]

DOCUMENT: Final = 0
POSITION: Final = 1
LAST: Final = 2
CURRENT: Final = 3
FIRST_FREE: Final = 4

NODES_KIND: Final = "nodes"
BOOLEAN: Final = "boolean"
STRING: Final = "string"
NUMBER: Final = "number"
ANY: Final = "any"


@dataclass(slots=True)
class Code:
    """One compiled expression.

    `many` gives all items as a list that nobody changes. `one`, where the static type allows no
    second item, gives the item or None. `test` gives the effective boolean value. `ordered`: the
    nodes come in document order without doubles; `flat`: none is inside another. `constant`: a
    known value. `string`: the one item's string, '' if there is none. `values`: the atoms of all
    items, where they cost less than the items. `by_name`: depends on
    nothing but the name of the context node.
    """

    kind: str
    many: Run
    one: Run | None = None
    test: Run | None = None
    ordered: bool = True
    flat: bool = False
    constant: Any = None
    by_name: bool = False
    string: Run | None = None
    values: Run | None = None


@dataclass(slots=True)
class Focus:
    """What is known of the context item where an expression stands.

    `is_there`: the body of a declared function has no context item.
    """

    is_node: bool = True
    is_there: bool = True
    has_position: bool = False
    used_position: bool = False


@dataclass(slots=True)
class Scope:
    """Names that an expression can see: variables by slot, and the focus.

    `shared`: slots of what an expression says more than once of this focus and these variables.
    """

    names: dict[str, int]
    focus: Focus = field(default_factory=Focus)
    shared: dict[Expr, int] = field(default_factory=dict)


def single(kind: str, one: Run, *, by_name: bool = False) -> Code:
    """Code whose result is at most one item; a boolean's test is the item itself."""

    def many(n: Any, e: Env) -> list[Any]:
        value = one(n, e)
        return [] if value is None else [value]

    def source(writer: Writer, node: str) -> str:
        v = writer.name()
        return f"([] if ({v} := {writer.of(one, node)}) is None else [{v}])"

    written(many, source, safe=is_safe(one))
    return Code(kind, many, one, one if kind == BOOLEAN else None, by_name=by_name)


Builder = Callable[[list[Code]], Code]
"""Makes the code of a call from that of its arguments."""


def all_by_name(arguments: list[Code]) -> bool:
    """Whether the arguments depend on nothing but the name of the context node."""
    return all(each.by_name for each in arguments)


def constant(kind: str, value: Any) -> Code:
    """Code of a literal."""
    items = [value]
    many = written(lambda n, e: items, lambda w, n: w.constant(items), safe=True)
    one = written(lambda n, e: value, lambda w, n: w.constant(value), safe=True)
    return Code(kind, many, one, constant=value, by_name=True)


def test_of(code: Code) -> Run:
    """The effective boolean value. Source: XPath 2.0 section 2.4.3."""
    if code.test is not None:
        return code.test
    if code.kind == NODES_KIND:
        return _as_truth(code.many)
    if code.one is not None and code.kind == STRING:
        return _as_truth(code.one)
    many = code.many
    return written(
        lambda n, e: truth(many(n, e)),
        lambda w, n: f"{w.constant(truth)}({w.of(many, n)})",
    )


def _as_truth(run: Run) -> Run:
    return written(
        lambda n, e: bool(run(n, e)), lambda w, n: f"bool({w.of(run, n)})", safe=is_safe(run)
    )


def truth(items: list[Any]) -> bool:
    """The effective boolean value of a sequence. Raises XPathError FORG0006 if it has none."""
    if not items:
        return False
    first = items[0]
    if isinstance(first, NODES):
        return True
    if len(items) > 1:
        raise XPathError("FORG0006")
    if isinstance(first, bool | str):
        return bool(first)
    if is_number(first):
        return bool(first == first and first != 0)  # noqa: PLR0124 (NaN is false)
    raise XPathError("FORG0006")


def atom(code: Code) -> Run:
    """The one atomic value, or None for the empty sequence; XPTY0004 for more."""
    if code.one is not None:
        one = code.one
        if code.kind in (BOOLEAN, STRING, NUMBER):
            return one

        def from_one(n: Any, e: Env) -> Any:
            item = one(n, e)
            return None if item is None else atom_of(item)

        def source_one(w: Writer, n: str) -> str:
            v = w.name()
            return f"(None if ({v} := {w.of(one, n)}) is None else {w.constant(atom_of)}({v}))"

        return written(from_one, source_one, safe=is_safe(one))
    many = code.many

    def from_many(n: Any, e: Env) -> Any:
        items = many(n, e)
        if len(items) > 1:
            raise XPathError("XPTY0004")
        return atom_of(items[0]) if items else None

    def source_many(w: Writer, n: str) -> str:
        v, of = w.name(), w.constant(atom_of)
        return (
            f"(None if not ({v} := {w.of(many, n)}) else "
            f"{of}({v}[0]) if len({v}) == 1 else too_many())"
        )

    return written(from_many, source_many)


def atoms(code: Code) -> Run:
    """All atomic values as a list."""
    many = code.many
    if code.values is not None:
        return code.values
    if code.kind == NODES_KIND:

        def strings(w: Writer, n: str) -> str:
            untyped = w.constant(Untyped)
            return w.each(
                many,
                n,
                one=lambda w, m: f"[{untyped}({w.string(m)})]",
                more=lambda nodes, m: f"[{untyped}({w.string(m)}) for {m} in {nodes}]",
            )

        return written(
            lambda n, e: [Untyped(m.string()) for m in many(n, e)], strings, safe=is_safe(many)
        )
    if code.kind in (BOOLEAN, STRING, NUMBER):
        return many

    def source(w: Writer, n: str) -> str:
        of = w.constant(atom_of)
        return w.each(
            many,
            n,
            one=lambda w, m: f"[{of}({m})]",
            more=lambda items, m: f"[{of}({m}) for {m} in {items}]",
        )

    return written(lambda n, e: [atom_of(m) for m in many(n, e)], source, safe=is_safe(many))


def text(code: Code) -> Run:
    """An argument of type xs:string?, the empty sequence as ''."""
    if code.constant is not None and isinstance(code.constant, str):
        value = code.constant
        return written(lambda n, e: value, lambda w, n: w.constant(value), safe=True)
    if code.string is not None:
        return code.string
    if code.kind == STRING and code.one is not None:
        one = code.one
        return written(
            lambda n, e: one(n, e) or "", lambda w, n: f"({w.of(one, n)} or '')", safe=is_safe(one)
        )
    if code.kind == NODES_KIND:
        many = code.many

        def of_nodes(n: Any, e: Env) -> str:
            nodes = many(n, e)
            if not nodes:
                return ""
            if len(nodes) > 1:
                raise XPathError("XPTY0004")
            return str(nodes[0].string())

        return written(of_nodes, string_source(many))
    value_of = atom(code)

    def of_any(n: Any, e: Env) -> str:
        value = value_of(n, e)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise XPathError("XPTY0004")
        return str(value)

    return of_any


def string_source(many: Run) -> Any:
    """The source of the string of at most one node, '' for none."""

    def source(w: Writer, n: str) -> str:
        v = w.name()
        return (
            f"('' if not ({v} := {w.of(many, n)}) else "
            f"{w.string(f'{v}[0]')} if len({v}) == 1 else too_many())"
        )

    return source


def numeric(code: Code) -> Run:
    """An argument of a numeric type, untyped as a double; None for the empty sequence."""
    value_of = atom(code)
    if code.constant is not None and code.kind == NUMBER:
        constant_value = code.constant
        return written(
            lambda n, e: constant_value, lambda w, n: w.constant(constant_value), safe=True
        )
    if code.kind == NUMBER:
        return value_of

    def source(w: Writer, n: str) -> str:
        return f"{w.constant(_as_number)}({w.of(value_of, n)})"

    return written(lambda n, e: _as_number(value_of(n, e)), source)


def _as_number(value: Any) -> Any:
    if value is None or type(value) is Decimal or is_number(value):
        return value
    if isinstance(value, Untyped):
        return to_double(value)
    raise XPathError("XPTY0004")


def require_node(focus: Focus) -> None:
    """Refuses at compile time what needs a node where the context may be a value."""
    if not focus.is_node:
        raise OutsideSubset("a step from what may be no node")
