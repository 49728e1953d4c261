"""The proof file `consignment.zdproof`: canonical JSON of version 1 or 2, read strictly.

Version 2 bears a quorum policy (C2SP tlog-policy text) and, in its checkpoint, cosignatures.
Version 3 is the packed form, see `packed_proof`.

Bytes are base64url without padding. A file has one form: unknown fields, other orders, blanks,
duplicate keys, other spellings and trailing bytes are refused by writing it again and comparing.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from zhidao.core.archive import check_digest
from zhidao.core.canonical import decode_json, jcs
from zhidao.core.encoding import base64url, parse_base64url, utf8
from zhidao.core.errors import MalformedInput
from zhidao.core.events import SignedEvent
from zhidao.core.limits import JSON_INTEGER_MAX
from zhidao.core.versions import check_version
from zhidao.trust.domain.proof import OpenedEvent, Proof
from zhidao.trust.wire.log.note import NOTE_BYTES_MAX, decode_note, encode_note, parse_checkpoint
from zhidao.trust.wire.log.policy import POLICY_BYTES_MAX, encode_policy, parse_policy
from zhidao.trust.wire.proof_file.packed_proof import decode_packed, encode_packed, is_packed

PROOF_FORMAT: Final = "zhidao.proof"
PROOF_BYTES_MAX: Final = 64 * 1024 * 1024
EVENTS_MAX: Final = 10_000
BLOBS_MAX: Final = 4_096
# A tree of 2^62 leaves has paths of 62 hashes, each 43 characters.
_Hash = Annotated[str, msgspec.Meta(min_length=43, max_length=43)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class _Event(msgspec.Struct, forbid_unknown_fields=True):
    event: str
    salt: Annotated[str, msgspec.Meta(max_length=43)]
    index: Annotated[int, msgspec.Meta(ge=0, le=JSON_INTEGER_MAX)]
    inclusion: Annotated[list[_Hash], msgspec.Meta(max_length=62)]


class _Blob(msgspec.Struct, forbid_unknown_fields=True):
    digest: str
    data: str


class _File(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    format: str
    consignment: _Name
    origin: _Name
    checkpoint: Annotated[str, msgspec.Meta(max_length=NOTE_BYTES_MAX)]
    events: Annotated[list[_Event], msgspec.Meta(min_length=1, max_length=EVENTS_MAX)]
    blobs: Annotated[list[_Blob], msgspec.Meta(max_length=BLOBS_MAX)]


class _Version(msgspec.Struct):
    v: int | msgspec.UnsetType = msgspec.UNSET


class _File2(_File, forbid_unknown_fields=True, kw_only=True):
    policy: Annotated[str, msgspec.Meta(min_length=1, max_length=POLICY_BYTES_MAX)]


def encode_proof(proof: Proof) -> bytes:
    """The file's bytes; files stand in order of their digest."""
    if proof.packed:
        return encode_packed(proof)
    plain: dict[str, Any] = {
        "v": 1,
        "format": PROOF_FORMAT,
        "consignment": proof.consignment,
        "origin": proof.origin,
        "checkpoint": encode_note(proof.note).decode(),
        "events": [
            {
                "event": base64url(opened.event.encode()),
                "salt": base64url(opened.salt),
                "index": opened.index,
                "inclusion": [base64url(item) for item in opened.inclusion],
            }
            for opened in proof.events
        ],
        "blobs": [
            {"digest": digest, "data": base64url(data)}
            for digest, data in sorted(proof.blobs.items())
        ],
    }
    if proof.policy is not None:
        plain |= {"v": 2, "policy": encode_policy(proof.policy).decode()}
    return jcs(plain)


def decode_proof(data: bytes) -> Proof:
    """Reads a proof file; it is then well formed, not yet true.

    Raises MalformedInput for any bytes but the one form of a proof.
    """
    if len(data) > PROOF_BYTES_MAX:
        raise MalformedInput(f"a proof of {len(data)} bytes; at most {PROOF_BYTES_MAX} are read")
    if is_packed(data):
        return decode_packed(data)
    try:
        version = decode_json(data, _Version).v
        check_version(version, form="a proof file", known=(1, 2), where="v")
        file = decode_json(data, _File2 if version == 2 else _File)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedInput(f"not a proof file: {error}") from error
    if file.v not in (1, 2) or file.format != PROOF_FORMAT:
        raise MalformedInput(f"not a proof of version 1 or 2: {file.format[:32]!r} {file.v}")
    note = decode_note(utf8(file.checkpoint))
    proof = Proof(
        consignment=file.consignment,
        origin=file.origin,
        note=note,
        checkpoint=parse_checkpoint(note.text),
        events=tuple(_opened(item) for item in file.events),
        blobs={check_digest(blob.digest): parse_base64url(blob.data) for blob in file.blobs},
        policy=parse_policy(utf8(file.policy)) if isinstance(file, _File2) else None,
    )
    if encode_proof(proof) != data:
        raise MalformedInput("the proof is not in its canonical form")
    return proof


def _opened(item: _Event) -> OpenedEvent:
    return OpenedEvent(
        index=item.index,
        event=SignedEvent.decode(parse_base64url(item.event)),
        salt=parse_base64url(item.salt),
        inclusion=tuple(parse_base64url(text) for text in item.inclusion),
    )
