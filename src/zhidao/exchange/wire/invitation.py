"""What one node gives another so that it is admitted: its card, and the list that names its key.

It holds no secret and proves nothing by itself: whoever takes it compares the key's fingerprint
with what the other side reads out. The pages make and take the same file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.exchange.domain.peer import Card
from zhidao.exchange.wire.card import decode_card

INVITATION_FORMAT: Final = "zhidao.invitation"
INVITATION_BYTES_MAX: Final = 4 * 1024 * 1024


class _Invitation(msgspec.Struct, forbid_unknown_fields=True):
    format: Literal["zhidao.invitation"]
    v: Literal[1]
    card: str
    trust: str


@dataclass(frozen=True, slots=True)
class PeerInvitation:
    """A card that its own key signed, both as read and as its bytes, and the text of a list."""

    card: Card
    card_text: str
    trust: str


def encode_invitation(card: str, trust: str) -> bytes:
    """The file of a card and a trust list, each as its text."""
    return jcs({"card": card, "format": INVITATION_FORMAT, "trust": trust, "v": 1})


def decode_invitation(data: bytes) -> PeerInvitation:
    """Reads an invitation and checks that the card's key signed it; whose key that is, it cannot.

    Raises MalformedInput, and Refused as `decode_card`.
    """
    try:
        plain = parse_strict(data, bytes_max=INVITATION_BYTES_MAX)
        read = msgspec.convert(plain, _Invitation, strict=True)
    except msgspec.ValidationError as error:
        raise MalformedInput(f"invitation: {error}") from error
    return PeerInvitation(decode_card(read.card.encode()), read.card, read.trust)
