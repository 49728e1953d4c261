"""Any message of a payment's life: from its bytes to a value, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.payments.message import (
    Answers,
    Message,
    Notice,
    Recalls,
    Returns,
    StatusReport,
    Transfers,
)
from zhidao.finance.wire.iso20022.messages import credit_transfers, notices, reversals, statuses
from zhidao.finance.wire.iso20022.syntax.columns import Columns
from zhidao.finance.wire.iso20022.syntax.envelope import Envelope
from zhidao.finance.wire.iso20022.syntax.outlines import MESSAGES
from zhidao.finance.wire.iso20022.syntax.structure import check

_READERS: Final[dict[str, Callable[[Envelope], Message]]] = {
    "pain.001": credit_transfers.decode,
    "pain.002": statuses.decode,
    "pacs.002": statuses.decode,
    "pacs.004": reversals.decode_returns,
    "pacs.008": credit_transfers.decode,
    "pacs.009": credit_transfers.decode,
    "camt.029": reversals.decode_answers,
    "camt.054": notices.decode,
    "camt.056": reversals.decode_recalls,
}


def decode(envelope: Envelope, *, checked: bool = False, columns: Columns | None = None) -> Message:
    """The message as a value. `checked`: an official schema has approved of it already.

    `columns`: its payments by columns, if it is a file of many alike.

    Raises MalformedInput with an external code and the place for what no outline allows, and for
    a message definition that has none.
    """
    reader = _READERS.get(envelope.definition[:8])
    if reader is None or envelope.definition not in MESSAGES:
        known = sorted(name for name in MESSAGES if name[:8] in _READERS)
        raise MalformedInput(
            f"{envelope.definition or 'this'} is no message that is taken here",
            code="FF01",
            remedy=f"send one of {', '.join(known)}",
        )
    if not checked:
        check(envelope.document, envelope.definition)
    if columns is not None:
        return credit_transfers.decode(envelope, columns)
    return reader(envelope)


def encode(message: Message) -> bytes:
    """The message's bytes."""
    match message:
        case Transfers():
            return credit_transfers.encode(message)
        case StatusReport():
            return statuses.encode(message)
        case Returns():
            return reversals.encode_returns(message)
        case Recalls():
            return reversals.encode_recalls(message)
        case Answers():
            return reversals.encode_answers(message)
        case Notice():
            return notices.encode(message)
