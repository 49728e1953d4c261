"""Where in a UBL document: short XPaths with the customary prefixes, `[n]` only from the second."""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

_COMMON: Final = "urn:oasis:names:specification:ubl:schema:xsd:Common"
PREFIXES: Final = {
    _COMMON + "AggregateComponents-2": "cac:",
    _COMMON + "BasicComponents-2": "cbc:",
    _COMMON + "ExtensionComponents-2": "ext:",
    "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2": "",
    "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2": "",
}
_SVRL_STEP: Final = re.compile(
    r"/(?:\*:(?P<local>[\w.-]+)\[namespace-uri\(\)='(?P<space>[^']*)'\]|(?P<plain>@?[\w:.-]+))"
    r"(?:\[(?P<index>\d+)\])?"
)


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


def place_of_svrl(location: str) -> str:
    """The place named by an SVRL location of the ISO Schematron skeleton.

    >>> place_of_svrl("/*:Invoice[namespace-uri()='urn:x'][1]/*:ID[namespace-uri()='urn:x'][2]")
    '/{urn:x}Invoice/{urn:x}ID[2]'
    """
    steps, end = [], 0
    for match in _SVRL_STEP.finditer(location):
        if match.start() != end:
            break
        end = match.end()
        local = match["local"] or match["plain"]
        steps.append(_step(match["space"] or "", local, int(match["index"] or 1)))
    return "".join(steps) if end == len(location) and steps else location


def _step(space: str, local: str, index: int) -> str:
    prefix = PREFIXES.get(space, f"{{{space}}}") if space else ""
    return f"/{prefix}{local}" + (f"[{index}]" if index > 1 else "")
