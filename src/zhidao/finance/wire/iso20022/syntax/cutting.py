"""A message cut into the texts of its leaves and what stands between them, without its elements."""

from __future__ import annotations

import re
from typing import Final

_STARTS: Final = (b"<Document", b'<?xml version="1.0" encoding="UTF-8"?>')
# A text that is all of its leaf: what is between elements begins with white space, or is nothing.
_TEXT: Final = re.compile(r">([^<>\s][^<>]*)</")


def cut_of(data: bytes) -> tuple[list[str], list[str]] | None:
    """What is between the texts, one more than there are texts, and the texts; None if not plain.

    Plain is UTF-8 without references, comments, CDATA, instructions and carriage returns: there
    each text is what the XML library reads, and a text in the place of another changes no element.
    Whether each text is a leaf's whole is for the caller to see.
    """
    if not data.startswith(_STARTS) or b"&" in data or b"\r" in data or b"<!" in data:
        return None
    if data.count(b"<?") > data.startswith(b"<?"):
        return None
    try:
        parts = _TEXT.split(data.decode())
    except UnicodeDecodeError:
        return None
    return parts[::2], parts[1::2]
