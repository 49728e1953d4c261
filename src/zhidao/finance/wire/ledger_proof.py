"""A ledger's proof as one JSON object of at most 2,048 bytes."""

from __future__ import annotations

from typing import Final

import msgspec

from zhidao.core.canonical import decode_json
from zhidao.core.encoding import parse_hex
from zhidao.core.errors import MalformedInput
from zhidao.core.versions import check_tag
from zhidao.finance.domain.ledger.proof import BALANCE, TRANSFER, LedgerProof
from zhidao.finance.domain.ledger.records import RECORD_BYTES

FORMAT: Final = "zhidao.ledger.proof.v1"
BYTES_MAX: Final = 2048


class _Head(msgspec.Struct):
    format: str = ""


class _Proof(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    kind: str
    ledger: str
    batch: int
    index: int
    count: int
    record: str
    path: list[str]
    head_before: str = ""


def encode(proof: LedgerProof) -> bytes:
    """The proof's bytes."""
    return msgspec.json.encode(
        _Proof(
            FORMAT,
            proof.kind,
            proof.ledger,
            proof.batch,
            proof.index,
            proof.count,
            proof.record.hex(),
            [sibling.hex() for sibling in proof.path],
            proof.head_before.hex(),
        )
    )


def decode(data: bytes) -> LedgerProof:
    """A proof from its bytes. Raises MalformedInput for any that are not one."""
    if len(data) > BYTES_MAX:
        raise MalformedInput(f"a proof of {len(data)} bytes; at most {BYTES_MAX}")
    try:
        check_tag(
            decode_json(data, _Head).format, (FORMAT,), form="a ledger's proof", where="format"
        )
        plain = decode_json(data, _Proof)
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedInput(f"not a ledger's proof: {error}") from error
    proof = LedgerProof(
        plain.kind,
        plain.ledger,
        plain.batch,
        plain.index,
        plain.count,
        parse_hex(plain.record),
        tuple(map(parse_hex, plain.path)),
        parse_hex(plain.head_before),
    )
    head_bytes = 32 if plain.kind == TRANSFER else 0
    if (
        (plain.format, plain.kind) not in ((FORMAT, TRANSFER), (FORMAT, BALANCE))
        or len(proof.record) != RECORD_BYTES
        or len(proof.head_before) != head_bytes
        or any(len(sibling) != 32 for sibling in proof.path)
        or not 0 <= plain.index < plain.count < 1 << 63
        or not 0 <= plain.batch < 1 << 63
    ):
        raise MalformedInput("the parts of a ledger's proof do not fit each other")
    return proof
