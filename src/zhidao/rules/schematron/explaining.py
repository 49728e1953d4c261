"""What a rule saw and what it wanted, in words, out of its own test.

Only asked once a rule has fired, so it may cost more than the rule did.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

from zhidao.rules.schematron.ruleset import Assert, RuleSet
from zhidao.rules.xpath import comparisons
from zhidao.rules.xpath.code import CURRENT, DOCUMENT, Env, Scope, truth
from zhidao.rules.xpath.compiler import Compiler
from zhidao.rules.xpath.nodes import Document
from zhidao.rules.xpath.parser import FN, parse
from zhidao.rules.xpath.syntax import Binary, Call, Expr, Literal, Path, Root, Step
from zhidao.rules.xpath.values import OutsideSubset, XPathError, atom_of, to_string

_VALUES_MAX: Final = 4
_VALUE_CHARS_MAX: Final = 80
_CODES_SHOWN: Final = 8
_TEST_CHARS_MAX: Final = 200
_UNKNOWN: Final = ("", "")
_SIGNS: Final = {"eq": "=", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


class Explainer:
    """Explains the asserts of one rule set; variables of rules are left unexplained."""

    def __init__(self, rules: RuleSet) -> None:
        self._spaces = rules.namespaces
        self._prefixes = {space: prefix for prefix, space in rules.namespaces.items()}

    def seen_and_wanted(self, one: Assert, node: Any, document: Document) -> tuple[str, str]:
        """What the test found at the node and what would have satisfied it; '' if unknown."""
        asked = _Asked(node, document, self._prefixes)
        try:
            seen, wanted = asked.told(parse(one.test, self._spaces), want=not one.fires_when)
        except (OutsideSubset, XPathError):
            seen, wanted = _UNKNOWN
        if not seen and not document_like(node):
            seen = short(node.string())
        return seen, wanted or short(" ".join(one.test.split()), _TEST_CHARS_MAX)

    def sentence(self, one: Assert, node: Any, document: Document) -> str:
        """The assert's text with the values of its expressions put in."""
        asked = _Asked(node, document, self._prefixes)
        parts = []
        for index, part in enumerate(one.text):
            if index % 2 == 0:
                parts.append(part)
                continue
            try:
                parts.append(", ".join(asked.values(parse(part, self._spaces))))
            except (OutsideSubset, XPathError):
                parts.append("...")
        text = " ".join("".join(parts).split())
        # The rules' texts begin with their own id in brackets.
        return text.removeprefix(f"[{one.id}]").lstrip("- ").strip()


def document_like(node: Any) -> bool:
    """Whether a node is so large that its text says nothing."""
    return bool(node.children)


def short(text: str, most: int = _VALUE_CHARS_MAX) -> str:
    """A text cut to what a person reads."""
    return text if len(text) <= most else text[: most - 3] + "..."


class _Asked:
    """One failed test at one node."""

    def __init__(self, node: Any, document: Document, prefixes: Mapping[str, str]) -> None:
        self._node = node
        self._document = document
        self._prefixes = prefixes

    def values(self, expr: Expr) -> list[str]:
        return [to_string(atom_of(item)) for item in self._items(expr)]

    def _items(self, expr: Expr) -> list[Any]:
        compiler = Compiler()
        code = compiler.code(expr, Scope({}))
        env: Env = [None] * compiler.slots
        env[DOCUMENT] = self._document
        env[CURRENT] = self._node
        return code.many(self._node, env)  # type: ignore[no-any-return]

    def told(self, expr: Expr, *, want: bool) -> tuple[str, str]:
        """Seen and wanted of a test that did not have the wanted value."""
        if isinstance(expr, Binary):
            return self._told_binary(expr, want=want)
        if isinstance(expr, Call) and expr.space == FN:
            return self._told_call(expr, want=want)
        if isinstance(expr, Path | Step):
            name = self._name(expr)
            if want:
                return "absent", f"{name} present"
            return self._shown(expr), f"{name} absent"
        return _UNKNOWN

    def _told_binary(self, expr: Binary, *, want: bool) -> tuple[str, str]:
        sign = _SIGNS.get(expr.operator, expr.operator)
        if expr.operator in ("and", "or"):
            for side in (expr.left, expr.right):
                # A false `and` has a false side; of a false `or` the first side speaks.
                guilty = expr.operator == "or" or not truth(self._items(side))
                if guilty is want or expr.operator == "or":
                    told = self.told(side, want=want)
                    if told != _UNKNOWN:
                        return told
            return _UNKNOWN
        if expr.operator not in comparisons.GENERAL | comparisons.VALUE:
            return _UNKNOWN
        if expr.right == Literal("") and sign == "!=" and want:
            return "empty or absent", f"{self._name(expr.left)} not empty"
        wanted = f"{sign} {self._shown(expr.right)}"
        return self._shown(expr.left), wanted if want else f"not {wanted}"

    def _told_call(self, expr: Call, *, want: bool) -> tuple[str, str]:
        if expr.local == "not" and len(expr.arguments) == 1:
            return self.told(expr.arguments[0], want=not want)
        if expr.local in ("exists", "boolean") and len(expr.arguments) == 1:
            return self.told(expr.arguments[0], want=want)
        if expr.local == "contains" and want and isinstance(expr.arguments[0], Literal):
            return self._told_codes(str(expr.arguments[0].value).split(), expr.arguments[1])
        return _UNKNOWN

    def _told_codes(self, codes: list[str], sought: Expr) -> tuple[str, str]:
        seen = self._shown(sought).strip()
        near = get_close_matches(seen[:20], codes, n=3, cutoff=0.5)
        listed = ", ".join(near or codes[:_CODES_SHOWN])
        kind = "nearest" if near else "such as"
        return seen or "empty or absent", f"one of {len(codes)} codes, {kind} {listed}"

    def _shown(self, expr: Expr) -> str:
        values = self.values(expr)
        if not values:
            return "absent"
        more = f" and {len(values) - _VALUES_MAX} more" if len(values) > _VALUES_MAX else ""
        return ", ".join(short(value) for value in values[:_VALUES_MAX]) + more

    def _name(self, expr: Expr) -> str:
        """A path as a person writes it; predicates fall away."""
        if isinstance(expr, Path):
            names = [self._name(step) for step in expr.steps]
            return "/".join(name for name in names if name)
        if isinstance(expr, Step):
            return self._name_of_step(expr)
        if isinstance(expr, Root):
            return ""
        if isinstance(expr, Call) and expr.arguments:
            return self._name(expr.arguments[0])
        return "the value"

    def _name_of_step(self, step: Step) -> str:
        if step.test.kind != "name":
            return ".." if step.axis == "parent" else ""
        prefix = self._prefixes.get(step.test.space or "", "")
        local = step.test.local or "*"
        mark = "@" if step.axis == "attribute" else ""
        return mark + (f"{prefix}:{local}" if prefix else local)
