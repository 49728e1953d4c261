"""Functions that rules declare for themselves: `xsl:function` with variables and one result.

Each call is compiled with slots of its own, so that nothing is overwritten while it is still
asked. Instructions, recursion, and types other than the five of business rules are left to
another engine, and only where such a function is called.

Source: XSLT 2.0 section 10.3 (stylesheet functions), XPath 2.0 section 3.1.5 (conversion of
arguments).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from lxml import etree

from zhidao.core.errors import MalformedInput
from zhidao.rules.safe_xml import parse_xml
from zhidao.rules.xpath.code import ANY, BOOLEAN, NUMBER, STRING, Code, Env, Run, atom, single
from zhidao.rules.xpath.parser import XS, parse
from zhidao.rules.xpath.syntax import Expr
from zhidao.rules.xpath.values import (
    CASTS,
    OutsideSubset,
    Untyped,
    XPathError,
    is_number,
    to_double,
)

_XSL: Final = "{http://www.w3.org/1999/XSL/Transform}"
_KINDS: Final = {
    "string": STRING,
    "boolean": BOOLEAN,
    "double": NUMBER,
    "decimal": NUMBER,
    "integer": NUMBER,
}
# A pack's calls are written out one by one: functions that call functions must end somewhere.
CALLS_MAX: Final = 1_000

Key = tuple[str, str, int]
"""Namespace, local name and number of arguments of a function."""


@dataclass(frozen=True, slots=True)
class SingleType:
    """An atomic type, and whether the empty sequence is of it."""

    local: str
    optional: bool

    @property
    def kind(self) -> str:
        """What the compiler calls it."""
        return _KINDS[self.local]


@dataclass(frozen=True, slots=True)
class Declared:
    """One function; a type of None takes and gives whatever there is."""

    parameters: tuple[tuple[str, SingleType | None], ...]
    variables: tuple[tuple[str, Expr], ...]
    result: Expr
    type: SingleType | None


@dataclass(slots=True)
class Functions:
    """The functions of a rule set; `refused` says why one is left to another engine."""

    known: dict[Key, Declared]
    refused: dict[Key, str]

    def of(self, key: Key) -> Declared:
        """The function of a name and number of arguments. Raises OutsideSubset."""
        if key not in self.known:
            why = self.refused.get(key, "which is not known")
            raise OutsideSubset(f"the function {key[1]} of {key[0]}: {why}")
        return self.known[key]


def functions_of(texts: Iterable[str]) -> Functions:
    """The functions that xsl:function elements declare. Raises MalformedInput for broken XML."""
    found = Functions({}, {})
    for text in texts:
        element = parse_xml(text.encode())
        if element.tag != _XSL + "function":
            # A key or a number format: what uses one is left to another engine.
            continue
        prefix, _, local = (element.get("name") or "").rpartition(":")
        space = element.nsmap.get(prefix)
        if space is None:
            raise MalformedInput(
                f"a function without a namespace: {element.get('name', '')[:80]!r}",
                code="rules_broken",
                remedy="XSLT asks for a prefix that is declared",
            )
        key = (space, local, len(element.findall(_XSL + "param")))
        try:
            found.known[key] = _declared(element)
        except OutsideSubset as error:
            found.refused[key] = str(error)
    return found


def _declared(element: etree._Element) -> Declared:
    spaces = {prefix: space for prefix, space in element.nsmap.items() if prefix}

    def read(text: str) -> Expr:
        expr = parse(text, spaces)
        # A function has no current node; only what stands in a predicate could ask unseen.
        if "'current'" in repr(expr):
            raise OutsideSubset("it asks for the current node")
        return expr

    def type_of(one: etree._Element) -> SingleType | None:
        return _type(one.get("as"), spaces)

    if set(map(str, element.attrib)) - {"name", "as"}:
        raise OutsideSubset("it has attributes beyond its name and type")
    *before, last = list(element) or [element]
    split = next((n for n, one in enumerate(before) if one.tag != _XSL + "param"), len(before))
    parameters, variables = before[:split], before[split:]
    if not all(map(_is_variable, variables)):
        raise OutsideSubset("it holds more than variables and a result")
    result = last.get("select")
    if last.tag != _XSL + "sequence" or not result or len(last):
        raise OutsideSubset("its result is no single expression")
    return Declared(
        tuple((one.get("name") or "", type_of(one)) for one in parameters),
        tuple((one.get("name") or "", read(one.get("select") or "")) for one in variables),
        read(result),
        type_of(element),
    )


def _is_variable(one: etree._Element) -> bool:
    """A variable of one expression, without a type."""
    return one.tag == _XSL + "variable" and bool(one.get("select")) and one.get("as") is None


def _type(text: str | None, spaces: dict[str, str]) -> SingleType | None:
    if text is None or text.replace(" ", "") == "item()*":
        return None
    prefix, _, local = text.strip().removesuffix("?").rpartition(":")
    if spaces.get(prefix) != XS or local not in _KINDS:
        raise OutsideSubset(f"the type {text[:40]}")
    return SingleType(local, text.strip().endswith("?"))


def converted(code: Code, wanted: SingleType | None, mismatch: str) -> Code:
    """A value as a function's parameter or result takes it.

    `mismatch`: the code of the XPathError for a value of another type.
    """
    if wanted is None:
        return code
    value_of = atom(code)
    fits, cast, optional = _FITS[wanted.local], CASTS[wanted.local], wanted.optional

    def one(n: Any, e: Env) -> Any:
        value = value_of(n, e)
        if value is None:
            if optional:
                return None
            raise XPathError(mismatch)
        if type(value) is Untyped:
            return cast(value)
        if not fits(value):
            if is_number(value) and wanted.kind == NUMBER:
                # XPath 2.0 refuses a double for a decimal, later releases convert it.
                raise OutsideSubset("a number of a wider type for a narrower one")
            raise XPathError(mismatch)
        return to_double(value) if cast is to_double else value

    return single(wanted.kind, one)


def _is_decimal(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


_FITS: Final[dict[str, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "double": lambda value: isinstance(value, float) or _is_decimal(value),
    "decimal": _is_decimal,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
}


def call(slots: list[tuple[int, Run, bool]], result: Code) -> Code:
    """A call: puts parameters and variables into their slots, and answers.

    slots: what fills each, and whether at once. Otherwise who asks first computes it, so that what
    nobody asks for cannot be in error.
    """
    many = result.many

    def run(n: Any, e: Env) -> list[Any]:
        for slot, value_of, at_once in slots:
            e[slot] = value_of(n, e) if at_once else _promise(slot, value_of, n)
        return many(n, e)  # type: ignore[no-any-return]

    if result.one is None or result.kind not in (BOOLEAN, STRING, NUMBER):
        return Code(ANY, run)

    def one(n: Any, e: Env) -> Any:
        items = run(n, e)
        return items[0] if items else None

    return single(result.kind, one)


def _promise(slot: int, many: Run, node: Any) -> Callable[[Env], list[Any]]:
    def value(frame: Env) -> list[Any]:
        items: list[Any] = many(node, frame)
        frame[slot] = items
        return items

    return value
