"""Whether content is what its media type says, as far as its first bytes tell.

Source: the signatures of PNG (W3C PNG section 5.2), JPEG, GIF, PDF and ZIP from general knowledge;
RFC 7303 section 3 (XML in UTF-8 or UTF-16), RFC 8259 section 2 (JSON).
"""

from __future__ import annotations

from typing import Final

from zhidao.core.errors import MalformedInput

_BLANK: Final = b" \t\r\n"
_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_JSON: Final = frozenset(b'{["-0123456789tfn')
_SIGNATURES: Final = {
    "application/pdf": (b"%PDF-",),
    "application/zip": (b"PK\x03\x04", b"PK\x05\x06"),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
}


def check_content(media_type: str, content: bytes) -> None:
    """Refuses content that is empty (`empty`) or plainly of another type (`content_differs`).

    A type that is not known says nothing about its bytes.
    """
    if not content:
        raise MalformedInput("the document is empty", code="empty", remedy="send the file itself")
    plain = media_type.partition(";")[0].strip().lower()
    if not _fits(plain, content):
        raise MalformedInput(
            f"the document is no {plain}: it begins with {_shown(content[:8])}",
            code="content_differs",
            remedy="name the type that the file has, or send the file that was meant",
        )


def _shown(begins: bytes) -> str:
    """The first bytes as a person reads them: text as it stands, anything else in hexadecimal."""
    text = begins.decode("ascii", "replace")
    return f"“{text}”" if text.isascii() and text.isprintable() else f"the bytes {begins.hex(' ')}"


def _fits(media_type: str, content: bytes) -> bool:
    text = content.removeprefix(_BOM).lstrip(_BLANK)
    if media_type in ("application/xml", "text/xml") or media_type.endswith("+xml"):
        return text[:1] == b"<" or content.startswith(_UTF16)
    if media_type == "application/json" or media_type.endswith("+json"):
        return bool(text) and text[0] in _JSON
    wanted = _SIGNATURES.get(media_type)
    return wanted is None or content.startswith(wanted)
