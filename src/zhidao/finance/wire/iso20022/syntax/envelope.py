"""A message with its business application header, whatever element wraps the two.

head.001.001.02 and .01 are known; the wrapper's name is the network's affair and is not looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from zhidao.core.errors import MalformedInput
from zhidao.finance.wire.iso20022.syntax.grammar import NAMESPACE
from zhidao.finance.wire.iso20022.syntax.parsing import parse_message

if TYPE_CHECKING:
    from lxml.etree import _Element

_HEADERS: Final = ("head.001.001.01", "head.001.001.02", "head.001.001.03")


@dataclass(frozen=True, slots=True)
class Header:
    """What head.001 says: who sends what to whom. A BIC is `` where another identifier stands."""

    sender_bic: str
    receiver_bic: str
    message: str
    definition: str
    service: str
    created: str


@dataclass(frozen=True, slots=True, eq=False)
class Envelope:
    """A message as it was found: its definition, its Document element, its header if any."""

    definition: str
    document: _Element
    header: Header | None
    header_element: _Element | None


class OfOthers(MalformedInput):
    """A message in a namespace of another organisation. `definition`: as that one names it."""

    def __init__(self, definition: str, whose: str) -> None:
        super().__init__(
            f"{definition} is in the namespace of {whose}, which is not ISO's",
            code="FF01",
            remedy=f"send it in ISO's own namespace, {NAMESPACE}…",
        )
        self.definition = definition
        self.whose = whose


# Swiss payments until 2022, as SIX published its schemas.
_OTHERS: Final = (
    (
        re.compile(r"https?://www\.six-interbank-clearing\.com/\w\w/([\w.]+)\.xsd"),
        "SIX Interbank Clearing",
    ),
)


def _whose(root: _Element) -> OfOthers | None:
    for one in root.iter("{*}Document"):
        space = str(one.tag)[1:].partition("}")[0]
        for form, whose in _OTHERS:
            found = form.fullmatch(space)
            if found is not None:
                return OfOthers(found[1], whose)
    return None


def read_envelope(data: bytes) -> Envelope:
    """Finds header and document. Raises MalformedInput with code FF01 for anything else.

    OfOthers for a namespace that is known and not ISO's.

    Exactly one Document and at most one AppHdr may stand in a file: a second one, wherever it is
    hidden, would let two readers see two messages.
    """
    root = parse_message(data)
    documents, headers = [], []
    for one in root.iter("{*}Document", "{*}AppHdr"):
        definition = _definition(one)
        if local(one) == "Document":
            documents += [one] if definition else []
        elif definition in _HEADERS:
            headers.append(one)
    others = None if documents else _whose(root)
    if others is not None:
        raise others
    if len(documents) != 1 or len(headers) > 1:
        raise MalformedInput(
            f"{len(documents)} documents and {len(headers)} headers stand in this file",
            code="FF01",
            remedy="send one message a file, not wrapped in CDATA",
        )
    [document] = documents
    if len(document) != 1:
        raise MalformedInput("a Document holds one message", code="FF01", where=line_of(document))
    element = headers[0] if headers else None
    if element is not None and (document in element.iterdescendants()):
        raise MalformedInput("the document stands inside its header", code="FF01")
    header = _header(element) if element is not None else None
    return Envelope(_definition(document), document, header, element)


def line_of(element: _Element) -> str:
    """Where an element stands, for a person."""
    return f"line {element.sourceline}"


def path_of(element: _Element) -> str:
    """The names from the document down to an element, without namespaces."""
    names = [local(element)]
    for above in element.iterancestors():
        names.append(local(above))
        if names[-1] in ("Document", "AppHdr"):
            break
    return "/".join(reversed(names))


def local(element: _Element) -> str:
    """An element's name without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else "#comment"


def _definition(element: _Element) -> str:
    tag = element.tag
    space = tag[1:].partition("}")[0] if isinstance(tag, str) and tag[0] == "{" else ""
    return space.removeprefix(NAMESPACE) if space.startswith(NAMESPACE) else ""


def _header(element: _Element) -> Header:
    def text(path: str) -> str:
        return (
            element.findtext("/".join(f"{{*}}{name}" for name in path.split("/"))) or ""
        ).strip()

    return Header(
        text("Fr/FIId/FinInstnId/BICFI"),
        text("To/FIId/FinInstnId/BICFI"),
        text("BizMsgIdr"),
        text("MsgDefIdr"),
        text("BizSvc"),
        text("CreDt"),
    )
