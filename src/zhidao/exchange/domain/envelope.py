"""An envelope: a heading that both sides read, and content that only the recipient opens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from zhidao.core.archive import check_digest
from zhidao.core.errors import MalformedInput
from zhidao.core.ids import PartyId
from zhidao.core.keys import PublicKey
from zhidao.core.timescale import Utc
from zhidao.exchange.domain.limits import CONTENT_BYTES_MAX

SALT_BYTES: Final = 32
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
# RFC 6838 section 4.2: the two names of a media type, here without parameters.
_MEDIA: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")
SEQUENCE_MAX: Final = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Heading:
    """Who sends what to whom. `sender` and `recipient` are nodes; the parties speak through them.

    `sequence` counts from 1 in the documents that `sender` sends to `recipient` about one
    consignment. `digest`: SHA-256 over 32 bytes of salt and the content, so that the heading tells
    a stranger nothing about guessable content. `size`: bytes of the content.
    """

    document: UUID
    sender: PartyId
    recipient: PartyId
    from_party: PartyId
    to_party: PartyId
    consignment: str
    sequence: int
    kind: str
    media_type: str
    sent_at: Utc
    digest: str
    size: int

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.consignment):
            raise MalformedInput(f"no name of a consignment: {self.consignment[:70]!r}")
        if not _NAME.fullmatch(self.kind):
            raise MalformedInput(f"no kind of a document: {self.kind[:70]!r}")
        if not _MEDIA.fullmatch(self.media_type):
            raise MalformedInput(f"no media type: {self.media_type[:70]!r}")
        if not 1 <= self.sequence <= SEQUENCE_MAX:
            raise MalformedInput(f"a sequence counts from 1, not {self.sequence}")
        if not 0 <= self.size <= CONTENT_BYTES_MAX:
            raise MalformedInput(
                f"a document of {self.size} bytes; at most {CONTENT_BYTES_MAX} are exchanged",
                code="content_too_large",
            )
        check_digest(self.digest)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A heading, its sealed content, and the sender's signature over both.

    `key` is the signing node's; whether the sender may speak with it is the reader's question.
    `encoded`: the envelope's one byte form.
    """

    heading: Heading
    key: PublicKey
    signature: bytes
    sealed: bytes
    encoded: bytes
