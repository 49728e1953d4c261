"""A presentation as one file: canonical JSON of version 1, signed by the party that presents.

`{"manifest": …, "signature": …, "contents": {SHA-256: base64}}`. The signature is over the JCS
bytes of the manifest (RFC 8785), which names every document by SHA-256; so whoever holds the file
can check all of it without asking anybody, but for whose key it is, which a trust list says.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec

from zhidao.core.archive import digest_of
from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.encoding import base64url, parse_base64url
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import PublicKey, Signer
from zhidao.core.versions import check_tag
from zhidao.trade.events import PresentationManifest

FORMAT: Final = "zhidao.presentation.v1"
BYTES_MAX: Final = 16 * 1024 * 1024
_CONTENTS_MAX: Final = 60


class _File(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    manifest: PresentationManifest
    key: Annotated[str, msgspec.Meta(max_length=4096)]
    signature: Annotated[str, msgspec.Meta(max_length=8192)]
    contents: dict[str, str]


@dataclass(frozen=True, slots=True)
class SignedPresentation:
    """A manifest that its key signed, and every byte that it names."""

    manifest: PresentationManifest
    key: PublicKey
    signature: bytes
    contents: dict[str, bytes]


def sign(
    manifest: PresentationManifest, contents: dict[str, bytes], signer: Signer
) -> SignedPresentation:
    """A signed presentation. `contents`: the bytes of each document by SHA-256."""
    signature = signer.sign(_message(manifest))
    return SignedPresentation(manifest, signer.public, signature, contents)


def encode(presentation: SignedPresentation) -> bytes:
    """The file's bytes."""
    return jcs(
        {
            "format": FORMAT,
            "manifest": plain(presentation.manifest),
            "key": presentation.key.multikey,
            "signature": base64url(presentation.signature),
            "contents": {
                digest: base64.b64encode(data).decode()
                for digest, data in sorted(presentation.contents.items())
            },
        }
    )


def decode(data: bytes) -> SignedPresentation:
    """Reads a file and checks signature and digests.

    Raises MalformedInput for other bytes, Refused: `bad_signature`, `changed_document`.
    """
    try:
        plain = parse_strict(data, bytes_max=BYTES_MAX)
        if isinstance(plain, dict):
            told = str(plain.get("format"))
            check_tag(told, (FORMAT,), form="a presentation", where="format")
        read = msgspec.convert(plain, _File, strict=True)
    except msgspec.ValidationError as error:
        raise MalformedInput(f"presentation: {error}") from error
    if read.format != FORMAT:
        raise MalformedInput(f"not a presentation of version 1: {read.format[:40]!r}")
    key = PublicKey.from_multikey(read.key)
    signature = parse_base64url(read.signature)
    if not key.verifies(signature, _message(read.manifest)):
        raise Refused("the presentation's signature is wrong", code="bad_signature")
    named = read.manifest.digests
    if len(read.contents) > _CONTENTS_MAX:
        raise MalformedInput(
            f"the file holds {len(read.contents)} documents; at most {_CONTENTS_MAX} are read",
            code="too_many",
            where="contents",
            remedy="ask for a presentation of fewer documents",
        )
    if set(read.contents) != named:
        raise MalformedInput("the file holds other documents than its manifest names")
    contents = {digest: _content(text, digest) for digest, text in read.contents.items()}
    return SignedPresentation(read.manifest, key, signature, contents)


def plain(manifest: PresentationManifest) -> dict[str, Any]:
    """The manifest as JSON values."""
    made: dict[str, Any] = msgspec.to_builtins(manifest)
    return made


def _message(manifest: PresentationManifest) -> bytes:
    return FORMAT.encode() + b"\n" + jcs(plain(manifest))


def _content(text: str, digest: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:  # binascii.Error is one; letters beyond ASCII make a plain one.
        raise MalformedInput("a document is not base64", where=digest) from error
    if digest_of(data) != digest:
        raise Refused(
            "a document is not the one that was signed", code="changed_document", where=digest
        )
    return data
