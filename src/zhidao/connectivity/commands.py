"""What other rooms may ask of the connectivity room."""

from __future__ import annotations

from typing import Protocol

from zhidao.connectivity.events import NetworkChecked
from zhidao.core.actor import Actor
from zhidao.core.timescale import Utc


class NetworkView(Protocol):
    """The mobile network's own idea of where a device is."""

    async def check(
        self,
        actor: Actor,
        *,
        phone: str,
        latitude_ndeg: int,
        longitude_ndeg: int,
        bound_mm: int,
        at: Utc,
        readers: tuple[str, ...] = (),
    ) -> NetworkChecked:
        """Compares a fix with the network's circle, records and returns the verdict.

        The same question again gives the same answer and writes nothing. `readers` may see it.
        """
        ...
