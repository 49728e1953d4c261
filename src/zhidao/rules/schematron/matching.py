"""Contexts of rules: whether a node matches an XSLT pattern, tried from its last step backwards.

Source: XSLT 2.0 section 5.5.3. A dynamic error in a pattern means that it does not match
(section 5.5.4), so the order in which conditions are tried cannot be seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from zhidao.rules.schematron.guards import Needed, needed, needed_to_match
from zhidao.rules.xpath import axes
from zhidao.rules.xpath.code import (
    ANY,
    CURRENT,
    NUMBER,
    Env,
    Focus,
    Run,
    Scope,
    test_of,
    truth,
)
from zhidao.rules.xpath.compiler import Compiler
from zhidao.rules.xpath.nodes import Document
from zhidao.rules.xpath.syntax import (
    Binary,
    Expr,
    Filter,
    NodeTest,
    Path,
    Root,
    Step,
)
from zhidao.rules.xpath.values import OutsideSubset, XPathError, is_number
from zhidao.rules.xpath.writing import Writer, is_safe, written

Match = Callable[[Any, Env], bool]
_BETWEEN: Final = Step("descendant-or-self", NodeTest("node"))


@dataclass(frozen=True, slots=True)
class Alternative:
    """One branch of a pattern: the tag that its node must have (None: any), and the rest.

    `named` are conditions on the kind of the node alone: its name and prefix and those of its
    ancestors. `match` is everything else; it is None where there is nothing else. It is true in a
    document that has not all that it `needs`, and false in one that has not all that it `wants`.
    """

    tag: str | None
    is_attribute: bool
    named: tuple[Match, ...]
    match: Match | None
    needs: Needed = frozenset()
    wants: Needed = frozenset()


def alternatives(expr: Expr, compiler: Compiler, names: dict[str, int]) -> list[Alternative]:
    """The branches of a pattern. Raises OutsideSubset for what is not compiled."""
    return [_alternative(steps, compiler, names) for steps in _branches(expr)]


def _branches(expr: Expr) -> list[list[Expr]]:
    if isinstance(expr, Binary) and expr.operator == "union":
        return _branches(expr.left) + _branches(expr.right)
    if isinstance(expr, Filter):
        return [_with_predicates(steps, expr.predicates) for steps in _branches(expr.base)]
    if isinstance(expr, Path):
        first = expr.steps[0]
        heads = [[first]] if isinstance(first, Root | Step) else _branches(first)
        return [[*head, *expr.steps[1:]] for head in heads]
    if isinstance(expr, Step):
        return [[expr]]
    if isinstance(expr, Root):
        return [[expr]]
    raise OutsideSubset(f"a context by {type(expr).__name__}")


def _with_predicates(steps: list[Expr], predicates: tuple[Expr, ...]) -> list[Expr]:
    last = steps[-1]
    if not isinstance(last, Step):
        raise OutsideSubset("a context that ends in no step")
    return [*steps[:-1], Step(last.axis, last.test, last.predicates + predicates)]


def _alternative(steps: list[Expr], compiler: Compiler, names: dict[str, int]) -> Alternative:
    last = steps[-1]
    if not isinstance(last, Step) or last.axis not in ("child", "attribute"):
        raise OutsideSubset("a context that ends in no child or attribute")
    if last.test.kind not in ("name", "element", "attribute"):
        raise OutsideSubset("a context of texts or any nodes")
    is_attribute = last.axis == "attribute"
    tag = axes.tag_of(last.test)
    named: list[Match] = []
    if tag is None:
        accept = axes.accepts(last.test, attribute=is_attribute)
        named.append(lambda n, e: accept(n))
    above = _above(steps[:-1], compiler, names)
    named += filter(_of_kind, above)
    conditions = [one for one in above if not _of_kind(one)]
    needs: Needed = frozenset()
    for part, condition in _predicates(last, compiler, names):
        if _of_kind(condition):
            named.append(condition)
        else:
            conditions.append(condition)
            needs = needed(part)
    # Of several conditions another may still be false.
    needs = needs if len(conditions) == 1 else frozenset()
    wants = needed_to_match(last)
    return Alternative(tag, is_attribute, tuple(named), _all(conditions), needs, wants)


def _of_kind(match: Match) -> bool:
    """Whether a condition depends on nothing but the node's kind."""
    return bool(getattr(match, "of_kind", False))


def _kind_only(match: Match, *, when: bool = True) -> Match:
    match.of_kind = when  # type: ignore[attr-defined]
    return match


def _all(conditions: list[Match]) -> Match | None:
    if not conditions:
        return None
    if len(conditions) == 1:
        return conditions[0]
    first, rest = conditions[0], _all(conditions[1:])
    assert rest is not None
    both = written(
        lambda n, e: first(n, e) and rest(n, e),
        lambda w, n: f"({w.of(first, n)} and {w.of(rest, n)})",
        safe=is_safe(first) and is_safe(rest),
    )
    return _kind_only(both, when=_of_kind(first) and _of_kind(rest))


def _above(steps: list[Expr], compiler: Compiler, names: dict[str, int]) -> list[Match]:
    """What the steps in front demand of the ancestors, one by one."""
    if not steps:
        return []
    last = steps[-1]
    if isinstance(last, Root):
        below_root = written(
            lambda n, e: type(n.parent) is Document,
            lambda w, n: f"(type({n}.parent) is {w.constant(Document)})",
            safe=True,
        )
        return [_kind_only(below_root)]
    if last == _BETWEEN:
        before = steps[:-1]
        # `//x` at the beginning says nothing: every node is below the root.
        if len(before) == 1 and isinstance(before[0], Root):
            return []
        found = _all(_node(before, compiler, names))
        assert found is not None
        return [_some_ancestor(found)]
    tags = _plain_tags(steps)
    if tags:
        return [_kind_only(_parents_named(tags))]
    return [_of_parent(here) for here in _node(steps, compiler, names)]


def _of_parent(here: Match) -> Match:
    def source(w: Writer, n: str) -> str:
        m = w.name()
        return f"(({m} := {n}.parent) is not None and {w.of(here, m)})"

    one_up = written(
        lambda n, e: n.parent is not None and here(n.parent, e), source, safe=is_safe(here)
    )
    return _kind_only(one_up, when=_of_kind(here))


def _plain_tags(steps: list[Expr]) -> list[str]:
    """The names of steps that ask for nothing else, the nearest first; empty for other steps."""
    tags = []
    for step in reversed(steps):
        tag = axes.tag_of(step.test) if isinstance(step, Step) and step.axis == "child" else None
        if not isinstance(step, Step) or tag is None or step.predicates:
            return []
        tags.append(tag)
    return tags


def _parents_named(tags: list[str]) -> Match:
    first, rest = tags[0], tags[1:]
    if not rest:
        return written(
            lambda n, e: n.parent.tag == first,
            lambda w, n: f"({n}.parent.tag == {w.constant(first)})",
            safe=True,
        )
    further = _parents_named(rest)

    def source(w: Writer, n: str) -> str:
        m = w.name()
        return f"(({m} := {n}.parent).tag == {w.constant(first)} and {w.of(further, m)})"

    # What has a name is an element, so it has a parent: the document at the end has none.
    return written(lambda n, e: n.parent.tag == first and further(n.parent, e), source, safe=True)


def _node(steps: list[Expr], compiler: Compiler, names: dict[str, int]) -> list[Match]:
    """What makes a node itself match these steps, one by one."""
    last = steps[-1]
    if not isinstance(last, Step) or last.axis != "child":
        raise OutsideSubset("a context with an unusual step")
    accept = axes.accepts(last.test)
    conditions: list[Match] = [_accepting(accept, axes.tag_of(last.test))]
    conditions += _above(steps[:-1], compiler, names)
    conditions += [condition for _, condition in _predicates(last, compiler, names)]
    return conditions


def _accepting(accept: Callable[[Any], bool], tag: str | None) -> Match:
    def source(w: Writer, n: str) -> str:
        if tag is not None:
            # Only elements and attributes have such a name, and no attribute has children.
            return f"({n}.tag == {w.constant(tag)})"
        return f"{w.constant(accept)}({n})"

    return _kind_only(written(lambda n, e: accept(n), source, safe=True))


def _some_ancestor(match: Match) -> Match:
    def run(n: Any, e: Env) -> bool:
        m = n.parent
        while m is not None:
            if match(m, e):
                return True
            m = m.parent
        return False

    def source(w: Writer, n: str) -> str:
        def lines(x: str) -> list[str]:
            loop = ["while m is not None:", f" if {w.of(match, 'm')}: return True"]
            return [f"m = {x}.parent", *loop, " m = m.parent", "return False"]

        return f"{w.function(run, lines)}({n}, e)"

    return _kind_only(written(run, source, safe=is_safe(match)), when=_of_kind(match))


def _predicates(step: Step, compiler: Compiler, names: dict[str, int]) -> list[tuple[Expr, Match]]:
    """The conditions of a step's predicates, with what each says."""
    found: list[tuple[Expr, Match]] = []
    for predicate in step.predicates:
        for part in _conjuncts(predicate):
            focus = Focus(is_node=True, has_position=True)
            code = compiler.code(part, Scope(names, focus))
            if focus.used_position or code.kind == NUMBER:
                raise OutsideSubset("a context that counts positions")
            test = _no_position(code.many) if code.kind == ANY else test_of(code)
            named = code.by_name
            safely = _safely(test if named else compiler.kept_test(part, test))
            found.append((part, _kind_only(safely, when=named)))
    return found


def _conjuncts(expr: Expr) -> list[Expr]:
    if isinstance(expr, Binary) and expr.operator == "and":
        return _conjuncts(expr.left) + _conjuncts(expr.right)
    return [expr]


def _no_position(many: Run) -> Run:
    """A condition of unknown type; a number would be a position, which is not kept here."""

    def run(n: Any, e: Env) -> bool:
        items = many(n, e)
        if len(items) == 1 and is_number(items[0]):
            raise OutsideSubset("a context that counts positions")
        return truth(items)

    return run


def _safely(test: Run) -> Match:
    def run(n: Any, e: Env) -> bool:
        e[CURRENT] = n
        try:
            return bool(test(n, e))
        except XPathError:
            return False

    def source(w: Writer, n: str) -> str:
        if is_safe(test):
            return f"bool({w.of(test, n)})"

        def lines(x: str) -> list[str]:
            tried = f" return bool({w.of(test, x)})"
            return [f"e[{CURRENT}] = n", "try:", tried, "except XPathError: return False"]

        return f"{w.function(run, lines)}({n}, e)"

    return written(run, source, safe=is_safe(test))
