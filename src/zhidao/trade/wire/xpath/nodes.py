"""A document as closures walk it: plain objects with children by tag, in document order.

Taken from an lxml tree once; steps then cost a dictionary look-up instead of a call into C.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Final

from lxml import etree

_NO_NODES: Final[list[Element]] = []
# Orders of texts stand between those of elements: after attributes, before the first child;
# after a child's descendants, the deeper first. 64 levels fit (safe_xml.XML_DEPTH_MAX).
_TEXT_FIRST: Final = 0.5
_TAIL: Final = 0.95
_TAIL_LEVEL: Final = 0.005
_ATTRIBUTE: Final = 0.4


class Document:
    """The document node. `by_tag` lists elements of a tag, `elements` all, in order.

    `owners` lists the elements that have an attribute of a name.
    """

    __slots__ = (
        *("by_tag", "children", "elements", "end", "kids", "mixed", "order", "owners", "root"),
    )
    tag = ""
    parent = None
    attributes: ClassVar[dict[str, str]] = {}

    def __init__(self) -> None:
        self.order: float = -1
        self.end = -1
        self.elements: list[Element] = []
        self.children: list[Element] = []
        self.kids: dict[str, list[Element]] = {}
        self.by_tag: dict[str, list[Element]] = {}
        self.owners: dict[str, list[Element]] = {}
        # Tags that the document writes with more than one prefix.
        self.mixed: set[str] = set()
        self.root: Element

    def release(self) -> None:
        """Cuts the way up from each element, so that memory is free without a search for cycles."""
        for element in self.elements:
            element.parent = None

    def string(self) -> str:
        """The string value: all text."""
        return self.root.string()

    def texts(self) -> Iterator[Text]:
        """No text stands outside the root element."""
        return iter(())


class Element:
    """An element. `order` is its place among the elements, `end` that of its last descendant."""

    __slots__ = (
        "attributes",
        "children",
        "end",
        "kids",
        "order",
        "parent",
        "prefix",
        "source",
        "tag",
        "text",
    )

    def __init__(
        self, tag: str, prefix: str | None, order: int, parent: Element | Document
    ) -> None:
        self.tag = tag
        self.prefix = prefix
        self.order: float = order
        self.end = order
        self.parent: Element | Document | None = parent
        self.children: list[Element] = _NO_NODES
        self.kids: dict[str, list[Element]] = _NO_KIDS
        self.attributes: dict[str, str] = _NO_ATTRIBUTES
        # A leaf has its text; only an element with children keeps its source.
        self.text: str | None = None
        self.source: etree._Element | None = None

    def string(self) -> str:
        """The string value: the text of the element and all below it."""
        text = self.text
        if text is None:
            assert self.source is not None
            text = self.text = _all_text(self.source)
        return text

    def texts(self) -> Iterator[Text]:
        """The text nodes that are children, in order."""
        source = self.source
        first = self.text if source is None else source.text
        if first:
            yield Text(first, self, self.order + _TEXT_FIRST)
        if source is None:
            return
        place = _TAIL - _TAIL_LEVEL * self._depth()
        for child, theirs in zip(self.children, source, strict=True):
            if theirs.tail:
                yield Text(theirs.tail, self, child.end + place)

    def _depth(self) -> int:
        depth = 0
        above = self.parent
        while isinstance(above, Element):
            depth += 1
            above = above.parent
        return depth

    def attribute_nodes(self) -> Iterator[Attribute]:
        """The attributes as nodes."""
        step = _ATTRIBUTE / (len(self.attributes) + 1)
        for index, (tag, value) in enumerate(self.attributes.items(), 1):
            yield Attribute(tag, value, self, self.order + index * step)

    def attribute(self, tag: str) -> Attribute | None:
        """One attribute as a node."""
        if tag not in self.attributes:
            return None
        return next(each for each in self.attribute_nodes() if each.tag == tag)


def _all_text(source: etree._Element) -> str:
    return "".join(map(str, source.itertext()))


_NO_KIDS: Final[dict[str, list[Element]]] = {}
_NO_ATTRIBUTES: Final[dict[str, str]] = {}


class Attribute:
    """An attribute; two of one element and name are the same node."""

    __slots__ = ("order", "parent", "tag", "value")
    kids: ClassVar[dict[str, list[Element]]] = {}
    children: ClassVar[list[Element]] = []
    attributes: ClassVar[dict[str, str]] = {}

    def __init__(self, tag: str, value: str, parent: Element, order: float) -> None:
        self.tag = tag
        self.value = value
        self.parent = parent
        self.order = order

    def string(self) -> str:
        """The attribute's value."""
        return self.value

    def texts(self) -> Iterator[Text]:
        """An attribute has no children."""
        return iter(())


class Text:
    """A text node."""

    __slots__ = ("order", "parent", "value")
    tag = ""
    kids: ClassVar[dict[str, list[Element]]] = {}
    children: ClassVar[list[Element]] = []
    attributes: ClassVar[dict[str, str]] = {}

    def __init__(self, value: str, parent: Element, order: float) -> None:
        self.value = value
        self.parent = parent
        self.order = order

    def string(self) -> str:
        """The text."""
        return self.value

    def texts(self) -> Iterator[Text]:
        """A text has no children."""
        return iter(())


Node = Document | Element | Attribute | Text


def snapshot(root: etree._Element) -> Document:
    """The document below a root element; comments and instructions must be gone already."""
    document = Document()
    elements, by_tag, owners = document.elements, document.by_tag, document.owners
    attributes_like: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}

    def take(source: etree._Element, parent: Element | Document, order: int) -> Element:
        tag, prefix = source.tag, source.prefix
        same = by_tag.get(tag)
        if same is None:
            element = Element(tag, prefix, order, parent)
            by_tag[tag] = [element]
        else:
            # lxml makes each name anew; a large invoice has a hundred names in a million places.
            first = same[0]
            if first.prefix == prefix:
                prefix = first.prefix
            else:
                document.mixed.add(first.tag)
            element = Element(first.tag, prefix, order, parent)
            same.append(element)
        elements.append(element)
        attributes: Any = source.items()
        if attributes:
            key = tuple(attributes)
            known = attributes_like.get(key)
            if known is None:
                known = attributes_like[key] = dict(attributes)
            element.attributes = known
            for name in known:
                owned = owners.get(name)
                if owned is None:
                    owners[name] = [element]
                else:
                    owned.append(element)
        children: list[Element] = []
        kids: dict[str, list[Element]] = {}
        for below in source:
            child = take(below, element, len(elements))
            children.append(child)
            twins = kids.get(child.tag)
            if twins is None:
                kids[child.tag] = [child]
            else:
                twins.append(child)
        if children:
            element.children, element.kids, element.source = children, kids, source
            element.end = len(elements) - 1
        else:
            element.text = source.text or ""
        return element

    top = document.root = take(root, document, 0)
    document.children = [top]
    document.kids = {top.tag: [top]}
    document.end = len(elements) - 1
    return document
