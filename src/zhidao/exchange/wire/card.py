"""A node's card as a file: canonical JSON, signed with the key that it names.

Version 1 takes no key back, version 2 names those that were taken, version 3 has a hybrid sealing
key beside the plain one.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from zhidao.core.canonical import Unsigned, parse_strict
from zhidao.core.encoding import base64url, parse_base64url
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.ids import party_id
from zhidao.core.keys import PublicKey, Signer
from zhidao.core.timescale import Utc
from zhidao.core.versions import check_version_in
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
    sealing_hybrid: str | None = None
    revoked: Annotated[list[str], msgspec.Meta(min_length=1, max_length=REVOKED_MAX)] | None = None


def sign_card(card: Card, signer: Signer) -> bytes:
    """The bytes of a card, signed. `card.key` is the signer's."""
    assert card.key == signer.public, "the card names another key"
    form = _form(card)
    return form.signed(base64url(signer.sign(form.message)))


def decode_card(data: bytes) -> Card:
    """Reads a card and checks that its key signed it; whose key that is, a trust list says.

    Raises MalformedInput for any bytes but the one form of a card, Refused: `bad_signature`,
    `bad_url`.
    """
    try:
        plain = parse_strict(data, bytes_max=CARD_BYTES_MAX)
        check_version_in(plain, form="a card", known=(1, 2, 3))
        read = msgspec.convert(plain, _Card, strict=True)
    except msgspec.ValidationError as error:
        raise MalformedInput(f"card: {error}") from error
    version = _version(hybrid=read.sealing_hybrid is not None, revoked=bool(read.revoked))
    if (read.v, read.format) != (version, CARD_FORMAT):
        raise MalformedInput(f"not a card of version 1 to 3: {read.format[:32]!r} {read.v}")
    card = Card(
        node=party_id(read.node),
        organisation=read.organisation,
        url=read.url,
        key=PublicKey.from_multikey(read.key),
        sealing=parse_base64url(read.sealing),
        sealing_hybrid=parse_base64url(read.sealing_hybrid or ""),
        certificate=read.certificate,
        at=Utc.parse(read.at),
        revoked=tuple(PublicKey.from_multikey(key) for key in read.revoked or ()),
        signature=parse_base64url(read.signature),
    )
    form = _form(card)
    if form.signed(base64url(card.signature)) != data:
        raise MalformedInput("the card is not in its canonical form")
    if not card.key.verifies(card.signature, form.message):
        raise Refused(f"the card of {card.node}: wrong signature", code="bad_signature")
    return card


def _form(card: Card) -> Unsigned:
    revoked = {"revoked": [key.multikey for key in card.revoked]} if card.revoked else {}
    hybrid = {"sealing_hybrid": base64url(card.sealing_hybrid)} if card.sealing_hybrid else {}
    fields: dict[str, Any] = {
        "v": _version(hybrid=bool(card.sealing_hybrid), revoked=bool(card.revoked)),
        "format": CARD_FORMAT,
        "node": card.node,
        "organisation": card.organisation,
        "url": card.url,
        "key": card.key.multikey,
        "sealing": base64url(card.sealing),
        "certificate": card.certificate,
        "at": str(card.at),
        **hybrid,
        **revoked,
    }
    return Unsigned(fields, "signature")


def _version(*, hybrid: bool, revoked: bool) -> int:
    return 3 if hybrid else 2 if revoked else 1
