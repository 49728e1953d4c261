"""Arithmetic with the exact decimals of XPath.

Source: XPath 2.0 section 3.4; Functions and Operators section 6.2. How many places an endless
quotient of decimals keeps is left to the implementation: as Saxon, 18 more than the dividend has
over the divisor.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from zhidao.rules.xpath.code import NUMBER, Code, Env, Run, atom, numeric, single
from zhidao.rules.xpath.values import (
    EXACT,
    OutsideSubset,
    XPathError,
    round_half_up,
    to_decimal,
    to_double,
)
from zhidao.rules.xpath.writing import Writer, written

ARITHMETIC: Final = frozenset(("+", "-", "*", "div", "idiv", "mod"))
_HUNDRED: Final = 100
_CENT: Final = Decimal("0.01")
_DIVISION_PLACES: Final = 18


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

    def source(w: Writer, n: str) -> str:
        a, b = w.name(), w.name()
        none = f"({a} := {w.of(a_of, n)}) is None"
        if right.kind == NUMBER and right.constant is not None:
            b = w.constant(right.constant)
        else:
            none += f" or ({b} := {w.of(b_of, n)}) is None"
        return f"(None if {none} else {w.constant(work)}({a}, {b}))"

    return single(NUMBER, written(run, source))


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
    if type(a) is Decimal and type(b) is int:
        return a, Decimal(b)
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
    if type(a) is type(b) is Decimal:
        return EXACT.subtract(a, b)
    a, b = _promoted(a, b)
    return EXACT.subtract(a, b) if isinstance(a, Decimal) else a - b


def _multiply(a: Any, b: Any) -> Any:
    # The context takes an integer beside a decimal as it is.
    if type(a) is Decimal and (type(b) is Decimal or type(b) is int):
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


def in_hundredths(code: Code) -> Code:
    """`round(x * 10 * 10) div 100`, as rules write it of amounts."""
    value_of = numeric(code)

    def run(n: Any, e: Env) -> Any:
        value = value_of(n, e)
        return None if value is None else _hundredths(value)

    def source(w: Writer, n: str) -> str:
        v = w.name()
        value = f"({v} := {w.of(value_of, n)})"
        return f"(None if {value} is None else {w.constant(_hundredths)}({v}))"

    return single(NUMBER, written(run, source))


def _hundredths(value: Any) -> Any:
    if type(value) is Decimal and value.same_quantum(_CENT):
        # Rounding leaves what has two places.
        return value
    return divide(round_half_up(_multiply(_multiply(value, 10), 10)), _HUNDRED)


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
        if b - a >= _RANGE_MAX:
            raise OutsideSubset(f"a range of more than {_RANGE_MAX} numbers")
        return list(range(a, b + 1))

    return run


_RANGE_MAX: Final = 100_000
