"""A node's card as a file: canonical JSON, signed with the key that it names.

Version 1 takes no key back, version 2 names those that were.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Final

import msgspec

from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.encoding import base64url, parse_base64url
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.ids import party_id
from zhidao.core.keys import PublicKey, Signer
from zhidao.core.timescale import Utc
from zhidao.exchange.domain.peer import Card

CARD_FORMAT: Final = "zhidao.card"
CARD_BYTES_MAX: Final = 32 * 1024
REVOKED_MAX: Final = 64


class _Card(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    format: str
    node: str
    organisation: Annotated[str, msgspec.Meta(max_length=200)]
    url: str
    key: str
    sealing: str
    certificate: Annotated[str, msgspec.Meta(max_length=16_384)]
    at: str
    signature: str
    revoked: Annotated[list[str], msgspec.Meta(min_length=1, max_length=REVOKED_MAX)] | None = None


def sign_card(card: Card, signer: Signer) -> bytes:
    """The bytes of a card, signed. `card.key` is the signer's."""
    assert card.key == signer.public, "the card names another key"
    return encode_card(replace(card, signature=signer.sign(jcs(_plain(card)))))


def encode_card(card: Card) -> bytes:
    """The bytes of a signed card."""
    return jcs(_plain(card) | {"signature": base64url(card.signature)})


def decode_card(data: bytes) -> Card:
    """Reads a card and checks that its key signed it; whose key that is, a trust list says.

    Raises MalformedInput for any bytes but the one form of a card, Refused: `bad_signature`,
    `bad_url`.
    """
    try:
        plain = parse_strict(data, bytes_max=CARD_BYTES_MAX)
        read = msgspec.convert(plain, _Card, strict=True)
    except msgspec.ValidationError as error:
        raise MalformedInput(f"card: {error}") from error
    if (read.v, read.format) != (2 if read.revoked else 1, CARD_FORMAT):
        raise MalformedInput(f"not a card of version 1 or 2: {read.format[:32]!r} {read.v}")
    card = Card(
        node=party_id(read.node),
        organisation=read.organisation,
        url=read.url,
        key=PublicKey.from_multikey(read.key),
        sealing=parse_base64url(read.sealing),
        certificate=read.certificate,
        at=Utc.parse(read.at),
        revoked=tuple(PublicKey.from_multikey(key) for key in read.revoked or ()),
        signature=parse_base64url(read.signature),
    )
    if encode_card(card) != data:
        raise MalformedInput("the card is not in its canonical form")
    if not card.key.verifies(card.signature, jcs(_plain(card))):
        raise Refused(f"the card of {card.node}: wrong signature", code="bad_signature")
    return card


def _plain(card: Card) -> dict[str, Any]:
    revoked = {"revoked": [key.multikey for key in card.revoked]} if card.revoked else {}
    return {
        "v": 2 if card.revoked else 1,
        "format": CARD_FORMAT,
        "node": card.node,
        "organisation": card.organisation,
        "url": card.url,
        "key": card.key.multikey,
        "sealing": base64url(card.sealing),
        "certificate": card.certificate,
        "at": str(card.at),
        **revoked,
    }
