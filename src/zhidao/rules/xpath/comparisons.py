"""Comparisons of items and of sequences, with the types that XPath gives untyped values.

Source: XPath 2.0 section 3.5; Functions and Operators section 6.3.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from zhidao.rules.xpath.code import (
    BOOLEAN,
    NODES_KIND,
    NUMBER,
    STRING,
    Code,
    Env,
    Run,
    atom,
    atoms,
    single,
    text,
)
from zhidao.rules.xpath.values import (
    WHITESPACE,
    Date,
    OutsideSubset,
    Untyped,
    XPathError,
    double_of,
    is_number,
    ordered,
    to_boolean,
    to_date,
    to_double,
)
from zhidao.rules.xpath.writing import Writer, is_safe, is_whole, written

_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
# The signs as Python writes them.
_PYTHON: Final = dict(zip(_COMPARE, ("==", "!=", "<", "<=", ">", ">=") * 2, strict=True))
GENERAL: Final = frozenset(("=", "!=", "<", "<=", ">", ">="))
VALUE: Final = frozenset(("eq", "ne", "lt", "le", "gt", "ge"))


def blankness(sign: str, code: Code) -> Code:
    """`normalize-space(x) = ''` and its opposite, of x: nothing need be normalised for that."""
    value_of = text(code)
    wanted = sign == "="
    run = written(
        lambda n, e: (not value_of(n, e).strip(WHITESPACE)) is wanted,
        lambda w, n: f"({w.of(value_of, n)}.strip({WHITESPACE!r}) {_PYTHON[sign]} '')",
        safe=is_safe(value_of),
    )
    return single(BOOLEAN, run, by_name=code.by_name)


def general_comparison(sign: str, left: Code, right: Code) -> Code:
    """`=` and its kin: true if any pair of atoms compares so."""
    by_name = left.by_name and right.by_name
    quick = _quick_equality(sign, left, right) or _quick_equality(sign, right, left)
    if quick is not None:
        return single(BOOLEAN, quick, by_name=by_name)
    compare = _COMPARE[sign]
    typed = _typed_comparison(sign, left, right)
    if typed is not None:
        return single(BOOLEAN, typed, by_name=by_name)
    lefts, rights = atoms(left), atoms(right)

    def run(n: Any, e: Env) -> bool:
        ones = lefts(n, e)
        if not ones:
            return False
        others = rights(n, e)
        for a in ones:
            kind = type(a)
            for b in others:
                if kind is type(b) and (kind is Untyped or kind is Decimal):
                    if compare(a, b):
                        return True
                elif compare(*_pair(a, b)):
                    return True
        return False

    def source(w: Writer, n: str) -> str:
        pair, exact, untyped = w.constant(_pair), w.constant(Decimal), w.constant(Untyped)
        op = w.constant(compare)

        def lines(x: str) -> list[str]:
            return [
                f"ones = {w.of(lefts, x)}",
                "if not ones: return False",
                f"others = {w.of(rights, x)}",
                "for a in ones:",
                " for b in others:",
                f"  if (t := type(a)) is type(b) and (t is {untyped} or t is {exact}):",
                f"   if a {_PYTHON[sign]} b: return True",
                f"  elif {op}(*{pair}(a, b)): return True",
                "return False",
            ]

        return f"{w.function(run, lines)}({n}, e)"

    return single(BOOLEAN, written(run, source), by_name=by_name)


def _typed_comparison(sign: str, left: Code, right: Code) -> Run | None:
    """Comparisons whose static types leave one way to compare: numbers, nodes with constants."""
    if left.kind == right.kind == NUMBER and left.one is not None and right.one is not None:
        return _two_numbers(sign, left.one, right.one, right.constant)
    if left.kind != NODES_KIND or right.constant is None:
        return None
    return _nodes_with_constant(sign, left.many, right.constant)


def _two_numbers(sign: str, a_of: Run, b_of: Run, constant: Any) -> Run:
    compare = _COMPARE[sign]

    def numbers(n: Any, e: Env) -> bool:
        a = a_of(n, e)
        if a is None:
            return False
        b = b_of(n, e)
        if b is None:
            return False
        return compare(a, b) if type(a) is type(b) else compare(*ordered(a, b))

    def source(w: Writer, n: str) -> str:
        if type(constant) is int and is_whole(a_of):
            return f"({w.of(a_of, n)} {_PYTHON[sign]} {w.constant(constant)})"
        a, b, op = w.name(), w.name(), w.constant(compare)
        if type(constant) is int:
            # Python itself compares a decimal with an integer exactly.
            b, kind = w.constant(constant), w.name()
            mixed = f"{op}(*{w.constant(ordered)}({a}, {b}))"
            exact = f"({kind} := type({a})) is {w.constant(Decimal)} or {kind} is {w.constant(int)}"
            alike = f"{a} {_PYTHON[sign]} {b} if {exact} else {mixed}"
            return f"(({a} := {w.of(a_of, n)}) is not None and ({alike}))"
        mixed = f"{op}(*{w.constant(ordered)}({a}, {b}))"
        alike = f"{a} {_PYTHON[sign]} {b} if type({a}) is type({b}) else {mixed}"
        return (
            f"(({a} := {w.of(a_of, n)}) is not None and ({b} := {w.of(b_of, n)}) is not None "
            f"and ({alike}))"
        )

    return written(numbers, source)


def _nodes_with_constant(sign: str, many: Run, value: Any) -> Run:
    compare = _COMPARE[sign]

    def nodes(n: Any, e: Env) -> bool:
        for m in many(n, e):  # noqa: SIM110 (twice as fast as any())
            if compare(*ordered(_as(m.string(), value), value)):
                return True
        return False

    def source(w: Writer, n: str) -> str:
        right = f"{w.constant(_as)}({w.string('m')}, {w.constant(value)})"
        if is_number(value):
            # An untyped value beside a number is a double.
            right = f"{w.constant(_number_of)}({w.string('m')})"
            compared = f"{right} {_PYTHON[sign]} {w.constant(to_double(value))}"
        elif isinstance(value, bool):
            right = f"{w.constant(to_boolean)}({w.string('m')})"
            compared = f"{right} {_PYTHON[sign]} {value}"
        else:
            pair = f"{w.constant(ordered)}({right}, {w.constant(value)})"
            compared = f"{w.constant(compare)}(*{pair})"

        def lines(x: str) -> list[str]:
            found = [f"for m in {w.of(many, x)}:", f" if {compared}: return True"]
            return [*found, "return False"]

        return f"{w.function(nodes, lines)}({n}, e)"

    return written(nodes, source)


def _quick_equality(sign: str, left: Code, right: Code) -> Run | None:
    """Nodes or a string against a literal string, nodes against nodes: no types to settle."""
    if sign not in ("=", "!="):
        return None
    wanted = sign == "="
    if isinstance(right.constant, str):
        return _against_literal(left, right.constant, wanted=wanted)
    if left.kind == right.kind == NODES_KIND:
        return _nodes_against_nodes(left, right, wanted=wanted)
    return None


def _nodes_against_nodes(left: Code, right: Code, *, wanted: bool) -> Run:
    """Compares texts; of an attribute its value, which costs less than the attribute as a node."""
    some, others = left.values or left.many, right.values or right.many
    is_text, are_texts = left.values is not None, right.values is not None

    def run(n: Any, e: Env) -> bool:
        first = some(n, e)
        if not first:
            return False
        texts = others(n, e) if are_texts else [m.string() for m in others(n, e)]
        return any(((m if is_text else m.string()) == t) is wanted for m in first for t in texts)

    def source(w: Writer, n: str) -> str:
        def lines(x: str) -> list[str]:
            strings = f"[{w.string('m')} for m in {w.listing(others, x)}]"
            return [
                f"first = {w.of(some, x)}",
                "if not first: return False",
                f"texts = {w.of(others, x) if are_texts else strings}",
                "for m in first:",
                f" s = {'m' if is_text else w.string('m')}",
                " for t in texts:",
                f"  if s {'==' if wanted else '!='} t: return True",
                "return False",
            ]

        return f"{w.function(run, lines)}({n}, e)"

    return written(run, source, safe=is_safe(some) and is_safe(others))


def _against_literal(left: Code, literal: str, *, wanted: bool) -> Run | None:
    if left.kind == NODES_KIND:
        return _nodes_against_literal(left.many, literal, wanted=wanted)
    if left.kind != STRING:
        return None
    if left.one is None:
        values = left.many

        def some(n: Any, e: Env) -> bool:
            for value in values(n, e):  # noqa: SIM110 (twice as fast as any())
                if (value == literal) is wanted:
                    return True
            return False

        def source(w: Writer, n: str) -> str:
            op = "==" if wanted else "!="

            def lines(x: str) -> list[str]:
                found = f" if value {op} {w.constant(literal)}: return True"
                return [f"for value in {w.of(values, x)}:", found, "return False"]

            return f"{w.function(some, lines)}({n}, e)"

        return written(some, source, safe=is_safe(values))
    one = left.one
    if wanted:
        return written(
            lambda n, e: one(n, e) == literal,
            lambda w, n: f"({w.of(one, n)} == {w.constant(literal)})",
            safe=is_safe(one),
        )
    return written(
        lambda n, e: one(n, e) not in (None, literal),
        lambda w, n: f"({w.of(one, n)} not in (None, {w.constant(literal)}))",
        safe=is_safe(one),
    )


def _nodes_against_literal(many: Run, literal: str, *, wanted: bool) -> Run:
    def nodes(n: Any, e: Env) -> bool:
        for m in many(n, e):  # noqa: SIM110 (twice as fast as any())
            if (m.string() == literal) is wanted:
                return True
        return False

    def source(w: Writer, n: str) -> str:
        text, op = w.constant(literal), "==" if wanted else "!="

        def lines(x: str) -> list[str]:
            found = [f"for m in {w.of(many, x)}:", f" if {w.string('m')} {op} {text}: return True"]
            return [*found, "return False"]

        return f"{w.function(nodes, lines)}({n}, e)"

    return written(nodes, source, safe=is_safe(many))


def _pair(a: Any, b: Any) -> tuple[Any, Any]:
    if isinstance(a, Untyped):
        a = _as(a, b)
    if isinstance(b, Untyped):
        b = _as(b, a)
    return ordered(a, b)


def _as(value: str, other: Any) -> Any:
    """An untyped value in the type that the other side asks for."""
    if isinstance(other, str):
        return value
    if isinstance(other, bool):
        return to_boolean(value)
    if is_number(other):
        return _number_of(value)
    if isinstance(other, Date):
        return to_date(value)
    raise XPathError("XPTY0004")


def _number_of(value: str) -> float:
    number = double_of(value)
    if number != number:  # noqa: PLR0124 (that is how a NaN shows)
        # SaxonC 13 takes an untyped NaN for greater than any literal; it shall say so itself.
        raise OutsideSubset("a NaN out of a document")
    return number


def value_comparison(sign: str, left: Code, right: Code) -> Code:
    """`eq` and its kin: one atom against one, untyped as strings, empty if either is."""
    compare = _COMPARE[sign]
    a_of, b_of = atom(left), atom(right)
    if type(right.constant) is int and is_whole(a_of):
        # A count is never empty, and compares as in Python.
        whole = written(
            lambda n, e: compare(a_of(n, e), right.constant),
            lambda w, n: f"({w.of(a_of, n)} {_PYTHON[sign]} {right.constant})",
            safe=is_safe(a_of),
        )
        return single(BOOLEAN, whole, by_name=left.by_name)

    def run(n: Any, e: Env) -> bool | None:
        a = a_of(n, e)
        if a is None:
            return None
        b = b_of(n, e)
        if b is None:
            return None
        return compare(*ordered(a, b))

    def source(w: Writer, n: str) -> str:
        a, b, op = w.name(), w.name(), w.constant(compare)
        return (
            f"(None if ({a} := {w.of(a_of, n)}) is None or ({b} := {w.of(b_of, n)}) is None "
            f"else {op}(*{w.constant(ordered)}({a}, {b})))"
        )

    code = single(BOOLEAN, written(run, source), by_name=left.by_name and right.by_name)
    code.test = written(lambda n, e: bool(run(n, e)), lambda w, n: f"bool({w.of(run, n)})")
    return code
