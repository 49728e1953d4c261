"""A receipt's bytes: canonical JSON of version 1, signed by the recipient's node key."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from zhidao.core.canonical import Unsigned, parse_strict
from zhidao.core.encoding import base64url, parse_base64url
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.ids import parse_id, party_id
from zhidao.core.keys import PublicKey, Signer
from zhidao.core.timescale import Utc
from zhidao.core.versions import check_version_in
from zhidao.exchange.domain.receipt import Outcome, Receipt, Stage

RECEIPT_FORMAT: Final = "zhidao.receipt"
RECEIPT_BYTES_MAX: Final = 8192


class _Receipt(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    format: str
    stage: Stage
    sender: str
    recipient: str
    document: str
    digest: str
    outcome: Outcome
    code: str
    reason: str
    at: str
    key: str
    signature: str


def sign_receipt(receipt: Receipt, signer: Signer) -> bytes:
    """The bytes of a receipt, signed. `receipt.key` is the signer's."""
    assert receipt.key == signer.public, "the receipt names another key"
    form = _form(receipt)
    return form.signed(base64url(signer.sign(form.message)))


def encode_receipt(receipt: Receipt) -> bytes:
    """The bytes of a signed receipt."""
    return _form(receipt).signed(base64url(receipt.signature))


def decode_receipt(data: bytes) -> Receipt:
    """Reads a receipt and checks its signature against the key inside.

    Raises MalformedInput for any bytes but the one form of a receipt, Refused (`bad_signature`).
    """
    try:
        plain = parse_strict(data, bytes_max=RECEIPT_BYTES_MAX)
        check_version_in(plain, form="a receipt", known=(1,))
        read = msgspec.convert(plain, _Receipt, strict=True)
    except msgspec.ValidationError as error:
        raise MalformedInput(f"receipt: {error}") from error
    if (read.v, read.format) != (1, RECEIPT_FORMAT):
        raise MalformedInput(f"not a receipt of version 1: {read.format[:32]!r} {read.v}")
    receipt = Receipt(
        stage=read.stage,
        sender=party_id(read.sender),
        recipient=party_id(read.recipient),
        document=parse_id(read.document),
        digest=read.digest,
        outcome=read.outcome,
        code=read.code,
        reason=read.reason,
        at=Utc.parse(read.at),
        key=PublicKey.from_multikey(read.key),
        signature=parse_base64url(read.signature),
    )
    form = _form(receipt)
    if form.signed(base64url(receipt.signature)) != data:
        raise MalformedInput("the receipt is not in its canonical form")
    if not receipt.key.verifies(receipt.signature, form.message):
        raise Refused(f"the receipt for {receipt.document}: wrong signature", code="bad_signature")
    return receipt


def _form(receipt: Receipt) -> Unsigned:
    fields: dict[str, Any] = {
        "v": 1,
        "format": RECEIPT_FORMAT,
        "stage": receipt.stage.value,
        "sender": receipt.sender,
        "recipient": receipt.recipient,
        "document": str(receipt.document),
        "digest": receipt.digest,
        "outcome": receipt.outcome.value,
        "code": receipt.code,
        "reason": receipt.reason,
        "at": str(receipt.at),
        "key": receipt.key.multikey,
    }
    return Unsigned(fields, "signature")
