"""Texts and orders: when they were written, and what they say in GB 18030 (two bytes a character).

Layout: Unix seconds (5 bytes), then the text. The time makes the same text of another hour another
message.
"""

from __future__ import annotations

from typing import Final

from zhidao.core.errors import MalformedInput

_TIME_BYTES: Final = 5
_TIME_MAX: Final = 1 << 33


def pack_text(text: str, *, unix_s: int) -> bytes:
    """The bytes of a text that is written now. Raises MalformedInput for what no text is."""
    if not text or not all(each.isprintable() or each == "\n" for each in text):
        raise MalformedInput("a text of printable characters is sent, and this is none")
    try:
        said = text.encode("gb18030")
    except UnicodeEncodeError as error:
        raise MalformedInput(f"no character of GB 18030: {text[error.start]!r}") from error
    return unix_s.to_bytes(_TIME_BYTES, "big") + said


def unpack_text(data: bytes) -> tuple[str, int]:
    """The text and its Unix time. Raises MalformedInput for anything else."""
    unix_s = int.from_bytes(data[:_TIME_BYTES], "big")
    if len(data) <= _TIME_BYTES or unix_s >= _TIME_MAX:
        raise MalformedInput("a text without its time", code="truncated")
    try:
        text = data[_TIME_BYTES:].decode("gb18030")
    except UnicodeDecodeError as error:
        raise MalformedInput("a text that is not GB 18030") from error
    if not all(each.isprintable() or each == "\n" for each in text):
        raise MalformedInput("a text with characters that cannot be shown")
    return text, unix_s
