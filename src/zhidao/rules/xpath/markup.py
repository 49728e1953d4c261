"""Markup as libxml2 writes it, cut into pieces at each `<`: start tags, texts, strings.

libxml2 writes a tree in one way only (xmlsave.c): attributes in double quotes behind one space,
`<`, `>` and `&` of texts and values as entities, line ends of values as character references. So
what stands between `<` and the next `>` is one whole tag, and what follows is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

XML_SPACE: Final = "http://www.w3.org/XML/1998/namespace"
_ATTRIBUTE: Final = re.compile(r' ([^\s="]+)="([^"]*)"')
# The five names of XML and references by number.
_REFERENCE: Final = re.compile(r"&(?:#([0-9]+)|#x([0-9A-Fa-f]+)|(lt|gt|amp|quot|apos));")
_NAMED: Final = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}


def plain(text: str) -> str:
    """The text that markup stands for."""
    return _REFERENCE.sub(_referred, text) if "&" in text else text


def _referred(found: re.Match[str]) -> str:
    decimal, hexadecimal, name = found.groups()
    if name:
        return _NAMED[name]
    return chr(int(decimal) if decimal else int(hexadecimal, 16))


def start_tag(head: str, around: dict[str, str]) -> tuple[str, dict[str, str], dict[str, str]]:
    """The name as written, the attributes by full name and the namespaces inside the element.

    `head` is all between `<` and `>`; `around` are the namespaces of the parent by prefix.
    """
    name, _, rest = head.removesuffix("/").partition(" ")
    found = [(key, plain(value)) for key, value in _ATTRIBUTE.findall(" " + rest)] if rest else []
    own = {key[6:]: value for key, value in found if key == "xmlns" or key.startswith("xmlns:")}
    spaces = {**around, **own} if own else around
    attributes = {}
    for key, value in found:
        prefix, _, local = key.rpartition(":")
        if "xmlns" not in (prefix, key):
            attributes[f"{{{spaces[prefix]}}}{local}" if prefix else key] = value
    return name, attributes, spaces


class Markup:
    """The pieces of one document, each from behind a `<` to the next."""

    __slots__ = ("_pieces", "_places")

    def __init__(self, pieces: list[str]) -> None:
        self._pieces = pieces
        self._places: list[int] = []

    def all_text(self, order: int) -> str:
        """The text of an element with children and of all below it; `order`: its number."""
        return plain("".join(text for _, text in self._inside(order)))

    def own_texts(self, order: int) -> list[str]:
        """The text in front of an element's first child, then that behind each of its children."""
        return [plain(text) for depth, text in self._inside(order) if depth == 1]

    def _inside(self, order: int) -> Iterator[tuple[int, str]]:
        """The texts of an element with children, each with how many levels it stands below."""
        if not self._places:
            # Found when they are first asked for: most documents never are.
            self._places = [i for i, piece in enumerate(self._pieces) if piece[0] != "/"]
        depth = 0
        for index in range(self._places[order], len(self._pieces)):
            head, _, text = self._pieces[index].partition(">")
            if head[0] == "/":
                depth -= 1
            elif head[-1] != "/":
                depth += 1
            if not depth:
                return
            yield depth, text
