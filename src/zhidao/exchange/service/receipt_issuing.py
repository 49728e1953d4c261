"""Signs what the inbox says of a document, stage by stage."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from zhidao.core.ambient import Clock
from zhidao.core.ids import PartyId
from zhidao.exchange.domain.envelope import Envelope
from zhidao.exchange.domain.receipt import Outcome, Receipt, Stage
from zhidao.exchange.service.ports import Got
from zhidao.exchange.service.signing_identity import SigningIdentity
from zhidao.exchange.wire.receipt import sign_receipt


@dataclass(frozen=True, slots=True)
class ReceiptIssuer:
    """Receipts of one node, by its signing identity and its clock."""

    node: PartyId
    identity: SigningIdentity
    clock: Clock

    def refusal(self, envelope: Envelope, code: str, reason: str) -> bytes:
        """Says that a document was not taken in, and why."""
        heading = envelope.heading
        named = (heading.sender, heading.document, heading.digest)
        return self._receipt(*named, Stage.RECEIVED, Outcome.REFUSED, code, reason)

    def stamped(self, row: Got, stage: Stage, outcome: Outcome, code: str, reason: str) -> Got:
        """The row with the receipt for this stage."""
        stages = list(row.receipts)
        named = (row.sender, row.document, row.digest)
        stages[stage.rank] = self._receipt(*named, stage, outcome, code, reason)
        return replace(row, receipts=(stages[0], stages[1], stages[2]))

    def _receipt(
        self,
        sender: PartyId,
        document: UUID,
        digest: str,
        stage: Stage,
        outcome: Outcome,
        code: str,
        reason: str,
    ) -> bytes:
        signer = self.identity.to(sender)
        receipt = Receipt(
            stage=stage,
            sender=sender,
            recipient=self.node,
            document=document,
            digest=digest,
            outcome=outcome,
            code=code,
            reason=reason,
            at=self.clock.now(),
            key=signer.public,
        )
        return sign_receipt(receipt, signer)
