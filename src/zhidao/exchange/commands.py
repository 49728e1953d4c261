"""What other rooms may ask of the exchange room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from zhidao.core.actor import Actor
from zhidao.exchange.events import Delivery, Dispatch


class Exchange(Protocol):
    """Sending to other nodes, and deciding about what they sent."""

    async def send(
        self,
        actor: Actor,
        *,
        document: UUID,
        recipient: str,
        to_party: str,
        consignment: str,
        kind: str,
        media_type: str,
        content: bytes,
    ) -> Dispatch:
        """Seals content for a peer and keeps it until a receipt comes; again: the same dispatch.

        Raises NotFound (`unknown_peer`), Conflict (`document_differs`) for other content under
        the same document id.
        """
        ...

    async def publish(
        self,
        actor: Actor,
        *,
        document: UUID,
        audience: Sequence[str],
        consignment: str,
        kind: str,
        media_type: str,
        content: bytes,
    ) -> Sequence[Dispatch]:
        """Sends to those peers of the audience whose subscription wants it."""
        ...

    async def decide(
        self, actor: Actor, *, sender: str, document: UUID, outcome: str, code: str, reason: str
    ) -> Delivery:
        """Decides about an accepted document; the signed receipt goes to its sender.

        The same decision again changes nothing; another one is a Conflict (`decided_already`).
        """
        ...
