"""Holds a message to its outline: what is unknown, missing, doubled or out of order is refused.

This is the reader's own check where no official schema is installed; it knows less than a schema
(what payments do not use is unknown to it) and never more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final

from zhidao.core.errors import MalformedInput
from zhidao.finance.wire.iso20022.syntax.envelope import line_of, local, path_of
from zhidao.finance.wire.iso20022.syntax.grammar import NAMESPACE
from zhidao.finance.wire.iso20022.syntax.kinds import AMOUNT, FORMS, usual_kind
from zhidao.finance.wire.iso20022.syntax.outlines import MESSAGES, PARTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml.etree import _Element

    from zhidao.finance.wire.iso20022.syntax.columns import Columns

_MANY: Final = 1 << 30
_TIMES: Final = {"": (1, 1), "?": (0, 1), "*": (0, _MANY), "+": (1, _MANY)}
_ITEM: Final = re.compile(r"(?P<name>[A-Z]\w*)(?P<times>[?*+]|\{\d+\})?(=(?P<kind>\S+))?")


class BeyondOutline(MalformedInput):
    """An element that the outline does not know: perhaps wrong, and perhaps the schema's alone."""


@dataclass(slots=True)
class Place:
    """One place in a part: the elements that may stand there (one of them), and how often."""

    options: dict[str, Form]
    at_least: int
    at_most: int
    often: dict[str, int] = field(default_factory=dict)
    """Of a choice: how often each may stand there once it is chosen, if not as the others."""

    def most(self, name: str) -> int:
        """How often an element of this name may stand here."""
        return self.often.get(name, self.at_most)


@dataclass(slots=True)
class Form:
    """What an element holds: text of a pattern, or a part with places. `kind` names it."""

    kind: str
    pattern: re.Pattern[str] | None = None
    places: list[Place] = field(default_factory=list)
    where: dict[str, int] = field(default_factory=dict)
    """The place of each element's name."""


@cache
def outline(definition: str) -> tuple[str, Form] | None:
    """The root element's name and form of a message definition, or None if it has no outline."""
    text = MESSAGES.get(definition)
    if text is None:
        return None
    parts = _parts(PARTS)
    own = _parts(text)
    root = next(iter(own))
    return root, _Reader({**parts, **own}).form(root)


def check(document: _Element, definition: str, columns: Columns | None = None) -> bool:
    """Whether there is an outline for the message; then it is as the outline says.

    document: the Document (or AppHdr) element. `columns`: the same message cut from its text,
    whose payments then differ in nothing but their texts: the first, the second and the last are
    walked, and of the others those texts are looked at. Raises MalformedInput with code FF01 and
    the place.
    """
    known = outline(definition)
    if known is None:
        return False
    root, form = known
    space = f"{{{NAMESPACE}{definition}}}"
    element = document
    if root != "AppHdr":
        if len(document) != 1 or set(document.attrib) - {_LOCATION}:
            raise _wrong(document, f"one {root} and nothing else is expected")
        element = document[0]
    if element.tag != space + root:
        raise _wrong(element, f"{root} is expected")
    if columns is not None and _texts_fit(columns, form):
        children = list(element)
        last = columns.first + columns.count - 1
        _part(element, form, space, children[: columns.first + 2] + children[last:])
    else:
        _part(element, form, space)
    return True


_LOCATION: Final = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"


def _texts_fit(columns: Columns, root: Form) -> bool:
    """Whether each text has its leaf's form. If not, walking all of them tells where."""
    for path, texts in columns.texts.items():
        form: Form | None = root
        for name in (columns.name, *path.split("/")):
            place = None if form is None else form.where.get(name)
            form = None if form is None or place is None else form.places[place].options[name]
        if form is None or form.pattern is None:
            return False
        if not all(map(form.pattern.fullmatch, set(texts))):
            return False
    return True


def _part(
    element: _Element, form: Form, space: str, children: Iterable[_Element] | None = None
) -> None:
    """`children`: those to look at, if not all."""
    _check_holds_elements_alone(element)
    start, places, where = len(space), form.places, form.where
    counts = [0] * len(places)
    chosen = [""] * len(places)
    at = 0
    for child in element if children is None else children:
        tag = child.tag
        name = tag[start:] if isinstance(tag, str) and tag.startswith(space) else ""
        place = where.get(name)
        if place is None:
            raise _wrong(child, "the element is not known here", BeyondOutline)
        if child.tail and child.tail.strip():
            raise _wrong(child, "text stands behind it")
        # A choice is made once, though the chosen one may repeat.
        if chosen[place] and chosen[place] != name:
            raise _wrong(child, f"either this or {chosen[place]} may stand here")
        counts[place] += 1
        if counts[place] > places[place].most(name):
            raise _wrong(child, "the element stands too often")
        # Elements of a sequence may be left out but never come in another order (XML Schema 3.8).
        if place < at:
            raise _wrong(child, "the element stands too late")
        at, chosen[place] = place, name
        inner = places[place].options[name]
        if inner.pattern is None:
            _part(child, inner, space)
        else:
            _text(child, inner)
    for expected, count in zip(places, counts, strict=True):
        if count < expected.at_least:
            missing = " or ".join(expected.options)
            raise _wrong(element, f"{missing} is missing in it")


def _check_holds_elements_alone(element: _Element) -> None:
    if element.attrib:
        raise _wrong(element, "no attribute is known here")
    if element.text and element.text.strip():
        raise _wrong(element, "text stands between elements")


def _text(element: _Element, form: Form) -> None:
    assert form.pattern is not None, "a form without a pattern is a part"
    text = element.text or ""
    if len(element) or not form.pattern.fullmatch(text):
        raise _wrong(element, f"{text[:40]!r} is not of the expected form ({form.kind})")
    attributes = element.attrib
    if form.kind == AMOUNT:
        if len(attributes) != 1 or not _CURRENCY.fullmatch(str(element.get("Ccy", ""))):
            raise _wrong(element, "its one attribute is Ccy with three letters")
    elif attributes:
        raise _wrong(element, "no attribute is known here")


_CURRENCY: Final = re.compile(FORMS["currency"])


def _wrong(
    element: _Element, what: str, kind: type[MalformedInput] = MalformedInput
) -> MalformedInput:
    where = f"{path_of(element)}, {line_of(element)}"
    return kind(f"{local(element)}: {what}", code="FF01", where=where)


def _parts(text: str) -> dict[str, str]:
    """Each part's items by its name; a line that begins with blanks continues the one before."""
    parts: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line.strip() and not line.startswith(" "):
            name, _, rest = line.partition(":")
            parts[name] = rest
        elif line.strip():
            parts[name] += " " + line
    return parts


class _Reader:
    """Builds forms out of the notation; a part that is named twice is built once."""

    def __init__(self, parts: dict[str, str]) -> None:
        self._parts = parts
        self._forms: dict[str, Form] = {}

    def form(self, kind: str) -> Form:
        """The form of a kind."""
        known = self._forms.get(kind)
        if known is None:
            known = self._forms[kind] = Form(kind)
            if kind in FORMS:
                known.pattern = re.compile(FORMS[kind])
            else:
                self._fill(known, self._parts[kind])
        return known

    def _fill(self, form: Form, items: str) -> None:
        for item in items.split():
            place = self._choice(item) if item.startswith("(") else self._one(item)
            form.where.update(dict.fromkeys(place.options, len(form.places)))
            form.places.append(place)

    def _choice(self, item: str) -> Place:
        options: dict[str, Form] = {}
        often: dict[str, int] = {}
        for option in item.strip("()").split("|"):
            place = self._one(option)
            options.update(place.options)
            often |= dict.fromkeys(place.options, place.at_most)
        return Place(options, 1, 1, often)

    def _one(self, item: str) -> Place:
        found = _ITEM.fullmatch(item)
        assert found is not None, f"no item of an outline: {item}"
        name, times, kind = found["name"], found["times"] or "", found["kind"]
        at_least, at_most = (0, int(times[1:-1])) if times[:1] == "{" else _TIMES[times]
        if kind and kind.startswith("("):
            # (Cd:kind) is a part with a code of a closed list or a word of one's own.
            form = self._coded(kind)
        else:
            form = self.form(kind or usual_kind(name))
        return Place({name: form}, at_least, at_most)

    def _coded(self, kind: str) -> Form:
        inner = kind.strip("()").partition(":")[2]
        self._parts[kind] = f"(Cd={inner}|Prtry={_PROPRIETARY.get(inner, 'text35')})"
        return self.form(kind)


_PROPRIETARY: Final = {"address-type": "address-own"}
