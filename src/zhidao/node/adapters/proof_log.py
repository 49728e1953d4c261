"""Opens as much of some logs as proof files do: no node, no database, no network."""

from __future__ import annotations

from collections.abc import Sequence

from zhidao.core.errors import Refused
from zhidao.core.events import SignedEvent, leaf_bytes
from zhidao.core.ids import PartyId
from zhidao.insight.domain.opened import LogHead, OpenedLog, open_log
from zhidao.trust.domain.merkle import leaf_hash, verify_inclusion
from zhidao.trust.domain.proof import Proof, verify_log_part
from zhidao.trust.domain.trust_list import TrustList
from zhidao.trust.wire.proof_file.zdproof import decode_proof


class ProofFiles:
    """Implements `insight.service.ports.LogSource` over the bytes of proof files.

    With a trust list every file must hold by it; without one the report says that heads are
    unchecked.
    """

    def __init__(self, files: Sequence[bytes], trust: TrustList | None) -> None:
        self._files = files
        self._trust = trust

    async def opened(self, viewer: PartyId | None) -> OpenedLog:
        """All events of the files; whoever has a file may read it, so `viewer` limits nothing.

        Raises MalformedInput for a file that is no proof, Refused for one that does not hold or
        contradicts another (`fork`).
        """
        del viewer
        proofs = [decode_proof(data) for data in self._files]
        for proof in proofs:
            self._check(proof)
        heads = _heads(proofs, "trust_list" if self._trust else "unchecked")
        numbers = {head.origin: number for number, head in enumerate(heads)}
        leaves: list[tuple[int, int, SignedEvent]] = [
            (numbers[proof.origin], opened.index, opened.event)
            for proof in proofs
            for opened in proof.events
        ]
        return open_log(heads, leaves)

    def _check(self, proof: Proof) -> None:
        if self._trust is not None:
            findings = verify_log_part(proof, self._trust)
            if not findings.holds:
                raise Refused(findings.sentence, code=findings.reason, where=proof.consignment)
            return
        if proof.checkpoint.origin != proof.origin:
            raise Refused("the checkpoint is of another log", code="wrong_origin")
        for opened in proof.events:
            verify_inclusion(
                leaf=leaf_hash(leaf_bytes(opened.event, opened.salt)),
                index=opened.index,
                size=proof.checkpoint.size,
                proof=opened.inclusion,
                root=proof.checkpoint.root,
            )
            opened.event.verify()


def _heads(proofs: Sequence[Proof], checked: str) -> list[LogHead]:
    """One head a log, the largest, in order of origin."""
    by_origin: dict[str, dict[int, Proof]] = {}
    for proof in proofs:
        seen = by_origin.setdefault(proof.origin, {})
        known = seen.setdefault(proof.checkpoint.size, proof)
        if known.checkpoint.root != proof.checkpoint.root:
            raise Refused(
                f"two files show {proof.origin} with {proof.checkpoint.size} leaves and other"
                " roots: the log was forked",
                code="fork",
            )
    heads = []
    for origin, seen in sorted(by_origin.items()):
        *others, largest = sorted(seen)
        newest = seen[largest]
        signature = newest.note.signatures[0]
        heads.append(
            LogHead(
                origin=origin,
                size=largest,
                root=newest.checkpoint.root.hex(),
                signed_by=f"{signature.name} {signature.key_id.hex()}",
                checked=checked,
                others=tuple(others),
            )
        )
    return heads
