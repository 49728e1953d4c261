"""The frame of a sentence: `$`, name, fields, `*`, checksum, end of line; and a stream of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from zhidao.core.errors import MalformedInput

# Longer than any regional message (14,000 bits) in hexadecimal with its fields.
SENTENCE_CHARACTERS_MAX: Final = 4096
_FRAME: Final = re.compile(
    r"\$([A-Z]{5})((?:,[^*,$\r\n]*)*)\*([0-9A-Fa-f]{2})(?:\r\n)?\Z", re.ASCII
)
_ENDS: Final = (0x0A, 0x0D)
_START: Final = 0x24


def checksum(body: str) -> str:
    """Exclusive or of the characters between $ and *, two hexadecimal digits.

    >>> checksum("CCICI,0,00")
    '73'
    """
    value = 0
    for letter in body.encode("ascii"):
        value ^= letter
    return f"{value:02X}"


def take_apart(text: str) -> tuple[str, tuple[str, ...]]:
    """Name and fields of a line. Raises MalformedInput: `bad_checksum`, or other."""
    if len(text) > SENTENCE_CHARACTERS_MAX:
        raise MalformedInput(
            f"a sentence of {len(text)} characters; at most {SENTENCE_CHARACTERS_MAX} are read"
        )
    if not text.isascii():
        raise MalformedInput("not a short-message sentence: not ASCII")
    match = _FRAME.match(text)
    if not match:
        raise MalformedInput(f"not a short-message sentence, {_missing(text)}: {text[:40]!r}")
    name, rest, given = match.groups()
    computed = checksum(name + rest)
    if given.upper() != computed:
        raise MalformedInput(
            f"{name}: checksum is {given}, computed {computed}",
            code="bad_checksum",
            remedy="discard the sentence",
        )
    return name, tuple(rest[1:].split(",")) if rest else ()


def framed(name: str, fields: Sequence[object]) -> str:
    """The line of a sentence, with its end. Raises MalformedInput for what no sentence bears."""
    body = ",".join((name, *(str(field) for field in fields)))
    if not body.isascii():
        raise MalformedInput(f"{body[:24]!r}: a sentence holds ASCII only")
    text = f"${body}*{checksum(body)}\r\n"
    if len(text) > SENTENCE_CHARACTERS_MAX:
        raise MalformedInput(
            f"a sentence of {len(text)} characters; it takes {SENTENCE_CHARACTERS_MAX}"
        )
    if not _FRAME.match(text):
        raise MalformedInput(f"{body[:24]}: a field holds a character that no sentence may bear")
    return text


def _missing(text: str) -> str:
    if not text.startswith("$"):
        return "it does not begin with $"
    if "*" not in text:
        return "it has no * with a checksum"
    return "name, fields or checksum have another form"


class SentenceReader:
    """Lines out of the bytes of a serial line or socket: noise before a `$` is passed over.

    A sentence ends with its line, or where the next begins. `dropped` counts bytes that were none
    of a sentence, so that a line with a wrong speed shows.
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self.dropped = 0

    def feed(self, data: bytes) -> Iterator[str]:
        """The lines that these bytes end. No more than one sentence is ever held."""
        for byte in data:
            if byte == _START or byte in _ENDS:
                if self._held:
                    yield self._held.decode("latin-1")
                self._held = bytearray((byte,)) if byte == _START else bytearray()
            elif self._held and len(self._held) < SENTENCE_CHARACTERS_MAX:
                self._held.append(byte)
            else:
                self.dropped += 1 + len(self._held)
                self._held = bytearray()
