"""Facts of other nodes: whether they stand in those nodes' own logs, by the proofs enclosed."""

from __future__ import annotations

from collections import Counter

from zhidao.core.errors import Refused, ZhidaoError
from zhidao.exchange.events import FactsAdopted
from zhidao.trust.domain.proof import Proof, Replayed, Statement, verify_log_part
from zhidao.trust.wire.proof_file.zdproof import decode_proof
from zhidao.verification.case import Case


def check_other_logs(case: Case) -> Replayed:
    """Holds every fact that another node recorded against that node's own log.

    Raises Refused: what an enclosed proof of another log is refused for, `wrong_origin` if it is
    not of the node that shared it.
    """
    other = [o.event for o in case.proof.events if o.event.recorded_by.party != case.node.party]
    if not other:
        return Replayed()
    heads = _heads(case)
    found = Counter(heads[event.digest] for event in other if event.digest in heads)
    proven = [
        Statement(
            "other_log",
            f"{count} facts that {node} recorded are in its own log {origin} too, under a head of "
            f"{size} leaves that a key of the trust list signed.",
        )
        for (node, origin, size), count in sorted(found.items())
    ]
    lacking = Counter(e.recorded_by.party for e in other if e.digest not in heads)
    open_questions = [
        Statement(
            "other_log",
            f"That {count} facts which {node} recorded are in its own log: no proof of that log "
            "is enclosed for them.",
        )
        for node, count in sorted(lacking.items())
    ]
    return Replayed(tuple(proven), tuple(open_questions))


def _held(case: Case, data: bytes, sender: str) -> Proof:
    try:
        proof = decode_proof(data)
    except ZhidaoError as error:
        raise Refused(f"the proof of {sender}: {error}", code="bad_other_log") from error
    findings = verify_log_part(proof, case.trust)
    if not findings.holds:
        raise Refused(f"the proof of {sender}: {findings.sentence}", code=findings.reason)
    logs = [log.name for node in case.trust.nodes if node.party == sender for log in node.logs]
    if proof.origin not in logs or proof.consignment != case.consignment:
        raise Refused(
            f"what is enclosed for {sender} is a proof of another log or consignment",
            code="wrong_origin",
        )
    return proof


def _heads(case: Case) -> dict[bytes, tuple[str, str, int]]:
    """By an event's digest: node, log and size of the newest head that an enclosed proof shows."""
    heads: dict[bytes, tuple[str, str, int]] = {}
    for told in case.every(FactsAdopted):
        data = case.file(told.fact.proof)
        if data is None:
            continue
        proof = _held(case, data, told.fact.sender)
        for opened in proof.events:
            known = heads.get(opened.event.digest)
            if known is None or known[2] < proof.checkpoint.size:
                heads[opened.event.digest] = (
                    told.fact.sender,
                    proof.origin,
                    proof.checkpoint.size,
                )
    return heads
