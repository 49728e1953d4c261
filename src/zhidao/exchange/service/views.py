"""Rows of outbox and inbox as others see them."""

from __future__ import annotations

from typing import Any, Final

from zhidao.core.timescale import Utc
from zhidao.exchange.events import Delivery, Dispatch, Exchanged
from zhidao.exchange.service.ports import Got, Sent

_COMMON: Final = tuple(name for name in Exchanged.__struct_fields__ if name != "document")


def dispatch_of(row: Sent) -> Dispatch:
    """A document of ours on its way."""
    return Dispatch(
        **_common(row),
        recipient=row.recipient,
        attempts=row.attempts,
        created_at=str(Utc(row.created_ns)),
    )


def delivery_of(row: Got) -> Delivery:
    """A peer's document here."""
    return Delivery(**_common(row), sender=row.sender, received_at=str(Utc(row.received_ns)))


def _common(row: Sent | Got) -> dict[str, Any]:
    return {"document": str(row.document)} | {name: getattr(row, name) for name in _COMMON}
