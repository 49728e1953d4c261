"""Any ISO 20022 message as JSON and back: names as they are, attributes with @, text as #text.

Elements that repeat become a list. Blanks between elements, comments and prefixes are not kept;
element by element the message is the same.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.core.limits import JSON_DEPTH_MAX
from zhidao.finance.wire.iso20022.syntax.envelope import Envelope, local
from zhidao.finance.wire.iso20022.syntax.grammar import NAMESPACE

if TYPE_CHECKING:
    from lxml.etree import _Element

_NAME: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")


def to_json(envelope: Envelope) -> bytes:
    """The message (without its header) as JSON."""
    document = {"definition": envelope.definition, "Document": _value(envelope.document)}
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def _value(element: _Element) -> Any:
    if not len(element) and not element.attrib:
        return (element.text or "").strip()
    value: dict[str, Any] = {f"@{name!s}": str(text) for name, text in element.attrib.items()}
    if not len(element):
        return value | {"#text": (element.text or "").strip()}
    for child in element:
        name = local(child)
        known = value.get(name)
        if isinstance(known, list):
            known.append(_value(child))
        else:
            value[name] = _value(child) if known is None else [known, _value(child)]
    return value


def from_json(data: bytes) -> bytes:
    """The message as XML again. Raises MalformedInput for JSON of another shape."""
    document = parse_strict(data)
    if not isinstance(document, dict) or set(document) != {"definition", "Document"}:
        raise MalformedInput("an object with definition and Document is expected")
    definition = document["definition"]
    if not isinstance(definition, str) or not set(definition) <= _NAME | {"."}:
        raise MalformedInput("definition is such as pacs.008.001.08")
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    _render("Document", document["Document"], lines, 0, f' xmlns="{NAMESPACE}{definition}"')
    return ("\n".join(lines) + "\n").encode()


def _is_element_name(name: str) -> bool:
    return bool(name) and set(name) <= _NAME and not name[0].isdigit()


def _render(name: str, value: Any, lines: list[str], depth: int, more: str = "") -> None:
    if depth > JSON_DEPTH_MAX or not _is_element_name(name):
        raise MalformedInput(f"no element's name: {name[:40]!r}")
    if isinstance(value, list):
        for each in value:
            if isinstance(each, list):
                raise MalformedInput(f"{name}: a list within a list")
            _render(name, each, lines, depth, more)
        return
    if isinstance(value, dict):
        more += _attributes(name, value)
        inside = {key: child for key, child in value.items() if not key.startswith("@")}
        only_text = inside.get("#text") if len(inside) == 1 else None
        value = only_text if isinstance(only_text, str) else inside
    pad = " " * depth
    if isinstance(value, str):
        lines.append(f"{pad}<{name}{more}>{_clean(value)}</{name}>")
        return
    if not isinstance(value, dict):
        raise MalformedInput(f"{name}: a text or an object is expected")
    lines.append(f"{pad}<{name}{more}>")
    for key, child in value.items():
        _render(key, child, lines, depth + 1)
    lines.append(f"{pad}</{name}>")


def _attributes(name: str, value: dict[str, Any]) -> str:
    out = ""
    for key, text in value.items():
        if not key.startswith("@"):
            continue
        if not isinstance(text, str) or not set(key[1:]) <= _NAME or len(key) < 2:
            raise MalformedInput(f"{name}: {key[:40]!r} is no attribute")
        out += f" {key[1:]}={_quoted(text)}"
    return out


def _quoted(text: str) -> str:
    return '"' + _clean(text).replace('"', "&quot;") + '"'


def _clean(text: str) -> str:
    """Text as XML 1.0 section 2.2 allows it."""
    if any(letter < " " and letter not in "\t\n\r" for letter in text):
        raise MalformedInput("a control character cannot stand in XML")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise MalformedInput("a lone surrogate is no character") from error
    if any(letter in "\ufffe\uffff" for letter in text):
        raise MalformedInput("a noncharacter cannot stand in XML")
    return escape(text)
