"""Where in a UBL document: short XPaths with the customary prefixes, `[n]` only from the second."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Final

from lxml import etree

from zhidao.rules import Attribute, Document, Element

_COMMON: Final = "urn:oasis:names:specification:ubl:schema:xsd:Common"
_CII: Final = "urn:un:unece:uncefact:data:standard:"
PREFIXES: Final = {
    _COMMON + "AggregateComponents-2": "cac:",
    _COMMON + "BasicComponents-2": "cbc:",
    _COMMON + "ExtensionComponents-2": "ext:",
    "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2": "",
    "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2": "",
    "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100": "rsm:",
    _CII + "ReusableAggregateBusinessInformationEntity:100": "ram:",
    _CII + "UnqualifiedDataType:100": "udt:",
    _CII + "QualifiedDataType:100": "qdt:",
}


_SPACES: Final = {prefix[:-1]: space for space, prefix in PREFIXES.items() if prefix}
_order: Final = attrgetter("order")


def path_of(text: str) -> tuple[str, ...]:
    """A path of children, `cac:PaymentTerms/cbc:Note`, as the names that elements bear."""
    steps = (step.rpartition(":") for step in text.split("/"))
    return tuple(f"{{{_SPACES[prefix]}}}{local}" for prefix, _, local in steps)


def spots(node: Element, path: Sequence[str]) -> Iterator[Element]:
    """The elements at the end of a path of children, in document order."""
    first, *rest = path
    for child in node.kids.get(first, ()):
        if rest:
            yield from spots(child, rest)
        else:
            yield child


def first_text(node: Element, path: Sequence[str]) -> str:
    """The text of the first element at the end of a path, without the blanks of XML around it.

    A no-break space is none of them (XML 1.0 section 2.3): to rules it is a letter like others.
    """
    spot = first_spot(node, path)
    return "" if spot is None else own_text(spot).strip(" \t\r\n")


def first_spot(node: Element, path: Sequence[str]) -> Element | None:
    """The first element at the end of a path; mostly it stands below the first of each step."""
    found = node
    for step in path:
        children = found.kids.get(step)
        if children is None:
            return next(spots(node, path), None) if found is not node else None
        found = children[0]
    return found


def own_text(node: Element) -> str:
    """The text in front of an element's first child; all of it where it has none."""
    if node.source is None:
        return node.text or ""
    return node.source.own_texts(int(node.order))[0]


def place_of(element: etree._Element) -> str:
    """The place of an element: `/Invoice/cac:InvoiceLine[2]/cbc:ID`."""
    steps = []
    current: etree._Element | None = element
    while current is not None:
        name = etree.QName(current)
        twins = sum(1 for _ in current.itersiblings(current.tag, preceding=True))
        steps.append(_step(name.namespace or "", name.localname, twins + 1))
        current = current.getparent()
    return "".join(reversed(steps))


def place_of_node(node: Element | Attribute) -> str:
    """The place of a node of a snapshot, found without counting siblings one by one."""
    steps = []
    current: Document | Element | Attribute | None = node
    if isinstance(current, Attribute):
        steps.append("/@" + _step(*_name(current.tag), 1)[1:])
        current = current.parent
    while isinstance(current, Element) and current.parent is not None:
        twins = current.parent.kids[current.tag]
        steps.append(_step(*_name(current.tag), bisect_left(twins, current.order, key=_order) + 1))
        current = current.parent
    return "".join(reversed(steps))


def _name(tag: str) -> tuple[str, str]:
    space, _, local = tag.rpartition("}")
    return space.removeprefix("{"), local


def _step(space: str, local: str, index: int) -> str:
    prefix = PREFIXES.get(space, f"{{{space}}}") if space else ""
    return f"/{prefix}{local}" + (f"[{index}]" if index > 1 else "")
