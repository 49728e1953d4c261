"""What all messages have around their content: opening words, who speaks to whom, the frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from zhidao.core.errors import MalformedInput
from zhidao.finance.wire.iso20022.syntax.envelope import Envelope
from zhidao.finance.wire.iso20022.syntax.grammar import NAMESPACE

if TYPE_CHECKING:
    from lxml.etree import _Element


class Frame:
    """A checked message: its content by names without namespaces."""

    def __init__(self, envelope: Envelope) -> None:
        self.definition = envelope.definition
        self.start = len(NAMESPACE) + len(envelope.definition) + 2
        """How long the namespace in front of each name is."""
        self.root = envelope.document[0]
        self._header = envelope.header
        top = self.parts(self.root)
        opening = top.get("GrpHdr")
        if opening is None:
            opening = top.get("Assgnmt")
        if opening is None:
            raise MalformedInput(f"{envelope.definition} has no header of its own", code="FF01")
        self.opening = self.parts(opening)
        self.message = _text(self.opening.get("MsgId")) or _text(self.opening.get("Id"))
        self.created = _text(self.opening.get("CreDtTm"))
        self.day = _text(self.opening.get("IntrBkSttlmDt"))

    def parts(self, element: _Element) -> dict[str, _Element]:
        """The elements right inside by name; of those that repeat, the last."""
        start = self.start
        return {child.tag[start:]: child for child in element}

    def texts(self, element: _Element) -> dict[str, str]:
        """The texts right inside by name."""
        start = self.start
        return {child.tag[start:]: child.text or "" for child in element}

    def inside(self, name: str) -> Iterator[_Element]:
        """The elements of this name right under the root."""
        return self.root.iterchildren(f"{str(self.root.tag)[: self.start]}{name}")

    def all(self, element: _Element, name: str) -> Iterator[_Element]:
        """The elements of this name right under another."""
        return element.iterchildren(f"{str(self.root.tag)[: self.start]}{name}")

    def first(self, name: str) -> _Element | None:
        """The first element of this name right under the root."""
        return next(self.inside(name), None)

    def text(self, element: _Element | None, *path: str) -> str:
        """The text at a path, or nothing."""
        for name in path:
            if element is None:
                return ""
            element = next(self.all(element, name), None)
        return _text(element)

    def code(self, element: _Element | None, *path: str) -> str:
        """The code at a path, or the word of one's own in its place."""
        return self.text(element, *path, "Cd") or self.text(element, *path, "Prtry")

    def bic(self, element: _Element | None, name: str) -> str:
        """The BIC of an agent right under an element, or nothing."""
        return self.text(element, name, "FinInstnId", "BICFI")

    def banks(self) -> tuple[str, str]:
        """Instructing and instructed agent of the message's opening, else of the header."""
        sender, receiver = self.header_banks()
        start = self.start
        told = ["", ""]
        for place, name in enumerate(("InstgAgt", "InstdAgt")):
            agent = self.opening.get(name)
            if agent is not None:
                institution = {str(one.tag)[start:]: one.text or "" for one in agent[0]}
                told[place] = institution.get("BICFI", "")
        return told[0] or sender, told[1] or receiver

    def header_banks(self) -> tuple[str, str]:
        """Sender and receiver by the business application header, if there is one."""
        if self._header is None:
            return "", ""
        return self._header.sender_bic, self._header.receiver_bic


def _text(element: _Element | None) -> str:
    return "" if element is None else element.text or ""


def framed(definition: str, root: str, content: Iterable[str]) -> bytes:
    """The whole message as UTF-8 XML."""
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="{NAMESPACE}{definition}"><{root}>\n'
    )
    return (head + "\n".join(content) + f"\n</{root}></Document>\n").encode()
