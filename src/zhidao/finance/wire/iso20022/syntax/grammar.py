"""The part of a message definition that this house writes, and the reader that holds it to it.

A grammar lists elements in their order. The reader refuses what it does not know, what is missing
and what stands twice, so that a message means the same to the ledger as to any other reader.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from zhidao.core.errors import MalformedInput
from zhidao.finance.wire.iso20022.syntax.parsing import parse_message

if TYPE_CHECKING:
    from lxml.etree import _Element

MESSAGE_BYTES_MAX: Final = 1024 * 1024
NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:"


@dataclass(frozen=True, slots=True)
class Leaf:
    """An element with text that matches `pattern`, and one attribute if it is named."""

    pattern: str
    attribute: str = ""
    attribute_pattern: str = ""


@dataclass(frozen=True, slots=True)
class Branch:
    """An element with these elements inside, in this order: each once, `many` any number of times.

    `many` names a part that has no other of its name.
    """

    parts: tuple[tuple[str, Leaf | Branch], ...]
    many: str = ""

    def told(self, names: Sequence[str]) -> tuple[tuple[str, Leaf | Branch], ...]:
        """The parts with the repeated one as often as these names have it."""
        if not self.many:
            return self.parts
        times = names.count(self.many)
        return tuple(
            part for part in self.parts for _ in range(times if part[0] == self.many else 1)
        )


@dataclass(frozen=True, slots=True)
class Node:
    """An element as read or to be written."""

    name: str
    text: str = ""
    attribute: str = ""
    children: tuple[Node, ...] = ()

    def at(self, path: str) -> Node:
        """The element under this one at a path that the grammar guarantees."""
        node = self
        for step in path.split("/"):
            node = next(child for child in node.children if child.name == step)
        return node

    def all(self, name: str) -> tuple[Node, ...]:
        """The elements of this name right under this one."""
        return tuple(child for child in self.children if child.name == name)


def branch(name: str, *children: Node) -> Node:
    """An element with elements inside."""
    return Node(name, children=children)


def write(definition: str, document: Node, grammar: Branch) -> bytes:
    """The message as UTF-8 XML. `definition`: such as `pacs.008.001.08`."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(f'<Document xmlns="{NAMESPACE}{definition}">')
    _render(document, grammar, lines, 1)
    lines.append("</Document>\n")
    return "\n".join(lines).encode()


def _render(node: Node, spec: Leaf | Branch, lines: list[str], depth: int) -> None:
    pad = "  " * depth
    if isinstance(spec, Leaf):
        attribute = f' {spec.attribute}="{node.attribute}"' if spec.attribute else ""
        assert re.fullmatch(spec.pattern, node.text), f"{node.name} holds {node.text!r}"
        lines.append(f"{pad}<{node.name}{attribute}>{escape(node.text)}</{node.name}>")
        return
    names = [child.name for child in node.children]
    parts = spec.told(names)
    assert names == [name for name, _ in parts], f"{node.name} is not as its grammar"
    lines.append(f"{pad}<{node.name}>")
    for child, (_, inner) in zip(node.children, parts, strict=True):
        _render(child, inner, lines, depth + 1)
    lines.append(f"{pad}</{node.name}>")


def read(definition: str, data: bytes, root: str, grammar: Branch) -> Node:
    """Reads a message strictly. Raises MalformedInput with line and element for anything else."""
    element = _parse(data)
    space = f"{{{NAMESPACE}{definition}}}"
    _expect(element, f"{space}Document")
    inside = _inner(element)
    if len(inside) != 1:
        raise _wrong(element, f"one {root} is expected inside Document")
    _expect(inside[0], f"{space}{root}")
    return _walk(inside[0], root, grammar, space)


def _parse(data: bytes) -> _Element:
    # Comments and processing instructions are kept so that the walk can refuse them.
    element = parse_message(data, bytes_max=MESSAGE_BYTES_MAX, keeps_remarks=True)
    if element.getprevious() is not None or element.getnext() is not None:
        raise MalformedInput("something stands outside the document", code="FF01")
    return element


def _walk(element: _Element, name: str, spec: Leaf | Branch, space: str) -> Node:
    if isinstance(spec, Leaf):
        return _leaf(element, name, spec)
    if element.attrib:
        raise _wrong(element, "no attribute is known here")
    inside = _inner(element)
    names = [_local(child, space) for child in inside]
    parts = spec.told(names)
    wanted = [part for part, _ in parts]
    if names != wanted:
        raise _wrong(element, _difference(names, wanted))
    return Node(
        name,
        children=tuple(
            _walk(child, part, inner, space)
            for child, (part, inner) in zip(inside, parts, strict=True)
        ),
    )


def _leaf(element: _Element, name: str, spec: Leaf) -> Node:
    if len(element):
        raise _wrong(element, "text is expected, elements stand there")
    text = element.text or ""
    if not re.fullmatch(spec.pattern, text):
        raise _wrong(element, f"{text[:40]!r} is not of the expected form")
    wanted = {spec.attribute} if spec.attribute else set()
    if set(element.attrib) != wanted:
        raise _wrong(element, f"the attributes are not {sorted(wanted)}")
    value = str(element.get(spec.attribute)) if spec.attribute else ""
    if spec.attribute and not re.fullmatch(spec.attribute_pattern, value):
        raise _wrong(element, f"{spec.attribute} is {value[:40]!r}")
    return Node(name, text, value)


def _inner(element: _Element) -> list[_Element]:
    """The elements inside; only blanks may stand between them."""
    for text in (element.text, *(child.tail for child in element)):
        if text and text.strip(" \t\r\n"):
            raise _wrong(element, "text stands between elements")
    return list(element)


def _difference(names: Sequence[str], wanted: Sequence[str]) -> str:
    for name in names:
        if name not in wanted:
            return f"the element {name} is not known here"
        if names.count(name) > 1:
            return f"the element {name} stands twice"
    for name in wanted:
        if name not in names:
            return f"the element {name} is missing"
    return f"the elements stand in the wrong order: {' '.join(names)}"


def _local(element: _Element, space: str) -> str:
    # A comment's tag is a function; it is refused as an unknown element.
    tag = element.tag if isinstance(element.tag, str) else "(comment or instruction)"
    return tag.removeprefix(space)


def _expect(element: _Element, tag: str) -> None:
    if element.tag != tag:
        raise _wrong(element, f"{tag} is expected, {element.tag!s:.120} stands there")


def _wrong(element: _Element, what: str) -> MalformedInput:
    tag = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else "?"
    return MalformedInput(f"{tag}: {what}", code="FF01", where=f"line {element.sourceline}")
