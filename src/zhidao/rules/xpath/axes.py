"""Steps: the nodes along an axis that a node test accepts, in the axis's own order.

Source: XPath 2.0 section 3.2.1.
"""

from __future__ import annotations

import sys
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import Any, Final

from zhidao.rules.xpath.code import DOCUMENT, Env, Run
from zhidao.rules.xpath.nodes import Attribute, Document, Element, Text, in_order
from zhidao.rules.xpath.syntax import NodeTest
from zhidao.rules.xpath.values import OutsideSubset
from zhidao.rules.xpath.writing import Writer, written

REVERSE: Final = frozenset(
    ("parent", "ancestor", "ancestor-or-self", "preceding", "preceding-sibling")
)
# An axis of our own that `//@name` is compiled to.
EVERY_ATTRIBUTE: Final = "descendant-attribute"

_NONE: Final[list[Any]] = []


def tag_of(test: NodeTest) -> str | None:
    """The full name that a test asks for, None if it has a wildcard."""
    if test.kind != "name" or test.space is None or test.local is None:
        return None
    return sys.intern(f"{{{test.space}}}{test.local}" if test.space else test.local)


def accepts(test: NodeTest, *, attribute: bool = False) -> Callable[[Any], bool]:
    """A predicate over nodes: whether the test holds for the axis's kind of node."""
    if test.kind != "name":
        return _BY_KIND[test.kind]
    kind = Attribute if attribute else Element
    tag = tag_of(test)
    if tag is not None:
        return lambda m: type(m) is kind and m.tag == tag
    if test.space is None and test.local is None:
        return lambda m: type(m) is kind
    if test.space is None:
        local, ending = test.local, f"}}{test.local}"
        return lambda m: type(m) is kind and (m.tag == local or m.tag.endswith(ending))
    if test.space == "":
        return lambda m: type(m) is kind and not m.tag.startswith("{")
    beginning = f"{{{test.space}}}"
    return lambda m: type(m) is kind and m.tag.startswith(beginning)


# Comments and instructions are gone before rules are run.
_BY_KIND: Final[dict[str, Callable[[Any], bool]]] = {
    "node": lambda m: True,
    "comment": lambda m: False,
    "processing-instruction": lambda m: False,
    "element": lambda m: type(m) is Element,
    "attribute": lambda m: type(m) is Attribute,
    "text": lambda m: type(m) is Text,
}


def along(axis: str, test: NodeTest) -> Run:
    """The closure that lists the nodes of one step from a node."""
    if axis == "attribute":
        return _attribute(test)
    return _AXES[axis](test)


def _attribute(test: NodeTest) -> Run:
    tag = tag_of(test)
    if tag is not None:
        return written(
            lambda n, e: [n.attribute(tag)] if tag in n.attributes else _NONE,
            lambda w, n: (
                f"([{n}.attribute({w.constant(tag)})] if {w.constant(tag)} in {n}.attributes"
                f" else {w.constant(_NONE)})"
            ),
            safe=True,
        )
    accept = accepts(test, attribute=True)
    return lambda n, e: [m for m in n.attribute_nodes() if accept(m)] if n.attributes else _NONE


def _every_attribute(test: NodeTest) -> Run:
    """`descendant-or-self::node()/@name` as one step, by the document's index."""
    tag = tag_of(test)
    assert tag is not None

    def run(n: Any, e: Env) -> list[Any]:
        owners = e[DOCUMENT].owners.get(tag)
        if owners is None:
            return _NONE
        low, high = n.order, n.end
        return [m.attribute(tag) for m in owners if low <= m.order <= high]

    return run


def _child(test: NodeTest) -> Run:
    tag = tag_of(test)
    if tag is not None:
        return written(
            lambda n, e: n.kids.get(tag, _NONE),
            lambda w, n: f"{n}.kids.get({w.constant(tag)}, {w.constant(_NONE)})",
            safe=True,
        )
    if test.kind == "text":
        return lambda n, e: list(n.texts())
    if test.kind == "node":
        return lambda n, e: sorted([*n.children, *n.texts()], key=in_order)
    if test.kind == "element" or (test.kind == "name" and test.space is test.local is None):
        return written(lambda n, e: n.children, lambda w, n: f"{n}.children", safe=True)
    accept = accepts(test)
    return lambda n, e: [m for m in n.children if accept(m)]


def _inside(n: Any, e: Env, tag: str | None, *, own: bool) -> list[Any]:
    """Elements below a node, itself first if `own`, by tag or all."""
    document: Document = e[DOCUMENT]
    if type(n) is Document:
        return document.elements if tag is None else document.by_tag.get(tag, _NONE)
    if type(n) is not Element:
        return _NONE
    if tag is None:
        return document.elements[int(n.order) + (not own) : n.end + 1]
    same = document.by_tag.get(tag)
    if same is None or (not own and n.end == n.order):
        return _NONE
    low = (bisect_left if own else bisect_right)(same, n.order, key=in_order)
    return same[low : bisect_right(same, n.end, lo=low, key=in_order)]


def _descendant(test: NodeTest) -> Run:
    tag = tag_of(test)
    if tag is not None:

        def inside(n: Any, e: Env) -> list[Any]:
            return _inside(n, e, tag, own=False)

        def source(w: Writer, n: str) -> str:
            all_of = f"e[{DOCUMENT}].by_tag.get({w.constant(tag)}, {w.constant(_NONE)})"
            return f"({all_of} if {n} is e[{DOCUMENT}] else {w.constant(inside)}({n}, e))"

        return written(inside, source, safe=True)
    if test.kind in ("node", "text"):
        return _with_texts(test, own=False)
    accept = accepts(test)
    return lambda n, e: [m for m in _inside(n, e, None, own=False) if accept(m)]


def _descendant_or_self(test: NodeTest) -> Run:
    tag = tag_of(test)
    if tag is not None:
        return lambda n, e: _inside(n, e, tag, own=True)
    if test.kind in ("node", "text"):
        return _with_texts(test, own=True)
    accept = accepts(test)
    return lambda n, e: [m for m in _inside(n, e, None, own=True) if accept(m)]


def _with_texts(test: NodeTest, *, own: bool) -> Run:
    only_texts = test.kind == "text"

    def run(n: Any, e: Env) -> list[Any]:
        below = _inside(n, e, None, own=True)
        found = [t for m in below for t in m.texts()]
        if not only_texts:
            found += [m for m in below if own or m is not n]
            if own and type(n) is not Element:
                found.append(n)
        elif own and not isinstance(n, Element | Document | Attribute):
            found.append(n)
        return sorted(found, key=in_order)

    return run


def _self(test: NodeTest) -> Run:
    accept = accepts(test)
    if test.kind == "node":
        return written(lambda n, e: [n], lambda w, n: f"[{n}]", safe=True)
    return lambda n, e: [n] if accept(n) else _NONE


def _parent(test: NodeTest) -> Run:
    accept = accepts(test)

    def run(n: Any, e: Env) -> list[Any]:
        parent = n.parent
        return [parent] if parent is not None and accept(parent) else _NONE

    def source(w: Writer, n: str) -> str:
        v = w.name()
        if test.kind == "node":
            return f"([{v}] if ({v} := {n}.parent) is not None else {w.constant(_NONE)})"
        fits = f"{w.constant(accept)}({v})"
        return f"([{v}] if ({v} := {n}.parent) is not None and {fits} else {w.constant(_NONE)})"

    return written(run, source, safe=True)


def _ancestors(test: NodeTest, *, own: bool) -> Run:
    accept = accepts(test)

    def run(n: Any, e: Env) -> list[Any]:
        found = []
        m = n if own else n.parent
        while m is not None:
            if accept(m):
                found.append(m)
            m = m.parent
        return found

    return run


def _element_only(n: Any) -> None:
    if type(n) is not Element:
        raise OutsideSubset("this axis from what is no element")


def _elements_test(test: NodeTest) -> Callable[[Any], bool]:
    if test.kind in ("node", "text"):
        raise OutsideSubset("texts along this axis")
    return accepts(test)


def _pool(e: Env, tag: str | None) -> list[Element]:
    document: Document = e[DOCUMENT]
    return document.elements if tag is None else document.by_tag.get(tag, _NONE)


def _following(test: NodeTest) -> Run:
    accept, tag = _elements_test(test), tag_of(test)

    def run(n: Any, e: Env) -> list[Any]:
        _element_only(n)
        pool = _pool(e, tag)
        return [m for m in pool[bisect_right(pool, n.end, key=in_order) :] if accept(m)]

    return run


def _preceding(test: NodeTest) -> Run:
    accept, tag = _elements_test(test), tag_of(test)

    def run(n: Any, e: Env) -> list[Any]:
        _element_only(n)
        pool = _pool(e, tag)
        before = pool[: bisect_left(pool, n.order, key=in_order)]
        return [m for m in reversed(before) if m.end < n.order and accept(m)]

    return run


def _sibling(test: NodeTest, *, before: bool) -> Run:
    accept, tag = _elements_test(test), tag_of(test)

    def run(n: Any, e: Env) -> list[Any]:
        if type(n) is Attribute or n.parent is None:
            return _NONE
        _element_only(n)
        pool = n.parent.children if tag is None else n.parent.kids.get(tag, _NONE)
        if before:
            return [m for m in reversed(pool) if m.order < n.order and accept(m)]
        return [m for m in pool if m.order > n.order and accept(m)]

    return run


_AXES: Final[dict[str, Callable[[NodeTest], Run]]] = {
    "child": _child,
    EVERY_ATTRIBUTE: _every_attribute,
    "descendant": _descendant,
    "descendant-or-self": _descendant_or_self,
    "self": _self,
    "parent": _parent,
    "ancestor": lambda test: _ancestors(test, own=False),
    "ancestor-or-self": lambda test: _ancestors(test, own=True),
    "following": _following,
    "preceding": _preceding,
    "preceding-sibling": lambda test: _sibling(test, before=True),
    "following-sibling": lambda test: _sibling(test, before=False),
}
