"""The functions of XPath 2.0 that business rules call.

Source: XQuery 1.0 and XPath 2.0 Functions and Operators (second edition); section numbers stand
at each group. Collation is by code point; no time zone, no documents, no dynamic context.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Final

from zhidao.rules.xpath.code import (
    ANY,
    BOOLEAN,
    NODES_KIND,
    NUMBER,
    STRING,
    Builder,
    Code,
    Env,
    Run,
    all_by_name,
    atom,
    atoms,
    constant,
    numeric,
    single,
    test_of,
)
from zhidao.rules.xpath.nodes import Attribute, Element
from zhidao.rules.xpath.operators import add, divide
from zhidao.rules.xpath.text_functions import TEXT_FUNCTIONS
from zhidao.rules.xpath.values import (
    EXACT,
    OutsideSubset,
    Untyped,
    XPathError,
    is_number,
    round_half_up,
    to_double,
)
from zhidao.rules.xpath.writing import Writer, is_safe, written

# Sections 9 and 15.1: booleans and the cardinality of sequences.


def _not(arguments: list[Code]) -> Code:
    return single(BOOLEAN, inverse(test_of(arguments[0])), by_name=all_by_name(arguments))


def inverse(test: Run) -> Run:
    """The opposite of a test."""
    return written(
        lambda n, e: not test(n, e), lambda w, n: f"(not {w.of(test, n)})", safe=is_safe(test)
    )


def _boolean(arguments: list[Code]) -> Code:
    return single(BOOLEAN, test_of(arguments[0]), by_name=all_by_name(arguments))


def _exists(arguments: list[Code]) -> Code:
    (code,) = arguments
    if code.kind == NODES_KIND:
        return single(BOOLEAN, test_of(code))
    many = code.many
    run = written(
        lambda n, e: bool(many(n, e)), lambda w, n: f"bool({w.of(many, n)})", safe=is_safe(many)
    )
    return single(BOOLEAN, run)


def _empty(arguments: list[Code]) -> Code:
    test = _exists(arguments).test
    assert test is not None
    return single(BOOLEAN, inverse(test))


def _count(arguments: list[Code]) -> Code:
    many = arguments[0].many
    run = written(
        lambda n, e: len(many(n, e)),
        lambda w, n: f"len({w.of(many, n)})",
        safe=is_safe(many),
        whole=True,
    )
    return single(NUMBER, run)


# Section 6.4: numbers.


def _absolute(value: Any) -> Any:
    return value.copy_abs() if isinstance(value, Decimal) else abs(value)


def _toward(direction: str, work: Callable[[float], int]) -> Callable[[Any], Any]:
    def run(value: Any) -> Any:
        if isinstance(value, Decimal):
            return value.to_integral_value(rounding=direction)
        if isinstance(value, float):
            if math.isnan(value) or math.isinf(value):
                return value
            return math.copysign(float(work(value)), value)
        return value

    return run


def _number_function(work: Callable[[Any], Any]) -> Builder:
    def build(arguments: list[Code]) -> Code:
        value_of = numeric(arguments[0])

        def run(n: Any, e: Env) -> Any:
            value = value_of(n, e)
            return None if value is None else work(value)

        def source(w: Writer, n: str) -> str:
            v = w.name()
            value = w.of(value_of, n)
            return f"(None if ({v} := {value}) is None else {w.constant(work)}({v}))"

        return single(NUMBER, written(run, source))

    return build


def _number(arguments: list[Code]) -> Code:
    value_of = atom(arguments[0])

    def run(n: Any, e: Env) -> float:
        value = value_of(n, e)
        if value is None:
            return math.nan
        try:
            return to_double(value)
        except XPathError:
            return math.nan

    return single(NUMBER, run)


# Section 15.4: aggregates.


def _numbers(values: list[Any]) -> list[Any]:
    found = [to_double(v) if isinstance(v, Untyped) else v for v in values]
    if not all(map(is_number, found)):
        raise XPathError("FORG0006")
    return found


def _sum(arguments: list[Code]) -> Code:
    values_of = atoms(arguments[0])
    zero_of = atom(arguments[1]) if len(arguments) == 2 else constant(NUMBER, 0).one
    assert zero_of is not None

    def run(n: Any, e: Env) -> Any:
        values = values_of(n, e)
        return total_of(values) if values else zero_of(n, e)

    def source(w: Writer, n: str) -> str:
        v = w.name()
        zero = w.of(zero_of, n)
        values = w.of(values_of, n)
        return f"({w.constant(total_of)}({v}) if ({v} := {values}) else {zero})"

    return single(NUMBER, written(run, source))


def total_of(values: list[Any]) -> Any:
    """The sum of at least one value. Raises XPathError for what is no number."""
    total = values[0]
    if type(total) is Decimal:
        for value in values[1:]:
            if type(value) is not Decimal:
                return _added(values)
            total = EXACT.add(total, value)
        return total
    return _added(values)


def _added(values: list[Any]) -> Any:
    numbers = _numbers(values)
    total = numbers[0]
    for value in numbers[1:]:
        total = add(total, value)
    return total


def _average(arguments: list[Code]) -> Code:
    values_of = atoms(arguments[0])

    def run(n: Any, e: Env) -> Any:
        values = _numbers(values_of(n, e))
        if not values:
            return None
        total = values[0]
        for value in values[1:]:
            total = add(total, value)
        return divide(total, len(values))

    return single(NUMBER, run)


def _extreme(work: Callable[..., Any]) -> Builder:
    def build(arguments: list[Code]) -> Code:
        values_of = atoms(arguments[0])

        def run(n: Any, e: Env) -> Any:
            values = _numbers(values_of(n, e))
            if not values:
                return None
            if any(isinstance(value, float) for value in values):
                values = [to_double(value) for value in values]
                if any(map(math.isnan, values)):
                    return math.nan
            return work(values)

        return single(NUMBER, run)

    return build


def _distinct(arguments: list[Code]) -> Code:
    values_of = atoms(arguments[0])

    def run(n: Any, e: Env) -> list[Any]:
        values = values_of(n, e)
        if not all(isinstance(value, str) for value in values):
            raise OutsideSubset("distinct values of several types")
        return list(dict.fromkeys(values))

    return Code(ANY, run)


def _reverse(arguments: list[Code]) -> Code:
    many = arguments[0].many
    return Code(ANY, lambda n, e: many(n, e)[::-1])


# Section 14: names.


def _node_function(work: Callable[[Any], str]) -> Builder:
    def build(arguments: list[Code]) -> Code:
        (code,) = arguments
        one, many = code.one, code.many
        if code.kind != NODES_KIND:
            raise OutsideSubset("the name of what may be no node")

        def run(n: Any, e: Env) -> str:
            if one is not None:
                node = one(n, e)
            else:
                nodes = many(n, e)
                if len(nodes) > 1:
                    raise XPathError("XPTY0004")
                node = nodes[0] if nodes else None
            return "" if node is None else work(node)

        made = single(STRING, run)
        # Only the context item itself is a single node without being a call.
        made.by_name = code.by_name
        return made

    return build


def _local(node: Any) -> str:
    return str(node.tag).rpartition("}")[2]


def _space(node: Any) -> str:
    return str(node.tag).rpartition("}")[0].removeprefix("{")


def _name(node: Any) -> str:
    if type(node) is Element:
        prefix = node.prefix
        return f"{prefix}:{_local(node)}" if prefix else _local(node)
    if type(node) is Attribute and "}" in node.tag:
        raise OutsideSubset("the prefix of an attribute")
    return _local(node)


def _is_item_count(low: int, high: int | None) -> Callable[[list[Any]], bool]:
    return lambda items: len(items) >= low and (high is None or len(items) <= high)


def _checked(fits: Callable[[list[Any]], bool], code: str) -> Builder:
    def build(arguments: list[Code]) -> Code:
        (argument,) = arguments
        many = argument.many

        def run(n: Any, e: Env) -> list[Any]:
            items = many(n, e)
            if not fits(items):
                raise XPathError(code)
            return items  # type: ignore[no-any-return]

        return Code(argument.kind, run, ordered=argument.ordered, flat=argument.flat)

    return build


def _data(arguments: list[Code]) -> Code:
    return Code(ANY, atoms(arguments[0]))


def _true(arguments: list[Code]) -> Code:
    code = single(BOOLEAN, lambda n, e: True, by_name=True)
    code.constant = True
    return code


def _false(arguments: list[Code]) -> Code:
    code = single(BOOLEAN, lambda n, e: False, by_name=True)
    code.constant = False
    return code


# Local name, smallest and largest number of arguments, builder; -1: the context item stands in.
FUNCTIONS: Final[dict[str, tuple[int, int, Builder]]] = TEXT_FUNCTIONS | {
    "true": (0, 0, _true),
    "false": (0, 0, _false),
    "not": (1, 1, _not),
    "boolean": (1, 1, _boolean),
    "exists": (1, 1, _exists),
    "empty": (1, 1, _empty),
    "count": (1, 1, _count),
    "round": (1, 1, _number_function(round_half_up)),
    "abs": (1, 1, _number_function(_absolute)),
    "floor": (1, 1, _number_function(_toward(ROUND_FLOOR, math.floor))),
    "ceiling": (1, 1, _number_function(_toward(ROUND_CEILING, math.ceil))),
    "number": (-1, 1, _number),
    "sum": (1, 2, _sum),
    "avg": (1, 1, _average),
    "min": (1, 1, _extreme(min)),
    "max": (1, 1, _extreme(max)),
    "distinct-values": (1, 1, _distinct),
    "reverse": (1, 1, _reverse),
    "data": (1, 1, _data),
    "exactly-one": (1, 1, _checked(_is_item_count(1, 1), "FORG0005")),
    "zero-or-one": (1, 1, _checked(_is_item_count(0, 1), "FORG0003")),
    "one-or-more": (1, 1, _checked(_is_item_count(1, None), "FORG0004")),
    "local-name": (-1, 1, _node_function(_local)),
    "namespace-uri": (-1, 1, _node_function(_space)),
    "name": (-1, 1, _node_function(_name)),
}
