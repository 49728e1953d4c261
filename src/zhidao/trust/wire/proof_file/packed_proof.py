"""The packed proof file: canonical JSON of version 3 inside gzip (RFC 1952), read strictly.

Events stand as JSON and text files as text, since bytes in base64 compress badly. One content has
one JSON text; the compressed stream around it may differ from writer to writer, its header and
trailer may not.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec

from zhidao.core.archive import check_digest
from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.encoding import base64url, parse_base64url, utf8
from zhidao.core.errors import MalformedInput
from zhidao.core.events import SignedEvent
from zhidao.core.limits import JSON_INTEGER_MAX
from zhidao.core.versions import check_version_in
from zhidao.trust.domain.proof import OpenedEvent, Proof
from zhidao.trust.wire.log.note import NOTE_BYTES_MAX, decode_note, encode_note, parse_checkpoint
from zhidao.trust.wire.log.policy import POLICY_BYTES_MAX, encode_policy, parse_policy

PACKED_VERSION: Final = 3
PLAIN_BYTES_MAX: Final = 8 * 1024 * 1024
_FORMAT: Final = "zhidao.proof"
# RFC 1952 section 2.3: deflate, no flags, no time, best compression, unknown system.
GZIP_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
_TRAILER_BYTES: Final = 8
_RAW_DEFLATE: Final = -15
_Hash = Annotated[str, msgspec.Meta(min_length=43, max_length=43)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class _Event(msgspec.Struct, forbid_unknown_fields=True):
    event: dict[str, Any]
    salt: Annotated[str, msgspec.Meta(max_length=43)]
    index: Annotated[int, msgspec.Meta(ge=0, le=JSON_INTEGER_MAX)]
    inclusion: Annotated[list[_Hash], msgspec.Meta(max_length=62)]


class _Blob(msgspec.Struct, forbid_unknown_fields=True):
    digest: str
    text: str | msgspec.UnsetType = msgspec.UNSET
    data: str | msgspec.UnsetType = msgspec.UNSET


class _File(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    format: str
    consignment: _Name
    origin: _Name
    checkpoint: Annotated[str, msgspec.Meta(max_length=NOTE_BYTES_MAX)]
    # `` where the node asked no witness.
    policy: Annotated[str, msgspec.Meta(max_length=POLICY_BYTES_MAX)]
    events: Annotated[list[_Event], msgspec.Meta(min_length=1, max_length=10_000)]
    blobs: Annotated[list[_Blob], msgspec.Meta(max_length=4_096)]


def is_packed(data: bytes) -> bool:
    """Whether bytes claim to be a packed proof: they begin as gzip does."""
    return data[:2] == GZIP_HEADER[:2]


def encode_packed(proof: Proof) -> bytes:
    """The file's bytes; files stand in order of their digest."""
    plain = jcs(_plain(proof))
    deflate = zlib.compressobj(9, zlib.DEFLATED, _RAW_DEFLATE)
    return GZIP_HEADER + deflate.compress(plain) + deflate.flush() + _trailer(plain)


def decode_packed(data: bytes) -> Proof:
    """Reads the file; it is then well formed, not yet true. Raises MalformedInput."""
    plain = _inflated(data)
    try:
        value = parse_strict(plain, bytes_max=PLAIN_BYTES_MAX)
        check_version_in(value, form="a packed proof file", known=(PACKED_VERSION,))
        file = msgspec.convert(value, _File, strict=True)
    except msgspec.ValidationError as error:
        raise MalformedInput(f"not a packed proof: {error}") from error
    if (file.v, file.format) != (PACKED_VERSION, _FORMAT):
        raise MalformedInput(f"not a proof of version 3: {file.format[:32]!r} {file.v}")
    note = decode_note(utf8(file.checkpoint))
    proof = Proof(
        consignment=file.consignment,
        origin=file.origin,
        note=note,
        checkpoint=parse_checkpoint(note.text),
        events=tuple(_opened(item) for item in file.events),
        blobs={check_digest(blob.digest): _bytes_of(blob) for blob in file.blobs},
        policy=parse_policy(utf8(file.policy)) if file.policy else None,
        packed=True,
    )
    # Base64, digests and instants have one spelling each, which their readers check.
    digests = [blob.digest for blob in file.blobs]
    one_form = (
        jcs(value) == plain
        and encode_note(note).decode() == file.checkpoint
        and (proof.policy is None or encode_policy(proof.policy).decode() == file.policy)
        and digests == sorted(set(digests))
        and all(
            _blob(blob.digest, proof.blobs[blob.digest]) == msgspec.to_builtins(blob)
            for blob in file.blobs
        )
    )
    if not one_form:
        raise MalformedInput("the proof is not in its canonical form")
    return proof


def _opened(item: _Event) -> OpenedEvent:
    event = SignedEvent.from_plain(item.event)
    if event.plain() != item.event:
        raise MalformedInput("an event is not in its canonical form")
    return OpenedEvent(
        index=item.index,
        event=event,
        salt=parse_base64url(item.salt),
        inclusion=tuple(parse_base64url(text) for text in item.inclusion),
    )


def _plain(proof: Proof) -> dict[str, Any]:
    return {
        "v": PACKED_VERSION,
        "format": _FORMAT,
        "consignment": proof.consignment,
        "origin": proof.origin,
        "checkpoint": encode_note(proof.note).decode(),
        "policy": encode_policy(proof.policy).decode() if proof.policy else "",
        "events": [
            {
                "event": opened.event.plain(),
                "salt": base64url(opened.salt),
                "index": opened.index,
                "inclusion": [base64url(item) for item in opened.inclusion],
            }
            for opened in proof.events
        ],
        "blobs": [_blob(digest, data) for digest, data in sorted(proof.blobs.items())],
    }


def _blob(digest: str, data: bytes) -> Mapping[str, str]:
    try:
        return {"digest": digest, "text": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"digest": digest, "data": base64url(data)}


def _bytes_of(blob: _Blob) -> bytes:
    if isinstance(blob.text, str):
        return utf8(blob.text)
    return parse_base64url(blob.data) if isinstance(blob.data, str) else b""


def _inflated(data: bytes) -> bytes:
    if not data.startswith(GZIP_HEADER):
        raise MalformedInput("a packed proof begins with its own gzip header")
    inflate = zlib.decompressobj(_RAW_DEFLATE)
    try:
        plain = inflate.decompress(data[len(GZIP_HEADER) :], PLAIN_BYTES_MAX + 1)
    except zlib.error as error:
        raise MalformedInput(f"the packed proof does not inflate: {error}") from error
    if len(plain) > PLAIN_BYTES_MAX:
        raise MalformedInput(f"a packed proof inflates to {PLAIN_BYTES_MAX} bytes at most")
    if not inflate.eof or inflate.unused_data != _trailer(plain):
        raise MalformedInput("the packed proof ends otherwise than its content says")
    return plain


def _trailer(plain: bytes) -> bytes:
    """CRC-32 and size, little-endian: RFC 1952 section 2.3.1."""
    return zlib.crc32(plain).to_bytes(4, "little") + len(plain).to_bytes(4, "little")
