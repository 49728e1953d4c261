"""What other rooms may ask of the positioning room."""

from __future__ import annotations

from typing import Protocol

from zhidao.core.actor import Actor
from zhidao.core.timescale import Utc
from zhidao.positioning.events import Site


class Arrivals(Protocol):
    """Expected and proven arrivals."""

    async def expect(
        self,
        actor: Actor,
        *,
        consignment: str,
        terminal: str,
        site: Site,
        not_before: Utc,
        not_after: Utc,
        risk_ppb: int,
        readers: tuple[str, ...],
    ) -> None:
        """Waits for the consignment; the same call again changes nothing."""
        ...

    async def rehearse(
        self,
        *,
        consignment: str,
        terminal: str,
        site: Site,
        not_before: Utc,
        not_after: Utc,
        risk_ppb: int,
    ) -> None:
        """Refuses what `expect` would refuse, and writes nothing.

        Raises Conflict (`awaited_otherwise`) if the consignment is awaited in another way.
        """
        ...
