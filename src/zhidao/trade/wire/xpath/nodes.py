"""A document as closures walk it: plain objects with children by tag, in document order.

Taken from an lxml tree once; steps then cost a dictionary look-up instead of a call into C. Each
element also knows its kind, the names from the root down to it: kinds outlive documents, so what
depends on names alone is settled once for all of them.
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


class Kind:
    """The elements of one tag and prefix below one kind of parent; `above` is that parent's."""

    __slots__ = ("above", "below", "prefix", "tag", "twins")

    def __init__(self, tag: str, prefix: str | None, above: Kind | None) -> None:
        self.tag = tag
        self.prefix = prefix
        self.above = above
        self.below: dict[str, Kind] = _NO_KINDS
        # The same tag below the same parent with another prefix.
        self.twins: dict[str | None, Kind] = _NO_TWINS


_NO_KINDS: Final[dict[str, Kind]] = {}
_NO_TWINS: Final[dict[str | None, Kind]] = {}
_KINDS_MAX: Final = 20_000


class Kinds:
    """The kinds that a process has met. Names come from strangers: beyond 20,000 it begins anew."""

    __slots__ = ("count", "top")

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Forgets all kinds; documents that have some keep them."""
        self.top = Kind("", None, None)
        self.count = 0

    def below(self, kind: Kind) -> dict[str, Kind]:
        """The kinds below one, to be added to."""
        if kind.below is _NO_KINDS:
            kind.below = {}
        return kind.below

    def made(self, tag: str, prefix: str | None, above: Kind) -> Kind:
        """A kind that was not there, filed under its parent's kind."""
        self.count += 1
        made = Kind(tag, prefix, above)
        first = above.below.get(tag)
        if first is None:
            above.below[tag] = made
            return made
        # One name object for all: a large document has few names in many places.
        made.tag = first.tag
        if first.twins is _NO_TWINS:
            first.twins = {}
        first.twins[prefix] = made
        return made


class Document:
    """The document node. `by_tag` and `by_kind` list elements, `elements` all, in order.

    `owners` lists the elements that have an attribute of a name.
    """

    __slots__ = (
        *("by_kind", "by_tag", "children", "elements", "end", "kids", "order", "owners", "root"),
    )
    tag = ""
    text = None
    parent = None
    attributes: ClassVar[dict[str, str]] = {}

    def __init__(self) -> None:
        self.order: float = -1
        self.end = -1
        self.elements: list[Element] = []
        self.children: list[Element] = []
        self.kids: dict[str, list[Element]] = {}
        self.by_tag: dict[str, list[Element]] = {}
        self.by_kind: dict[Kind, list[Element]] = {}
        self.owners: dict[str, list[Element]] = {}
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
        "kind",
        "order",
        "parent",
        "source",
        "tag",
        "text",
    )

    def __init__(
        self,
        kind: Kind,
        order: int,
        parent: Element | Document,
        attributes: dict[str, str],
        text: str | None,
        source: etree._Element | None,
        children: list[Element],
        kids: dict[str, list[Element]],
    ) -> None:
        self.kind = kind
        self.tag = kind.tag
        self.order: float = order
        self.end = order
        self.parent: Element | Document | None = parent
        self.attributes = attributes
        # A leaf has its text; only an element with children keeps its source.
        self.text = text
        self.source = source
        self.children = children
        self.kids = kids

    @property
    def prefix(self) -> str | None:
        """The prefix that the document writes in front of the name."""
        return self.kind.prefix

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
    text = None
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
    text = None
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


def snapshot(  # noqa: C901, PLR0912, PLR0915 (one loop, a third dearer in pieces)
    root: etree._Element, kinds: Kinds | None = None
) -> Document:
    """The document below a root element; comments and instructions must be gone already.

    `kinds`: those of the process; without them the document has kinds of its own.
    """
    kinds = kinds or Kinds()
    document = Document()
    elements, by_tag, by_kind = document.elements, document.by_tag, document.by_kind
    attributes_like: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
    parent: Any = document
    above, below = kinds.top, kinds.below(kinds.top)
    children, kids = document.children, document.kids
    # What is open further up, and how many children of the parent are still to come.
    stack: list[Any] = []
    left, order = 1, 0
    for source in root.iter():
        tag: Any = source.tag
        kind = below.get(tag)
        prefix = source.prefix
        if kind is None:
            kind = kinds.made(tag, prefix, above)
        elif kind.prefix != prefix:
            kind = kind.twins.get(prefix) or kinds.made(tag, prefix, above)
        tag = kind.tag
        found: Any = source.items()
        if found:
            key = tuple(found)
            attributes = attributes_like.get(key)
            if attributes is None:
                attributes = attributes_like[key] = dict(found)
        else:
            attributes = _NO_ATTRIBUTES
        count = len(source)
        if count:
            element = Element(kind, order, parent, attributes, None, source, [], {})
        else:
            text = source.text or ""
            element = Element(kind, order, parent, attributes, text, None, _NO_NODES, _NO_KIDS)
        order += 1
        elements.append(element)
        children.append(element)
        if tag in kids:
            kids[tag].append(element)
        else:
            kids[tag] = [element]
        if kind in by_kind:
            by_kind[kind].append(element)
        else:
            by_kind[kind] = [element]
        if tag in by_tag:
            by_tag[tag].append(element)
        else:
            by_tag[tag] = [element]
        if attributes:
            _own(document.owners, attributes, element)
        left -= 1
        if count:
            stack.append((parent, above, below, children, kids, left))
            parent, above, children, kids, left = (
                element,
                kind,
                element.children,
                element.kids,
                count,
            )
            below = kind.below if kind.below is not _NO_KINDS else kinds.below(kind)
            continue
        while not left and stack:
            parent.end = order - 1
            parent, above, below, children, kids, left = stack.pop()
    document.root = elements[0]
    document.end = order - 1
    if kinds.count > _KINDS_MAX:
        kinds.begin()
    return document


def _own(owners: dict[str, list[Element]], attributes: dict[str, str], element: Element) -> None:
    for name in attributes:
        if name in owners:
            owners[name].append(element)
        else:
            owners[name] = [element]
