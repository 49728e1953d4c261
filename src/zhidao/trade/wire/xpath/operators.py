"""Comparisons and arithmetic, with the exact decimals of XPath.

Source: XPath 2.0 sections 3.4 and 3.5; Functions and Operators sections 6.2 and 6.3. How many
places an endless quotient of decimals keeps is left to the implementation: as Saxon, 18 more than
the dividend has over the divisor.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from zhidao.trade.wire.xpath.code import (
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
)
from zhidao.trade.wire.xpath.values import (
    EXACT,
    Date,
    OutsideSubset,
    Untyped,
    XPathError,
    is_number,
    ordered,
    to_boolean,
    to_date,
    to_decimal,
    to_double,
)

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
GENERAL: Final = frozenset(("=", "!=", "<", "<=", ">", ">="))
VALUE: Final = frozenset(("eq", "ne", "lt", "le", "gt", "ge"))
ARITHMETIC: Final = frozenset(("+", "-", "*", "div", "idiv", "mod"))
_HUNDRED: Final = 100
_DIVISION_PLACES: Final = 18


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
                if kind is Decimal and type(b) is Decimal:
                    if compare(a, b):
                        return True
                elif compare(*_pair(a, b)):
                    return True
        return False

    return single(BOOLEAN, run, by_name=by_name)


def _typed_comparison(sign: str, left: Code, right: Code) -> Run | None:
    """Comparisons whose static types leave one way to compare: numbers, nodes with constants."""
    compare = _COMPARE[sign]
    if left.kind == right.kind == NUMBER and left.one is not None and right.one is not None:
        a_of, b_of = left.one, right.one

        def numbers(n: Any, e: Env) -> bool:
            a = a_of(n, e)
            if a is None:
                return False
            b = b_of(n, e)
            if b is None:
                return False
            return compare(a, b) if type(a) is type(b) else compare(*ordered(a, b))

        return numbers
    if left.kind != NODES_KIND or right.constant is None:
        return None
    many, value = left.many, right.constant

    def nodes(n: Any, e: Env) -> bool:
        for m in many(n, e):  # noqa: SIM110 (twice as fast as any())
            if compare(*ordered(_as(m.string(), value), value)):
                return True
        return False

    return nodes


def _quick_equality(sign: str, left: Code, right: Code) -> Run | None:
    """Nodes or a string against a literal string, nodes against nodes: no types to settle."""
    if sign not in ("=", "!="):
        return None
    wanted = sign == "="
    if isinstance(right.constant, str):
        return _against_literal(left, right.constant, wanted=wanted)
    if left.kind == right.kind == NODES_KIND:
        some, others = left.many, right.many

        def run(n: Any, e: Env) -> bool:
            first = some(n, e)
            if not first:
                return False
            texts = [m.string() for m in others(n, e)]
            return any((m.string() == t) is wanted for m in first for t in texts)

        return run
    return None


def _against_literal(left: Code, literal: str, *, wanted: bool) -> Run | None:
    if left.kind == NODES_KIND:
        many = left.many

        def nodes(n: Any, e: Env) -> bool:
            for m in many(n, e):  # noqa: SIM110 (twice as fast as any())
                if (m.string() == literal) is wanted:
                    return True
            return False

        return nodes
    if left.kind != STRING:
        return None
    if left.one is not None:
        one = left.one
        if wanted:
            return lambda n, e: one(n, e) == literal
        return lambda n, e: one(n, e) not in (None, literal)
    values = left.many

    def strings(n: Any, e: Env) -> bool:
        for value in values(n, e):  # noqa: SIM110 (twice as fast as any())
            if (value == literal) is wanted:
                return True
        return False

    return strings


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
        number = to_double(value)
        if math.isnan(number):
            # SaxonC 13 takes an untyped NaN for greater than any literal; it shall say so itself.
            raise OutsideSubset("a NaN out of a document")
        return number
    if isinstance(other, Date):
        return to_date(value)
    raise XPathError("XPTY0004")


def value_comparison(sign: str, left: Code, right: Code) -> Code:
    """`eq` and its kin: one atom against one, untyped as strings, empty if either is."""
    compare = _COMPARE[sign]
    a_of, b_of = atom(left), atom(right)

    def run(n: Any, e: Env) -> bool | None:
        a = a_of(n, e)
        if a is None:
            return None
        b = b_of(n, e)
        if b is None:
            return None
        return compare(*ordered(a, b))

    code = single(BOOLEAN, run, by_name=left.by_name and right.by_name)
    code.test = lambda n, e: bool(run(n, e))
    return code


def arithmetic(sign: str, left: Code, right: Code) -> Code:
    """`+ - * div idiv mod` on numbers; dates are left to another engine."""
    work = _WORK[sign]
    a_of, b_of = numeric(left), numeric(right)

    def run(n: Any, e: Env) -> Any:
        # In this order: beside an empty operand the other's error is never met.
        a = a_of(n, e)
        if a is None:
            return None
        b = b_of(n, e)
        return None if b is None else work(a, b)

    return single(NUMBER, run)


def negation(code: Code) -> Code:
    """Unary minus."""
    value_of = numeric(code)

    def run(n: Any, e: Env) -> Any:
        value = value_of(n, e)
        if value is None:
            return None
        return EXACT.minus(value) if isinstance(value, Decimal) else -value

    return single(NUMBER, run)


def _promoted(a: Any, b: Any) -> tuple[Any, Any]:
    if isinstance(a, float) or isinstance(b, float):
        return to_double(a), to_double(b)
    if isinstance(a, Decimal) or isinstance(b, Decimal):
        return to_decimal(a), to_decimal(b)
    return a, b


def add(a: Any, b: Any) -> Any:
    """The sum of two numbers in their common type."""
    if type(a) is type(b) is Decimal:
        return EXACT.add(a, b)
    a, b = _promoted(a, b)
    return EXACT.add(a, b) if isinstance(a, Decimal) else a + b


def _subtract(a: Any, b: Any) -> Any:
    a, b = _promoted(a, b)
    return EXACT.subtract(a, b) if isinstance(a, Decimal) else a - b


def _multiply(a: Any, b: Any) -> Any:
    if type(a) is type(b) is Decimal:
        return EXACT.multiply(a, b)
    a, b = _promoted(a, b)
    return EXACT.multiply(a, b) if isinstance(a, Decimal) else a * b


def divide(a: Any, b: Any) -> Any:
    """`div`: two integers give a decimal."""
    if type(a) is Decimal and type(b) is int and b == _HUNDRED:
        # The most frequent quotient is exact: two more places than the dividend has.
        return EXACT.scaleb(a, -2)
    a, b = _promoted(a, b)
    if isinstance(a, float):
        return _divide_doubles(a, b)
    return _divide_decimals(to_decimal(a), to_decimal(b))


def _divide_doubles(a: float, b: float) -> float:
    if b != 0:
        return a / b
    if a == 0 or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def _divide_decimals(a: Decimal, b: Decimal) -> Decimal:
    if b == 0:
        raise XPathError("FOAR0001")
    places = _DIVISION_PLACES + max(0, _places(a) - _places(b))
    places_a, places_b = max(0, _places(a)), max(0, _places(b))
    dividend = int(EXACT.scaleb(a, places_a)) * 10 ** (places + places_b - places_a)
    divisor = int(EXACT.scaleb(b, places_b))
    quotient, rest = divmod(abs(dividend), abs(divisor))
    if rest and b % 10 == 0:
        # Saxon's number of places depends on how such a divisor was made.
        raise OutsideSubset("an endless quotient by a multiple of ten")
    if 2 * rest > abs(divisor):
        quotient += 1
    if (dividend < 0) != (divisor < 0):
        quotient = -quotient
    return EXACT.scaleb(Decimal(quotient), -places).normalize(EXACT)


def _places(value: Decimal) -> int:
    """Decimal places without zeros at the end; negative for tens, hundreds and so on."""
    exponent = value.normalize(EXACT).as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _integer_divide(a: Any, b: Any) -> int:
    a, b = _promoted(a, b)
    if isinstance(a, float):
        if math.isnan(a) or math.isnan(b) or math.isinf(a):
            raise XPathError("FOAR0002")
        if b == 0:
            raise XPathError("FOAR0001")
        return 0 if math.isinf(b) else math.trunc(a / b)
    if b == 0:
        raise XPathError("FOAR0001")
    if isinstance(a, int):
        quotient: int = abs(a) // abs(b)
        return quotient if (a < 0) == (b < 0) else -quotient
    return int(EXACT.divide_int(to_decimal(a), to_decimal(b)))


def _modulo(a: Any, b: Any) -> Any:
    a, b = _promoted(a, b)
    if isinstance(a, float):
        if math.isnan(a) or math.isnan(b) or math.isinf(a) or b == 0:
            return math.nan
        return math.fmod(a, b)
    if b == 0:
        raise XPathError("FOAR0001")
    if isinstance(a, int):
        return abs(a) % abs(b) * (-1 if a < 0 else 1)
    return EXACT.remainder(a, b)


_WORK: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": add,
    "-": _subtract,
    "*": _multiply,
    "div": divide,
    "idiv": _integer_divide,
    "mod": _modulo,
}


def range_of(left: Code, right: Code) -> Run:
    """`a to b`."""
    a_of, b_of = atom(left), atom(right)

    def run(n: Any, e: Env) -> list[int]:
        a, b = a_of(n, e), b_of(n, e)
        if a is None or b is None:
            return []
        if type(a) is not int or type(b) is not int:
            raise OutsideSubset("a range of no integers")
        if b - a > _RANGE_MAX:
            raise OutsideSubset("a very long range")
        return list(range(a, b + 1))

    return run


_RANGE_MAX: Final = 100_000
