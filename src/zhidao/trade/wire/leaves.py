"""Document bytes to leaves and back: JSON by RFC 8785, XML in UTF-8 without blanks between tags."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from lxml import etree

from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.rules import SPACES, parse_xml
from zhidao.trade.domain.documents.mapping import DocumentForm, Leaves, Scalar, Syntax

DOCUMENT_BYTES_MAX: Final = 8 * 1024 * 1024
_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_INDEX: Final = re.compile(r"\[(\d*)\]")


def encode(leaves: Mapping[str, Scalar], form: DocumentForm) -> bytes:
    """The document's bytes; the same leaves always give the same bytes."""
    if form.syntax is Syntax.JSON:
        return jcs(_nested(leaves))
    return _xml(leaves, form)


def decode(data: bytes, form: DocumentForm) -> Leaves:
    """The leaves of a document's bytes.

    Raises MalformedInput for what is no document of that syntax and root.
    """
    if form.syntax is Syntax.JSON:
        leaves: Leaves = {}
        plain = parse_strict(data, bytes_max=DOCUMENT_BYTES_MAX)
        if not isinstance(plain, dict):
            raise MalformedInput(f"{form.kind}: not a JSON object")
        _flatten(plain, "", leaves)
        return leaves
    root = parse_xml(data)
    if root.tag != form.root:
        raise MalformedInput(
            f"{form.kind}: the root is {etree.QName(root).localname}, not "
            f"{etree.QName(form.root).localname}",
            where="root element",
        )
    return _leaves_of_xml(root, _lists(form))


def _nested(leaves: Mapping[str, Scalar]) -> Any:
    root: dict[str, Any] = {}
    for place, value in leaves.items():
        steps: list[str | int] = [match[1] or int(match[2]) for match in _STEP.finditer(place)]
        holder: Any = root
        for step, follower in pairwise(steps):
            empty: Any = [] if isinstance(follower, int) else {}
            holder = _child(holder, step, empty)
        _child(holder, steps[-1], value)
    return root


def _child(holder: Any, step: str | int, new: Any) -> Any:
    if isinstance(step, int):
        if step == len(holder):
            holder.append(new)
        elif step > len(holder):
            raise MalformedInput(f"a list has no member {len(holder)} but one at {step}")
        return holder[step]
    return holder.setdefault(step, new)


def _flatten(value: Any, place: str, leaves: Leaves) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            # A key that looks like a path would be read as another place.
            if not key or _STEP.sub("", key) or "[" in key or "." in key:
                raise MalformedInput(f"a key that cannot be a place: {key[:40]!r}", where=place)
            _flatten(item, f"{place}.{key}" if place else key, leaves)
        if not value:
            leaves[f"{place}.{{}}"] = ""
    elif isinstance(value, list):
        for k, item in enumerate(value):
            _flatten(item, f"{place}[{k}]", leaves)
        if not value:
            leaves[f"{place}.[]"] = ""
    elif value is None:
        leaves[f"{place}.null"] = ""
    else:
        leaves[place] = value


def _xml(leaves: Mapping[str, Scalar], form: DocumentForm) -> bytes:
    name = etree.QName(form.root)
    spaces: Any = {prefix: uri for prefix, uri in SPACES[form.kind].items() if uri}
    root = etree.Element(name, nsmap=spaces)
    prefixes = {prefix or "": uri for prefix, uri in spaces.items()}
    known: dict[str, etree._Element] = {"": root}
    for place, value in leaves.items():
        owner, _, attribute = place.partition("/@")
        element = _element(known, owner, prefixes)
        if attribute:
            element.set(attribute, str(value))
        else:
            element.text = str(value)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _element(
    known: dict[str, etree._Element], place: str, prefixes: Mapping[str, str]
) -> etree._Element:
    found = known.get(place)
    if found is None:
        parent, _, step = place.rpartition("/")
        prefix, _, local = _INDEX.sub("", step).rpartition(":")
        tag = f"{{{prefixes[prefix]}}}{local}"
        found = etree.SubElement(_element(known, parent, prefixes), tag)
        known[place] = found
    return found


def _lists(form: DocumentForm) -> frozenset[str]:
    """Places, without indices, whose elements always bear an index."""
    found = set()
    for part in form.parts:
        at = getattr(part, "at", "")
        for match in _INDEX.finditer(at):
            found.add(_INDEX.sub("", at[: match.start()]))
    return frozenset(found | REPEATED.get(form.kind.replace("credit_note", "invoice"), set()))


# Places that repeat beside those of rows: the VAT breakdown and the notes of both invoices.
REPEATED: Final = {
    "invoice_ubl": {"cac:TaxTotal/cac:TaxSubtotal", "cbc:Note"},
    "invoice_cii": {
        "rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeSettlement/ram:ApplicableTradeTax",
        "rsm:ExchangedDocument/ram:IncludedNote",
    },
}


def _leaves_of_xml(root: etree._Element, lists: frozenset[str]) -> Leaves:
    leaves: Leaves = {}
    _walk(root, "", "", lists, leaves)
    return leaves


def _walk(
    element: etree._Element, place: str, bare: str, lists: frozenset[str], leaves: Leaves
) -> None:
    seen: dict[str, int] = {}
    for child in element.iterchildren(tag=etree.Element):
        name = etree.QName(child)
        step = f"{_PREFIXES.get(name.namespace or '', name.namespace)}:{name.localname}"
        child_bare = f"{bare}/{step}" if bare else step
        k = seen.get(step, 0)
        seen[step] = k + 1
        index = f"[{k}]" if k or child_bare in lists else ""
        child_place = (f"{place}/{step}" if place else step) + index
        _walk(child, child_place, child_bare, lists, leaves)
    text = (element.text or "").strip()
    if place and (text or not seen):
        leaves[place] = text
    for attribute, value in element.attrib.items():
        leaves[f"{place}/@{attribute!s}"] = str(value)


_PREFIXES: Final = {
    uri: prefix for spaces in SPACES.values() for prefix, uri in spaces.items() if prefix
}
