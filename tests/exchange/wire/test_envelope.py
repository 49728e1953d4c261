"""An envelope's bytes: its one form written out, each part changed, and one past each bound."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from zhidao.core.encoding import base64url, parse_base64url
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.exchange.domain.envelope import Envelope, Heading
from zhidao.exchange.domain.limits import CONTENT_BYTES_MAX
from zhidao.exchange.wire.envelope import (
    ENVELOPE_BYTES_MAX,
    TAG,
    TAG_HYBRID,
    check_payload,
    commitment,
    decode_envelope,
    open_envelope,
    seal_envelope,
)
from zhidao.exchange.wire.sealing import SealingKey, seal

KEY = SoftwareKey(Algorithm.ED25519, b"\x07" * 32)
SEALING = SealingKey(b"\x09" * 32)
SALT, CONTENT = b"\x05" * 32, b"packing list"
HEADING = Heading(
    document=UUID(int=7),
    sender=PartyId("exporter"),
    recipient=PartyId("importer"),
    from_party=PartyId("maker"),
    to_party=PartyId("buyer"),
    consignment="C-1",
    sequence=3,
    kind="trade.packing-list",
    media_type="application/json",
    sent_at=Utc.parse("2026-05-04T08:00:00Z"),
    digest=hashlib.sha256(SALT + CONTENT).hexdigest(),
    size=len(CONTENT),
)
FIELDS: dict[str, Any] = {
    "consignment": "C-1",
    "digest": HEADING.digest,
    "document": "00000000-0000-0000-0000-000000000007",
    "from_party": "maker",
    "kind": "trade.packing-list",
    "media_type": "application/json",
    "recipient": "importer",
    "sender": "exporter",
    "sent_at": "2026-05-04T08:00:00Z",
    "sequence": 3,
    "size": 12,
    "to_party": "buyer",
}
KINDS = pytest.mark.parametrize(
    ("tag", "public"),
    [(b"zhidao.envelope.v1\n", SEALING.public), (b"zhidao.envelope.v2\n", SEALING.hybrid)],
    ids=["x25519", "hybrid"],
)


def text_of(fields: dict[str, Any]) -> bytes:
    """One line of JSON as RFC 8785 writes it, for values that need no escape."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def written(
    *,
    tag: bytes = TAG,
    line: bytes | None = None,
    signature: bytes | None = None,
    sealed: bytes = b"sealed",
    **changes: Any,
) -> bytes:
    """An envelope that its sender signed as it stands, whatever stands in it."""
    if line is None:
        named = {"key": KEY.public.multikey, "sealed": hashlib.sha256(sealed).hexdigest()}
        line = text_of({**FIELDS, **named, **changes})
    if signature is None:
        signature = base64url(KEY.sign(tag + line)).encode()
    return tag + line + b"\n" + signature + b"\n" + sealed


@KINDS
def test_an_envelope_is_tag_heading_signature_and_sealed_content(tag, public) -> None:
    sealed = seal_envelope(HEADING, salt=SALT, content=CONTENT, to=public, signer=KEY)
    assert sealed.encoded == written(tag=tag, sealed=sealed.sealed)
    read = decode_envelope(sealed.encoded)
    assert read == sealed
    assert (read.heading, read.key, read.encoded) == (HEADING, KEY.public, sealed.encoded)
    line, signature = sealed.encoded[len(tag) :].split(b"\n")[:2]
    assert sealed.signature == parse_base64url(signature.decode())
    assert KEY.public.verifies(sealed.signature, tag + line)
    assert open_envelope(read, SEALING) == SALT + CONTENT


@KINDS
def test_content_is_sealed_under_tag_and_heading_as_anybody_may_do_it(tag, public) -> None:
    sealed = seal(SALT + CONTENT, public, info=tag + text_of(FIELDS))
    read = decode_envelope(written(tag=tag, sealed=sealed))
    assert open_envelope(read, SEALING) == SALT + CONTENT


@KINDS
def test_content_sealed_for_the_other_version_does_not_open(tag, public) -> None:
    other = TAG_HYBRID if tag == TAG else TAG
    # Long enough for either suite.
    sealed = seal(bytes(2_000), public, info=other + text_of(FIELDS))
    with pytest.raises(Refused) as caught:
        open_envelope(decode_envelope(written(tag=other, sealed=sealed)), SEALING)
    assert caught.value.code == "cannot_open"


def test_the_tags_are_as_they_were() -> None:
    assert (TAG, TAG_HYBRID) == (b"zhidao.envelope.v1\n", b"zhidao.envelope.v2\n")
    assert commitment(b"ab", b"c") == hashlib.sha256(b"abc").hexdigest()


def malformed(data: bytes) -> str:
    with pytest.raises(MalformedInput) as caught:
        decode_envelope(data)
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (
            written(tag=b"zhidao.envelope.v3\n"),
            "an envelope of version 3; this program understands 1, 2",
        ),
        (written(tag=b"zhidao.envelope.v1 "), "not an envelope of version 1 or 2"),
        (b"", "not an envelope"),
        (TAG, "cut off"),
        (TAG + text_of(FIELDS), "cut off"),
        (TAG + text_of(FIELDS) + b"\n" + b"QUJD", "cut off"),
        (written(line=b"x" * 4097), "at most 4096 bytes"),
        (written(line=b"x" * 4096), "JSON"),
        (written(signature=b"A" * 4097), "cut off"),
        (written(signature=b"A" * 4096 + b"="), "cut off"),
        (written(signature=b"AAA="), "base64"),
        (written(signature=b"\xc3\xa4"), "envelope: "),
        (written(more=1), "envelope: "),
        (written(sequence="3"), "envelope: "),
        (written(sequence=True), "envelope: "),
        (written(size=None), "envelope: "),
        (written(line=text_of(FIELDS)), "envelope: "),
        (written(line=b"[]"), "envelope: "),
        (written(line=text_of({**FIELDS, "key": "z", "sealed": ""})), ""),
        (written(line=b" " + written()[len(TAG) :].partition(b"\n")[0]), "canonical form"),
        (written(document="00000000000000000000000000000007"), ""),
        (written(sent_at="2026-05-04T08:00:00.0Z"), ""),
        (written(sent_at="2026-05-04"), ""),
        (written(sender="Ex porter"), ""),
        (written(recipient=""), ""),
        (written(from_party="/"), ""),
        (written(to_party="\n"), ""),
        (written(sequence=0), "counts from 1"),
        (written(size=CONTENT_BYTES_MAX + 1), "at most"),
        (written(sealed=b"a") + b"b", "not the one that was signed"),
        (written()[:-1], "not the one that was signed"),
    ],
)
def test_what_is_no_envelope_is_malformed_though_its_sender_signed_it(data, told) -> None:
    assert told in malformed(data)


@pytest.mark.parametrize("changed", ["document", "from_party", "to_party", "sender", "recipient"])
def test_a_heading_bears_a_signature_of_its_own(changed: str) -> None:
    """Two good envelopes; the signature of one is none for the other."""
    other = "00000000-0000-0000-0000-000000000008" if changed == "document" else "bank"
    one, two = written(), written(**{changed: other})
    assert getattr(decode_envelope(two).heading, changed) != getattr(HEADING, changed)
    signature = one.split(b"\n")[2]
    line = two.split(b"\n")[1]
    with pytest.raises(Refused) as caught:
        decode_envelope(written(line=line, signature=signature))
    assert caught.value.code == "bad_signature"


def test_a_signature_is_for_one_version_only() -> None:
    signature = written(tag=TAG).split(b"\n")[2]
    with pytest.raises(Refused) as caught:
        decode_envelope(written(tag=TAG_HYBRID, signature=signature))
    assert caught.value.code == "bad_signature"


def test_each_field_of_a_heading_is_read_as_it_was_written() -> None:
    sealed = b"x"
    heading = decode_envelope(written(sealed=sealed)).heading
    assert heading == HEADING
    changes: list[tuple[str, Any, Any]] = [
        ("document", "00000000-0000-0000-0000-0000000000ff", UUID(int=255)),
        ("sender", "one", "one"),
        ("recipient", "two", "two"),
        ("from_party", "three", "three"),
        ("to_party", "four", "four"),
        ("consignment", "D-9", "D-9"),
        ("sequence", 9, 9),
        ("kind", "trade.invoice", "trade.invoice"),
        ("media_type", "text/xml", "text/xml"),
        ("sent_at", "2026-05-04T08:00:01Z", Utc.parse("2026-05-04T08:00:01Z")),
        ("digest", "ab" * 32, "ab" * 32),
        ("size", 0, 0),
    ]
    assert {field for field, _, _ in changes} == set(FIELDS)
    for field, text, value in changes:
        read = decode_envelope(written(sealed=sealed, **{field: text})).heading
        assert read == replace(HEADING, **{field: value})


def test_an_envelope_has_as_many_bytes_as_the_largest_document_needs() -> None:
    # Tag, heading, signature with its line ends, and content with salt, key and tag of its seal.
    parts = 19 + 4096 + 128 + CONTENT_BYTES_MAX + 32 + 1088 + 32 + 16
    assert parts == ENVELOPE_BYTES_MAX
    over = written(sealed=bytes(ENVELOPE_BYTES_MAX))
    at_bound, beyond = over[:ENVELOPE_BYTES_MAX], over[: ENVELOPE_BYTES_MAX + 1]
    assert "not the one that was signed" in malformed(at_bound)
    assert f"of {ENVELOPE_BYTES_MAX + 1} bytes; at most {ENVELOPE_BYTES_MAX}" in malformed(beyond)


@KINDS
def test_the_largest_document_is_sealed_and_read_again(tag, public) -> None:
    content = bytes(CONTENT_BYTES_MAX)
    heading = replace(HEADING, digest=commitment(SALT, content), size=len(content))
    sealed = seal_envelope(heading, salt=SALT, content=content, to=public, signer=KEY)
    assert open_envelope(decode_envelope(sealed.encoded), SEALING) == SALT + content
    assert sealed.encoded.startswith(tag)


@pytest.mark.parametrize(
    ("heading", "payload"),
    [
        (HEADING, SALT + CONTENT[:-1]),
        (HEADING, SALT + b"Packing list"),
        (replace(HEADING, size=11), SALT + CONTENT),
        (replace(HEADING, size=13), SALT + CONTENT),
        (replace(HEADING, digest=commitment(b"", CONTENT)), CONTENT),
    ],
)
def test_content_is_what_the_heading_says_in_digest_and_size(heading, payload) -> None:
    check_payload(HEADING, SALT + CONTENT)
    with pytest.raises(Refused) as caught:
        check_payload(heading, payload)
    assert caught.value.code == "content_differs"
    info = TAG + text_of({**FIELDS, "digest": heading.digest, "size": heading.size})
    sealed = seal(payload, SEALING.public, info=info)
    data = written(sealed=sealed, digest=heading.digest, size=heading.size)
    with pytest.raises(Refused) as opened:
        open_envelope(decode_envelope(data), SEALING)
    assert opened.value.code == "content_differs"


def test_an_envelope_opens_by_its_encoded_tag_alone() -> None:
    sealed = seal_envelope(HEADING, salt=SALT, content=CONTENT, to=SEALING.hybrid, signer=KEY)
    moved = Envelope(HEADING, KEY.public, b"", sealed.sealed, TAG_HYBRID)
    assert open_envelope(moved, SEALING) == SALT + CONTENT
