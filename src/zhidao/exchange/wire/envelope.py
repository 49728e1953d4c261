"""An envelope's bytes: a tag, the heading as one line of JSON, the signature, the sealed content.

The tag tells how the content is sealed: version 1 for an X25519 key, version 2 for a hybrid one.

The signature (by the sender's node key) covers tag and heading line, and the line holds SHA-256 of
the sealed bytes. HPKE's `info` is the same line without that digest, so that sealed content opens
under its own heading only.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import msgspec

from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.encoding import base64url, parse_base64url
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.ids import parse_id, party_id
from zhidao.core.keys import PublicKey, Signer
from zhidao.core.timescale import Utc
from zhidao.core.versions import check_tag
from zhidao.exchange.domain.envelope import SALT_BYTES, Envelope, Heading
from zhidao.exchange.domain.limits import CONTENT_BYTES_MAX
from zhidao.exchange.wire.sealing import OVERHEAD_BYTES_MAX, SealingKey, is_hybrid, seal

TAG: Final = b"zhidao.envelope.v1\n"
TAG_HYBRID: Final = b"zhidao.envelope.v2\n"
_HEADING_BYTES_MAX: Final = 4096
_SEALED_BYTES_MAX: Final = CONTENT_BYTES_MAX + SALT_BYTES + OVERHEAD_BYTES_MAX
ENVELOPE_BYTES_MAX: Final = len(TAG) + _HEADING_BYTES_MAX + 128 + _SEALED_BYTES_MAX


class _Heading(msgspec.Struct, forbid_unknown_fields=True):
    document: str
    sender: str
    recipient: str
    from_party: str
    to_party: str
    consignment: str
    sequence: int
    kind: str
    media_type: str
    sent_at: str
    digest: str
    size: int
    key: str
    sealed: str


def commitment(salt: bytes, content: bytes) -> str:
    """The digest that an envelope bears: SHA-256 over salt and content."""
    return hashlib.sha256(salt + content).hexdigest()


def seal_envelope(
    heading: Heading, *, salt: bytes, content: bytes, to: bytes, signer: Signer
) -> Envelope:
    """Seals salt and content for the key `to` (X25519 or hybrid) under a heading, and signs."""
    assert heading.digest == commitment(salt, content), "the heading is about other content"
    tag = TAG_HYBRID if is_hybrid(to) else TAG
    sealed = seal(salt + content, to, info=_info(tag, heading))
    line = _line(heading, signer.public, hashlib.sha256(sealed).hexdigest())
    signature = signer.sign(tag + line)
    encoded = tag + line + b"\n" + base64url(signature).encode() + b"\n" + sealed
    return Envelope(heading, signer.public, signature, sealed, encoded)


def open_envelope(envelope: Envelope, key: SealingKey) -> bytes:
    """Salt and content. Raises Refused: `cannot_open`, `content_differs`."""
    tag = envelope.encoded[: len(TAG)]
    info = _info(tag, envelope.heading)
    payload = key.open(envelope.sealed, info=info, hybrid=tag == TAG_HYBRID)
    check_payload(envelope.heading, payload)
    return payload


def check_payload(heading: Heading, payload: bytes) -> None:
    """Raises Refused (`content_differs`) unless salt and content are those of a heading."""
    right = hashlib.sha256(payload).hexdigest() == heading.digest
    if not right or len(payload) != SALT_BYTES + heading.size:
        raise Refused("the content is not the one that the heading names", code="content_differs")


def decode_envelope(data: bytes) -> Envelope:
    """Reads an envelope and checks its signature against the key inside.

    Raises MalformedInput for any bytes but the one form of an envelope, Refused (`bad_signature`).
    """
    if len(data) > ENVELOPE_BYTES_MAX:
        raise MalformedInput(
            f"an envelope of {len(data)} bytes; at most {ENVELOPE_BYTES_MAX} are read"
        )
    if not data.startswith((TAG, TAG_HYBRID)):
        begun = data[: len(TAG) + 9].decode("latin-1")
        tags = ("zhidao.envelope.v1", "zhidao.envelope.v2")
        check_tag(begun, tags, form="an envelope", where="byte 0")
        raise MalformedInput("not an envelope of version 1 or 2")
    tag, body = data[: len(TAG)], data[len(TAG) :]
    line, first, rest = body.partition(b"\n")
    written, second, sealed = rest.partition(b"\n")
    if len(line) > _HEADING_BYTES_MAX:
        raise MalformedInput(
            f"an envelope's heading has at most {_HEADING_BYTES_MAX} bytes", where="heading"
        )
    if not first or not second or len(written) > 4096:
        raise MalformedInput("the envelope is cut off")
    try:
        read = msgspec.convert(parse_strict(line), _Heading, strict=True)
        signature = parse_base64url(written.decode("ascii"))
    except (msgspec.ValidationError, UnicodeDecodeError) as error:
        raise MalformedInput(f"envelope: {error}") from error
    heading, key = _heading(read), PublicKey.from_multikey(read.key)
    if _line(heading, key, read.sealed) != line:
        raise MalformedInput("the envelope's heading is not in its canonical form")
    if hashlib.sha256(sealed).hexdigest() != read.sealed:
        raise MalformedInput("the sealed content is not the one that was signed")
    if not key.verifies(signature, tag + line):
        raise Refused(f"document {heading.document}: wrong signature", code="bad_signature")
    return Envelope(heading, key, signature, sealed, data)


def _info(tag: bytes, heading: Heading) -> bytes:
    return tag + jcs(_plain(heading))


def _line(heading: Heading, key: PublicKey, sealed: str) -> bytes:
    return jcs(_plain(heading) | {"key": key.multikey, "sealed": sealed})


def _plain(heading: Heading) -> dict[str, Any]:
    return {
        "document": str(heading.document),
        "sender": heading.sender,
        "recipient": heading.recipient,
        "from_party": heading.from_party,
        "to_party": heading.to_party,
        "consignment": heading.consignment,
        "sequence": heading.sequence,
        "kind": heading.kind,
        "media_type": heading.media_type,
        "sent_at": str(heading.sent_at),
        "digest": heading.digest,
        "size": heading.size,
    }


def _heading(read: _Heading) -> Heading:
    return Heading(
        document=parse_id(read.document),
        sender=party_id(read.sender),
        recipient=party_id(read.recipient),
        from_party=party_id(read.from_party),
        to_party=party_id(read.to_party),
        consignment=read.consignment,
        sequence=read.sequence,
        kind=read.kind,
        media_type=read.media_type,
        sent_at=Utc.parse(read.sent_at),
        digest=read.digest,
        size=read.size,
    )
