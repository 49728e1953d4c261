"""What other rooms may ask of the positioning room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from zhidao.core.actor import Actor
from zhidao.core.timescale import Utc
from zhidao.positioning.events import Carried, Site


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
        carried: tuple[Carried, ...] = (),
        readers: tuple[str, ...],
    ) -> None:
        """Waits for the consignment; the same call again changes nothing.

        `carried`: its containers with their terminals where there are several; `terminal` is ``
        then. Each is waited for with its share of the risk, so that the whole has no more.
        """
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
        carried: tuple[Carried, ...] = (),
    ) -> None:
        """Refuses what `expect` would refuse, and writes nothing.

        Raises Conflict (`awaited_otherwise`) if the consignment is awaited in another way.
        """
        ...

    async def check_terminals(
        self, actor: Actor, *, consignment: str, terminals: Sequence[str], signed: bool
    ) -> None:
        """Refuses terminals that the actor may not follow, or that could never prove an arrival.

        `signed`: what they send must bear the signature of their key. Raises Refused
        (`terminal_unknown`, `terminal_without_key`).
        """
        ...
