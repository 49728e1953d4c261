"""Text to expression: a recursive descent over the grammar of XPath 2.0.

Source: W3C XPath 2.0 (second edition), appendix A.1. Left out, and refused by name: `treat as`,
node comparisons, `validate`, and schema-aware tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from zhidao.rules.xpath.syntax import (
    Binary,
    Call,
    Cast,
    Conditional,
    ContextItem,
    Expr,
    Filter,
    InstanceOf,
    Literal,
    Loop,
    Negation,
    NodeTest,
    Path,
    Quantified,
    Root,
    Sequence,
    Step,
    Variable,
)
from zhidao.rules.xpath.values import OutsideSubset

FN: Final = "http://www.w3.org/2005/xpath-functions"
XS: Final = "http://www.w3.org/2001/XMLSchema"
# Each level takes some twenty calls, of the thousand that Python allows; rule packs nest ten deep.
DEPTH_MAX: Final = 32
# What is written in a row (`a + b + c`, casts, signs) stands one in the other all the same, and
# whoever walks through it takes two calls for each; rule packs have 33 in an expression at most.
LINKS_MAX: Final = 200

_NC: Final = r"[^\W\d][\w.\-·]*"
_TOKEN: Final = re.compile(
    rf"""
    (?P<space>\s+)
  | (?P<comment>\(:)
  | (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<string>"(?:[^"]|"")*"|'(?:[^']|'')*')
  | (?P<name>\*:{_NC}|{_NC}(?::(?!:)(?:{_NC}|\*))?)
  | (?P<symbol>::|//|!=|<=|>=|<<|>>|\.\.|[()\[\]@,.$/|*+\-=<>?])
    """,
    re.VERBOSE,
)
_AXES: Final = frozenset(
    (
        *("child", "attribute", "descendant", "descendant-or-self", "self", "parent"),
        *("ancestor", "ancestor-or-self", "preceding", "following"),
        *("preceding-sibling", "following-sibling"),
    )
)
_KINDS: Final = frozenset(
    (
        *("node", "text", "comment", "processing-instruction", "element", "attribute"),
        *("document-node", "item"),
    )
)
_GENERAL: Final = ("=", "!=", "<", "<=", ">", ">=")
_VALUE: Final = ("eq", "ne", "lt", "le", "gt", "ge")
_REFUSED: Final = frozenset(("is", "<<", ">>", "treat"))
_ANY_NODE: Final = Step("descendant-or-self", NodeTest("node"))


def parse(text: str, namespaces: Mapping[str, str]) -> Expr:
    """The expression of a text, names resolved by prefix; no default element namespace.

    Raises OutsideSubset for what is no XPath 2.0 or a part of it that is not read here.
    """
    return _Parser(text, namespaces).whole()


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise OutsideSubset(f"no token at {text[at : at + 20]!r}")
        if match.lastgroup == "comment":
            at = _past_comment(text, at)
            continue
        at = match.end()
        if match.lastgroup != "space":
            found.append((str(match.lastgroup), match.group()))
    return found


def _past_comment(text: str, at: int) -> int:
    depth = 0
    for mark in re.compile(r"\(:|:\)").finditer(text, at):
        depth += 1 if mark.group() == "(:" else -1
        if depth == 0:
            return mark.end()
    raise OutsideSubset("a comment does not end")


class _Parser:
    def __init__(self, text: str, namespaces: Mapping[str, str]) -> None:
        self._tokens = _tokens(text)
        self._namespaces = namespaces
        self._at = 0
        self._depth = 0
        self._links = 0

    def whole(self) -> Expr:
        found = self._sequence()
        if self._at != len(self._tokens):
            raise OutsideSubset(f"unexpected {self._peek()[1]!r}")
        return found

    def _peek(self, ahead: int = 0) -> tuple[str, str]:
        index = self._at + ahead
        return self._tokens[index] if index < len(self._tokens) else ("end", "")

    def _is(self, *values: str, ahead: int = 0) -> bool:
        kind, value = self._peek(ahead)
        return kind in ("name", "symbol") and value in values

    def _take(self, *values: str) -> bool:
        if self._is(*values):
            self._at += 1
            return True
        return False

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        self._at += 1
        return token

    def _expect(self, value: str) -> None:
        if not self._take(value):
            raise OutsideSubset(f"{value!r} is missing before {self._peek()[1]!r}")

    def _sequence(self) -> Expr:
        items = [self._single()]
        while self._take(","):
            items.append(self._single())
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _single(self) -> Expr:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise OutsideSubset(f"nested over {DEPTH_MAX} deep")
        try:
            if self._is("for", "some", "every") and self._is("$", ahead=1):
                return self._binding(self._next()[1])
            if self._is("if") and self._is("(", ahead=1):
                return self._conditional()
            return self._or()
        finally:
            self._depth -= 1

    def _binding(self, word: str) -> Expr:
        bindings = []
        while True:
            self._expect("$")
            name = self._next()[1]
            self._expect("in")
            bindings.append((name, self._single()))
            if not self._take(","):
                break
        self._expect("return" if word == "for" else "satisfies")
        body = self._single()
        if word == "for":
            return Loop(tuple(bindings), body)
        return Quantified(word == "every", tuple(bindings), body)

    def _conditional(self) -> Expr:
        self._next()
        self._expect("(")
        test = self._sequence()
        self._expect(")")
        self._expect("then")
        yes = self._single()
        self._expect("else")
        return Conditional(test, yes, self._single())

    def _chain(self, operand: Callable[[], Expr], *operators: str) -> Expr:
        left = operand()
        while self._is(*operators):
            self._link()
            operator = self._next()[1]
            left = Binary("union" if operator == "|" else operator, left, operand())
        return left

    def _link(self) -> None:
        self._links += 1
        if self._links > LINKS_MAX:
            raise OutsideSubset(f"more than {LINKS_MAX} operators in one expression")

    def _or(self) -> Expr:
        return self._chain(self._and, "or")

    def _and(self) -> Expr:
        return self._chain(self._comparison, "and")

    def _comparison(self) -> Expr:
        left = self._range()
        if self._is(*_GENERAL, *_VALUE):
            return Binary(self._next()[1], left, self._range())
        if self._is(*_REFUSED):
            raise OutsideSubset(f"{self._peek()[1]!r} is not compiled")
        return left

    def _range(self) -> Expr:
        left = self._additive()
        if self._take("to"):
            return Binary("to", left, self._additive())
        return left

    def _additive(self) -> Expr:
        return self._chain(self._multiplicative, "+", "-")

    def _multiplicative(self) -> Expr:
        return self._chain(self._union, "*", "div", "idiv", "mod")

    def _union(self) -> Expr:
        return self._chain(self._intersect, "|", "union")

    def _intersect(self) -> Expr:
        return self._chain(self._typed, "intersect", "except")

    def _typed(self) -> Expr:
        found = self._unary()
        while True:
            if self._is("instance") and self._is("of", ahead=1):
                self._link()
                self._at += 2
                found = InstanceOf(found, self._sequence_type())
            elif self._is("cast", "castable") and self._is("as", ahead=1):
                self._link()
                asks = self._next()[1] == "castable"
                self._next()
                name = self._type_name()
                found = Cast(found, name, self._take("?"), asks)
            else:
                return found

    def _sequence_type(self) -> str:
        name = self._next()[1]
        if self._take("("):
            while not self._take(")"):
                if self._peek()[0] == "end":
                    raise OutsideSubset("a sequence type does not end")
                self._next()
        if self._is("?", "*", "+"):
            name += self._next()[1]
        return name

    def _type_name(self) -> str:
        space, local = self._qname(self._next()[1], XS)
        if space != XS or local is None:
            raise OutsideSubset("a type outside XML Schema")
        return local

    def _unary(self) -> Expr:
        if self._is("-", "+"):
            self._link()
            return Negation(self._next()[1], self._unary())
        return self._path()

    def _path(self) -> Expr:
        steps: list[Expr] = []
        if self._take("//"):
            steps = [Root(), _ANY_NODE, self._step()]
        elif self._take("/"):
            steps = [Root()]
            if self._starts_step():
                steps.append(self._step())
        else:
            steps = [self._step()]
        while self._is("/", "//"):
            if self._next()[1] == "//":
                steps.append(_ANY_NODE)
            steps.append(self._step())
        return steps[0] if len(steps) == 1 else Path(tuple(steps))

    def _starts_step(self) -> bool:
        kind, value = self._peek()
        return kind in ("name", "string", "number") or value in ("@", "..", ".", "*", "(", "$")

    def _step(self) -> Expr:
        kind, value = self._peek()
        if kind in ("string", "number") or value in ("(", "$", "."):
            return self._filtered(self._primary())
        if value == "..":
            self._next()
            return Step("parent", NodeTest("node"), self._predicates())
        if kind == "name" and self._is("(", ahead=1) and value not in _KINDS:
            return self._filtered(self._call())
        return self._axis_step()

    def _axis_step(self) -> Expr:
        axis = "child"
        if self._take("@"):
            axis = "attribute"
        elif self._is("::", ahead=1):
            axis = self._next()[1]
            self._next()
            if axis not in _AXES:
                raise OutsideSubset(f"the axis {axis} is not compiled")
        test = self._node_test()
        if test.kind == "attribute" and axis == "child":
            axis = "attribute"
        return Step(axis, test, self._predicates())

    def _node_test(self) -> NodeTest:
        kind, value = self._next()
        if value == "*":
            return NodeTest("name")
        if kind != "name":
            raise OutsideSubset(f"no step at {value!r}")
        if value in _KINDS and self._take("("):
            if not self._take(")"):
                raise OutsideSubset(f"{value}(...) with arguments is not compiled")
            if value in ("item", "document-node"):
                raise OutsideSubset(f"{value}() is not compiled")
            return NodeTest(value)
        if value.startswith("*:"):
            return NodeTest("name", None, value[2:])
        space, local = self._qname(value, "")
        return NodeTest("name", space, local)

    def _predicates(self) -> tuple[Expr, ...]:
        found = []
        while self._take("["):
            found.append(self._sequence())
            self._expect("]")
        return tuple(found)

    def _filtered(self, base: Expr) -> Expr:
        predicates = self._predicates()
        return Filter(base, predicates) if predicates else base

    def _primary(self) -> Expr:
        kind, value = self._next()
        if kind == "string":
            quote = value[0]
            return Literal(value[1:-1].replace(quote * 2, quote))
        if kind == "number":
            return _number(value)
        if value == "$":
            return Variable(self._next()[1])
        if value == ".":
            return ContextItem()
        if self._take(")"):
            return Sequence(())
        inside = self._sequence()
        self._expect(")")
        return inside

    def _call(self) -> Expr:
        space, local = self._qname(self._next()[1], FN)
        self._expect("(")
        arguments = []
        if not self._take(")"):
            arguments.append(self._single())
            while self._take(","):
                arguments.append(self._single())
            self._expect(")")
        return Call(space, str(local), tuple(arguments))

    def _qname(self, text: str, default: str) -> tuple[str, str | None]:
        prefix, colon, local = text.partition(":")
        if not colon:
            return default, prefix
        if prefix not in self._namespaces:
            raise OutsideSubset(f"the prefix {prefix} is not declared")
        return self._namespaces[prefix], None if local == "*" else local


def _number(text: str) -> Literal:
    if "e" in text or "E" in text:
        return Literal(float(text))
    return Literal(Decimal(text) if "." in text else int(text))
