"""Whether content is what its media type says, and what it is by its own bytes.

Source: the signatures of PNG (W3C PNG section 5.2), JPEG, GIF, PDF and ZIP from general knowledge;
RFC 7303 section 3 (XML in UTF-8 or UTF-16), RFC 8259 section 2 (JSON).
"""

from __future__ import annotations

from typing import Final
from xml.parsers import expat

import msgspec

from zhidao.core.canonical import decode_json
from zhidao.core.errors import MalformedInput

INVOICE_KIND: Final = "trade.invoice"
XML: Final = "application/xml"
JSON: Final = "application/json"
UNKNOWN: Final = "application/octet-stream"
_XHTML: Final = "application/xhtml+xml"
_HTML: Final = "text/html"
_BLANK: Final = b" \t\r\n"
_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_SIGNATURES: Final = {
    "application/pdf": (b"%PDF-",),
    "application/zip": (b"PK\x03\x04", b"PK\x05\x06"),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
}


def check_content(media_type: str, content: bytes, *, kind: str = "") -> None:
    """Refuses content that is empty (`empty`) or not of its type (`content_differs`).

    XML and JSON are well-formed; the first bytes of PDF, ZIP and pictures are theirs. An invoice
    (`kind`) bears the type that it is: by that its receiver reads it. Of a type that is not known
    nothing is asked.
    """
    if not content:
        raise MalformedInput("the document is empty", code="empty", remedy="send the file itself")
    plain = _plain(media_type)
    if fault := _fault(plain, content):
        raise _differs(f"the document is no {plain}: {fault}")
    if kind == INVOICE_KIND and (seen := type_of(content)) != UNKNOWN and not _is(plain, seen):
        raise _differs(f"the invoice is {seen}, and is called {plain}")


def type_of(content: bytes) -> str:
    """The media type of content by its own bytes; `application/octet-stream` of what is unknown.

    Text of one number or word is well-formed JSON, and is not called so.
    """
    for media_type, begins in _SIGNATURES.items():
        if content.startswith(begins):
            return media_type
    text = content.removeprefix(_BOM).lstrip(_BLANK)
    if text[:1] == b"<" or content.startswith(_UTF16):
        root, fault = _read_xml(content)
        if text[:14].lower() == b"<!doctype html" or root.lower() == "html":
            return _HTML
        return UNKNOWN if fault else XML
    if text[:1] in (b"{", b"[") and not _json_fault(content):
        return JSON
    return UNKNOWN


def _differs(sentence: str) -> MalformedInput:
    return MalformedInput(
        sentence,
        code="content_differs",
        remedy="name the type that the file has, or send the file that was meant",
    )


def _plain(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()


def _is_xml(media_type: str) -> bool:
    return media_type in (XML, "text/xml") or media_type.endswith("+xml")


def _is_json(media_type: str) -> bool:
    return media_type == JSON or media_type.endswith("+json")


def _is(media_type: str, seen: str) -> bool:
    if seen == XML:
        return _is_xml(media_type)
    return _is_json(media_type) if seen == JSON else media_type == seen


def _fault(media_type: str, content: bytes) -> str:
    """Why content is not of a type, empty if it may be."""
    if _is_xml(media_type):
        root, fault = _read_xml(content)
        if root.lower() == "html" and media_type != _XHTML:
            return "it is a page in HTML"
        return fault
    if _is_json(media_type):
        return _json_fault(content)
    wanted = _SIGNATURES.get(media_type)
    return "" if wanted is None or content.startswith(wanted) else _begins(content)


def _begins(content: bytes) -> str:
    """The first bytes as a person reads them: text as it stands, anything else in hexadecimal."""
    text = content[:8].decode("ascii", "replace")
    if text.isascii() and text.isprintable():
        return f"it begins with “{text}”"
    return f"it begins with the bytes {content[:8].hex(' ')}"


def _json_fault(content: bytes) -> str:
    try:
        decode_json(content.removeprefix(_BOM), object)
    except (MalformedInput, msgspec.MsgspecError) as error:
        return f"{_begins(content)}, and {error.args[0]}"
    return ""


class _EntityError(Exception):
    """Entities can make a few bytes endless; a document that declares some is read no further."""


def _read_xml(content: bytes) -> tuple[str, str]:
    """The root's name without its prefix, and why it is not well-formed, each empty if not known.

    Builds no tree: time and memory go by the bytes.
    """
    reader, names = expat.ParserCreate(), []

    def begin(name: str, _attributes: object) -> None:
        names.append(name.rpartition(":")[2])
        reader.StartElementHandler = None

    def declared(*_entity: object) -> None:
        raise _EntityError

    reader.StartElementHandler = begin
    reader.EntityDeclHandler = declared
    fault = ""
    try:
        reader.Parse(content, True)
    except expat.ExpatError as error:
        broken = expat.ErrorString(error.code)
        fault = f"{_begins(content)}, and {broken} at line {error.lineno}"
    except (ValueError, LookupError):
        fault = "its character set is not known"
    except _EntityError:
        fault = "it declares entities, which nobody resolves here"
    return "".join(names), fault
