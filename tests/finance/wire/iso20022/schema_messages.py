"""Random messages out of the official schemas: valid by them, as far as the outline knows of it.

What the schema leaves to choice and the outline does not know is left out; so whatever is drawn
here, the outline may not refuse. Elements of one type are drawn alike, values at their edges.
"""

from __future__ import annotations

import random
from pathlib import Path
from xml.sax.saxutils import escape

from lxml import etree

from zhidao.finance.wire.iso20022.syntax.structure import Form, outline

_XS = "{http://www.w3.org/2001/XMLSchema}"
_PATTERNS = {
    "[A-Z0-9]{4,4}[A-Z]{2,2}[A-Z0-9]{2,2}([A-Z0-9]{3,3}){0,1}": ("ALMAKZKA", "1234CN00ABC"),
    "[A-Z]{3,3}": ("CNY", "XXX"),
    r"\+[0-9]{1,3}-[0-9()+\-]{1,30}": ("+86-10", "+1-(0)+-"),
    "[A-Z]{2,2}": ("KZ", "QQ"),
    "[a-zA-Z0-9]{4}": ("aB3d",),
    "[A-Z]{2,2}[0-9]{2,2}[a-zA-Z0-9]{1,30}": ("KZ86125KZT5004100100", "XX00a"),
    "[A-Z0-9]{18,18}[0-9]{2,2}": ("V459EV5XD3WK5MR0HW37",),
    "[0-9]{1,15}": ("1", "007", "999999999999999"),
    "[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}": (
        "174c245f-2682-4291-ad67-2a41e530cd27",
    ),
    r"[\+]{0,1}[0-9]{1,15}": ("2", "+2", "000000000000002"),
    "[0-9]{1,5}": ("0", "00001", "99999"),
}
_VALUES = {
    "boolean": ("true", "false", "1", "0", " true "),
    "date": ("2026-04-13", "2026-04-13Z", "2024-02-29+14:00"),
    "dateTime": (
        *("2026-04-13T08:00:00+08:00", "2026-04-13T23:59:59.123456789012Z"),
        *("2026-04-13T24:00:00", "2026-04-13T00:00:00-14:00"),
    ),
    "time": ("17:00:00+08:00", "08:30:00.1234567890", "24:00:00"),
}
_NUMBERS = ("1000.00", "0", "1.", "+5", "007", "0012.50", ".5", "2.5000000000", " 3 ", "9" * 18)


class SchemaMessages:
    """Draws messages of one definition."""

    def __init__(self, folder: Path, definition: str) -> None:
        tree = etree.parse(folder / f"{definition}.xsd").getroot()
        self.definition = definition
        self.schema = etree.XMLSchema(tree)
        self._types = {one.get("name"): one for one in tree if one.get("name")}
        self._top = next(one for one in tree if one.tag == f"{_XS}element")
        self.outline = outline(definition)

    def message(self, seed: int) -> bytes:
        """A message that the schema allows, from a seed."""
        draw, lines = random.Random(seed), list[str]()
        assert self.outline is not None
        root, form = self.outline
        name = str(self._top.get("name"))
        if root != name:
            form = Form("document", where={root: 0})
            form.places = [_Only(root, self.outline[1])]  # type: ignore[list-item]
        self._write(name, str(self._top.get("type")), form, draw, 0, lines)
        space = f' xmlns="urn:iso:std:iso:20022:tech:xsd:{self.definition}"'
        lines[0] = lines[0].replace(f"<{name}", f"<{name}{space}", 1)
        return "".join(lines).encode()

    def _write(
        self, name: str, kind: str, form: Form | None, draw: random.Random, depth: int, out: list
    ) -> None:
        told = self._types[kind]
        content = told.find(f"{_XS}simpleContent/{_XS}extension")
        if told.tag == f"{_XS}simpleType" or content is not None:
            base = told if content is None else self._types[str(content.get("base"))]
            attribute = "" if content is None else ' Ccy="CNY"'
            out.append(f"<{name}{attribute}>{escape(self._text(base, draw))}</{name}>")
            return
        out.append(f"<{name}>")
        for group in told:
            if group.tag == f"{_XS}choice":
                known = [one for one in group if form is None or one.get("name") in form.where]
                self._one(draw.choice(known), form, draw, depth, out)
            for one in group if group.tag == f"{_XS}sequence" else ():
                self._one(one, form, draw, depth, out)
        out.append(f"</{name}>")

    def _one(
        self, element: etree._Element, form: Form | None, draw: random.Random, depth: int, out: list
    ) -> None:
        name = str(element.get("name"))
        least = int(element.get("minOccurs", "1"))
        if not least and (form is None or name not in form.where):
            return
        most = element.get("maxOccurs", "1")
        times = least
        if draw.random() < 0.7 / (1 + depth / 2):
            times = min(least + draw.randint(1, 2), 3 if most == "unbounded" else int(most))
        inner = None if form is None else form.places[form.where[name]].options[name]
        for _ in range(times):
            self._write(name, str(element.get("type")), inner, draw, depth + 1, out)

    def _text(self, told: etree._Element, draw: random.Random) -> str:
        facets = told.find(f"{_XS}restriction")
        base = str(facets.get("base")).partition(":")[2]
        listed = [str(one.get("value")) for one in facets.iter(f"{_XS}enumeration")]
        if listed:
            return draw.choice(listed)
        pattern = facets.find(f"{_XS}pattern")
        if pattern is not None:
            return draw.choice(_PATTERNS[str(pattern.get("value"))])
        if base == "decimal":
            return draw.choice([one for one in _NUMBERS if self._fits(one, facets)])
        if base in _VALUES:
            return draw.choice(_VALUES[base])
        most = facets.find(f"{_XS}maxLength")
        longest = 5 if most is None else int(most.get("value"))
        return draw.choice(("a", "泵" * longest, " x"[-longest:], "<&>"[:longest]))

    def _fits(self, text: str, facets: etree._Element) -> bool:
        value = text.strip().lstrip("+")
        whole, _, behind = value.partition(".")
        behind = behind.rstrip("0")
        limits = {str(one.tag)[len(_XS) :]: str(one.get("value")) for one in facets}
        digits = len((whole + behind).lstrip("0"))
        return digits <= int(limits.get("totalDigits", "99")) and len(behind) <= int(
            limits.get("fractionDigits", "99")
        )


class _Only:
    """The one place of a document."""

    def __init__(self, name: str, form: Form) -> None:
        self.options = {name: form}
