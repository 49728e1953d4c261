"""The port of the bus: publish in order with a message id, consume durably, nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

# All subjects of the house begin so; on a server that nodes share, another word may stand for it.
ROOT: Final = "zhidao"


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `id` makes a repeated publication harmless; `subject` is dotted text."""

    subject: str
    id: str
    data: bytes


class Bus(Protocol):
    """Ordered, durable, at-least-once. Consumers make the effect happen once by their inbox."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """Publishes in order; returns when all are stored. A known id is not stored again.

        Raises Unavailable if the bus does not answer in time; publishing again is safe.
        """
        ...

    async def consume(
        self,
        *,
        name: str,
        subjects: Sequence[str],
        handle: Callable[[Message], Awaitable[None]],
        on_dead: Callable[[Message, str], Awaitable[None]],
    ) -> None:
        """Runs until cancelled: each message in order to `handle`, acknowledged after it returns.

        A handler that raises gets the message again after a growing pause; after five failures
        `on_dead` is told (message, reason) and the consumer goes on.
        """
        ...

    async def newest_id(self) -> str | None:
        """The id of the last message that is stored, or None if there is none.

        A bus that lost its folder, or its newest messages with the power, shows it here.
        Raises Unavailable.
        """
        ...

    @property
    def generation(self) -> int:
        """Grows with each new connection, and when the bus is found to have lost messages."""
        ...

    async def ready(self) -> bool:
        """Whether the bus answers now and would take a message."""
        ...

    async def lacking(self) -> int:
        """How many of the wanted copies of what it stores are absent or behind.

        Raises Unavailable.
        """
        ...

    async def close(self) -> None:
        """Lets go of connections."""
        ...
