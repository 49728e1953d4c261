"""A fraud proof as a file (`.zdfraud`): canonical JSON of version 1, read strictly."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from zhidao.core.canonical import decode_json, jcs
from zhidao.core.encoding import base64url, parse_base64url, utf8
from zhidao.core.errors import MalformedInput
from zhidao.core.limits import JSON_INTEGER_MAX
from zhidao.core.versions import check_version
from zhidao.trust.domain.fraud import FraudKind, FraudProof, Observation, SignedHead
from zhidao.trust.wire.log.note import (
    NOTE_BYTES_MAX,
    decode_note,
    encode_note,
    parse_checkpoint,
    parse_vkey,
    vkey,
)

FRAUD_FORMAT: Final = "zhidao.fraud"
FRAUD_BYTES_MAX: Final = 1024 * 1024
_Hash = Annotated[str, msgspec.Meta(min_length=43, max_length=43)]
_Key = Annotated[str, msgspec.Meta(max_length=4096)]
_Note = Annotated[str, msgspec.Meta(max_length=NOTE_BYTES_MAX)]


class _Observation(msgspec.Struct, forbid_unknown_fields=True):
    by: _Key
    at_s: Annotated[int, msgspec.Meta(ge=0, le=JSON_INTEGER_MAX)]
    signature: Annotated[str, msgspec.Meta(max_length=4096)]


class _Version(msgspec.Struct):
    v: int | msgspec.UnsetType = msgspec.UNSET


class _File(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    format: str
    kind: FraudKind
    key: _Key
    first: _Note
    second: _Note
    hashes: Annotated[list[_Hash], msgspec.Meta(max_length=192)]
    observation: _Observation | None


def encode_fraud(proof: FraudProof) -> bytes:
    """The file's bytes."""
    seen = proof.observation
    plain: dict[str, Any] = {
        "v": 1,
        "format": FRAUD_FORMAT,
        "kind": proof.kind.value,
        "key": vkey(proof.key),
        "first": encode_note(proof.first.note).decode(),
        "second": encode_note(proof.second.note).decode(),
        "hashes": [base64url(item) for item in proof.hashes],
        "observation": seen
        and {"by": vkey(seen.by), "at_s": seen.at_s, "signature": base64url(seen.signature)},
    }
    return jcs(plain)


def decode_fraud(data: bytes) -> FraudProof:
    """Reads a file; it is then well formed, not yet true (`FraudProof.check`).

    Raises MalformedInput for any bytes but the one form of a fraud proof.
    """
    if len(data) > FRAUD_BYTES_MAX:
        raise MalformedInput(f"a fraud proof of {len(data)} bytes; at most {FRAUD_BYTES_MAX}")
    try:
        told = decode_json(data, _Version).v
        check_version(told, form="a fraud proof", known=(1,), where="v")
        file = decode_json(data, _File)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedInput(f"not a fraud proof: {error}") from error
    if (file.v, file.format) != (1, FRAUD_FORMAT):
        raise MalformedInput(f"not a fraud proof of version 1: {file.format[:32]!r} {file.v}")
    seen = file.observation
    proof = FraudProof(
        file.kind,
        parse_vkey(file.key),
        signed_head(utf8(file.first)),
        signed_head(utf8(file.second)),
        tuple(map(parse_base64url, file.hashes)),
        Observation(parse_vkey(seen.by), seen.at_s, parse_base64url(seen.signature))
        if seen
        else None,
    )
    if encode_fraud(proof) != data:
        raise MalformedInput("the fraud proof is not in its canonical form")
    return proof


def signed_head(note: bytes) -> SignedHead:
    """A note's bytes with the checkpoint that it bears. Raises MalformedInput."""
    read = decode_note(note)
    return SignedHead(read, parse_checkpoint(read.text))
