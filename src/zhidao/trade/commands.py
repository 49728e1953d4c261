"""What other rooms may ask of the trade room."""

from __future__ import annotations

from typing import Protocol

from zhidao.core.actor import Actor
from zhidao.trade.events import Consignment, PresentedSet


class Consignments(Protocol):
    """Consignments by id."""

    async def consignment(self, actor: Actor, consignment: str) -> Consignment:
        """The consignment as it stands. Raises NotFound if the actor may not see it."""
        ...


class Presentations(Protocol):
    """Presentations to banks, for the examination of credits."""

    async def presented(self, actor: Actor, presentation: str) -> PresentedSet:
        """What a presentation says, read again from its bytes.

        Raises NotFound if the actor may not see it, Refused if signature or a digest is wrong.
        """
        ...
