"""What source and compiled rules write alike, and where each piece of them stands."""

from __future__ import annotations

from typing import Final, TypeVar

from lxml import etree

from zhidao.rules.schematron.ruleset import Assert, Let, Rule

XSL: Final = "{http://www.w3.org/1999/XSL/Transform}"
SCH: Final = "{http://purl.oclc.org/dsdl/schematron}"
# Beginnings of names that compilers of Schematron declare for themselves.
OWN_VARIABLES: Final = ("schxslt", "svrl", "error")
# What a stylesheet declares beside its variables, and rules may call: kept as it is written.
_DECLARED: Final = ("function", "key", "decimal-format")

Piece = TypeVar("Piece", Assert, Rule, Let)


class Lines:
    """File and line of the pieces of one rule set, for whoever reports on them."""

    def __init__(self) -> None:
        self._files: dict[etree._Element, str] = {}
        # Equal pieces may stand at two places; each is known by what it is. Keeping it keeps that.
        self._known: dict[int, tuple[object, str]] = {}

    def included(self, root: etree._Element, file: str) -> None:
        """Says from which file everything below an element came."""
        self._files[root] = file

    def place(self, element: etree._Element) -> str:
        """`file.sch:12`, or `line 12` in the file that was given itself."""
        line = element.sourceline
        above: etree._Element | None = element
        while above is not None:
            if above in self._files:
                return f"{self._files[above]}:{line}"
            above = above.getparent()
        return f"line {line}"

    def at(self, element: etree._Element, piece: Piece) -> Piece:
        """Notes where a piece stands, and gives it back."""
        self._known[id(piece)] = (piece, self.place(element))
        return piece

    def same(self, old: Piece, new: Piece) -> Piece:
        """Notes that a piece stands where the one did of which it was made."""
        self._known[id(new)] = (new, self.of(old))
        return new

    def of(self, piece: Assert | Rule | Let) -> str:
        """Where a piece stands, '' if nobody said."""
        return self._known.get(id(piece), (None, ""))[1]


def namespaces(root: etree._Element) -> dict[str, str]:
    """The prefixes that an element declares."""
    return {prefix: space for prefix, space in root.nsmap.items() if prefix}


def words(element: etree._Element) -> tuple[str, ...]:
    """Words and expressions in turn; white space is left as it is."""
    parts = [element.text or ""]
    for child in element:
        if child.tag in (XSL + "value-of", SCH + "value-of"):
            parts += [child.get("select") or "''", child.tail or ""]
        elif child.tag == SCH + "name":
            parts += [f"name({child.get('path') or '.'})", child.tail or ""]
        else:
            inner = "".join(str(piece) for piece in child.itertext())
            parts[-1] += inner + (child.tail or "")
    return tuple(parts)


def declarations(root: etree._Element) -> tuple[str, ...]:
    """Functions, keys and the like that stand beside the rules, as text."""
    return tuple(
        etree.tostring(each, encoding="unicode", with_tail=False)
        for name in _DECLARED
        for each in root.findall(XSL + name)
        if (each.get("name") or "").partition(":")[0] not in OWN_VARIABLES
    )
