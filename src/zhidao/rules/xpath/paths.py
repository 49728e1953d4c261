"""Path expressions as closures: steps, predicates, and what is found once for a document.

Source: XPath 2.0 (second edition), section 3.2.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Final

from zhidao.rules.xpath import axes
from zhidao.rules.xpath.code import (
    ANY,
    BOOLEAN,
    DOCUMENT,
    FIRST_FREE,
    NODES_KIND,
    NUMBER,
    STRING,
    Code,
    Env,
    Focus,
    Run,
    Scope,
    require_node,
    string_source,
    test_of,
)
from zhidao.rules.xpath.rewriting import (
    is_closed,
    is_shared,
    shortened,
    worth_keeping,
)
from zhidao.rules.xpath.sequences import (
    arranged,
    by_name,
    checked_nodes,
    from_one,
    in_document_order,
    one_kind,
    positional,
)
from zhidao.rules.xpath.syntax import (
    Expr,
    Filter,
    Literal,
    NodeTest,
    Path,
    Root,
    Sequence,
    Step,
)
from zhidao.rules.xpath.values import OutsideSubset, Untyped, XPathError
from zhidao.rules.xpath.writing import Writer, is_safe, written

_PARENT: Final = Step("parent", NodeTest("node"))


class Paths(ABC):
    """The part of a compiler that walks; the rest of it compiles what stands between the slashes.

    `slots` counts the places that a frame needs.
    """

    def __init__(self) -> None:
        self.slots = FIRST_FREE
        self._kept: dict[tuple[Expr, ...], int] = {}
        self._tests: dict[Expr, int] = {}

    def slot(self) -> int:
        """A new place in the frame."""
        self.slots += 1
        return self.slots - 1

    @abstractmethod
    def code(self, expr: Expr, scope: Scope) -> Code:
        """Any expression as closures."""

    def _step(self, expr: Step, scope: Scope) -> Code:
        require_node(scope.focus)
        run = self._axis(expr, scope)
        one_node = expr.axis in ("self", "parent")
        flat = expr.axis in ("child", "attribute", "self", "parent")
        test = self._existence(expr, scope)
        if expr.axis in axes.REVERSE and expr.axis != "parent":
            forward = run
            run = lambda n, e: forward(n, e)[::-1]  # noqa: E731 (document order)
        one = _first(run) if one_node else None
        if expr == _PARENT:
            one = written(lambda n, e: n.parent, lambda w, n: f"{n}.parent", safe=True)
        string, values = self._string(expr, run), _attribute_values(expr)
        return Code(NODES_KIND, run, one, test, flat=flat, string=string, values=values)

    def _string(self, step: Step, run: Run) -> Run | None:
        """The string of the one node of a step, without making a node of an attribute."""
        tag = axes.tag_of(step.test)
        if step.axis == "attribute" and tag is not None and not step.predicates:
            return written(
                lambda n, e: n.attributes.get(tag, ""),
                lambda w, n: f"{n}.attributes.get({w.constant(tag)}, '')",
                safe=True,
            )

        def string(n: Any, e: Env) -> str:
            nodes = run(n, e)
            if not nodes:
                return ""
            if len(nodes) > 1:
                raise XPathError("XPTY0004")
            return str(nodes[0].string())

        return written(string, string_source(run))

    def _axis(self, step: Step, scope: Scope) -> Run:
        """The step's nodes in the axis's order, predicates applied."""
        return self._filtered(axes.along(step.axis, step.test), step.predicates, scope, node=True)

    def _existence(self, step: Step, scope: Scope) -> Run | None:
        tag = axes.tag_of(step.test)
        if step.predicates or tag is None:
            return None
        if step.axis == "child":
            return written(
                lambda n, e: tag in n.kids,
                lambda w, n: f"({w.constant(tag)} in {n}.kids)",
                safe=True,
            )
        if step.axis == "attribute":
            return written(
                lambda n, e: tag in n.attributes,
                lambda w, n: f"({w.constant(tag)} in {n}.attributes)",
                safe=True,
            )
        if step.axis == axes.EVERY_ATTRIBUTE:
            # Quick where nobody has it; otherwise the step itself says where.
            run = axes.along(step.axis, step.test)
            return written(
                lambda n, e: tag in e[DOCUMENT].owners and bool(run(n, e)),
                lambda w, n: (
                    f"({w.constant(tag)} in e[{DOCUMENT}].owners and bool({w.of(run, n)}))"
                ),
            )
        return None

    def _filtered(self, run: Run, predicates: tuple[Expr, ...], scope: Scope, *, node: bool) -> Run:
        for predicate in predicates:
            run = self._predicate(run, predicate, scope, node=node)
        return run

    def _predicate(self, run: Run, predicate: Expr, scope: Scope, *, node: bool) -> Run:
        if isinstance(predicate, Literal) and isinstance(predicate.value, int):
            index = predicate.value
            return written(
                lambda n, e: run(n, e)[index - 1 : index] if index > 0 else [],
                lambda w, n: f"{w.of(run, n)}[{index - 1}:{index}]" if index > 0 else "[]",
                safe=is_safe(run),
            )
        focus = Focus(is_node=node, has_position=True)
        code = self.code(predicate, Scope(scope.names, focus))
        if code.by_name and code.kind == BOOLEAN and node:
            return by_name(run, test_of(code))
        if not focus.used_position and code.kind in (BOOLEAN, NODES_KIND, STRING):
            return _narrowed(run, self.kept_test(predicate, test_of(code)))
        return positional(run, code)

    def kept_test(self, expr: Expr, test: Run) -> Run:
        """A test of a node that many rules ask, answered once for each node of a document.

        Only for tests that look at nothing but the node and the document; errors are not kept.
        """
        if not is_shared(expr):
            return test
        slot = self._tests.get(expr)
        if slot is None:
            slot = self._tests[expr] = self.slot()
        place = slot

        def kept(n: Any, e: Env) -> bool:
            known = e[place]
            if known is None:
                known = e[place] = {}
            answer = known.get(n)
            if answer is None:
                answer = known[n] = bool(test(n, e))
            return answer  # type: ignore[no-any-return]

        def source(w: Writer, n: str) -> str:
            def lines(x: str) -> list[str]:
                return _kept_lines(place, f"bool({w.of(test, x)})")

            return f"{w.function(kept, lines)}({n}, e)"

        return written(kept, source, safe=is_safe(test))

    def _kept_values(self, expr: Expr, code: Code) -> Code:
        """Values below a node that are compared with one variable after another, read once."""
        if not isinstance(expr, Path) or code.kind != NUMBER or not is_closed([expr]):
            return code
        slot = self._tests.get(expr)
        if slot is None:
            slot = self._tests[expr] = self.slot()
        place, many = slot, code.many

        def kept(n: Any, e: Env) -> list[Any]:
            known = e[place]
            if known is None:
                known = e[place] = {}
            values = known.get(n)
            if values is None:
                values = known[n] = many(n, e)
            return values  # type: ignore[no-any-return]

        def source(w: Writer, n: str) -> str:
            def lines(x: str) -> list[str]:
                return _kept_lines(place, w.of(many, x))

            return f"{w.function(kept, lines)}({n}, e)"

        return Code(code.kind, written(kept, source))

    def _path(self, expr: Path, scope: Scope) -> Code:
        steps = shortened(expr.steps)
        code = self.code(steps[0], scope)
        if code.kind != NODES_KIND:
            if len(steps) > 1 and code.kind == ANY:
                code = checked_nodes(code)
            elif len(steps) > 1:
                raise OutsideSubset("a path from what are no nodes")
        inner = Scope(scope.names, Focus(is_node=True))
        closed = isinstance(steps[0], Root) and is_closed(steps)
        kept = worth_keeping(steps) if closed else ()
        for index, step in enumerate(steps[1:], 1):
            if code.kind != NODES_KIND:
                raise OutsideSubset("a step after values")
            code = self._joined(code, step, inner, last=index == len(steps) - 1)
            if closed and code.kind == NODES_KIND and index in kept:
                code = self._remembered(code, tuple(steps[: index + 1]))
        return code

    def _remembered(self, code: Code, steps: tuple[Expr, ...]) -> Code:
        """The nodes of a path from the root, found once for a document.

        Where finding all of them meets an error, a test still asks one by one: it may be
        answered before the error is reached.
        """
        slot = self._kept.get(steps)
        if slot is None:
            slot = self._kept[steps] = self.slot()
        place, many, lazily = slot, code.many, test_of(code)

        def all_of(n: Any, e: Env) -> list[Any]:
            found = e[place]
            if found is None:
                found = e[place] = many(n, e)
            return found  # type: ignore[no-any-return]

        def test(n: Any, e: Env) -> bool:
            if e[place] is None:
                try:
                    all_of(n, e)
                except XPathError:
                    return bool(lazily(n, e))
            return bool(e[place])

        def all_source(w: Writer, n: str) -> str:
            def lines(x: str) -> list[str]:
                return [
                    f"v = e[{place}]",
                    "if v is None:",
                    f" v = e[{place}] = {w.of(many, x)}",
                    "return v",
                ]

            v = w.name()
            name = w.function(all_of, lines)
            return f"({v} if ({v} := e[{place}]) is not None else {name}({n}, e))"

        def test_source(w: Writer, n: str) -> str:
            def lines(x: str) -> list[str]:
                tried = ["try:", f" {w.of(all_of, x)}", "except XPathError:"]
                return [*tried, f" return bool({w.of(lazily, x)})", f"return bool(e[{place}])"]

            v, name = w.name(), w.function(test, lines)
            return f"(bool({v}) if ({v} := e[{place}]) is not None else {name}({n}, e))"

        written(all_of, all_source, safe=is_safe(many))
        written(test, test_source, safe=is_safe(many))
        return Code(NODES_KIND, all_of, None, test, ordered=code.ordered, flat=code.flat)

    def _joined(self, before: Code, step: Expr, scope: Scope, *, last: bool) -> Code:
        if not before.ordered:
            before = arranged(before)
        after = self.code(step, scope)
        if after.kind == ANY:
            after = Code(ANY, one_kind(after.many))
        if not last and after.kind != NODES_KIND:
            raise OutsideSubset("values in the middle of a path")
        starts = before.many
        if before.one is not None and before.kind == NODES_KIND:
            return from_one(before.one, after)
        if after.one is not None and after.kind != NODES_KIND:
            value_of = after.one

            def values(n: Any, e: Env) -> list[Any]:
                found = (value_of(m, e) for m in starts(n, e))
                return [value for value in found if value is not None]

            def source(w: Writer, n: str) -> str:
                def one(w: Writer, m: str) -> str:
                    v = w.name()
                    return f"([{v}] if ({v} := {w.of(value_of, m)}) is not None else [])"

                def more(nodes: str, m: str) -> str:
                    v = w.name()
                    return f"[{v} for {m} in {nodes} if ({v} := {w.of(value_of, m)}) is not None]"

                return w.each(starts, n, one=one, more=more)

            written(values, source, safe=is_safe(starts) and is_safe(value_of))
            return Code(after.kind, values)

        return _each_step(starts, after, step, before_flat=before.flat)

    def _filter(self, expr: Filter, scope: Scope) -> Code:
        code = self.code(expr.base, scope)
        if not code.ordered and code.kind == NODES_KIND and not isinstance(expr.base, Sequence):
            code = arranged(code)
        run = self._filtered(code.many, expr.predicates, scope, node=code.kind == NODES_KIND)
        return Code(code.kind, run, ordered=code.ordered, flat=code.flat)


def _attribute_values(step: Step) -> Run | None:
    """The value of a named attribute, without a node for it."""
    tag = axes.tag_of(step.test)
    if step.axis != "attribute" or tag is None or step.predicates:
        return None

    def values(n: Any, e: Env) -> list[Any]:
        return [Untyped(n.attributes[tag])] if tag in n.attributes else []

    def source(w: Writer, n: str) -> str:
        name, a = w.constant(tag), w.name()
        return (
            f"([{w.constant(Untyped)}({a}[{name}])] if {name} in ({a} := {n}.attributes) else [])"
        )

    return written(values, source, safe=True)


def _each_step(starts: Run, after: Code, step: Expr, *, before_flat: bool) -> Code:
    """A step taken from each of several nodes."""
    then = after.many

    def many(n: Any, e: Env) -> list[Any]:
        nodes = starts(n, e)
        if len(nodes) == 1:
            return then(nodes[0], e)  # type: ignore[no-any-return]
        return [item for m in nodes for item in then(m, e)]

    def source(w: Writer, n: str) -> str:
        def more(nodes: str, m: str) -> str:
            item = w.name()
            return f"[{item} for {m} in {nodes} for {item} in {w.listing(then, m)}]"

        return w.each(starts, n, one=lambda w, m: w.of(then, m), more=more)

    written(many, source, safe=is_safe(starts) and is_safe(then))
    if after.kind != NODES_KIND:
        return Code(after.kind, many)
    exists = after.test or then

    def test(n: Any, e: Env) -> bool:
        for m in starts(n, e):  # noqa: SIM110 (twice as fast as any())
            if exists(m, e):
                return True
        return False

    def test_source(w: Writer, n: str) -> str:
        def lines(x: str) -> list[str]:
            found = [f"for m in {w.of(starts, x)}:", f" if {w.of(exists, 'm')}:"]
            return [*found, "  return True", "return False"]

        return f"{w.function(test, lines)}({n}, e)"

    written(test, test_source, safe=is_safe(starts) and is_safe(exists))
    code = Code(NODES_KIND, many, None, test)
    return in_document_order(code, step, before_flat=before_flat)


def _narrowed(run: Run, test: Run) -> Run:
    def narrowed(n: Any, e: Env) -> Any:
        items = run(n, e)
        return [m for m in items if test(m, e)] if items else items

    def source(w: Writer, n: str) -> str:
        def one(w: Writer, m: str) -> str:
            return f"([{m}] if {w.of(test, m)} else [])"

        def more(nodes: str, m: str) -> str:
            return f"[{m} for {m} in {nodes} if {w.of(test, m)}]"

        return w.each(run, n, one=one, more=more)

    return written(narrowed, source, safe=is_safe(run) and is_safe(test))


def _first(run: Run) -> Run:
    def source(w: Writer, n: str) -> str:
        v = w.name()
        return f"({v}[0] if ({v} := {w.of(run, n)}) else None)"

    return written(lambda n, e: next(iter(run(n, e)), None), source, safe=is_safe(run))


def _kept_lines(place: int, value: str) -> list[str]:
    """The body of a function that answers once for each node of a document."""
    return [
        f"known = e[{place}]",
        "if known is None:",
        f" known = e[{place}] = {{}}",
        "value = known.get(n)",
        "if value is None:",
        f" value = known[n] = {value}",
        "return value",
    ]
