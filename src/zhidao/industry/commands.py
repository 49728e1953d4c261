"""What other rooms may ask of the industry room."""

from __future__ import annotations

from typing import Protocol

from zhidao.core.actor import Actor
from zhidao.industry.events import LotFinished


class Lots(Protocol):
    """Finished lots."""

    async def lot(self, actor: Actor, *, order: str, lot: str) -> LotFinished:
        """A finished lot that the actor may see. Raises NotFound."""
        ...
