"""An export's proofs held against its documents: what a node's log says of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from zhidao.core.archive import digest_of
from zhidao.core.errors import Refused
from zhidao.core.events import SignedEvent
from zhidao.exchange.events import (
    DocumentAccepted,
    DocumentDecided,
    DocumentReceived,
    DocumentSent,
    ReceiptTaken,
)
from zhidao.exchange.service.verification import Checked
from zhidao.exchange.wire.receipt import encode_receipt
from zhidao.trust.domain.proof import Proof, Statement, verify_log_part
from zhidao.trust.domain.trust_list import TrustList
from zhidao.trust.wire.proof_file.zdproof import decode_proof

_INCOMING = (DocumentReceived, DocumentAccepted, DocumentDecided)


@dataclass(frozen=True, slots=True)
class Logged:
    """What the proofs add. `documents`: ids that a log tells of; `statements` for people."""

    documents: frozenset[str]
    events: int
    statements: tuple[Statement, ...]


def check_logged(
    proofs: Sequence[bytes], checked: Sequence[Checked], lists: Sequence[TrustList]
) -> Logged:
    """Every proof under the first trust list by which it holds, and what it says of the documents.

    Raises Refused with the reason of the proof's own check, `log_differs` where the log says
    another thing than the export, `document_missing` where it tells of a document that the export
    leaves out.
    """
    by_id: dict[tuple[str, str], Checked] = {
        (each.envelope.heading.sender, str(each.envelope.heading.document)): each
        for each in checked
    }
    told: set[str] = set()
    count = 0
    said: dict[str, Statement] = {}
    for data in proofs:
        proof = decode_proof(data)
        for statement in _held(proof, lists):
            said.setdefault(statement.text, statement)
        for event in (opened.event for opened in proof.events):
            document = _compared(event, by_id)
            if document:
                told.add(document)
                count += 1
    return Logged(frozenset(told), count, tuple(said.values()))


def _held(proof: Proof, lists: Sequence[TrustList]) -> Iterable[Statement]:
    """What the log part proves of time and of one history. Raises Refused."""
    reasons = []
    for trust in lists:
        findings = verify_log_part(proof, trust, of_consignment=False)
        if findings.holds:
            return [
                s
                for s in (*findings.proven, *findings.not_proven)
                if s.code in ("witnessed_time", "witnessed_history", "time", "one_history")
            ]
        reasons.append(findings)
    # A list that knows the log and still refuses says more than one that does not know it.
    known = [each for each in reasons if each.reason != "untrusted_root"] or reasons
    if not known:
        raise Refused("no trust list is given or installed", code="untrusted_root")
    raise Refused(known[0].sentence, code=known[0].reason)


def _compared(event: SignedEvent, by_id: Mapping[tuple[str, str], Checked]) -> str:
    """The document that an event of the exchange tells of, `` for another event."""
    if event.type == DocumentSent.TYPE:
        sent = DocumentSent.of(event)
        each = _found(by_id, event.recorded_by.party, sent.document)
        heading = each.envelope.heading
        _same(
            event,
            (sent.digest, sent.recipient, sent.consignment, sent.sequence, sent.kind),
            (
                heading.digest,
                heading.recipient,
                heading.consignment,
                heading.sequence,
                heading.kind,
            ),
        )
        if each.content is not None:
            _same(event, (sent.content,), (digest_of(each.content),))
        return sent.document
    if event.type == ReceiptTaken.TYPE:
        taken = ReceiptTaken.of(event)
        each = _found(by_id, event.recorded_by.party, taken.document)
        held = set(_digests(each))
        if not held.issuperset(taken.receipts):
            raise Refused(
                f"the log has a receipt for document {taken.document} that the export leaves out",
                code="log_differs",
                where=f"event {event.id}",
            )
        return taken.document
    for kind in _INCOMING:
        if event.type == kind.TYPE:
            fact = kind.of(event)
            each = _found(by_id, fact.sender, fact.document)
            if not isinstance(fact, DocumentDecided):
                _same(event, (fact.digest,), (each.envelope.heading.digest,))
            return str(fact.document)
    return ""


def _found(by_id: Mapping[tuple[str, str], Checked], sender: str, document: str) -> Checked:
    found = by_id.get((sender, document))
    if found is None:
        raise Refused(
            f"the log tells of document {document} from {sender}, which the export leaves out",
            code="document_missing",
        )
    return found


def _same(event: SignedEvent, told: tuple[object, ...], there: tuple[object, ...]) -> None:
    if told != there:
        raise Refused(
            f"the log says {told} of a document, the export {there}",
            code="log_differs",
            where=f"event {event.id}",
        )


def _digests(each: Checked) -> Iterator[str]:
    return (digest_of(encode_receipt(receipt)) for receipt in each.receipts)
