"""A document as closures walk it: plain objects with children by tag, in document order.

`snapshot.py` takes them from an lxml tree once; steps then cost a dictionary look-up instead of a
call into C. Each element also knows its kind, the names from the root down to it: kinds outlive
documents, so what depends on names alone is settled once for all of them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from operator import attrgetter
from typing import ClassVar, Final

import msgspec

from zhidao.rules.xpath.markup import XML_SPACE, Markup, start_tag

# Orders of texts stand between those of elements: after attributes, before the first child;
# after a child's descendants, the deeper first. 64 levels fit (XML_DEPTH_MAX).
_TEXT_FIRST: Final = 0.5
_TAIL: Final = 0.95
_TAIL_LEVEL: Final = 0.005
_ATTRIBUTE: Final = 0.4
in_order: Final = attrgetter("order")


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


class Opening:
    """A start tag as documents write it, below another: read once, then found by its text.

    What stands below it is found in `below` by the text of its own start tag. `spaces` are the
    namespaces by prefix inside the element; '' is the prefix of none. `is_empty`: it ends at once.
    """

    __slots__ = ("attributes", "below", "is_empty", "kind", "spaces")

    def __init__(
        self,
        kind: Kind,
        attributes: dict[str, str],
        spaces: dict[str, str],
        *,
        is_empty: bool = False,
    ) -> None:
        self.kind = kind
        self.attributes = attributes
        self.spaces = spaces
        self.is_empty = is_empty
        self.below: dict[str, Opening] = {}


_NAMES_MAX: Final = 20_000


class Kinds:
    """The kinds that a process has met, and the start tags.

    Names and values come from strangers: beyond 20,000 of either it begins anew.
    """

    __slots__ = ("count", "openings", "top", "written")

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Forgets all kinds; documents that have some keep them."""
        self.top = Kind("", None, None)
        self.written = Opening(self.top, {}, {"": "", "xml": XML_SPACE})
        self.count = self.openings = 0

    def bound(self) -> None:
        """Begins anew when there are too many. Between documents: one has kinds of one time."""
        if self.count > _NAMES_MAX or self.openings > _NAMES_MAX:
            self.begin()

    def of(self, tag: str, prefix: str | None, above: Kind) -> Kind:
        """The kind of a tag and prefix below another kind."""
        kind = above.below.get(tag)
        if kind is not None and kind.prefix != prefix:
            kind = kind.twins.get(prefix)
        return self._made(tag, prefix, above) if kind is None else kind

    def _made(self, tag: str, prefix: str | None, above: Kind) -> Kind:
        self.count += 1
        made = Kind(tag, prefix, above)
        if above.below is _NO_KINDS:
            above.below = {}
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

    def opened(self, head: str, above: Opening) -> Opening:
        """The start tag `head` (all between `<` and `>`) below another."""
        name, attributes, spaces = start_tag(head, above.spaces)
        prefix, _, local = name.rpartition(":")
        space = spaces[prefix]
        tag = sys.intern(f"{{{space}}}{local}" if space else local)
        kind = self.of(tag, prefix or None, above.kind)
        made = Opening(kind, attributes, spaces, is_empty=head[-1] == "/")
        # What is long is hardly met again.
        if len(head) <= _HEAD_CHARS_KEPT:
            self.openings += 1
            above.below[head] = made
        return made


_HEAD_CHARS_KEPT: Final = 2000


def children_of(kids: dict[str, list[Element]]) -> list[Element]:
    """All lists of one parent as one, in document order."""
    return sorted((node for nodes in kids.values() for node in nodes), key=in_order)


class Document:
    """The document node. `by_tag` and `by_kind` list elements, `elements` all, in order.

    `owners` lists the elements that have an attribute of a name.
    """

    __slots__ = (*("by_kind", "by_tag", "elements", "end", "kids", "order", "owners", "root"),)
    tag = ""
    text = None
    parent = None
    attributes: ClassVar[dict[str, str]] = {}

    def __init__(self) -> None:
        self.order: float = -1
        self.end = -1
        self.elements: list[Element] = []
        self.kids: dict[str, list[Element]] = {}
        self.by_tag: dict[str, list[Element]] = {}
        self.by_kind: dict[Kind, list[Element]] = {}
        self.owners: dict[str, list[Element]] = {}
        self.root: Element

    @property
    def children(self) -> list[Element]:
        """The root element, in a list."""
        return children_of(self.kids)

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


class Element(msgspec.Struct, eq=False):
    """An element. `order` is its place among the elements, `end` that of its last descendant.

    A leaf has its `text`. Only an element with children has a `source`, the markup of the document;
    its text is joined when it is asked for.
    """

    kind: Kind
    tag: str
    order: float
    end: int
    parent: Element | Document | None
    attributes: dict[str, str]
    text: str | None
    source: Markup | None
    kids: dict[str, list[Element]]

    def __repr__(self) -> str:
        return f"<{self.tag} at {self.order}>"

    @property
    def children(self) -> list[Element]:
        """The elements below, in order; few rules ask for them without a name."""
        return children_of(self.kids)

    @property
    def prefix(self) -> str | None:
        """The prefix that the document writes in front of the name."""
        return self.kind.prefix

    def string(self) -> str:
        """The string value: the text of the element and all below it."""
        text = self.text
        if text is None:
            assert self.source is not None
            text = self.text = self.source.all_text(int(self.order))
        return text

    def texts(self) -> Iterator[Text]:
        """The text nodes that are children, in order."""
        if self.source is None:
            if self.text:
                yield Text(self.text, self, self.order + _TEXT_FIRST)
            return
        first, *tails = self.source.own_texts(int(self.order))
        if first:
            yield Text(first, self, self.order + _TEXT_FIRST)
        place = _TAIL - _TAIL_LEVEL * self._depth()
        for child, tail in zip(self.children, tails, strict=True):
            if tail:
                yield Text(tail, self, child.end + place)

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
