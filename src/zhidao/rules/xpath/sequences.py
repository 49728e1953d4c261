"""Code over sequences: filtered, put in document order, joined and combined."""

from __future__ import annotations

from typing import Any, Final

from zhidao.rules.xpath.code import (
    BOOLEAN,
    LAST,
    NODES_KIND,
    NUMBER,
    POSITION,
    STRING,
    Code,
    Env,
    Run,
    single,
    test_of,
    truth,
)
from zhidao.rules.xpath.nodes import Element
from zhidao.rules.xpath.syntax import Expr, Step
from zhidao.rules.xpath.values import NODES, OutsideSubset, XPathError, is_number
from zhidao.rules.xpath.writing import Source, Writer, is_safe, written


def said_once(code: Code, slot: int) -> Code:
    """What an expression says several times of one focus, computed when it is first asked for."""
    if code.constant is not None:
        return code
    if code.kind in (BOOLEAN, NUMBER, STRING) and code.one is not None:
        return single(code.kind, _kept(code.one, slot), by_name=code.by_name)
    many, lazily = _kept(code.many, slot), test_of(code)

    def test(n: Any, e: Env) -> bool:
        known = e[slot]
        return bool(lazily(n, e) if known is None else truth(known))

    def source(w: Writer, n: str) -> str:
        v = w.name()
        told = f"{w.constant(truth)}({v})"
        return f"({told} if ({v} := e[{slot}]) is not None else bool({w.of(lazily, n)}))"

    written(test, source, safe=is_safe(lazily))
    return Code(code.kind, many, None, test, ordered=code.ordered, flat=code.flat)


def _kept(run: Run, slot: int) -> Run:
    def kept(n: Any, e: Env) -> Any:
        value = e[slot]
        if value is None:
            value = e[slot] = run(n, e)
        return value

    def source(w: Writer, n: str) -> str:
        def lines(x: str) -> list[str]:
            return [f"v = e[{slot}] = {w.of(run, x)}", "return v"]

        v = w.name()
        return f"({v} if ({v} := e[{slot}]) is not None else {w.function(kept, lines)}({n}, e))"

    return written(kept, source, safe=is_safe(run))


def by_name(run: Run, test: Run) -> Run:
    """A predicate over names alone, answered once for each name."""
    known: dict[tuple[Any, str], bool] = {}

    def filtered(n: Any, e: Env) -> list[Any]:
        found = []
        for m in run(n, e):
            if type(m) is not Element:
                if test(m, e):
                    found.append(m)
                continue
            key = (m.prefix, m.tag)
            answer = known.get(key)
            if answer is None:
                if len(known) > _NAMES_MAX:
                    known.clear()
                answer = known[key] = bool(test(m, e))
            if answer:
                found.append(m)
        return found

    return filtered


_NAMES_MAX: Final = 10_000


def positional(run: Run, code: Code) -> Run:
    """A predicate that may be a position, or ask for one."""
    many = code.many

    def filtered(n: Any, e: Env) -> list[Any]:
        items = run(n, e)
        outer = e[POSITION], e[LAST]
        found = []
        try:
            for position, item in enumerate(items, 1):
                e[POSITION], e[LAST] = position, len(items)
                value = many(item, e)
                if len(value) == 1 and is_number(value[0]):
                    if value[0] == position:
                        found.append(item)
                elif truth(value):
                    found.append(item)
        finally:
            e[POSITION], e[LAST] = outer
        return found

    return filtered


def _arrange(nodes: list[Any]) -> list[Any]:
    last = -2
    for m in nodes:
        if m.order <= last:
            break
        last = m.order
    else:
        # As nearly always: only nodes inside each other come in another order.
        return nodes
    unique = {m.order: m for m in nodes}
    return [unique[order] for order in sorted(unique)]


def arranged(code: Code) -> Code:
    """Nodes in document order, each once."""
    many = code.many

    def run(n: Any, e: Env) -> list[Any]:
        nodes = many(n, e)
        if len(nodes) < 2:
            return nodes  # type: ignore[no-any-return]
        return _arrange(nodes)

    def source(w: Writer, n: str) -> str:
        v = w.name()
        return f"({v} if len({v} := {w.of(many, n)}) < 2 else {w.constant(_arrange)}({v}))"

    written(run, source, safe=is_safe(many))
    return Code(NODES_KIND, run, code.one, code.test, ordered=True, flat=False)


def in_document_order(code: Code, step: Expr, *, before_flat: bool) -> Code:
    """Sorts the nodes of a step unless its axis keeps the order that its starts have."""
    axis = step.axis if isinstance(step, Step) else ""
    if axis == "self" or (before_flat and axis in ("child", "attribute")):
        code.flat = before_flat
        return code
    if before_flat and axis.startswith("descendant"):
        return code
    return arranged(code)


def checked_nodes(code: Code) -> Code:
    """What must be nodes, arranged. A value among them is the error XPTY0019."""
    many = code.many

    def run(n: Any, e: Env) -> list[Any]:
        items = many(n, e)
        if not all(isinstance(item, NODES) for item in items):
            raise XPathError("XPTY0019")
        return items  # type: ignore[no-any-return]

    return arranged(Code(NODES_KIND, run, ordered=False))


def one_kind(many: Run) -> Run:
    """Refuses a last step that might give nodes: those would have to be sorted."""

    def run(n: Any, e: Env) -> list[Any]:
        items = many(n, e)
        if any(isinstance(item, NODES) for item in items):
            raise OutsideSubset("nodes from a step that may give values")
        return items  # type: ignore[no-any-return]

    return run


def from_one(start: Run, after: Code) -> Code:
    """A path that begins at one node: the next step's own properties hold."""
    then, exists, only = after.many, after.test, after.one

    def many(n: Any, e: Env) -> list[Any]:
        m = start(n, e)
        return [] if m is None else then(m, e)

    def source_of(run: Run, otherwise: str) -> Source:
        def source(w: Writer, n: str) -> str:
            m = w.name()
            then_text = w.of(run, m)
            return f"({otherwise} if ({m} := {w.of(start, n)}) is None else {then_text})"

        return source

    safe = is_safe(start)
    written(many, source_of(then, "[]"), safe=safe and is_safe(then))
    code = Code(after.kind, many, ordered=after.ordered, flat=after.flat)
    if only is not None:
        one = only
        code.one = written(
            lambda n, e: None if (m := start(n, e)) is None else one(m, e),
            source_of(one, "None"),
            safe=safe and is_safe(one),
        )
    if exists is not None:
        test = exists
        code.test = written(
            lambda n, e: (m := start(n, e)) is not None and bool(test(m, e)),
            source_of(test, "False"),
            safe=safe and is_safe(test),
        )
    return code


def logic(sign: str, left: Code, right: Code) -> Code:
    """`and`, `or`: decided by whichever side decides, even if the other is in error.

    XPath 2.0 section 3.6 lets an engine take either side first, and Saxon does; so nothing that
    Saxon can decide is left open here.
    """
    a, b = test_of(left), test_of(right)
    named = left.by_name and right.by_name
    if is_safe(b) and not is_safe(a):
        # What cannot err decides first, and then no error of the other is met.
        a, b = b, a
    if sign == "and":

        def both(n: Any, e: Env) -> bool:
            try:
                return bool(a(n, e) and b(n, e))
            except XPathError:
                if _decides(a, n, e, wanted=False) or _decides(b, n, e, wanted=False):
                    return False
                raise

        return single(BOOLEAN, _decided(both, a, b, "and"), by_name=named)

    def either(n: Any, e: Env) -> bool:
        try:
            return bool(a(n, e) or b(n, e))
        except XPathError:
            if _decides(b, n, e, wanted=True):
                return True
            raise

    return single(BOOLEAN, _decided(either, a, b, "or"), by_name=named)


def _decided(run: Run, a: Run, b: Run, sign: str) -> Run:
    """With its source: where the first side cannot err, the two stand in one expression.

    Else the closure itself finds out what an error leaves open; that is rare.
    """

    def source(w: Writer, n: str) -> str:
        if is_safe(a):
            return f"bool({w.of(a, n)} {sign} {w.of(b, n)})"

        def lines(x: str) -> list[str]:
            both = f" return bool({w.of(a, x)} {sign} {w.of(b, x)})"
            return ["try:", both, "except XPathError:", f" return {w.constant(run)}(n, e)"]

        return f"{w.function(run, lines)}({n}, e)"

    return written(run, source, safe=is_safe(a) and is_safe(b))


def _decides(side: Run, n: Any, e: Env, *, wanted: bool) -> bool:
    """Whether one side of `and` or `or` settles it alone."""
    try:
        return bool(side(n, e)) is wanted
    except XPathError:
        return False


def node_sets(sign: str, left: Code, right: Code) -> Code:
    """`union`, `intersect`, `except` of nodes."""
    if left.kind != NODES_KIND or right.kind != NODES_KIND:
        raise OutsideSubset(f"{sign} of what may be no nodes")
    a, b = left.many, right.many
    if sign == "union":
        a_test, b_test = test_of(left), test_of(right)
        joined = written(
            lambda n, e: [*a(n, e), *b(n, e)],
            lambda w, n: f"[*{w.of(a, n)}, *{w.of(b, n)}]",
            safe=is_safe(a) and is_safe(b),
        )
        code = Code(NODES_KIND, joined)
        code.test = written(
            lambda n, e: bool(a_test(n, e) or b_test(n, e)),
            lambda w, n: f"bool({w.of(a_test, n)} or {w.of(b_test, n)})",
            safe=is_safe(a_test) and is_safe(b_test),
        )
        return arranged(code)
    wanted = sign == "intersect"

    def many(n: Any, e: Env) -> list[Any]:
        others = {m.order for m in b(n, e)}
        return [m for m in a(n, e) if (m.order in others) is wanted]

    return arranged(Code(NODES_KIND, many))
