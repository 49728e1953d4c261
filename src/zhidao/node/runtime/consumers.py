"""Runs the rooms' consumers on the bus: decode, set the trace, hand over, note what died."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, Protocol

from zhidao.bus.port import Bus, Message
from zhidao.core.ambient import Clock
from zhidao.core.errors import Unavailable
from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId
from zhidao.node.operations.metrics import Metrics
from zhidao.node.operations.tracing import set_trace, trace_of_event
from zhidao.node.runtime.relay import subject
from zhidao.node.runtime.runtime_context import Consumer

_INFRASTRUCTURE_PAUSE_S: Final = 0.2
_LOG: Final = logging.getLogger("zhidao.consumers")


class DeadLetters(Protocol):
    """Keeps what nobody could deal with, for a person to see."""

    async def add(
        self, *, consumer: str, message_id: str, subject: str, reason: str, data: bytes, at: int
    ) -> None:
        """Keeps a message that a consumer gave up; `at` in TAI nanoseconds."""
        ...


async def run_consumer(
    consumer: Consumer,
    *,
    node: PartyId,
    bus: Bus,
    dead: DeadLetters,
    clock: Clock,
    metrics: Metrics,
) -> None:
    """Runs one consumer of the node until cancelled."""

    async def handle(message: Message) -> None:
        event = SignedEvent.decode(message.data)
        if event.recorded_by.party != node and not consumer.adopted:
            return
        set_trace(trace_of_event(event))
        while True:
            try:
                await consumer.handle(event)
            except Unavailable as error:
                # No event is to blame for that, however long it takes.
                if not error.is_own_infrastructure:
                    raise
                _LOG.info("%s waits: %s", consumer.name, error, extra={"service": consumer.name})
                await asyncio.sleep(_INFRASTRUCTURE_PAUSE_S)
            else:
                return

    async def on_dead(message: Message, reason: str) -> None:
        _LOG.error(
            "%s gave up %s: %s", consumer.name, message.id, reason, extra={"service": consumer.name}
        )
        metrics.dead.labels(consumer.name).inc()
        await dead.add(
            consumer=consumer.name,
            message_id=message.id,
            subject=message.subject,
            reason=reason,
            data=message.data,
            at=clock.now().tai_ns,
        )

    await bus.consume(
        name=consumer.name,
        subjects=[subject(kind) for kind in consumer.types],
        handle=handle,
        on_dead=on_dead,
    )
