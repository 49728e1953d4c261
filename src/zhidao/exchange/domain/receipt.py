"""A receipt: a recipient's signed word about a document, at one of three stages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from zhidao.core.archive import check_digest
from zhidao.core.errors import MalformedInput
from zhidao.core.ids import PartyId
from zhidao.core.keys import PublicKey
from zhidao.core.timescale import Utc
from zhidao.exchange.domain.limits import REASON_CHARACTERS_MAX


class Stage(StrEnum):
    """How far the document came, in this order."""

    RECEIVED = "received"  # its envelope is durable at the recipient
    ACCEPTED = "accepted"  # opened, whole, and in its order
    DECIDED = "decided"  # somebody took it or turned it down

    @property
    def rank(self) -> int:
        """0, 1, 2."""
        return list(Stage).index(self)


class Outcome(StrEnum):
    """What is said at a stage."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receipt. `code` (stable) and `reason` (for a person) say why something was refused."""

    stage: Stage
    sender: PartyId
    recipient: PartyId
    document: UUID
    digest: str
    outcome: Outcome
    code: str
    reason: str
    at: Utc
    key: PublicKey
    signature: bytes = b""

    def __post_init__(self) -> None:
        check_digest(self.digest)
        if len(self.reason) > REASON_CHARACTERS_MAX or len(self.code) > 64:
            raise MalformedInput(f"a reason has at most {REASON_CHARACTERS_MAX} characters")
        if not (self.reason.isprintable() and self.code.isprintable()):
            raise MalformedInput("a reason is one line of text without control characters")
        if self.outcome is Outcome.REFUSED and not self.code:
            raise MalformedInput("a refusal names its reason by a code")
