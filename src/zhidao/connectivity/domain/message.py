"""A message that one BeiDou card has for another, in whatever pieces it travels.

It is named by a digest of what it says, so that a copy is known as one, on either end and after
either end was started anew, without counting.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from zhidao.core.errors import Refused

NAME_BYTES: Final = 5
# More than a chain of the shortest civil messages carries: 64 pieces of 70 bytes.
MESSAGE_BYTES_MAX: Final = 4096


class Form(IntEnum):
    """What the bytes of a message are."""

    PLAIN = 0
    POSITIONS = 1
    ALARM = 2
    GATE = 3
    TEXT = 4
    ORDER = 5

    @property
    def urgency(self) -> int:
        """What goes first; the smaller, the sooner."""
        return _URGENCY[self]


_URGENCY: Final = {
    Form.ALARM: 0,
    Form.ORDER: 0,
    Form.GATE: 1,
    Form.TEXT: 2,
    Form.PLAIN: 2,
    Form.POSITIONS: 3,
}
URGENT: Final = 0


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be said. PLAIN goes as it is, to whoever knows nothing of names and pieces."""

    form: Form
    body: bytes

    def __post_init__(self) -> None:
        if not 1 <= len(self.body) <= MESSAGE_BYTES_MAX:
            raise Refused(
                f"a message of {len(self.body)} bytes; 1 to {MESSAGE_BYTES_MAX} are carried",
                code="short_message_size",
            )

    @property
    def name(self) -> bytes:
        """The first five bytes of SHA-256 over form and body."""
        return hashlib.sha256(bytes((self.form,)) + self.body).digest()[:NAME_BYTES]
