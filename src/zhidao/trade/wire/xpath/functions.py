"""The functions of XPath 2.0 that business rules call.

Source: XQuery 1.0 and XPath 2.0 Functions and Operators (second edition); section numbers stand
at each group. Collation is by code point; no time zone, no documents, no dynamic context.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Final

from zhidao.trade.wire.xpath.code import (
    ANY,
    BOOLEAN,
    NODES_KIND,
    NUMBER,
    STRING,
    Code,
    Env,
    Run,
    atom,
    atoms,
    numeric,
    single,
    test_of,
    text,
)
from zhidao.trade.wire.xpath.nodes import Attribute, Element
from zhidao.trade.wire.xpath.operators import add, divide
from zhidao.trade.wire.xpath.regex import translated
from zhidao.trade.wire.xpath.values import (
    EXACT,
    OutsideSubset,
    Untyped,
    XPathError,
    is_number,
    to_double,
    to_string,
)

Builder = Callable[[list[Code]], Code]
_SPACES: Final = re.compile(r"[ \t\n\r]+")
_HALF: Final = Decimal("0.5")


def normal_space(value: str) -> str:
    """fn:normalize-space: only the four characters of XML's white space count."""
    if value.isascii():
        return " ".join(value.split())
    return _SPACES.sub(" ", value).strip(" ")


def _all_by_name(arguments: list[Code]) -> bool:
    return all(each.by_name for each in arguments)


# Sections 9 and 15.1: booleans and the cardinality of sequences.


def _not(arguments: list[Code]) -> Code:
    test = test_of(arguments[0])
    return single(BOOLEAN, lambda n, e: not test(n, e), by_name=_all_by_name(arguments))


def _boolean(arguments: list[Code]) -> Code:
    return single(BOOLEAN, test_of(arguments[0]), by_name=_all_by_name(arguments))


def _exists(arguments: list[Code]) -> Code:
    (code,) = arguments
    if code.kind == NODES_KIND:
        return single(BOOLEAN, test_of(code))
    many = code.many
    return single(BOOLEAN, lambda n, e: bool(many(n, e)))


def _empty(arguments: list[Code]) -> Code:
    test = _exists(arguments).test
    assert test is not None
    return single(BOOLEAN, lambda n, e: not test(n, e))


def _count(arguments: list[Code]) -> Code:
    many = arguments[0].many
    return single(NUMBER, lambda n, e: len(many(n, e)))


# Section 7: strings.


def _text_function(work: Callable[[str], Any], kind: str = STRING) -> Builder:
    def build(arguments: list[Code]) -> Code:
        argument = text(arguments[0])
        return single(kind, lambda n, e: work(argument(n, e)), by_name=_all_by_name(arguments))

    return build


def _two_texts(work: Callable[[str, str], Any], kind: str) -> Builder:
    def build(arguments: list[Code]) -> Code:
        first, second = text(arguments[0]), text(arguments[1])
        return single(
            kind, lambda n, e: work(first(n, e), second(n, e)), by_name=_all_by_name(arguments)
        )

    return build


def _contains(arguments: list[Code]) -> Code:
    """fn:contains; a list of codes between blanks is also looked up as a set."""
    first, second = text(arguments[0]), text(arguments[1])
    by_name = _all_by_name(arguments)
    listed = arguments[0].constant
    if isinstance(listed, str) and listed[:1] == listed[-1:] == " ":
        words = frozenset(f" {word} " for word in listed.split(" ") if word)

        def known(n: Any, e: Env) -> bool:
            wanted = second(n, e)
            return wanted in words or wanted in listed

        return single(BOOLEAN, known, by_name=by_name)
    return single(BOOLEAN, lambda n, e: second(n, e) in first(n, e), by_name=by_name)


def _after(value: str, mark: str) -> str:
    return value.partition(mark)[2] if mark else value


def _before(value: str, mark: str) -> str:
    head, found, _ = value.partition(mark) if mark else ("", "", "")
    return head if found else ""


def _concat(arguments: list[Code]) -> Code:
    if all(each.string or each.kind == STRING for each in arguments):
        texts = [text(each) for each in arguments]
        if len(texts) == 3:
            a, b, c = texts
            return single(STRING, lambda n, e: a(n, e) + b(n, e) + c(n, e))
        return single(STRING, lambda n, e: "".join([each(n, e) for each in texts]))
    parts = [atom(each) for each in arguments]

    def run(n: Any, e: Env) -> str:
        values = (part(n, e) for part in parts)
        return "".join("" if value is None else to_string(value) for value in values)

    return single(STRING, run, by_name=_all_by_name(arguments))


def _string(arguments: list[Code]) -> Code:
    (code,) = arguments
    value_of = atom(code)

    def run(n: Any, e: Env) -> str:
        value = value_of(n, e)
        return "" if value is None else to_string(value)

    return single(STRING, run)


def _substring(arguments: list[Code]) -> Code:
    value_of = text(arguments[0])
    start_of = numeric(arguments[1])
    length_of = numeric(arguments[2]) if len(arguments) == 3 else None

    def run(n: Any, e: Env) -> str:
        value = value_of(n, e)
        start = start_of(n, e)
        length = length_of(n, e) if length_of else None
        if start is None or (length_of and length is None):
            raise XPathError("XPTY0004")
        begin = round_half_up(to_double(start))
        end = math.inf if length is None else begin + round_half_up(to_double(length))
        if math.isnan(begin) or math.isnan(end):
            return ""
        first = max(1, begin)
        last = min(len(value) + 1, end)
        return str(value[int(first) - 1 : int(last) - 1]) if last > first else ""

    return single(STRING, run)


def _translate(arguments: list[Code]) -> Code:
    value_of, from_of, to_of = (text(each) for each in arguments)

    def run(n: Any, e: Env) -> str:
        value, old, new = value_of(n, e), from_of(n, e), to_of(n, e)
        table: dict[int, str | None] = {}
        for index, char in enumerate(old):
            table.setdefault(ord(char), new[index] if index < len(new) else None)
        return str(value.translate(table))

    return single(STRING, run)


def _string_join(arguments: list[Code]) -> Code:
    values_of = atoms(arguments[0])
    between_of = text(arguments[1]) if len(arguments) == 2 else lambda n, e: ""

    def run(n: Any, e: Env) -> str:
        values = values_of(n, e)
        if not all(isinstance(value, str) for value in values):
            raise OutsideSubset("joining what are no strings")
        return str(between_of(n, e).join(values))

    return single(STRING, run)


def _code_points(arguments: list[Code]) -> Code:
    value_of = text(arguments[0])
    return Code(ANY, lambda n, e: [ord(char) for char in value_of(n, e)])


def _from_code_points(arguments: list[Code]) -> Code:
    values_of = atoms(arguments[0])

    def run(n: Any, e: Env) -> str:
        values = values_of(n, e)
        if not all(type(v) is int and 0x20 <= v < 0xD800 for v in values):
            raise OutsideSubset("a rare code point")
        return "".join(map(chr, values))

    return single(STRING, run)


def _ascii_case(work: Callable[[str], str]) -> Callable[[str], str]:
    def run(value: str) -> str:
        if value.isascii():
            return work(value)
        # Unicode's special cases differ between engines and releases.
        if any(ord(char) > 0x17F for char in value) or "ß" in value or "ŉ" in value:
            raise OutsideSubset("the case of a rare letter")
        return work(value)

    return run


# Section 7.6: regular expressions.


def _flags(arguments: list[Code], index: int) -> Run:
    return text(arguments[index]) if len(arguments) > index else lambda n, e: ""


def _matches(arguments: list[Code]) -> Code:
    value_of, pattern_of, flags_of = text(arguments[0]), text(arguments[1]), _flags(arguments, 2)

    def run(n: Any, e: Env) -> bool:
        pattern = translated(pattern_of(n, e), flags_of(n, e))
        return pattern.search(value_of(n, e)) is not None

    return single(BOOLEAN, run)


def _tokenize(arguments: list[Code]) -> Code:
    value_of, pattern_of, flags_of = text(arguments[0]), text(arguments[1]), _flags(arguments, 2)

    def run(n: Any, e: Env) -> list[str]:
        pattern = translated(pattern_of(n, e), flags_of(n, e))
        if pattern.search("") is not None:
            raise XPathError("FORX0003")
        value = value_of(n, e)
        if pattern.groups:
            pattern = re.compile(re.sub(r"(?<!\\)\((?!\?)", "(?:", pattern.pattern))
            if pattern.groups:
                raise OutsideSubset("groups where a text is split")
        return pattern.split(value) if value else []

    return Code(ANY, run)


def _replace(arguments: list[Code]) -> Code:
    value_of, pattern_of, by_of = (text(each) for each in arguments[:3])
    flags_of = _flags(arguments, 3)

    def run(n: Any, e: Env) -> str:
        by = by_of(n, e)
        if "$" in by or "\\" in by:
            raise OutsideSubset("a replacement with groups")
        pattern = translated(pattern_of(n, e), flags_of(n, e))
        if pattern.search("") is not None:
            raise XPathError("FORX0003")
        return pattern.sub(by, value_of(n, e))

    return single(STRING, run)


# Section 6.4: numbers.


def round_half_up(value: Any) -> Any:
    """fn:round: halves go towards positive infinity, -2.5 becomes -2."""
    if isinstance(value, int):
        return value
    if isinstance(value, Decimal):
        return EXACT.add(value, _HALF).to_integral_value(rounding=ROUND_FLOOR)
    if math.isnan(value) or math.isinf(value) or abs(value) >= 2**52:
        return value
    below = math.floor(value)
    rounded = float(below + 1 if value - below >= 0.5 else below)
    return math.copysign(rounded, value) if rounded == 0 else rounded


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

        return single(NUMBER, run)

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
    zero_of = atom(arguments[1]) if len(arguments) == 2 else lambda n, e: 0

    def run(n: Any, e: Env) -> Any:
        values = _numbers(values_of(n, e))
        if not values:
            return zero_of(n, e)
        total = values[0]
        for value in values[1:]:
            total = add(total, value)
        return total

    return single(NUMBER, run)


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
FUNCTIONS: Final[dict[str, tuple[int, int, Builder]]] = {
    "true": (0, 0, _true),
    "false": (0, 0, _false),
    "not": (1, 1, _not),
    "boolean": (1, 1, _boolean),
    "exists": (1, 1, _exists),
    "empty": (1, 1, _empty),
    "count": (1, 1, _count),
    "normalize-space": (-1, 1, _text_function(normal_space)),
    "string-length": (-1, 1, _text_function(len, NUMBER)),
    "upper-case": (1, 1, _text_function(_ascii_case(str.upper))),
    "lower-case": (1, 1, _text_function(_ascii_case(str.lower))),
    "contains": (2, 2, _contains),
    "starts-with": (2, 2, _two_texts(str.startswith, BOOLEAN)),
    "ends-with": (2, 2, _two_texts(str.endswith, BOOLEAN)),
    "substring-after": (2, 2, _two_texts(_after, STRING)),
    "substring-before": (2, 2, _two_texts(_before, STRING)),
    "concat": (2, 100, _concat),
    "string": (-1, 1, _string),
    "substring": (2, 3, _substring),
    "translate": (3, 3, _translate),
    "string-join": (1, 2, _string_join),
    "string-to-codepoints": (1, 1, _code_points),
    "codepoints-to-string": (1, 1, _from_code_points),
    "matches": (2, 3, _matches),
    "tokenize": (2, 3, _tokenize),
    "replace": (3, 4, _replace),
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
