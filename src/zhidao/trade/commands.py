"""What other rooms may ask of the trade room."""

from __future__ import annotations

from typing import Protocol

from zhidao.core.actor import Actor
from zhidao.trade.events import Consignment


class Consignments(Protocol):
    """Consignments by id."""

    async def consignment(self, actor: Actor, consignment: str) -> Consignment:
        """The consignment as it stands. Raises NotFound if the actor may not see it."""
        ...
