"""Checks an export without any node: who signed what, and which receipts stand for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import PublicKey
from zhidao.exchange.domain.envelope import SALT_BYTES, Envelope
from zhidao.exchange.domain.limits import FILE_BYTES_MAX, FILE_ITEMS_MAX
from zhidao.exchange.domain.receipt import Receipt
from zhidao.exchange.wire.bundle import ENVELOPE, OPENED, PROOF, decode_bundle
from zhidao.exchange.wire.envelope import check_payload, decode_envelope
from zhidao.exchange.wire.receipt import decode_receipt


@dataclass(frozen=True, slots=True)
class Checked:
    """A document of an export that holds. `content` is None if it is not in the export.

    `receipts`: those of the recipient, by stage.
    """

    envelope: Envelope
    content: bytes | None
    receipts: tuple[Receipt, ...]


def verify_export(data: bytes, records: Callable[[str, PublicKey], bool]) -> Sequence[Checked]:
    """All documents of an export, each held against its signatures.

    `records` says whether the verifier's trust list gives a key to a node of that name.
    Raises MalformedInput; Refused: `bad_signature`, `content_differs`, `untrusted_key`,
    `wrong_receipt`.
    """
    checked: list[Checked] = []
    envelope: Envelope | None = None
    content: bytes | None = None
    receipts: list[Receipt] = []
    for item in decode_bundle(data, bytes_max=FILE_BYTES_MAX, items_max=FILE_ITEMS_MAX):
        if item.kind == ENVELOPE:
            if envelope is not None:
                checked.append(Checked(envelope, content, tuple(receipts)))
            envelope, content, receipts = decode_envelope(item.data), None, []
            _check_key(envelope.heading.sender, envelope.key, records)
        elif item.kind == PROOF:
            # Whoever knows logs checks it, beside the documents.
            continue
        elif envelope is None:
            raise MalformedInput("an export begins with an envelope")
        elif item.kind == OPENED:
            check_payload(envelope.heading, item.data)
            content = item.data[SALT_BYTES:]
        else:
            receipts.append(_receipt(item.data, envelope, records))
    if envelope is not None:
        checked.append(Checked(envelope, content, tuple(receipts)))
    return checked


def proofs_of(data: bytes) -> Sequence[bytes]:
    """The proof files of an export, unread. Raises MalformedInput."""
    items = decode_bundle(data, bytes_max=FILE_BYTES_MAX, items_max=FILE_ITEMS_MAX)
    return [item.data for item in items if item.kind == PROOF]


def _receipt(data: bytes, envelope: Envelope, records: Callable[[str, PublicKey], bool]) -> Receipt:
    receipt, heading = decode_receipt(data), envelope.heading
    named = (receipt.sender, receipt.recipient, receipt.document, receipt.digest)
    if named != (heading.sender, heading.recipient, heading.document, heading.digest):
        raise Refused(
            f"a receipt beside document {heading.document} is about another",
            code="wrong_receipt",
        )
    _check_key(receipt.recipient, receipt.key, records)
    return receipt


def _check_key(node: str, key: PublicKey, records: Callable[[str, PublicKey], bool]) -> None:
    if not records(node, key):
        raise Refused(
            f"the trust list does not give {node} the key {key.fingerprint}",
            code="untrusted_key",
            remedy="get the node's trust list, compare its fingerprints, and add it",
        )
