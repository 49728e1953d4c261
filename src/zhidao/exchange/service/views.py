"""Rows of outbox and inbox as others see them."""

from __future__ import annotations

from zhidao.core.timescale import Utc
from zhidao.exchange.events import Delivery, Dispatch
from zhidao.exchange.service.ports import Got, Sent


def dispatch_of(row: Sent) -> Dispatch:
    """A document of ours on its way."""
    return Dispatch(
        document=str(row.document),
        recipient=row.recipient,
        from_party=row.from_party,
        to_party=row.to_party,
        consignment=row.consignment,
        sequence=row.sequence,
        kind=row.kind,
        media_type=row.media_type,
        digest=row.digest,
        content=row.content,
        state=row.state,
        outcome=row.outcome,
        code=row.code,
        reason=row.reason,
        attempts=row.attempts,
        created_at=str(Utc(row.created_ns)),
    )


def delivery_of(row: Got) -> Delivery:
    """A peer's document here."""
    return Delivery(
        document=str(row.document),
        sender=row.sender,
        from_party=row.from_party,
        to_party=row.to_party,
        consignment=row.consignment,
        sequence=row.sequence,
        kind=row.kind,
        media_type=row.media_type,
        digest=row.digest,
        content=row.content,
        state=row.state,
        outcome=row.outcome,
        code=row.code,
        reason=row.reason,
        received_at=str(Utc(row.received_ns)),
    )
