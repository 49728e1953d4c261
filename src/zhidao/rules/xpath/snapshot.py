"""The snapshot of a document: one pass over its markup, one look-up for each start tag.

Asking lxml for each element's name, prefix, attributes and text costs a call into C each, and an
object that lxml has to make first. Instead libxml2 writes the tree once in its own regular form,
which is cut at each `<`; a start tag that was met before is known with its kind and attributes.
"""

from __future__ import annotations

from typing import Any, Final

from lxml import etree

from zhidao.rules.xpath.markup import Markup, plain
from zhidao.rules.xpath.nodes import Document, Element, Kinds, in_order

_NO_KIDS: Final[dict[str, list[Element]]] = {}


def snapshot(  # noqa: PLR0915 (one loop, a third dearer in pieces)
    root: etree._Element, kinds: Kinds | None = None
) -> Document:
    """The document below a root element; comments and instructions must be gone already.

    `kinds`: those of the process; without them the document has kinds of its own.
    """
    kinds = kinds or Kinds()
    document = Document()
    elements = document.elements
    by_kind = document.by_kind
    owning: list[Element] = []
    text = etree.tostring(root, encoding="unicode", with_tail=False)
    has_references = "&" in text
    pieces = text.split("<")
    # Before the first `<` stands nothing.
    del pieces[0]
    markup = Markup(pieces)
    parent: Any = document
    above = kinds.written
    opening, known = above, above.below
    kids = document.kids
    # What is open further up; and the element just opened, a leaf unless another opens in it.
    stack: list[Any] = []
    last: Element | None = None
    order = 0
    for piece in pieces:
        if piece[0] == "/":
            if last is None:
                parent.end = order - 1
                parent, above, kids = stack.pop()
                known = above.below
            else:
                last = None
            continue
        if last is not None:
            stack.append((parent, above, kids))
            parent, above, known = last, opening, opening.below
            last.text = None
            last.source = markup
            last.kids = kids = {}
        head, _, text = piece.partition(">")
        try:
            opening = known[head]
        except KeyError:
            opening = kinds.opened(head, above)
        kind = opening.kind
        tag = kind.tag
        if has_references:
            text = plain(text) if "&" in text else text
        element = last = Element(
            kind, tag, order, order, parent, opening.attributes, text, None, _NO_KIDS
        )
        if opening.is_empty:
            element.text = ""
            last = None
        order += 1
        elements.append(element)
        if tag in kids:
            kids[tag].append(element)
        else:
            kids[tag] = [element]
        if kind in by_kind:
            by_kind[kind].append(element)
        else:
            by_kind[kind] = [element]
        if opening.attributes:
            owning.append(element)
    document.root = elements[0]
    document.end = order - 1
    _index(document, owning)
    kinds.bound()
    return document


def _index(document: Document, owning: list[Element]) -> None:
    """Lists the elements of each tag and with each attribute, in document order.

    `owning`: those that have attributes. A tag of one kind shares that kind's list.
    """
    by_tag, owners = document.by_tag, document.owners
    mixed: set[str] = set()
    for kind, nodes in document.by_kind.items():
        tag = kind.tag
        if tag not in by_tag:
            by_tag[tag] = nodes
        elif tag in mixed:
            by_tag[tag] += nodes
        else:
            mixed.add(tag)
            by_tag[tag] = by_tag[tag] + nodes
    for tag in mixed:
        by_tag[tag].sort(key=in_order)
    for element in owning:
        for name in element.attributes:
            if name in owners:
                owners[name].append(element)
            else:
                owners[name] = [element]
